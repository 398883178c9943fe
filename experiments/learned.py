"""Whether a model has learned its language: its distance from the exact distribution."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
import torch

from ..core import LinrepError
from ..grammars import Corpus, Grammar
from ..models.training import batch_ids
from ..models.twin import random_twin
from ..reports import Comparison, Verdict, Verdicts
from ..reports.values import Json

if TYPE_CHECKING:
    from .subjects import ModelUnderStudy

__all__ = ["LEARNED", "Distance", "distance_of", "divergence", "not_claimed"]

LEARNED = 0.02  # share of an untrained model's divergence that may be left
SENTENCES = 500  # held-out ones, drawn with another seed than those that are probed
OTHER = 10_007  # what the seed is moved by
BATCH = 128


@final
class Distance(NamedTuple):
    """How far a model's next-token distribution is from the exact one, in nats per token.

    Args:
        model: mean KL divergence from the exact distribution to the model's.
        untrained: the same of an untrained model of its shape.
        entropy: of the exact distribution: the loss of a model that knows the language.
    """

    model: float
    untrained: float
    entropy: float

    @property
    def learned(self) -> bool:
        """Whether next to nothing is left of what an untrained model is off."""
        return self.model <= LEARNED * self.untrained

    @property
    def facts(self) -> dict[str, Json]:
        """For a page."""
        return {
            "divergence from the exact next-token distribution": f"{self.model:.4f} nats per token "
            f"(an untrained model {self.untrained:.3f}; entropy {self.entropy:.3f})"
        }

    @property
    def failure(self) -> str:
        """One sentence for a model that has not learned its language."""
        return (
            f"the model has not learned its language: it is {self.model:.3f} nats per token from "
            f"the exact next-token distribution, an untrained model {self.untrained:.3f}; states "
            f"are claimed from {LEARNED:.0%} of that on: train it longer, or take a larger model"
        )


def distance_of(subject: "ModelUnderStudy", corpus: Corpus, seed: int) -> Distance | None:
    """Distance of a model that reads a grammar's words; ``None`` where it cannot be known.

    Args:
        subject: the model.
        corpus: sentences of its language.
        seed: of the study; the sentences measured on are others.
    """
    grammar = corpus.grammar
    known = isinstance(grammar, Grammar) and subject.tokenizer is None
    if not known or subject.construction is not None or subject.sight == "bidirectional":
        return None
    assert isinstance(grammar, Grammar)  # noqa: S101 - known says so
    try:
        sentences = grammar.sample(SENTENCES, seed=seed + OTHER).sentences
        own, entropy = divergence(subject.model, grammar, sentences)
        twin, _ = divergence(random_twin(subject.model, seed=seed), grammar, sentences)
    except LinrepError:
        return None  # no exact probabilities, or words that the model does not know
    return Distance(own, twin, entropy)


def divergence(
    model: Any, grammar: Grammar, sentences: Sequence[Sequence[str]]
) -> tuple[float, float]:
    """Mean KL divergence from the exact next-token distribution to a model's, and its entropy.

    Every token of the sentences counts, and the end of each. What a model gives to tokens that the
    language has not is lost.

    Args:
        model: reads the words of ``config.vocabulary``.
        grammar: the exact distribution.
        sentences: of the language.

    Returns:
        Both in nats per token.
    """
    words = list(model.config.vocabulary)
    columns = [words.index(word) for word in grammar.terminals] + [len(words) - 1]
    lost, entropy, tokens = 0.0, 0.0, 0
    for start in range(0, len(sentences), BATCH):
        some = sentences[start : start + BATCH]
        ids, mask = batch_ids(some, words)
        with torch.inference_mode():
            logits = model(ids, attention_mask=mask).logits
        known = torch.log_softmax(logits.double(), dim=-1)[:, :, columns].numpy()
        for row, sentence in zip(known, some, strict=True):
            exact = np.asarray(grammar.next_token_probabilities(sentence))
            possible = exact > 0
            surprise = -np.log(exact, where=possible, out=np.zeros_like(exact))
            entropy += float((exact * surprise).sum())
            lost -= float((exact * np.where(possible, row[: len(exact)] + surprise, 0.0)).sum())
            tokens += len(exact)
    return lost / tokens, entropy / tokens


def not_claimed(comparison: Comparison, why: str) -> Comparison:
    """The same cells without a verdict on any.

    Args:
        comparison: of a model that has not learned its language.
        why: what is said instead.
    """
    untested = Verdict("not tested", why)
    verdicts = Verdicts(untested, untested, untested, untested)
    rows = tuple(replace(row, verdicts=verdicts) for row in comparison.rows)
    return Comparison(rows, comparison.settings)
