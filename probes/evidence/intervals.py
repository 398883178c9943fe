"""Intervals, p-values and corrections, all by sentence."""

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from scipy import special, stats

from ...core import checked
from ...core.limits import MOST_DRAWS, available_memory, refuse_large
from ..errors import ProbeError
from ..inputs.reading import as_array, as_numbers

__all__ = [
    "accuracy_interval",
    "benjamini_hochberg",
    "bootstrap_weights",
    "family_wise",
    "paired_test",
    "permutation_p",
    "sentence_sums",
]

DRAWS = 1000  # sign patterns in memory at once
FLAT = 1e-12  # rounding of shares of tokens: less is no difference
FEW = 400  # sentences with an error below which the bootstrap sees too little of the tail


def bootstrap_weights(
    n_groups: int, draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "draw group"]:
    """How often each group is drawn in each resample of all groups.

    Raises:
        ProbeError: so many resamples of so many groups fit no memory.
    """
    what = f"{draws} resamples of {n_groups} groups"
    # Whole numbers first, then shares: together twelve bytes of each.
    refuse_large(ProbeError, 12 * draws * n_groups, available_memory(), what, "lower bootstrap")
    share = np.full(n_groups, 1.0 / max(n_groups, 1))
    return rng.multinomial(n_groups, share, size=draws).astype(np.float32)


def sentence_sums(
    values: Float[np.ndarray, " token"], groups: np.ndarray
) -> tuple[Float[np.ndarray, " group"], Float[np.ndarray, " group"]]:
    """Sum of the values, and number of tokens, in each group."""
    _, index = np.unique(groups, return_inverse=True)
    return np.bincount(index, weights=values), np.bincount(index).astype(np.float64)


