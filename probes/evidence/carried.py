"""How right a probe is on a data set that may not be its own, beside chance and a twin."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Shaped

from .intervals import accuracy_interval, bootstrap_weights, paired_test, sentence_sums
from .number_scores import r2_interval

__all__ = ["CarriedOver", "carried", "is_above"]


@final
@dataclass(frozen=True, eq=False)
class CarriedOver:
    """What a probe does on some rows.

    Args:
        score: accuracy of classes, R2 (around these rows' own mean) of numbers.
        low: lower end of the 95 % interval; NaN where none was asked for.
        high: upper end.
        chance: share of the most frequent class; 0 of numbers.
        worth: ``[row]`` 1 where a class is right; of numbers minus the squared error.
        without: ``[row]`` the same of who always says the most frequent class, or the mean.
        groups: ``[row]`` what belongs together.
    """

    score: float
    low: float
    high: float
    chance: float
    worth: Float[np.ndarray, " row"]
    without: Float[np.ndarray, " row"]
    groups: Shaped[np.ndarray, " row"]


def carried(
    said: np.ndarray,
    true: np.ndarray,
    groups: Shaped[np.ndarray, " row"],
    *,
    number: bool,
    bootstrap: int,
    rng: np.random.Generator,
) -> CarriedOver:
    """Score what a probe said.

    Args:
        said: classes ``[row]``, or numbers ``[row, column]``.
        true: likewise.
        groups: what belongs together, for the interval.
        number: whether they are numbers.
        bootstrap: resamples of groups; 0 for no interval.
        rng: of the resamples.
    """
    weights = bootstrap_weights(len(np.unique(groups)), bootstrap, rng)
    low = high = float("nan")
    if not number:
        classes, counts = np.unique(true, return_counts=True)
        worth = (said == true).astype(np.float64)
        without = (true == classes[counts.argmax()]).astype(np.float64)
        right, tokens = sentence_sums(worth, groups)
        if bootstrap:
            low, high = accuracy_interval(right, tokens, weights)
        chance = float(counts.max() / len(true))
        return CarriedOver(float(worth.mean()), low, high, chance, worth, without, groups)
    worth = -np.square(said.reshape(true.shape) - true).sum(axis=1)
    without = -np.square(true - true.mean(axis=0)).sum(axis=1)
    errors, _ = sentence_sums(-worth, groups)
    around, _ = sentence_sums(-without, groups)
    if bootstrap:
        low, high = r2_interval(errors, around, weights)
    score = 1.0 - float(errors.sum()) / max(float(around.sum()), 1e-300)
    return CarriedOver(score, low, high, 0.0, worth, without, groups)


def is_above(seen: CarriedOver, twin: CarriedOver | None, level: float) -> bool:
    """Whether a probe is better than chance, and than the twin's on the same rows.

    Differences of groups change sign at random (:func:`.intervals.paired_test`).

    Args:
        seen: of the probe.
        twin: of the same probe of a model with random weights, where there is one.
        level: of both tests.
    """
    rivals = [seen.without] if twin is None else [seen.without, twin.worth]
    return all(
        seen.worth.sum() > rival.sum() and paired_test(seen.worth, rival, seen.groups) <= level
        for rival in rivals
    )
