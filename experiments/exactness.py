"""How far a construction's next-token distribution is off, beside what its rounding allows."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from ..grammars import Corpus, Grammar
from ..reports import Check
from .subjects import ModelUnderStudy

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["EXACT", "NextTokens", "accounts_check", "exact_check", "next_tokens_of"]

SENTENCES = 100  # whose prefixes are checked
EXACT = 1e-12  # float64 conditionals of named bases, sums of fewer than a hundred products


@final
class NextTokens(NamedTuple):
    """The comparison at the prefix whose error is largest relative to what is allowed there.

    Args:
        error: largest difference of a conditional probability there.
        allowed: by rounding, and by the noise of a rotated basis.
        prefixes: how many were compared.
        largest: the largest error at any prefix.
    """

    error: float
    allowed: float
    prefixes: int
    largest: float


def next_tokens_of(
    subject: ModelUnderStudy, grammar: Grammar, sentences: Sequence[Sequence[str]]
) -> NextTokens:
    """Model and grammar over all tokens after all prefixes, the empty one and the whole included.

    Args:
        subject: a construction.
        grammar: its grammar, the exact oracle.
        sentences: whose prefixes are taken.
    """
    construction = subject.construction
    assert construction is not None  # noqa: S101 - the caller's condition
    rounding = EXACT * float(np.finfo(construction.settings.dtype).eps / np.finfo(np.float64).eps)
    worst, largest = (0.0, rounding), 0.0
    prefixes = {tuple(s[:n]) for s in sentences for n in range(len(s) + 1)}
    scores = construction.outputs(sentences)[:, :, 1:]
    pairs = zip(sentences, construction.next_tokens(sentences), scores, strict=True)
    for sentence, found, raw in pairs:
        exact = grammar.next_token_probabilities(sentence)
        if construction.settings.semiring == "boolean":  # it knows what is possible, no more
            exact = (exact > 0) / np.maximum((exact > 0).sum(axis=1, keepdims=True), 1)
        for error, row in zip(np.abs(found - exact).max(axis=1), raw, strict=False):
            allowed = max(rounding, _noise(construction, row))
            largest = max(largest, float(error))
            if error / allowed >= worst[0] / worst[1]:
                worst = float(error), allowed
    return NextTokens(*worst, len(prefixes), largest)


def exact_check(subject: ModelUnderStudy, corpus: Corpus, grammar: Grammar) -> Check:
    """The model's next tokens beside the grammar's, after the prefixes of a few sentences."""
    sentences = list(dict.fromkeys(corpus.sentences))[:SENTENCES]
    found = next_tokens_of(subject, grammar, sentences)
    dtype = str(subject.model.dtype).removeprefix("torch.")
    assert subject.construction is not None  # noqa: S101 - the caller's condition
    what = "the model gives every next token the probability that the grammar gives it"
    if subject.construction.settings.semiring == "boolean":
        what = (
            "the model calls possible what the grammar calls possible (with the Boolean semiring "
            "all such tokens count as equally probable)"
        )
    rotated = (
        "; at the prefix that comes nearest to what the noise of the rotated basis, divided by the "
        "prefix's score, allows"
        if found.allowed > EXACT
        else ""
    )
    return Check(
        f"next-token distribution: largest error over {found.prefixes} prefixes",
        found.error,
        "<=",
        found.allowed,
        f"{what}, in {dtype}{rotated}",
    )


def accounts_check(construction: "GrammarTransformer") -> Check:
    """The sizes of the model beside the theorem's formulas."""
    rows = construction.accounting().rows
    wrong = [row.name.strip() for row in rows if not row.holds]
    return Check(
        f"sizes that break the theorem's formulas, of {len(rows)}",
        float(len(wrong)),
        "<=",
        0.0,
        "layers, neurons, heads and width, counted in the weights, are those of the formulas"
        + (f"; broken: {', '.join(wrong)}" if wrong else ""),
    )


def _noise(construction: "GrammarTransformer", row: np.ndarray) -> float:
    """What the noise N of a rotated basis may do to the conditionals of a row of k scores.

    Each score is off by at most N, hence each conditional by (k + 1) N / (T - k N), where T is the
    sum of the row: after a rare prefix far more than after a likely one.
    """
    promise = construction.guarantee
    if construction.settings.head == "log":  # an error of e nats in each logit
        return math.expm1(2 * promise.error) if promise.holds else 0.0
    if not promise.noise:
        return 0.0
    if construction.settings.head == "probabilities":
        return promise.error if promise.holds else 0.0
    rest = float(row.sum()) - row.size * promise.noise
    return (row.size + 1) * promise.noise / rest if rest > 0 else 0.0
