"""The chart values of a constructed model in a study: their grid, comparison and checks."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from ..core import Engine
from ..grammars import Corpus, TooLarge
from ..hooks import Activations
from ..probes import ProbeError, probe
from ..reports import Check, Comparison, Row, Scores, Study, Verdict, compare
from ..reports.meeting import AGREEMENT, AMBIGUOUS, NO_PATTERN
from .charts import ChartFindings, chart_findings
from .scores import scores_of
from .settings import StudySettings
from .subjects import ModelUnderStudy

__all__ = ["ChartStudy", "chart_study", "with_chart_values"]

FIXED = (
    "no part of the stream moves with this label alone: its class means do not differ at these "
    "tokens, or other states fix the label"
)
MEANING = (
    "The values of the chart (inside: weights of the symbols that can end here; context: weights "
    "of those that can start next; beliefs) are probed at all tokens, in the gauge and token scale "
    "of the model, by ridge regression; accuracy is R2 there. Their patterns are the coefficients "
    "of one regression of the stream on all values that it can hold, and learned and predicted are "
    "compared in the combinations of values that the sentences tell apart."
)


@final
@dataclass(frozen=True, eq=False)
class ChartStudy:
    """What a study says about chart values.

    Args:
        findings: patterns and predictions.
        scores: the grid's rows; none where the language is too small for a grid.
        comparison: learned beside predicted, one row for each cell of the grid.
        checks: over all cells, in the grid or not.
        notes: which values are not told apart, and why.
    """

    findings: ChartFindings
    scores: Scores | None
    comparison: Comparison | None
    checks: tuple[Check, ...]
    notes: tuple[str, ...]


def with_chart_values(study: Study, charts: ChartStudy | str | None) -> Study:
    """A study with its chart values behind what is said of labels.

    Args:
        study: of labels.
        charts: what :func:`chart_study` found.
    """
    if charts is None or isinstance(charts, str):
        return study if charts is None else replace(study, notes=(*study.notes, charts))
    study = replace(
        study, checks=(*study.checks, *charts.checks), notes=(*study.notes, *charts.notes)
    )
    if charts.scores is None or charts.comparison is None:
        return study
    scores, more = study.scores, charts.scores
    notes = (*scores.notes, *(note for note in more.notes if note not in scores.notes))
    claims = {(p.site, p.target): p.subspace for p in charts.findings.predictions}
    spaces = {"learned": charts.findings.patterns, "predicted": {
        cell: space for cell, space in claims.items() if cell in charts.findings.patterns
    }}  # fmt: skip
    return replace(
        study,
        scores=Scores(
            (*scores.rows, *more.rows),
            notes,
            scores.settings or more.settings,
            {**scores.by_group, **more.by_group},
        ),
        comparison=Comparison(
            (
                *(_pointing(row, charts.findings) for row in study.comparison.rows),
                *charts.comparison.rows,
            ),
            study.comparison.settings or charts.comparison.settings,
        ),
        subspaces={name: {**study.subspaces.get(name, {}), **spaces[name]} for name in spaces},
    )


def _pointing(row: Row, found: ChartFindings) -> Row:
    """A label's row without a pattern of its own says where what carries the label is compared."""
    verdicts, values = row.verdicts, f"inside {row.target}"
    why = {NO_PATTERN: FIXED, AMBIGUOUS: AMBIGUOUS}.get(verdicts.aligned.reason)
    if why is None or values not in found.reasons:
        return row
    told = "constant on this corpus" if found.reasons[values] == "constant here" else "compared"
    reason = f"{why}; the values that carry it, {values}, are {told}"
    return replace(row, verdicts=replace(verdicts, aligned=Verdict("not tested", reason)))


def chart_study(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    acts: Activations,
    twins: list[Activations],
    *,
    level: float,
    engine: str | Engine,
) -> ChartStudy | str | None:
    """The chart values of a study's model.

    Args:
        settings: of the study.
        subject: the model.
        corpus: its language.
        acts: activations of the corpus.
        twins: those of random-weight twins.
        level: chance that something false is said about these cells.
        engine: where the grid runs.

    Returns:
        ``None`` where none are asked for or the model was not constructed; a sentence where they
        cannot be had.
    """
    made = subject.construction
    if made is None or not settings.probes.charts:
        return None
    if made.settings.semiring == "boolean":
        return "Chart values: not tested, a Boolean model holds counts, no weights."
    try:
        found = chart_findings(acts, corpus, made)
    except TooLarge as error:
        return f"Chart values: not tested, {error}."
    notes, checks = (MEANING, *found.notes), _checks(found)
    if not found.targets:
        return ChartStudy(found, None, None, checks, notes)
    asked = settings.probes
    try:
        results = probe(
            acts, corpus, targets=list(found.targets), positions="all",
            groups=None if asked.groups == "auto" else asked.groups, seed=settings.seed,
            engine=engine, controls=asked.controls, random_weights=twins,
            permutations=asked.permutations, bootstrap=asked.bootstrap, examples=0,
        )  # fmt: skip
    except ProbeError as error:
        told = f"Chart values: no scores on held-out sentences: {error}"
        return ChartStudy(found, None, None, checks, (*notes, told))
    results = replace(results, patterns=dict(found.patterns))
    comparison = compare(results, found.predictions, level=level, seed=settings.seed)
    return ChartStudy(found, scores_of(results), comparison, checks, notes)


def _checks(found: ChartFindings) -> tuple[Check, ...]:
    """Overlap where anything is written, and no pattern where nothing is."""
    written = [p for p in found.predictions if p.written]
    absent = [p for p in found.predictions if not p.written]
    overlaps = [
        found.patterns[p.site, p.target].overlap(p.subspace)
        if (p.site, p.target) in found.patterns
        else 0.0
        for p in written
    ]
    checks = []
    if written:
        checks.append(
            Check(
                f"chart values: smallest overlap at the {len(written)} cells where written",
                float(np.min(overlaps)),
                ">=",
                AGREEMENT,
                "what the sentences tell apart of inside, context and belief values lies along "
                "the named directions of the model",
            )
        )
        ranks = sum(
            (p.site, p.target) not in found.patterns
            or found.patterns[p.site, p.target].dim != p.rank
            for p in written
        )
        checks.append(
            Check(
                f"chart values: ranks found that are not those predicted, of {len(written)}",
                float(ranks),
                "<=",
                0.0,
                "the pattern has as many dimensions as theory writes there of what the sentences "
                "tell apart",
            )
        )
    if absent:
        patterns = sum((p.site, p.target) in found.patterns for p in absent)
        checks.append(
            Check(
                f"chart values: patterns at the {len(absent)} cells where nothing is written",
                float(patterns),
                "<=",
                0.0,
                "before its values, or values tied to them on these sentences, are written, a "
                "regression on all values gives a target no coefficient beyond rounding",
            )
        )
    return tuple(checks)
