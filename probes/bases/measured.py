"""One number of a map with what it is held to: untrained models, and sentences exchanged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

__all__ = ["MEASURES", "BaseMap", "Measured", "jackknifed", "upper_end"]

LEVEL = 0.95
FEWEST = 3  # values that tell a spread


@final
@dataclass(frozen=True)
class Measured:
    """A number, the ends of its 95 % interval where one is known, and its nulls.

    Args:
        value: the number.
        low: lower end, by leaving out one fold of the groups at a time; NaN where there is none.
        high: upper end.
        twins: the same number for each random-weight twin's stream.
        shuffled: the same number where whole sentences have exchanged their rows, for each draw.
    """

    value: float
    low: float
    high: float
    twins: tuple[float, ...] = ()
    shuffled: tuple[float, ...] = ()

    @property
    def above_shuffled(self) -> bool:
        """Whether it is more than one draw in twenty of exchanged sentences would give."""
        return bool(self.value > upper_end(self.shuffled))

    @property
    def above_twins(self) -> bool:
        """Whether it is more than one untrained model in twenty would give."""
        return bool(self.value > upper_end(self.twins))


MEASURES = ("r2", "r2_back", "cca", "cca_held_out", "cka", "procrustes", "procrustes_held_out")


@final
@dataclass(frozen=True)
class BaseMap:
    """Two streams, one site of each, and how much of each other they hold.

    Args:
        site: of the model.
        reference_site: of the reference.
        r2: share of the model's variance that the map from the reference gives, held out.
        r2_back: share of the reference's variance that the map back gives, held out.
        cca: mean squared canonical correlation of the rows learned from.
        cca_held_out: of the same directions on folds that they were not learned from.
        cka: linear centred kernel alignment.
        procrustes: R2 of the best rotation and one scale, the same both ways.
        procrustes_held_out: R2 on folds that it was not learned from, from the reference to the
            model.
        penalty: of the map, as a share of the mean variance.
        penalty_back: of the map back.
        rank: dimensions in which the model's stream moves.
        rank_reference: dimensions in which the reference's does.
        n_tokens: rows that the map was learned from.
        n_groups: groups of sentences among them.
    """

    site: str
    reference_site: str
    r2: Measured
    r2_back: Measured
    cca: Measured
    cca_held_out: Measured
    cka: Measured
    procrustes: Measured
    procrustes_held_out: Measured
    penalty: float
    penalty_back: float
    rank: int
    rank_reference: int
    n_tokens: int
    n_groups: int

    def flat(self) -> dict[str, object]:
        """One line of a table: each number, its interval, and the largest value of each null."""
        line: dict[str, object] = {"site": self.site, "reference_site": self.reference_site}
        for name, found in self._measures():
            line[name] = found.value
            if np.isfinite(found.low):
                line |= {f"{name}_low": found.low, f"{name}_high": found.high}
            line[f"{name}_twins"] = max(found.twins, default=float("nan"))
            line[f"{name}_shuffled"] = max(found.shuffled, default=float("nan"))
        for name in ("penalty", "penalty_back", "rank", "rank_reference", "n_tokens", "n_groups"):
            line[name] = getattr(self, name)
        return line

    def _measures(self) -> Iterator[tuple[str, Measured]]:
        for name in MEASURES:
            yield name, getattr(self, name)


def upper_end(values: Sequence[float], level: float = 1 - LEVEL) -> float:
    """What one more draw exceeds with this probability: the mean and Student's t of the spread.

    It is at least the largest value; infinite where fewer than three values tell no spread.

    >>> upper_end([0.1, 0.2, 0.3]) > 0.3, upper_end([0.1, 0.2])
    (True, inf)
    """
    from scipy import stats

    known = np.array(values, dtype=np.float64)
    k = len(known)
    if k < FEWEST or not np.isfinite(known).all():
        return float("inf")
    reach = float(stats.t.isf(level, k - 1)) * float(known.std(ddof=1)) * np.sqrt(1 + 1 / k)
    return float(max(known.max(), known.mean() + reach))


def jackknifed(
    errors: Float[np.ndarray, " fold"], spreads: Float[np.ndarray, " fold"]
) -> tuple[float, float, float]:
    """R2 over all folds, and its 95 % interval by leaving out one fold at a time (Tukey 1958).

    >>> [round(end, 3) for end in jackknifed(np.array([1.0, 2.0, 3.0]), np.full(3, 8.0))]
    [0.75, 0.439, 1.0]
    """
    from scipy import stats

    spread = float(spreads.sum())
    if not spread > 0.0:
        return float("nan"), float("nan"), float("nan")
    value, k = 1.0 - float(errors.sum()) / spread, len(errors)
    rest = spread - spreads
    if k < FEWEST or not (rest > 0.0).all():
        return value, float("nan"), float("nan")
    without = 1.0 - (errors.sum() - errors) / rest
    error = np.sqrt((k - 1) / k * np.square(without - without.mean()).sum())
    reach = float(stats.t.isf((1 - LEVEL) / 2, k - 1)) * float(error)
    return value, value - reach, min(value + reach, 1.0)
