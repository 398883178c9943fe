"""How well numbers are read: R2 with its interval, and Spearman's rank correlation.

Every test token has a *credit*: one less its squared error in units of the mean squared deviation
from the training mean. The mean credit is R2, as the mean of right and wrong is accuracy, so that
whatever is said of groups of answers, of differences and of resamples holds for both kinds.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

__all__ = ["Scale", "credits_of", "r2_interval", "spearman", "unexplained"]

FLAT = 64 * float(np.finfo(np.float64).eps)  # relative spread below which a column is constant
FEW = 100  # groups below which the bootstrap sees too little of the tail


@final
@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and spread of each column on the training rows.

    Args:
        mean: ``[column]``, of the columns that vary.
        spread: ``[column]`` standard deviations, likewise.
        varies: ``[given]`` of all columns given, those that vary in training.
    """

    mean: Float[np.ndarray, " column"]
    spread: Float[np.ndarray, " column"]
    varies: Bool[np.ndarray, " given"]

    @classmethod
    def of(cls, values: Float[np.ndarray, "token given"]) -> "Scale":
        """Learn them from training rows."""
        largest = np.abs(values).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)  # squares neither overflow nor vanish
        mean, spread = (values / unit).mean(axis=0), (values / unit).std(axis=0)
        varies = spread > FLAT
        return cls((unit * mean)[varies], (unit * spread)[varies], varies)

    def __call__(self, values: Float[np.ndarray, "row given"]) -> Float[np.ndarray, "row column"]:
        """Numbers in training standard deviations from the training mean."""
        found: np.ndarray = (values[:, self.varies] - self.mean) / self.spread
        return found

    def back(self, scaled: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
        """Numbers as they were given, columns that vary alone."""
        found: np.ndarray = scaled * self.spread + self.mean
        return found


def credits_of(
    predicted: Float[np.ndarray, "token column"], true: Float[np.ndarray, "token column"]
) -> Float[np.ndarray, " token"]:
    """One number for each token, of which the mean is R2.

    R2 is one less the sum of squared errors over the sum of squared deviations from the *training*
    mean; of a vector, after each column was scaled to unit variance on the training rows. It is
    below 0 where the training mean is the better guess; NaN where no value deviates.

    Args:
        predicted: in training standard deviations from the training mean.
        true: likewise.

    >>> credits_of(np.array([[1.0], [0.0]]), np.array([[1.0], [-1.0]])).mean()
    np.float64(0.5)
    """
    deviation = float(np.square(true).sum(axis=1).mean()) if len(true) else 0.0
    if deviation <= 0.0:
        return np.full(len(true), np.nan)
    found: np.ndarray = 1.0 - np.square(predicted - true).sum(axis=1) / deviation
    return found


def spearman(predicted: Float[np.ndarray, " token"], true: Float[np.ndarray, " token"]) -> float:
    """Rank correlation of predictions and numbers; NaN where either does not vary."""
    if len(true) < 2 or np.ptp(predicted) == 0 or np.ptp(true) == 0:
        return float("nan")
    return float(stats.spearmanr(predicted, true).statistic)


def r2_interval(
    errors: Float[np.ndarray, " group"],
    deviations: Float[np.ndarray, " group"],
    weights: Float[np.ndarray, "draw group"],
    *,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of R2 over groups of the held-out predictions (no refit).

    Percentile bootstrap of the ratio of the two sums, its percentiles widened for few groups
    (Hesterberg 2015, arXiv:1411.5279). Below a hundred groups Student's interval of the logarithm
    of the unexplained share is taken, its variance by leaving out each group in turn, its degrees
    of freedom no more than the unlike sizes of the groups leave.

    Args:
        errors: sum of squared errors of each group.
        deviations: sum of squared deviations from the training mean of each group.
        weights: resamples, from :func:`.intervals.bootstrap_weights`.
        level: wanted coverage.

    Returns:
        Lower and upper end; NaN both with fewer than two groups.
    """
    n, alpha = len(errors), 1.0 - level
    total, whole = float(errors.sum()), float(deviations.sum())
    if n < 2 or whole <= 0.0:
        return float("nan"), float("nan")
    if total <= 0.0:
        return 1.0, 1.0
    if n >= FEW:
        drawn = (weights @ errors) / np.maximum(weights @ deviations, 1e-12 * whole)
        tail = float(stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(alpha / 2, n - 1)))
        low, high = np.quantile(drawn, [tail, 1.0 - tail])
        return float(1.0 - high), float(1.0 - low)
    without = np.log(np.maximum(total - errors, 1e-12 * total)) - np.log(
        np.maximum(whole - deviations, 1e-12 * whole)
    )
    spread = np.sqrt((n - 1) / n * float(np.square(without - without.mean()).sum()))
    even = 1.0 / float(np.square(errors / total).sum()) - 1.0
    reach = float(stats.t.ppf(1 - alpha / 2, max(min(even, n - 1), 1.0))) * spread
    middle = np.log(total) - np.log(whole)
    return float(1.0 - np.exp(middle + reach)), float(1.0 - np.exp(middle - reach))


def unexplained(r2: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the share that is not explained, finite also where there is none.

    For R2 what log-odds are for accuracy: the last errors are harder to lose than the first. Half a
    token's share is added, as half a token is there.
    """
    found: np.ndarray = -np.log(np.maximum(1.0 - r2, 0.0) + 0.5 / np.maximum(tokens, 1.0))
    return found
