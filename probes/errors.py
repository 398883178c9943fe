"""The error that every mistake in probing raises."""

from ..core import LinrepError

__all__ = ["ProbeError"]


class ProbeError(LinrepError, ValueError):
    """The data cannot answer the question asked of it.

    It is also a :class:`ValueError`, as scikit-learn's conventions ask.
    """
