"""What stands on a page beside its labels: chart values, beliefs, and one row on attention."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, final

from ..core import Engine
from ..grammars import Corpus, LanguageError, belief_targets
from ..hooks import Activations
from ..probes import ProbeError, probe
from ..reports import Comparison, Scores, Study, compare
from .attention import with_attention
from .chart_study import ChartStudy, chart_study, with_chart_values
from .scores import scores_of
from .settings import StudySettings
from .subjects import ModelUnderStudy

__all__ = ["Beliefs", "BesideLabels", "beside_of", "with_beside"]

MEANING = (
    "Beliefs are the grammar's exact posteriors, as vectors of probabilities: of the label of each "
    "token's ancestor given the tokens so far (belief), and given that its span ends here (belief "
    "at boundary), and of the next token. A model that reads prefixes can hold all of them "
    "exactly, so that theory allows R² of 1; what the position or the last three words alone give "
    "stands beside. Patterns are the coefficients of regressing the stream on each vector alone."
)


@final
class Beliefs(NamedTuple):
    """The grid of a grammar's posteriors: its rows, and the verdicts on them."""

    scores: Scores
    comparison: Comparison


@final
class BesideLabels(NamedTuple):
    """What was asked beside labels: chart values and beliefs; a sentence where there are none."""

    charts: ChartStudy | str | None
    beliefs: Beliefs | str | None


def beside_of(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    acts: Activations,
    twins: list[Activations],
    heights: Sequence[int],
    level: float,
    engine: str | Engine,
) -> tuple[BesideLabels, float]:
    """Chart values and beliefs, as far as they are asked for.

    Args:
        settings: of the study.
        subject: the model.
        corpus: its language.
        acts: activations of the corpus.
        twins: those of random-weight twins.
        heights: of the beliefs.
        level: chance that something false is said on the page; its grids share it.
        engine: where grids run.

    Returns:
        What was found, and the part of the level that is left for the labels.
    """
    part = level / (2 + settings.probes.beliefs)
    charts = chart_study(settings, subject, corpus, acts, twins, level=part, engine=engine)
    beliefs = _beliefs(settings, corpus, acts, twins, heights, level=part, engine=engine)
    used = isinstance(charts, ChartStudy) + isinstance(beliefs, Beliefs)
    return BesideLabels(charts, beliefs), level - used * part


def with_beside(
    study: Study,
    beside: BesideLabels,
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
) -> Study:
    """A study of labels with all that stands beside them.

    Args:
        study: of labels.
        beside: what :func:`beside_of` found.
        settings: of the study.
        subject: the model.
        corpus: its language.
    """
    study = with_chart_values(with_attention(study, settings, subject, corpus), beside.charts)
    if not isinstance(beside.beliefs, Beliefs):
        told = (beside.beliefs,) if beside.beliefs else ()
        return replace(study, notes=(*study.notes, *told))
    scores, more = study.scores, beside.beliefs.scores
    notes = (*scores.notes, *(note for note in more.notes if note not in scores.notes))
    rows = (*study.comparison.rows, *beside.beliefs.comparison.rows)
    return replace(
        study,
        scores=Scores(
            (*scores.rows, *more.rows),
            notes,
            scores.settings or more.settings,
            {**scores.by_group, **more.by_group},
        ),
        comparison=Comparison(
            rows, study.comparison.settings or beside.beliefs.comparison.settings
        ),
        notes=(*study.notes, MEANING),
    )


def _beliefs(
    settings: StudySettings,
    corpus: Corpus,
    acts: Activations,
    twins: list[Activations],
    heights: Sequence[int],
    *,
    level: float,
    engine: str | Engine,
) -> Beliefs | str | None:
    """The grid of beliefs; a sentence where it cannot be had."""
    asked = settings.probes
    if not asked.beliefs:
        return None
    try:
        results = probe(
            acts, corpus, targets=belief_targets(corpus, heights), positions="all",
            groups=None if asked.groups == "auto" else asked.groups, seed=settings.seed,
            engine=engine, controls=asked.controls, random_weights=twins,
            permutations=asked.permutations, bootstrap=asked.bootstrap, examples=0,
        )  # fmt: skip
    except (ProbeError, LanguageError) as error:
        return f"Beliefs: no scores on held-out sentences: {error}"
    return Beliefs(scores_of(results), compare(results, level=level, seed=settings.seed))
