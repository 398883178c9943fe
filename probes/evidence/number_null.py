"""What R2 would be if activations said nothing: numbers change places as labels do.

Sentences with the same scored positions exchange all their numbers, which is exact. The others keep
theirs, and what each sentence has over chance at its positions changes sign. Squared errors over a
fixed set of numbers differ between exchanges by twice the sum of products alone, so that sum is the
statistic: for indicators of classes it is the number of right answers.
"""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from .permutation import Frame

__all__ = ["NumberNull"]


@final
@dataclass(frozen=True, eq=False)
class NumberNull:
    """Draws under the hypothesis that numbers go with positions and sentences alone.

    Args:
        values: ``[token, column]`` true numbers, of one scale.
        frame: which rows exchange.
        sources: ``[draw, whole]`` row whose numbers each row of the whole sentences gets.
        signs: ``[draw, sentence]`` 1 or -1.
    """

    values: Float[np.ndarray, "token column"]
    frame: Frame
    sources: Int[np.ndarray, "draw whole"]
    signs: Int[np.ndarray, "draw sentence"]

    @classmethod
    def draw(
        cls,
        values: Float[np.ndarray, "token column"],
        frame: Frame,
        draws: int,
        rng: np.random.Generator,
    ) -> "NumberNull":
        """Draw once; a generator in the same state makes the same exchanges as for labels.

        Args:
            values: ``[token, column]`` true numbers.
            frame: which rows exchange.
            draws: number of draws.
            rng: of the draws.
        """
        sources = np.empty((draws, len(frame.whole)), dtype=np.int32)
        for row in sources:
            row[:] = frame.swap(rng)
        return cls(values, frame, sources, frame.signs(draws, rng))

    @property
    def undrawn(self) -> "NumberNull":
        """The same without its draws, which take most of the room: nothing can be tested by it."""
        return replace(self, sources=self.sources[:0], signs=self.signs[:0])

    @property
    def ragged(self) -> Int[np.ndarray, " ragged"]:
        """Rows of sentences that do not exchange as wholes."""
        return self.frame.ragged

    @property
    def alone(self) -> int:
        """Rows that say nothing."""
        return self.frame.alone

    @property
    def testable(self) -> bool:
        """There are draws, and some number has a partner."""
        return len(self.signs) > 0 and self.alone < len(self.values)

    def statistic(
        self, predicted: Float[np.ndarray, "token column"]
    ) -> tuple[float, Float[np.ndarray, " draw"]]:
        """Mean product of numbers and predictions, ragged sentences' over chance: seen, and drawn.

        Predictions are centred first, so that their mean, which no exchange moves, does not count.
        """
        n = len(self.values)
        said = predicted - predicted.mean(axis=0)
        there = said[self.frame.whole]
        over = np.bincount(
            self.frame.sentence, weights=self._over_chance(said), minlength=self.signs.shape[1]
        )
        observed = float(np.vdot(self.values[self.frame.whole], there)) + float(over.sum())
        drawn = np.array([np.vdot(self.values[source], there) for source in self.sources])
        return observed / n, (drawn + self.signs @ over) / n

    def _over_chance(self, said: np.ndarray) -> Float[np.ndarray, " ragged"]:
        """Products of what numbers and predictions have beyond their means at the position."""
        place = self.frame.place
        n = np.bincount(place).astype(np.float64)
        true, answer = (
            each[self.frame.ragged] - (_means(each[self.frame.ragged], place, n))[place]
            for each in (self.values, said)
        )
        scale = np.where(n > 1, np.sqrt(n / np.maximum(n - 1, 1)), 0.0)
        over: np.ndarray = (true * answer).sum(axis=1) * scale[place]
        return over


def _means(values: np.ndarray, place: np.ndarray, n: np.ndarray) -> np.ndarray:
    """``[place, column]`` mean of the values at each position."""
    total = np.stack(
        [np.bincount(place, weights=column, minlength=len(n)) for column in values.T], axis=1
    )
    found: np.ndarray = total / np.maximum(n, 1.0)[:, None]
    return found
