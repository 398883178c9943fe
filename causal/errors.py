"""What can go wrong when a state is exchanged."""

from ..core import LinrepError

__all__ = ["CausalError", "NothingToExchange"]


class CausalError(LinrepError):
    """An exchange of states cannot be carried out, or would say nothing."""


class NothingToExchange(CausalError):
    """No two spans of the corpus can stand for each other."""
