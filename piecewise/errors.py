"""What a caller of the piecewise-linear room can do wrong."""

from typing import final

from ..core import LinrepError

__all__ = ["BoxError", "BudgetError", "NetworkError", "PiecewiseError", "SliceError"]


class PiecewiseError(LinrepError):
    """Base of the errors of this room."""


@final
class NetworkError(PiecewiseError):
    """The weights do not make a maxout network."""


@final
class BoxError(PiecewiseError):
    """The box is empty, inverted or of the wrong dimension, or a point lies outside it."""


@final
class SliceError(PiecewiseError):
    """The segment or the plane does not fit the network's input space."""


@final
class BudgetError(PiecewiseError):
    """The network has more cells than the caller is willing to count."""
