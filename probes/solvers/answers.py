"""What fitted classifiers say of rows, of which one block at a time is in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from .features import Features
from .methods import LinearClassifier

__all__ = ["Answers", "answers"]


@final
@dataclass(frozen=True, eq=False)
class Answers:
    """What one classifier says.

    Args:
        chosen: ``[token]`` codes of the classes with the highest score.
        log_probability: ``[token]`` of the true class, NaN where there is none; where asked for.
        margin: ``[token]`` of two classes, how much higher the second scores than the first;
            likewise.
        confidence: ``[token]`` log-probability of the class chosen, NaN where there is none;
            likewise.
    """

    chosen: Int[np.ndarray, " token"]
    log_probability: Float[np.ndarray, " token"] | None
    margin: Float[np.ndarray, " token"] | None
    confidence: Float[np.ndarray, " token"] | None

    def at(self, places: Int[np.ndarray, " own"] | None) -> "Answers":
        """The answers at some tokens; ``None``: at all."""
        if places is None:
            return self
        each = (self.log_probability, self.margin, self.confidence)
        return Answers(
            self.chosen[places], *(None if values is None else values[places] for values in each)
        )


def answers(
    heads: Sequence[LinearClassifier],
    features: Features,
    codes: Sequence[Int[np.ndarray, " token"] | None],
) -> list[Answers]:
    """Answers of all classifiers from one pass over the rows.

    Args:
        heads: the classifiers.
        features: of the rows.
        codes: for each classifier the true classes of the rows, -1 for one that is not learned;
            ``None`` where the choice is enough.
    """
    if not heads:
        return []
    n = len(features)
    told = [_silent(n, head, true) for head, true in zip(heads, codes, strict=True)]
    ends = np.cumsum([len(head.weights) for head in heads])[:-1]
    weights = np.concatenate([head.weights for head in heads])
    for here, scored in features.scored(weights):
        parts = np.split(scored, ends, axis=1)
        for head, own, true, scores in zip(heads, told, codes, parts, strict=True):
            scores += head.intercepts
            own.chosen[here] = scores.argmax(axis=1)
            if true is not None and own.log_probability is not None and own.confidence is not None:
                asked = (true[here], own.chosen[here])
                told_here = head.log_probabilities(scores, asked)
                own.log_probability[here], own.confidence[here] = told_here
            if own.margin is not None:
                own.margin[here] = scores[:, 1] - scores[:, 0]
    return told


def _silent(n: int, head: LinearClassifier, true: np.ndarray | None) -> Answers:
    """Room for the answers of one classifier."""
    asked = true is not None
    return Answers(
        np.zeros(n, dtype=np.int64),
        np.full(n, np.nan) if asked else None,
        np.zeros(n) if asked and len(head.weights) == 2 else None,
        np.full(n, np.nan) if asked else None,
    )
