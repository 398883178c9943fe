"""How sure an overlap is: patterns without one part of the groups at a time (the jackknife).

Class means are noisy, and noise points anywhere: a learned pattern overlaps less with the plane
that it estimates than it would with endless data. What leaving out a tenth of the groups does to
the overlap, ten times, tells both that bias and the spread (Quenouille 1956, Tukey 1958).
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from jaxtyping import Float, Int

from ...core import Subspace
from .patterns import directions
from .statistics import Statistics

__all__ = ["FOLDS", "deal", "overlap_interval", "patterns_without"]

FOLDS = 10
FEWEST = 3  # folds that tell a spread
LEVEL = 0.95


def deal(
    groups: Int[np.ndarray, " row"], folds: int, rng: np.random.Generator
) -> Int[np.ndarray, " row"]:
    """A fold for each row; rows of a group stay together, folds hold as many groups.

    >>> deal(np.array([7, 7, 3, 5]), 10, np.random.default_rng(0)).max()
    np.int64(2)
    """
    known, place = np.unique(groups, return_inverse=True)
    fold = np.arange(len(known)) % max(min(folds, len(known)), 1)
    dealt: np.ndarray = rng.permutation(fold)[place]
    return dealt


def patterns_without(
    parts: Sequence[Statistics],
    target: str,
    rank: int,
    *,
    geometry: np.ndarray | None = None,
    resolution: float = float(np.finfo(np.float64).eps),
) -> list[Float[np.ndarray, "feature rank"]]:
    """The pattern of all parts but one, for each.

    Args:
        parts: statistics of the folds.
        target: whose pattern.
        rank: of the pattern of all; as many directions are kept.
        geometry: see :func:`linrep.probes.geometry.patterns.directions`.
        resolution: likewise.
    """
    if len(parts) < FEWEST:
        return []
    before = list(accumulate(parts[:-1]))
    after = list(accumulate(parts[:0:-1]))[::-1]
    rests = [after[0], *(a + b for a, b in zip(before[:-1], after[1:], strict=True)), before[-1]]
    moved = (directions(rest, target, geometry=geometry, resolution=resolution) for rest in rests)
    return [each.pattern[:, :rank] for each in moved]


def overlap_interval(
    learned: Subspace, without: Sequence[Float[np.ndarray, "d_model _"]], predicted: Subspace
) -> tuple[float, float] | None:
    """95 % interval of the overlap that endless data would show.

    Args:
        learned: the pattern of all groups.
        without: orthonormal bases of the patterns without one part of them each.
        predicted: the other subspace.

    Returns:
        Low and high end; ``None`` where parts are too few, or one shows no pattern.
    """
    from scipy import stats

    k = len(without)
    if k < FEWEST or not predicted.dim or not all(basis.shape[1] for basis in without):
        return None
    overlaps = np.array(
        [
            np.square(predicted.basis.T @ basis).sum() / min(predicted.dim, basis.shape[1])
            for basis in without
        ]
    )
    centre = k * learned.overlap(predicted) - (k - 1) * overlaps.mean()
    error = np.sqrt((k - 1) / k * np.square(overlaps - overlaps.mean()).sum())
    reach = float(stats.t.isf((1 - LEVEL) / 2, k - 1)) * error
    low, high = np.clip([centre - reach, centre + reach], 0.0, 1.0)
    return float(low), float(high)
