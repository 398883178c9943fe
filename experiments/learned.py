"""Whether a model has learned its language: its distance from the exact distribution."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, final

from ..grammars import Corpus, Grammar
from ..models.training.exactness import hold_out
from ..models.twin import random_twin
from ..reports import Comparison, Verdict, Verdicts
from ..reports.findings import DIVERGENCE, UNLEARNED
from ..reports.values import Json

if TYPE_CHECKING:
    from .subjects import ModelUnderStudy

__all__ = ["LEARNED", "Distance", "distance_of", "not_claimed"]

LEARNED = 0.02  # share of an untrained model's divergence that may be left
SENTENCES = 500  # held-out ones, drawn with another seed than those that are probed


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
            DIVERGENCE: f"{self.model:.4f} nats per token "
            f"(an untrained model {self.untrained:.3f}; entropy {self.entropy:.3f})"
        }

    @property
    def failure(self) -> str:
        """One sentence for a model that has not learned its language."""
        return (
            f"{UNLEARNED}: it is {self.model:.3f} nats per token from "
            f"the exact next-token distribution, an untrained model {self.untrained:.3f}; states "
            f"are claimed where it is at most {LEARNED:.0%} of that: train it longer, or take a "
            "larger model"
        )


def distance_of(subject: "ModelUnderStudy", corpus: Corpus, seed: int) -> Distance | None:
    """Distance of a model that reads a grammar's words; ``None`` where it cannot be known.

    Args:
        subject: the model.
        corpus: sentences of its language.
        seed: of the study; the sentences measured on are others.
    """
    grammar = corpus.grammar
    if not isinstance(grammar, Grammar) or subject.tokenizer is not None:
        return None
    if subject.construction is not None or subject.sight == "bidirectional":
        return None
    words = list(subject.model.config.vocabulary)
    if words[1:-1] != list(grammar.terminals):
        return None  # other words, or in another order
    held, _ = hold_out(grammar, SENTENCES, seed, words)
    if held is None:
        return None
    twin = random_twin(subject.model, seed=seed)
    return Distance(held.kl(subject.model), held.kl(twin), held.floor)


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
