"""What accuracy would be if activations said nothing: labels change places between sentences.

Sentences are the unit: tokens of one sentence are no independent witnesses. Sentences with the same
scored positions exchange all their labels, which is exact. Where there are too few of them no
exchange keeps both the position of a label and its sentence; there each sentence keeps its labels,
and what it has over chance at its positions changes sign at random, the whole sentence at once.
"""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...core.limits import available_memory, refuse_large
from ..errors import ProbeError
from .exchanging import exchangeable, places, swap_sentences
from .intervals import permutation_p

__all__ = ["Frame", "LabelNull"]


@final
@dataclass(frozen=True, eq=False)
class Frame:
    """Which rows exchange what they have with which: the same for all targets on the same rows.

    Args:
        whole: ``[whole]`` rows of the sentences that exchange all they have.
        blocks: of places in ``whole``: sentences with the same positions.
        ragged: ``[ragged]`` the other rows.
        place: ``[ragged]`` number of each one's position.
        sentence: ``[ragged]`` number of each one's sentence (or other group).
    """

    whole: Int[np.ndarray, " whole"]
    blocks: tuple[np.ndarray, ...]
    ragged: Int[np.ndarray, " ragged"]
    place: Int[np.ndarray, " ragged"]
    sentence: Int[np.ndarray, " ragged"]

    @classmethod
    def of(
        cls,
        groups: Int[np.ndarray, " token"],
        positions: Int[np.ndarray, " token"],
        sentences: Int[np.ndarray, " token"] | None = None,
    ) -> "Frame":
        """Find them; ``sentences`` where groups hold several.

        Groups of several sentences do not exchange as wholes: a label that goes with the place of
        a sentence in its group (statements that are true and false by turns, say) would come back
        to where it was, whatever was read. What such a group has over chance changes sign.
        """
        wholes, _ = exchangeable(groups, positions)
        if sentences is not None:
            wholes = [block for block in wholes if len(np.unique(sentences[block[0]])) == 1]
        whole = np.concatenate([np.zeros(0, np.int64), *(block.ravel() for block in wholes)])
        whole.sort()
        ragged = np.setdiff1d(np.arange(len(groups)), whole)
        ragged = ragged[np.lexsort((positions[ragged], groups[ragged]))]
        place = places((groups if sentences is None else sentences)[ragged], positions[ragged])
        _, sentence = np.unique(groups[ragged], return_inverse=True)
        inside = tuple(np.searchsorted(whole, block) for block in wholes)
        return cls(whole, inside, ragged, place, sentence.reshape(-1))

    def swap(self, rng: np.random.Generator) -> Int[np.ndarray, " whole"]:
        """For each whole row the row whose value it gets in one draw."""
        source: np.ndarray = self.whole[swap_sentences(self.blocks, rng)]
        return source

    def signs(self, draws: int, rng: np.random.Generator) -> Int[np.ndarray, "draw sentence"]:
        """1 or -1 for each ragged sentence."""
        shape = (draws, int(self.sentence.max(initial=-1)) + 1)
        return rng.integers(0, 2, size=shape, dtype=np.int8) * np.int8(2) - np.int8(1)

    @property
    def alone(self) -> int:
        """Rows that no other sentence has a partner for: they say nothing."""
        return int((np.bincount(self.place) == 1).sum())


