"""What is guessed of a target's test rows without the activations of any block."""

from dataclasses import dataclass
from typing import final

import numpy as np

from ..evidence.baselines import best_guess
from ..evidence.number_guesses import mean_guess, n_gram_guess, surface_numbers
from ..evidence.surface import WIDEST, Surface
from ..evidence.tokens import Tokens
from .numbers import NumberPlan
from .plan import Plan

__all__ = ["Guessing"]

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Training rows, validation rows, and those that are guessed: validation and test."""


@final
@dataclass(frozen=True, eq=False)
class Guessing:
    """The guesses of one target.

    Args:
        plan: its rows and labels.
        tokens: what stands there.
        surface: all of it together; ``None`` where nothing is learned of that.
    """

    plan: Plan | NumberPlan
    tokens: Tokens
    surface: Surface | None

    @property
    def needed(self) -> int:
        """Bytes that it takes, about: the embedding's columns twice, scores, columns of words."""
        if self.surface is None:
            return 0
        wide = 0 if self.surface.embedding is None else min(self.surface.embedding.width, WIDEST)
        plan = self.plan
        scores = len(plan.classes if isinstance(plan, Plan) else plan.columns)
        each = 2 * 4 * wide + 3 * 4 * scores + 24 * len(self.surface.keys)
        return each * (len(plan.train) + len(plan.validation) + len(plan.test))

    def run(self) -> dict[str, np.ndarray]:
        """Guesses of the test rows: from each key alone, from each part of texts, ``surface``.

        The ``surface`` is what does best on validation rows, one of these or all together.
        """
        place = np.empty_like(self.tokens.order)
        place[self.tokens.order] = np.arange(len(place))
        train, validation, test = (
            place[rows] for rows in (self.plan.train, self.plan.validation, self.plan.test)
        )
        parts, n = (train, validation, np.concatenate([validation, test])), len(validation)
        made = self._of_keys(parts)
        if self.surface is None:
            return {name: guess[n:] for name, guess in made.items()}
        together = self._learned(self.surface, parts)
        for part in self.surface.texts:
            made[part.part] = self._learned(self.surface.alone(part), parts)
        candidates = {"together": together, **made}
        missed = {name: self._missed(guess[:n]) for name, guess in candidates.items()}
        strongest = min(missed, key=lambda name: missed[name])  # of equals the first: together
        named = {name: guess[n:] for name, guess in made.items()}
        return {**named, "surface": candidates[strongest][n:]}

    def _of_keys(self, parts: Parts) -> dict[str, np.ndarray]:
        plan, keys, (train, _, asked) = self.plan, self.tokens.keys, parts
        if isinstance(plan, Plan):
            return {
                name: best_guess(key[train], plan.codes[0], key[asked], len(plan.classes))
                for name, key in keys.items()
            }
        known = plan.values[0]
        made = {name: mean_guess(key[train], known, key[asked]) for name, key in keys.items()}
        if self.tokens.strings is None:  # of whole texts there is no word before
            made["n_gram"] = n_gram_guess(self.tokens.contexts, known, train, asked)
        return made

    def _learned(self, surface: Surface, parts: Parts) -> np.ndarray:
        plan = self.plan
        if isinstance(plan, Plan):
            return surface.guess(*parts, plan.codes[:2], len(plan.classes))
        return surface_numbers(surface, *parts, plan.values[:2])

    def _missed(self, guess: np.ndarray) -> float:
        """On the validation rows: how many classes are wrong, or the squared error."""
        if isinstance(self.plan, Plan):
            return float((guess != self.plan.codes[1]).sum())
        return float(np.square(guess - self.plan.values[1]).sum())
