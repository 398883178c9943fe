"""States taken out and streams pushed along them: what a study says of both."""

from typing import Any

import numpy as np

from ..causal import CausalError, dose_response, erasure_effects
from ..causal.counterfactual import has_counterfactual, next_tokens
from ..causal.grammar_pairs import interchange_pairs
from ..core import ErasedRow, SteeredRow, height_target
from ..grammars import Corpus
from ..hooks import Activations, CaptureError
from ..probes import ProbeError, ProbeResults
from .settings import StudySettings
from .subjects import ModelUnderStudy

__all__ = ["edits_of"]

SENTENCES = 300  # that are run with every way of erasing
BEGINNINGS = 100  # that are steered
NEUTRAL = 40  # sentences on which damage is measured
LEAST_BEGINNINGS = 8
APART = 0.1  # of the probabilities of two answers, so that a state decides between them


def edits_of(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    acts: Activations,
    results: ProbeResults,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tables of erasing and steering, as fields of a study, and notes for the reader.

    Args:
        settings: of the study; ``probes.causal`` says whether they are made.
        subject: the model.
        corpus: its language.
        acts: activations at its words.
        results: the grid of probes.
    """
    erased, notes = _erased(settings, subject, corpus, results)
    steered, more = _steered(settings, subject, corpus, acts, results)
    return {"erased": erased, "steered": steered}, (*notes, *more)


def _erased(
    settings: StudySettings, subject: ModelUnderStudy, corpus: Corpus, results: ProbeResults
) -> tuple[tuple[ErasedRow, ...], tuple[str, ...]]:
    """Every target erased where it is first read as well as anywhere; and why some are not."""
    if not settings.probes.causal.erase:
        return (), ()
    if subject.sight == "bidirectional" or corpus.texts is not None:
        return (), (
            "no state was erased: erasing is measured on models that predict the next token, and "
            "on sentences whose every word has a place",
        )
    chosen = np.random.default_rng(settings.seed).permutation(len(corpus.sentences))[:SENTENCES]
    some = corpus.select(np.sort(chosen))
    labels = _labels(settings, some, results)
    rows: list[ErasedRow] = []
    notes = []
    for target in labels:
        site = _site(results, target)
        if (site, target) not in results.patterns:
            notes.append(f"{target} was not erased: it has no pattern at {site}")
            continue
        try:
            found = erasure_effects(
                subject.model, some, site, results.patterns[site, target], labels, target,
                seed=settings.seed, tokenizer=subject.tokenizer,
            )  # fmt: skip
        except (CausalError, CaptureError, ProbeError) as error:
            notes.append(f"{target} was not erased: {error}")
            continue
        rows += [
            ErasedRow(
                target, site, row.arm, found.dim, row.removed, row.loss, row.kl, read, read_at,
                accuracy, found.chance[read],
            )
            for row in found.rows
            for (read_at, read), accuracy in row.decodability.items()
        ]  # fmt: skip
    return tuple(rows), tuple(notes)


def _steered(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    acts: Activations,
    results: ProbeResults,
) -> tuple[tuple[SteeredRow, ...], tuple[str, ...]]:
    """Steering from one symbol of each height towards another, in doses; and why some are not.

    The direction is the difference of the two symbols' mean activations at the ends of their spans.
    Beginnings end with a span of either; the grammar names the two words between which the symbol
    decides.
    """
    asked = settings.probes.causal
    if not asked.steer:
        return (), ()
    why = _why_not_steered(subject, corpus)
    if why:
        return (), (f"nothing was steered: {why}",)
    rows: list[SteeredRow] = []
    notes = []
    for height in corpus.heights:
        target = height_target(height)
        if target not in results.targets:
            continue
        site = _site(results, target)
        try:
            toward, away, prefixes, answers = _beginnings(corpus, height, settings.seed)
            found = dose_response(
                subject.model, site, _direction(corpus, acts, site, height, toward, away),
                prefixes, answers, corpus.sentences[:NEUTRAL], strengths=asked.strengths,
                tokenizer=subject.tokenizer,
            )  # fmt: skip
        except (CausalError, CaptureError) as error:
            notes.append(f"{target} was not steered: {error}")
            continue
        rows += [
            SteeredRow(target, site, toward, away, found.norm, found.n, **vars(dose))
            for dose in found.doses
        ]
    return tuple(rows), tuple(notes)


def _why_not_steered(subject: ModelUnderStudy, corpus: Corpus) -> str:
    if not has_counterfactual(corpus.grammar) or not corpus.layers:
        return (
            "the language does not say which words its states decide between; from Python, "
            "linrep.dose_response takes beginnings and answers of your own"
        )
    if subject.tokenizer is not None or subject.sight == "bidirectional":
        return "the model does not predict the grammar's words one after the other"
    return ""


def _site(results: ProbeResults, target: str) -> str:
    """The first site at which a target is read as well as at its best one."""
    cells = [score for score in results.scores if score.target == target]
    best = max(cells, key=lambda cell: cell.accuracy)
    least = best.interval[0] if np.isfinite(best.interval[0]) else best.accuracy
    return next(cell.site for cell in cells if cell.accuracy >= least)


def _labels(
    settings: StudySettings, corpus: Corpus, results: ProbeResults
) -> dict[str, np.ndarray]:
    """Classes of every word, of the targets that were probed; ``""`` where there is none."""
    boundary = settings.probes.positions == "boundary"
    found = {}
    for height in corpus.heights:
        labels = np.asarray(corpus.labels(height)).astype(str)
        found[height_target(height)] = (
            np.where(corpus.boundary(height), labels, "") if boundary else labels
        )
    for name, target in corpus.targets.items():
        if target.kind == "class":
            found[name] = target.values
    several = {name: labels for name, labels in found.items() if len(set(labels) - {""}) > 1}
    return {name: several[name] for name in results.targets if name in several}


def _direction(
    corpus: Corpus, acts: Activations, site: str, height: int, toward: str, away: str
) -> np.ndarray:
    """From the one symbol's mean to the other's, at the ends of their spans."""
    ends, labels = corpus.boundary(height) & acts.kept, corpus.labels(height)
    states = np.asarray(acts[site], dtype=np.float64)
    there, here = (states[ends & (labels == name)].mean(axis=0) for name in (toward, away))
    away_from: np.ndarray = there - here
    return away_from


def _beginnings(
    corpus: Corpus, height: int, seed: int
) -> tuple[str, str, list[tuple[str, ...]], list[tuple[str, str]]]:
    """Two symbols, beginnings that end with a span of either, and the words they ask for.

    Raises:
        CausalError: no state of this height decides between two words that come next.
    """
    language: Any = corpus.grammar
    pairs = interchange_pairs(corpus, height, len(corpus.sentences), seed=seed)
    moved = np.flatnonzero(pairs.moved).tolist()
    assert pairs.expected is not None  # noqa: S101 - pairs of a grammar
    prefixes = [pairs.base[i][: pairs.base_at[i][-1] + 1] for i in moved]
    now = [rows[-1] for rows in next_tokens(language, prefixes)]
    cases: dict[tuple[str, str], dict[tuple[str, ...], tuple[str, str]]] = {}
    for i, prefix, here in zip(moved, prefixes, now, strict=True):
        gain = (pairs.expected[i][0] - here)[:-1]  # the last column is the end
        if gain.max() < APART or gain.min() > -APART:
            continue
        other, own = pairs.choices[int(gain.argmax())], pairs.choices[int(gain.argmin())]
        names = sorted((pairs.before[i], pairs.after[i]))
        forward = pairs.after[i] == names[0]
        both = (other, own) if forward else (own, other)
        cases.setdefault((names[0], names[1]), {})[prefix] = both
    if not cases or max(map(len, cases.values())) < LEAST_BEGINNINGS:
        raise CausalError(
            f"fewer than {LEAST_BEGINNINGS} beginnings end with two symbols that ask for different "
            "next words: sample more sentences, or take another height"
        )
    toward, away = max(cases, key=lambda names: (len(cases[names]), names))
    some = list(cases[toward, away].items())[:BEGINNINGS]
    return toward, away, [prefix for prefix, _ in some], [both for _, both in some]
