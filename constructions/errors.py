"""The error of constructions of grammars."""

from ..core import LinrepError

__all__ = ["ConstructionError", "require_count"]


class ConstructionError(LinrepError):
    """A grammar transformer cannot be built as asked; the message says why and what to do."""


def require_count(name: str, value: int) -> int:
    """A number of things, refused if it is negative.

    Raises:
        ConstructionError: with its name.
    """
    if value < 0:
        raise ConstructionError(f"{name} is not negative; received {value}")
    return value