@final
@dataclass(frozen=True, eq=False)
class LabelNull:
    """Draws under the hypothesis that labels go with positions and sentences alone.

    Args:
        codes: ``[token]`` true classes, -1 for one that no prediction can meet.
        whole: ``[whole]`` rows of the sentences that exchange all their labels.
        swapped: ``[draw, whole]`` the codes that these rows get.
        ragged: ``[ragged]`` the other rows.
        place: ``[ragged]`` number of each one's position.
        sentence: ``[ragged]`` number of each one's sentence (or other group).
        signs: ``[draw, sentence]`` 1 or -1.
    """

    codes: Int[np.ndarray, " token"]
    whole: Int[np.ndarray, " whole"]
    swapped: Int[np.ndarray, "draw whole"]
    ragged: Int[np.ndarray, " ragged"]
    place: Int[np.ndarray, " ragged"]
    sentence: Int[np.ndarray, " ragged"]
    signs: Int[np.ndarray, "draw sentence"]

    @classmethod
    def draw(
        cls,
        codes: Int[np.ndarray, " token"],
        groups: Int[np.ndarray, " token"],
        positions: Int[np.ndarray, " token"],
        draws: int,
        rng: np.random.Generator,
        *,
        sentences: Int[np.ndarray, " token"] | None = None,
    ) -> "LabelNull":
        """Draw once; every site is tested with the same draws.

        Args:
            codes: ``[token]`` true classes.
            groups: ``[token]`` sentence (or other group) of each row.
            positions: ``[token]`` place of each row in its sentence.
            draws: number of draws.
            rng: of the draws.
            sentences: ``[token]`` sentence of each row, where groups hold several: chance is that
                of a position in a sentence, over all groups; signs are one per group.

        Raises:
            ProbeError: so many draws for so many tokens fit no memory.
        """
        frame = Frame.of(groups, positions, sentences)
        narrow = np.min_scalar_type(-int(codes.max(initial=0)) - 1)
        held = narrow.itemsize * len(frame.whole) + len(codes) - len(frame.whole)
        refuse_large(
            ProbeError, draws * held, available_memory(),
            f"{draws} permutations of {len(codes)} test tokens", "lower permutations",
        )  # fmt: skip
        swapped = np.empty((draws, len(frame.whole)), dtype=narrow)
        for row in swapped:
            row[:] = codes[frame.swap(rng)]
        signs = frame.signs(draws, rng)
        return cls(
            codes, frame.whole, swapped, frame.ragged, frame.place, frame.sentence, signs
        )  # fmt: skip

    @property
    def undrawn(self) -> "LabelNull":
        """The same without its draws, which take most of the room: nothing can be tested by it."""
        return replace(self, swapped=self.swapped[:0], signs=self.signs[:0])

    @property
    def alone(self) -> int:
        """Rows that no other sentence has a partner for: they say nothing."""
        return int((np.bincount(self.place) == 1).sum())

    @property
    def testable(self) -> bool:
        """There are draws, and some label has a partner."""
        return len(self.signs) > 0 and self.alone < len(self.codes)

    def p_value(self, predicted: Int[np.ndarray, " token"]) -> float:
        """One-sided p-value that predictions are right no more often than by exchange.

        NaN where nothing can be tested. A probe that says the same of every token at a position
        gets 1, whatever its accuracy.
        """
        if not self.testable:
            return float("nan")
        return permutation_p(*self.statistic(predicted))

    def statistic(
        self, predicted: Int[np.ndarray, " token"]
    ) -> tuple[float, Float[np.ndarray, " draw"]]:
        """Share of right answers, those of ragged sentences over chance: seen, and drawn."""
        there = predicted[self.whole]
        over = np.bincount(
            self.sentence, weights=self._over_chance(predicted), minlength=self.signs.shape[1]
        )
        observed = (there == self.codes[self.whole]).sum() + over.sum()
        drawn = (self.swapped == there).sum(axis=1) + self.signs @ over
        return float(observed) / len(self.codes), drawn / len(self.codes)

    def _over_chance(self, predicted: Int[np.ndarray, " token"]) -> Float[np.ndarray, " ragged"]:
        """Right or not, less what exchange at its position gives this prediction and this label.

        Centred both ways, so that neither a class that is common at a position nor one that is
        often predicted there counts; scaled so that squares add up to the variance that exchange
        among the ``n`` tokens of the position has.
        """
        true, said = self.codes[self.ragged], predicted[self.ragged]
        n = np.bincount(self.place).astype(np.float64)
        width = int(max(true.max(initial=0), said.max(initial=0))) + 1
        labels, answers = np.zeros((2, len(n), width))
        known = true >= 0
        np.add.at(labels, (self.place[known], true[known]), 1.0)
        np.add.at(answers, (self.place, said), 1.0)
        shares = (labels * answers).sum(axis=1) / n**2
        met = np.where(known, answers[self.place, np.maximum(true, 0)], 0.0)
        chance = (labels[self.place, said] + met) / n[self.place] - shares[self.place]
        scale = np.sqrt(n / np.maximum(n - 1, 1))
        over: np.ndarray = ((true == said) - chance) * np.where(n > 1, scale, 0.0)[self.place]
        return over
