"""Exact networks for continuous piecewise linear functions given by points or affine pieces."""

from collections.abc import Sequence

from ...core import checked
from ..errors import NetworkError
from .arraylike import ArrayLike
from .interpolate import AffinePieces, cpwl_parts, difference_parts, max_min_parts
from .network import MaxoutNetwork

__all__ = ["from_cpwl", "from_difference", "from_max_min"]


@checked(NetworkError)
def from_cpwl(x: ArrayLike, y: ArrayLike) -> MaxoutNetwork:
    """The interpolant through ``(x_k, y_k)``, linear between and beyond the outer points' slopes.

    One layer of two units, ``f = A - B``: A takes the first line and the positive jumps of the
    slope, B minus the negative jumps; both are convex, so each is a maximum of lines.

    Args:
        x: ``[point]`` strictly increasing, two or more.
        y: ``[point]`` values.

    Raises:
        NetworkError: fewer than two points, unequal lengths, NaN or infinite entries, x not
            strictly increasing.

    >>> absolute = from_cpwl([-1, 0, 1], [1, 0, 1])
    >>> absolute([[-2.0], [0.5]]).ravel().tolist()
    [2.0, 0.5]
    """
    return MaxoutNetwork(*cpwl_parts(x, y))


@checked(NetworkError)
def from_difference(a: AffinePieces, b: AffinePieces) -> MaxoutNetwork:
    """``f = max_j a_j - max_k b_k`` of affine pieces: every CPWL function has this form.

    Args:
        a: gradients ``[piece, input]`` and values at the origin ``[piece]``.
        b: the same of the part subtracted.

    Raises:
        NetworkError: the pieces do not fit.

    >>> hat = from_difference(([[0.0], [1.0]], [0.0, 1.0]), ([[0.0], [2.0]], [0.0, 0.0]))
    >>> hat([[-2.0], [0.0], [0.5]]).ravel().tolist()
    [0.0, 1.0, 0.5]
    """
    return MaxoutNetwork(*difference_parts(a, b))


@checked(NetworkError)
def from_max_min(groups: Sequence[AffinePieces]) -> MaxoutNetwork:
    """``f = max_i min_j l_ij`` of affine functions: two layers.

    Layer 1 has one unit ``max_j -l_ij`` per group, layer 2 the one unit ``max_i -u_i``.

    Args:
        groups: per ``i`` the gradients ``[piece, input]`` and the values at the origin ``[piece]``.

    Raises:
        NetworkError: no group, or pieces that do not fit.

    >>> clipped = from_max_min([([[1.0], [0.0]], [0.0, 1.0]), ([[0.0]], [0.0])])
    >>> clipped([[-1.0], [0.5], [3.0]]).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    return MaxoutNetwork(*max_min_parts(groups))
