"""Numbers that a construction has to reach, exactly or within the noise of the sample."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..core import Prediction
from ..grammars import Corpus, Grammar
from ..grammars.ceilings import ceilings_are_exact
from ..hooks import Activations
from ..probes import ProbeResults
from ..probes.evidence.intervals import accuracy_interval, bootstrap_weights, sentence_sums
from ..reports import Check, Comparison, Row
from ..reports.meeting import AGREEMENT
from .exactness import accounts_check, exact_check, next_tokens_of
from .subjects import ModelUnderStudy
from .unwritten import beyond_null, stream_check

__all__ = ["apart_from_ceiling", "checks_of", "next_token_error"]

FAMILY_LEVEL = 0.95
DRAWS = 10_000  # the outermost percentiles of 27 simultaneous intervals keep 9 draws on each side
ROUNDING = 1e-12  # of a mean over tokens
CERTAIN = 1 - 1e-12  # means of posteriors that are 1 up to rounding


def checks_of(
    subject: ModelUnderStudy,
    corpus: Corpus,
    acts: Activations,
    results: ProbeResults,
    comparison: Comparison,
    claims: Sequence[Prediction],
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """The checks that apply: none for models that were not constructed.

    Args:
        subject: the model.
        corpus: the language.
        acts: activations of the corpus.
        results: the grid of probes.
        comparison: learned beside predicted.
        claims: predictions about the cells of the grid.

    Returns:
        Checks with their measured values, and a note for each that had nothing to measure.
    """
    if subject.construction is None or not isinstance(corpus.grammar, Grammar):
        return (), ()
    sure = {(claim.site, claim.target) for claim in claims if claim.accuracy == 1.0}
    checks = [
        exact_check(subject, corpus, corpus.grammar),
        accounts_check(subject.construction),
        _ceilings(subject, corpus, results),
        _staircase(results, comparison, sure),
        _overlaps(comparison, sure),
        *_unwritten(corpus, acts, results, claims),
    ]
    return (
        tuple(check for check in checks if isinstance(check, Check)),
        tuple(check for check in checks if isinstance(check, str)),
    )


def _ceilings(
    subject: ModelUnderStudy,
    corpus: Corpus,
    results: ProbeResults,
) -> Check | str:
    by_layer = subject.sight == "construction" and ceilings_are_exact(corpus)
    exact = results.settings["positions"] == "boundary" and by_layer
    known = [score for score in results.scores if not np.isnan(score.ceiling)]
    name = "cells whose accuracy differs from the ceiling"
    meaning = "the ceiling lies in the interval of the probe at every site and height"
    if not exact:
        name = "cells whose accuracy exceeds the ceiling"
        meaning = (
            "no interval of a probe lies above the ceiling, which is that of all that this model's "
            "site can have seen; a probe may stay below, since a site need not hold all of it "
            "linearly"
        )
    if not known:
        return f"not tested: {name}: 0 cells have a known ceiling"
    apart = apart_from_ceiling(results, results.ceilings, one_sided=not exact)
    return Check(
        f"{name}, of {len(known)}",
        float(len(apart)),
        "<=",
        0.0,
        f"{meaning}; the intervals hold at all cells together with {FAMILY_LEVEL:.0%} "
        f"(Bonferroni), so they are wider than those printed, each of which holds alone; "
        "the ceiling is of this model's site, not of its random-weight twin's"
        + (f"; apart: {', '.join(apart)}" if apart else ""),
    )


def next_token_error(
    subject: ModelUnderStudy, grammar: Grammar, sentences: Sequence[Sequence[str]]
) -> tuple[float, int]:
    """Largest difference of model and grammar over all tokens after all prefixes.

    Args:
        subject: a construction.
        grammar: its grammar, the exact oracle.
        sentences: their prefixes are taken, the empty one and the whole included.

    Returns:
        The error, and the number of different prefixes.
    """
    found = next_tokens_of(subject, grammar, sentences)
    return found.largest, found.prefixes


def apart_from_ceiling(
    results: ProbeResults,
    ceilings: Mapping[tuple[str, str], np.ndarray],
    *,
    one_sided: bool = False,
    seed: int = 0,
) -> tuple[str, ...]:
    """Cells whose ceiling lies outside the probe's interval; unknown ceilings are passed over.

    With many cells some would fall outside a 95 % interval by chance, so each has the level at
    which all hold together (Bonferroni).

    Args:
        results: the grid.
        ceilings: ``[token]`` largest posteriors by cell.
        one_sided: only cells whose whole interval lies above the ceiling.
        seed: of the resampling.

    Returns:
        ``site, target: accuracy against ceiling`` of each.
    """
    level = 1 - (1 - FAMILY_LEVEL) / len(results.scores)
    apart = []
    draws: dict[int, np.ndarray] = {}  # targets with as many sentences share them
    for score in results.scores:
        if score.kind == "number":  # no ceiling is known of R2
            continue
        held = results.held_out[score.site, score.target]
        right, tokens = sentence_sums(held.right, held.groups)
        if len(right) not in draws:
            draws[len(right)] = bootstrap_weights(len(right), DRAWS, np.random.default_rng(seed))
        low, high = accuracy_interval(right, tokens, draws[len(right)], level=level)
        ceiling = float(np.mean(ceilings[score.site, score.target][held.rows]))
        if ceiling < low - ROUNDING or (not one_sided and ceiling > high + ROUNDING):
            apart.append(
                f"{score.site}, {score.target}: {score.accuracy:.4f} [{low:.4f}, {high:.4f}] "
                f"against {ceiling:.4f}"
            )
    return tuple(apart)


# Where a span may have several labels, or several lengths, inside values say what the last tokens
# can be, not what they are: neither accuracy 1 nor where class means differ follows from them.
_UNSURE = (
    "in this grammar the last tokens do not tell the label of their span by themselves, so theory "
    "predicts neither an accuracy of 1 nor which part of the stream differs between labels"
)


def _staircase(
    results: ProbeResults, comparison: Comparison, predicted: Collection[tuple[str, str]]
) -> Check | str:
    """P2 and P4: once written, a state whose ceiling is 1 is read without error.

    Of the cells for which accuracy 1 is predicted: elsewhere a ceiling of 1 is that of all that the
    site has seen, which a linear probe need not reach.
    """
    written = {
        (row.site, row.target) for row in comparison.rows if row.subspaces and row.subspaces.written
    }
    if written and not written & set(predicted):
        return f"not tested: staircase: {_UNSURE}"
    written &= set(predicted)
    sure = [s for s in results.scores if (s.site, s.target) in written and s.ceiling >= CERTAIN]
    if not sure:
        return "not tested: staircase: 0 cells have a pattern of a written state whose ceiling is 1"
    return Check(
        f"staircase: smallest accuracy at the {len(sure)} cells where the state is written",
        min(score.accuracy for score in sure),
        ">=",
        1.0,
        "from the layer that writes a height on, a linear probe reads it without error at the "
        "last token of the span",
    )


def _overlaps(comparison: Comparison, predicted: Collection[tuple[str, str]]) -> Check | str:
    written = [row for row in comparison.rows if row.subspaces and row.subspaces.written]
    sure = [row for row in written if (row.site, row.target) in predicted]
    if written and not sure:
        return f"not tested: overlap where written: {_UNSURE}"
    written = sure
    if not written:
        return "not tested: overlap where written: 0 cells have a pattern and a prediction"
    return Check(
        f"subspaces: smallest overlap at the {len(written)} cells where written",
        min(row.subspaces.overlap for row in written if row.subspaces),
        ">=",
        AGREEMENT,
        _agreement(written),
    )


def _agreement(rows: Sequence[Row]) -> str:
    """What an overlap of 1 says at these cells: only of as many dimensions that both are one."""
    fewer: dict[str, None] = {}  # in the order of the rows, each once
    more: dict[str, None] = {}
    for row in rows:
        if row.subspaces is not None:
            learned, predicted = row.subspaces.dim_learned, row.subspaces.dim_predicted
            cell = f"{row.target}: {learned} of {predicted} dimensions"
            if learned < predicted:
                fewer[cell] = None
            elif learned > predicted:
                more[cell] = None
    return (
        "the learned pattern is the predicted subspace"
        + (f", or lies in it without filling it ({'; '.join(fewer)})" if fewer else "")
        + (f", or contains it and more ({'; '.join(more)})" if more else "")
    )


def _unwritten(
    corpus: Corpus, acts: Activations, results: ProbeResults, claims: Sequence[Prediction]
) -> tuple[Check | str, ...]:
    absent = [claim for claim in claims if not claim.written]
    if not absent:
        return ("not tested: cells where nothing is written: 0 cells are predicted to be so",)
    cells = f"{len(absent)} cells where nothing is written"
    return (
        stream_check(acts, corpus, absent),
        Check(
            f"false alignments, of {cells}",
            float(sum(beyond_null(results, absent, level=1 - FAMILY_LEVEL))),
            "<=",
            0.0,
            "theory writes nothing in these cells, so the learned subspace may overlap with the "
            "predicted one no more than random subspaces do, at all cells together with "
            f"{FAMILY_LEVEL:.0%} (Bonferroni); without a learned pattern there is none",
        ),
    )
