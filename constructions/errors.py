"""The error of constructions of grammars."""

from ..core import LinrepError
from ..core.limits import MOST_DRAWS

__all__ = ["ConstructionError", "require_count"]


class ConstructionError(LinrepError):
    """A grammar transformer cannot be built as asked; the message says why and what to do."""


def require_count(name: str, value: int) -> int:
    """A number of things to draw, refused if it is negative or beyond what can be worked off.

    Raises:
        ConstructionError: with its name.
    """
    if value < 0:
        raise ConstructionError(f"{name} is not negative; received {value}")
    if value > MOST_DRAWS:
        raise ConstructionError(
            f"{name} is at most {MOST_DRAWS:,}; received {value}: take fewer at once"
        )
    return value
