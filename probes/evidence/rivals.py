"""Whether a probe beats what it has to beat, at all cells of a grid together.

Differences decide, not two numbers beside each other: probe and rival answer the same test tokens,
and what they answer differently is added up in each test group. Under the hypothesis that the
rival is as good, the difference of a group is as likely to be positive as negative, so the signs
of whole groups are turned over at random. The highest cell of each draw is what any cell has to
exceed (Westfall and Young 1993, single-step maximum): a false finding anywhere in the grid has the
probability of the level.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from .number_scores import unexplained

__all__ = ["DRAWS", "LEAST_GROUPS", "LEAST_TWINS", "beats", "beats_untrained", "group_differences"]

DRAWS = 1999
LEAST_GROUPS = 6  # fewer have at most 32 patterns of signs: hardly a p-value could be small
LEAST_TWINS = 3  # two models differ by one number, which says next to nothing about their spread
AT_ONCE = 200  # draws in memory
FLAT = 1e-12  # rounding of sums of shares


def group_differences(
    differences: Sequence[Float[np.ndarray, "_"] | None],
    groups: Sequence[Int[np.ndarray, "_"]],
) -> Float[np.ndarray, "group cell"]:
    """Sums of each cell's differences in each test group; NaN for a cell without a rival.

    Args:
        differences: per cell ``[test]`` the probe's answer less the rival's, right 1 and wrong 0.
        groups: per cell ``[test]`` groups, numbered alike in all cells.

    >>> group_differences([np.array([1.0, 0.0, 1.0]), None], [np.array([4, 4, 9])] * 2).tolist()
    [[1.0, nan], [1.0, nan]]
    """
    names = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *groups]))
    table = np.full((len(names), len(differences)), np.nan)
    for cell, (difference, ids) in enumerate(zip(differences, groups, strict=True)):
        if difference is not None:
            place = np.searchsorted(names, ids)
            table[:, cell] = np.bincount(place, weights=difference, minlength=len(names))
    return table


def beats(
    sums: Float[np.ndarray, "group cell"], *, seed: int, draws: int = DRAWS
) -> Float[np.ndarray, " cell"]:
    """One-sided p-values that no cell beats its rival, for all cells together.

    Exact where the differences of groups are symmetric under the hypothesis; NaN for cells without
    a rival, and for all cells with fewer than six groups.

    Args:
        sums: from :func:`group_differences`.
        seed: of the signs.
        draws: patterns of signs.

    >>> sums = np.stack([np.ones(20), np.tile([1.0, -1.0], 10)], axis=1)
    >>> (beats(sums, seed=0) <= 0.05).tolist()
    [True, False]
    """
    rng = np.random.default_rng(seed)
    size = np.sqrt(np.square(sums).sum(axis=0))
    if len(sums) < LEAST_GROUPS:
        return np.full(sums.shape[1], np.nan)
    return _highest(
        sums.sum(axis=0),
        size,
        lambda cells, count: (
            (rng.integers(0, 2, (count, len(sums)), dtype=np.int8) * 2.0 - 1.0) @ sums[:, cells]
        ),
        draws,
    )


def beats_untrained(
    accuracy: Float[np.ndarray, " cell"],
    untrained: Float[np.ndarray, "twin cell"],
    tokens: Float[np.ndarray, " cell"],
    *,
    seed: int,
    draws: int = DRAWS,
    numbers: Bool[np.ndarray, " cell"] | None = None,
) -> Float[np.ndarray, " cell"]:
    """One-sided p-values that one more untrained model reads as much, for all cells together.

    The next untrained model is predicted from the mean and the spread of those measured on the
    same test tokens, with Student's factor for few of them, of one degree of freedom fewer than
    for a normal law: what random weights happen to hold has a long tail. Accuracies are compared
    as log-odds, and R2 as the logarithm of what is left unexplained, for the last errors are harder
    to lose than the first. Deviations of all cells are drawn together, as mixtures of those of the
    models. A cell whose spread is below that of the whole grid is given the grid's (of its kind):
    a spread is badly known of five models.

    Args:
        accuracy: ``[cell]`` of the probe.
        untrained: ``[twin, cell]`` accuracies of the untrained models.
        tokens: ``[cell]`` test tokens that the accuracies are of.
        seed: of the draws.
        draws: how many.
        numbers: ``[cell]`` whether it is R2 of numbers instead; none by default.

    Returns:
        NaN for cells without untrained models, and for all with fewer than three of them.

    >>> models = np.array([[0.50], [0.52], [0.49], [0.51], [0.53]])
    >>> [
    ...     bool(beats_untrained(np.array([seen]), models, np.array([400.0]), seed=0) < 0.05)
    ...     for seen in (0.9, 0.54)
    ... ]
    [True, False]
    """
    k, n = untrained.shape
    if k < LEAST_TWINS:
        return np.full(n, np.nan)
    numbers = np.zeros(n, dtype=bool) if numbers is None else numbers
    own, untrained = (_even(each, tokens, numbers) for each in (accuracy, untrained))
    apart = untrained - untrained.mean(axis=0)
    spread = np.sqrt(np.square(apart).sum(axis=0) / (k - 1))
    whole = np.zeros(n)
    for kind in (numbers, ~numbers):
        measured = kind & np.isfinite(spread)
        if measured.any():
            whole[kind] = np.sqrt(np.mean(np.square(spread[measured])))
    size = np.maximum(spread, whole) * np.sqrt(1 + 1 / k)
    # A spread of zero is that of the grid as well; its direction is then nobody's.
    free = max(k - 2, 1)
    apart = apart * (size / np.maximum(spread, FLAT)) / np.sqrt(k - 1)
    rng = np.random.default_rng(seed)
    return _highest(
        own - untrained.mean(axis=0),
        size,
        lambda cells, count: (
            (rng.standard_normal((count, k)) @ apart[:, cells])
            / np.sqrt(rng.chisquare(free, (count, 1)) / free)
        ),
        draws,
    )


def _even(scores: np.ndarray, tokens: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Scores on a scale of even steps, finite also where all or nothing is right.

    Half a token is added on either side of the log-odds.
    """
    share = np.where(numbers, 0.5, scores)
    odds = np.log(share * tokens + 0.5) - np.log((1 - share) * tokens + 0.5)
    even: np.ndarray = np.where(numbers, unexplained(np.where(numbers, scores, 0.0), tokens), odds)
    return even


