"""Exact networks for continuous piecewise linear functions given by points or affine pieces."""

from collections.abc import Sequence

import numpy as np

from ...core import checked
from ..errors import NetworkError
from .arraylike import ArrayLike, read_array
from .network import MaxoutNetwork

__all__ = ["from_cpwl", "from_difference", "from_max_min"]

AffinePieces = tuple[ArrayLike, ArrayLike]


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
    nodes, values = (read_array(row, "points and values", NetworkError) for row in (x, y))
    if nodes.ndim != 1 or nodes.shape != values.shape or len(nodes) < 2:
        raise NetworkError(
            "an interpolant needs two or more points x and as many y; received shapes "
            f"{nodes.shape} and {values.shape}"
        )
    if not (np.isfinite(nodes).all() and np.isfinite(values).all()):
        raise NetworkError("x and y must be finite; received NaN or infinite entries")
    if not (np.diff(nodes) > 0).all():
        raise NetworkError("x must increase strictly; sort the points and drop repeated ones")
    slopes = np.diff(values) / np.diff(nodes)
    jumps, breaks = np.diff(slopes), nodes[1:-1]
    start = values[0] - slopes[0] * nodes[0]
    rising = _convex(slopes[0], start, jumps[jumps > 0], breaks[jumps > 0])
    falling = _convex(0.0, 0.0, -jumps[jumps < 0], breaks[jumps < 0])
    return from_difference(rising, falling)


def _convex(
    slope: float, intercept: float, jumps: np.ndarray, breaks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lines of a convex function: the first line, then one more after each jump of its slope."""
    slopes = slope + np.concatenate([[0.0], np.cumsum(jumps)])
    intercepts = intercept - np.concatenate([[0.0], np.cumsum(jumps * breaks)])
    return slopes[:, None], intercepts


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
    return MaxoutNetwork([[a[0], b[0]]], [[a[1], b[1]]], [[1.0, -1.0]])


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
    if not len(groups):
        raise NetworkError("a max-min form needs at least one group of affine functions")
    first = [-read_array(gradient, "gradients", NetworkError) for gradient, _ in groups]
    offsets = [-read_array(value, "values at the origin", NetworkError) for _, value in groups]
    second = -np.eye(len(groups))[None]
    return MaxoutNetwork([first, second], [offsets, np.zeros((1, len(groups)))], [[1.0]])