def accuracy_interval(
    right: Float[np.ndarray, " group"],
    tokens: Float[np.ndarray, " group"],
    weights: Float[np.ndarray, "draw group"],
    *,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of the accuracy over sentences, and honest at the edges.

    Percentile bootstrap over sentences of the held-out predictions (no refit), with the
    percentiles widened for few sentences (Hesterberg 2015, arXiv:1411.5279). Where fewer than four
    hundred sentences hold an error (or a success), resampling sees too little of the tail: then
    Student's interval of the log-odds is taken, its variance by leaving out each sentence in turn,
    its degrees of freedom no more than the sentences with an error (and one), and no more than
    their unlike lengths leave. With no error at all the lower end is
    ``(alpha / 2) ** (1 / sentences)``, never 1. Where each sentence has one scored token, errors
    are binomial and the interval is exact (Clopper and Pearson 1934).

    Args:
        right: correct tokens of each sentence.
        tokens: scored tokens of each sentence.
        weights: resamples, from :func:`bootstrap_weights`.
        level: wanted coverage.

    Returns:
        Lower and upper end; NaN both with fewer than two sentences.
    """
    n, alpha = len(tokens), 1.0 - level
    if n < 2:
        return float("nan"), float("nan")
    if bool((tokens == 1).all()):
        return _exact(float(right.sum()), n, alpha)
    if min(int((right < tokens).sum()), int((right > 0).sum())) < FEW:
        return _few(right, tokens, alpha)
    draws = (weights @ right) / np.maximum(weights @ tokens, 1.0)
    tail = float(stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(alpha / 2, n - 1)))
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return float(low), float(high)


def _exact(hits: float, n: int, alpha: float) -> tuple[float, float]:
    """Interval of a binomial share: the values that one-sided tests at half the level keep."""
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(alpha / 2, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(stats.beta.ppf(1 - alpha / 2, hits + 1, n - hits))
    return low, high


def _few(right: np.ndarray, tokens: np.ndarray, alpha: float) -> tuple[float, float]:
    """Interval of a ratio near 0 or 1, or of few sentences."""
    n, total = len(tokens), float(tokens.sum())
    p = float(right.sum()) / total
    without = (right.sum() - right) / np.maximum(total - tokens, 1.0)
    variance = (n - 1) / n * float(np.square(without - without.mean()).sum())
    if p <= 0.0 or p >= 1.0 or variance <= FLAT**2:
        # All alike: each sentence is one witness, however many tokens it has.
        return _exact(n * p, n, alpha)
    witnesses = min(int((right < tokens).sum()), int((right > 0).sum())) + 1
    even = 1.0 / float(np.square(tokens / total).sum()) - 1.0
    reach = float(stats.t.ppf(1 - alpha / 2, max(min(even, witnesses), 1.0)))
    odds, step = special.logit(p), reach * np.sqrt(variance) / (p * (1 - p))
    return float(special.expit(odds - step)), float(special.expit(odds + step))


def permutation_p(observed: float, draws: Float[np.ndarray, " draw"]) -> float:
    """``(1 + draws at least as large) / (1 + draws)``: never 0, valid at any number of draws."""
    hits = int((draws >= observed - 1e-12).sum())
    return (1 + hits) / (1 + len(draws))


def family_wise(
    observed: Float[np.ndarray, " cell"], draws: Float[np.ndarray, "cell draw"]
) -> Float[np.ndarray, " cell"]:
    """p-values that hold for all cells together: the chance of one false cell is the level.

    Each cell's statistic is standardised over its draws and what was seen, so that all cells are
    alike. The highest cell is compared with the highest of each draw, the next with the highest
    of the remaining cells, and so on (Westfall and Young 1993, step-down maximum). The smallest
    p-value is ``1 / (1 + draws)`` whatever the number of cells.

    Args:
        observed: what was seen, one-sided: more is better.
        draws: what is seen under the hypothesis; draws of cells that depend on each other have to
            be made together.

    >>> seen, draws = np.array([9.0, 0.0]), np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]])
    >>> family_wise(seen, draws).tolist()
    [0.25, 0.75]
    """
    if not draws.size:
        return np.full(len(observed), np.nan)
    table = np.column_stack([observed, draws]).astype(np.float64)
    table -= table.mean(axis=1, keepdims=True)
    spread = table.std(axis=1, keepdims=True)
    table = np.where(spread > FLAT, table / np.maximum(spread, FLAT), 0.0)
    rising = np.argsort(table[:, 0], kind="stable")
    highest = np.maximum.accumulate(table[rising, 1:], axis=0)  # of a cell and all below it
    hits = (highest >= table[rising, :1] - FLAT).sum(axis=1)
    p = (1.0 + hits) / (1.0 + draws.shape[1])
    out = np.empty(len(observed))
    out[rising] = np.maximum.accumulate(p[::-1])[::-1]
    return out


@checked(ProbeError)
def benjamini_hochberg(p: npt.ArrayLike) -> Float[np.ndarray, "*cells"]:
    """False discovery rates (q-values) over all cells; NaN stays NaN and is not counted.

    Benjamini and Hochberg 1995.

    Raises:
        ProbeError: a p-value lies outside 0..1.

    >>> benjamini_hochberg([0.01, 0.02, 0.5]).round(3).tolist()
    [0.03, 0.03, 0.5]
    """
    table = as_numbers(p, "p-values are numbers in 0..1")
    values = table.ravel()
    tested = np.flatnonzero(~np.isnan(values))
    if ((values[tested] < 0) | (values[tested] > 1)).any():
        outside = values[tested][(values[tested] < 0) | (values[tested] > 1)]
        raise ProbeError(f"p-values lie in 0..1; received {outside[0]:g}")
    out = np.full(values.shape, np.nan)
    order = tested[np.argsort(values[tested], kind="stable")]
    ranks = np.arange(1, len(order) + 1)
    raw = values[order] * len(order) / ranks
    out[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return out.reshape(table.shape)


@checked(ProbeError, most={"draws": MOST_DRAWS})
def paired_test(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    draws: int = 9999,
    seed: int = 0,
) -> float:
    """Two-sided p-value that two probes are equally right on the same tokens.

    Sentences' differences change sign at random (exact under the hypothesis that the probes
    are exchangeable within every sentence).

    Args:
        first: ``[token]`` 1 where the first probe is right, else 0.
        second: the same for the second probe.
        groups: ``[token]`` sentence ids.
        draws: sign patterns.
        seed: of the signs.

    Raises:
        ProbeError: lengths differ, a value is not finite, or there are no draws.
    """
    a, b = (as_numbers(s, "scores are numbers [token]") for s in (first, second))
    ids = as_array(groups, "groups are one id per token")
    if not a.shape == b.shape == ids.shape:
        raise ProbeError(
            "both scores and the groups have one value for each token; received shapes "
            f"{a.shape}, {b.shape} and {ids.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ProbeError("scores hold NaN or infinite values: leave those tokens out of both")
    if draws < 1:
        raise ProbeError(f"draws is a positive whole number; received {draws!r}")
    difference, _ = sentence_sums(a - b, ids)
    rng = np.random.default_rng(seed)
    sums = []
    for start in range(0, draws, DRAWS):  # bounds the float64 copy of the signs
        shape = (min(DRAWS, draws - start), len(difference))
        signs = rng.integers(0, 2, size=shape, dtype=np.int8) * 2 - 1
        sums.append(np.abs(signs @ difference))
    return permutation_p(abs(float(difference.sum())), np.concatenate(sums))
