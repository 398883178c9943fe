"""One row of a page: how far the model's attention depends on positions alone."""

from dataclasses import replace

import numpy as np

from ..core import LinrepError
from ..grammars import Corpus
from ..hooks import attention_by_position
from ..reports import Check, Study
from .settings import StudySettings
from .subjects import ModelUnderStudy

__all__ = ["with_attention"]

ROW = "attention explained by positions"
EXACT = 1 - 1e-9
LARGE = 500_000_000  # parameters of a model of which no copy is made for this


def with_attention(
    study: Study, settings: StudySettings, subject: ModelUnderStudy, corpus: Corpus
) -> Study:
    """A study with the share of attention's variance that positions explain.

    Args:
        study: what is known so far.
        settings: of the study.
        subject: the model; in a constructed one theory says that positions explain all.
        corpus: its language.
    """
    if not settings.probes.attention:
        return study
    if sum(weights.numel() for weights in subject.model.parameters()) > LARGE:
        why = f"not measured: the model has more than {LARGE:,} parameters, and would be copied"
        return replace(study, facts={**study.facts, ROW: why})
    try:
        found = attention_by_position(
            subject.model, corpus, tokenizer=subject.tokenizer,
            special_tokens=settings.reading.special_tokens,
        )  # fmt: skip
    except LinrepError as error:
        return replace(study, facts={**study.facts, ROW: f"not measured: {error}"})
    facts = {**study.facts, ROW: str(found)}
    told = found.share[np.isfinite(found.share)]
    if subject.construction is None or not told.size:
        return replace(study, facts=facts)
    check = Check(
        f"attention: smallest share explained by positions, of {told.size} heads",
        float(told.min()),
        ">=",
        EXACT,
        "theory: what a head looks at depends on positions alone, never on the words, so a weight "
        "is known from the other sentences",
    )
    return replace(study, facts=facts, checks=(*study.checks, check))
