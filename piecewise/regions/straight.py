"""How many straight pieces a sampled curve needs: a count for maps that are smooth.

A smooth map has no linear regions. What can be counted is the least number of straight pieces that
stay within a distance of it. Two laws tie that number to regions. Of a piecewise linear map it is
at most the number of linear regions, and equal to it for a small distance and dense samples. And
two maps that are ``delta`` apart bracket each other: with ``n(eps)`` pieces of one and ``m(eps)``
of the other, ``m(eps + delta) <= n(eps) <= m(eps - delta)``.
"""

import math

import numpy as np
from jaxtyping import Float, Int, Shaped

from ...core import checked
from ..errors import SliceError

__all__ = ["pattern_runs", "straight_pieces"]

ROUNDING = 1e-12  # of the largest value: samples of a straight line are on one


@checked(SliceError)
def straight_pieces(
    t: Float[np.ndarray, " point"], values: Float[np.ndarray, "point output"], eps: float | int
) -> Int[np.ndarray, " piece"]:
    """The first sample of each of the fewest straight pieces that stay within ``eps`` of all.

    Pieces may jump from one to the next. Whatever can be covered by one piece, so can a part of it:
    hence taking each piece as long as possible, from the left, gives the fewest. Whether a piece
    covers samples is decided exactly: the best line misses them by half the largest vertical
    distance between their upper and their lower convex hull, output by output.

    Args:
        t: where the curve was sampled, ascending.
        values: ``[point, output]`` the curve.
        eps: largest distance in any output; 0 asks for samples on lines, up to rounding.

    Returns:
        Indices of samples, of which the first is 0: their number is the count.

    Raises:
        SliceError: no samples, not ascending, not finite, or a negative distance.

    >>> t = np.linspace(0, 1, 101)
    >>> straight_pieces(t, np.abs(t - 0.5)[:, None], 1e-6).tolist()
    [0, 51]
    >>> [len(straight_pieces(t, (t**2)[:, None], eps)) for eps in (0.2, 0.02, 0.002)]
    [1, 3, 8]
    """
    if not (len(t) == len(values) > 0 and np.isfinite(t).all() and np.isfinite(values).all()):
        raise SliceError(
            "a curve has one finite row of values for each of one or more places; received "
            f"{len(t)} places and values of shape {values.shape}"
        )
    if not (np.diff(t) > 0).all():
        raise SliceError("places ascend, each larger than the one before: sort them, without twins")
    if not 0 <= eps < math.inf:
        raise SliceError(f"eps is a distance, 0 or more; received {eps}")
    slack = ROUNDING * float(np.abs(values).max(initial=0.0))
    starts = [0]
    while (end := _reach(t, values, starts[-1], float(eps) + slack)) < len(t):
        starts.append(end)
    return np.array(starts, dtype=np.int64)


@checked(SliceError)
def pattern_runs(codes: Shaped[np.ndarray, "point feature"]) -> int:
    """How many runs of equal rows there are: cells of a pattern along samples, each met counted.

    Cells between two samples are missed, so that the count is from below and grows with samples.

    >>> pattern_runs(np.array([[0, 1], [0, 1], [1, 1], [0, 1]]))
    3
    """
    return 1 + int((codes[1:] != codes[:-1]).any(axis=1).sum()) if len(codes) else 0


def _reach(t: np.ndarray, values: np.ndarray, start: int, eps: float) -> int:
    """One past the last sample that a piece from ``start`` can cover: doubling, then halving."""
    good, step = start + 1, 1
    while good + step <= len(t) and _covered(t, values, start, good + step, eps):
        good += step
        step *= 2
    while step > 1:
        step //= 2
        if good + step <= len(t) and _covered(t, values, start, good + step, eps):
            good += step
    return good


def _covered(t: np.ndarray, values: np.ndarray, start: int, end: int, eps: float) -> bool:
    """Whether one straight piece stays within ``eps`` of these samples."""
    x, y = t[start:end], values[start:end]
    if len(x) < 3:
        return True
    share = ((x - x[0]) / (x[-1] - x[0]))[:, None]
    off = y - ((1 - share) * y[0] + share * y[-1])
    furthest = np.abs(off).max(axis=0)
    if (furthest > 2 * eps).any():  # a line within eps of both ends is within eps of their chord
        return False
    unsure = np.flatnonzero(furthest > eps)
    return all(_gap(share[:, 0], off[:, column]) <= 2 * eps for column in unsure)


def _gap(x: np.ndarray, y: np.ndarray) -> float:
    """Largest vertical distance between the upper and the lower hull of points, left to right."""
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    upper, lower = _hull(points, 1.0), _hull(points, -1.0)
    high, low = (
        np.interp(x, [points[i][0] for i in hull], [points[i][1] for i in hull])
        for hull in (upper, lower)
    )
    return float((high - low).max())


def _hull(points: list[tuple[float, float]], sign: float) -> list[int]:
    """Indices of the corners of the upper (1) or lower (-1) hull."""
    kept: list[int] = []
    for index, (x, y) in enumerate(points):
        while len(kept) > 1:
            (x0, y0), (x1, y1) = points[kept[-2]], points[kept[-1]]
            if sign * ((y1 - y0) * (x - x0) - (y - y0) * (x1 - x0)) > 0:
                break
            kept.pop()
        kept.append(index)
    return kept
