"""Parts of networks for continuous piecewise linear functions given by points or pieces."""

from collections.abc import Sequence

import numpy as np

from ..errors import NetworkError
from .arraylike import ArrayLike, read_array
from .parts import Parts

__all__ = ["AffinePieces", "cpwl_parts", "difference_parts", "max_min_parts"]

AffinePieces = tuple[ArrayLike, ArrayLike]


def cpwl_parts(x: ArrayLike, y: ArrayLike) -> Parts:
    """Parts of the interpolant of points; see :func:`from_cpwl`.

    Raises:
        NetworkError: fewer than two points, unequal lengths, NaN or infinite entries, x not
            strictly increasing.
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
    return difference_parts(rising, falling)


def _convex(
    slope: float, intercept: float, jumps: np.ndarray, breaks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lines of a convex function: the first line, then one more after each jump of its slope."""
    slopes = slope + np.concatenate([[0.0], np.cumsum(jumps)])
    intercepts = intercept - np.concatenate([[0.0], np.cumsum(jumps * breaks)])
    return slopes[:, None], intercepts


def difference_parts(a: AffinePieces, b: AffinePieces) -> Parts:
    """Parts of a difference of two maxima; see :func:`from_difference`.

    Raises:
        NetworkError: the pieces do not fit.
    """
    return Parts([[a[0], b[0]]], [[a[1], b[1]]], [[1.0, -1.0]])


def max_min_parts(groups: Sequence[AffinePieces]) -> Parts:
    """Parts of a maximum of minima; see :func:`from_max_min`.

    Raises:
        NetworkError: no group, or pieces that do not fit.
    """
    if not len(groups):
        raise NetworkError("a max-min form needs at least one group of affine functions")
    first = [-read_array(gradient, "gradients", NetworkError) for gradient, _ in groups]
    offsets = [-read_array(value, "values at the origin", NetworkError) for _, value in groups]
    second = -np.eye(len(groups))[None]
    return Parts([first, second], [offsets, np.zeros((1, len(groups)))], [[1.0]])