def _highest(
    seen: np.ndarray,
    size: np.ndarray,
    draw: Callable[[np.ndarray, int], np.ndarray],
    draws: int,
) -> Float[np.ndarray, " cell"]:
    """The highest standardised cell of each draw is the bar for every cell.

    Args:
        seen: ``[cell]`` what was measured; NaN = not tested.
        size: ``[cell]`` its scale.
        draw: given cells and a number, ``[draw, cell]`` values under the hypothesis.
        draws: how many.
    """
    out = np.full(len(seen), np.nan)
    tested = np.flatnonzero(np.isfinite(seen) & np.isfinite(size))
    if not len(tested):
        return out
    moves = size[tested] > FLAT
    scale = np.where(moves, size[tested], 1.0)
    # Where nothing varies, any difference is one: rounding is none.
    still = np.where(seen[tested] > FLAT, np.inf, 0.0)
    standard = np.where(moves, seen[tested] / scale, still)
    hits = np.zeros(len(tested))
    for start in range(0, draws, AT_ONCE):
        drawn = draw(tested, min(AT_ONCE, draws - start))
        highest = np.where(moves, drawn / scale, 0.0).max(axis=1)
        hits += (highest[:, None] >= standard - FLAT).sum(axis=0)
    out[tested] = np.where(standard > 0, (1.0 + hits) / (1.0 + draws), 1.0)
    return out
