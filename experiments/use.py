"""Whether states are used: exchanges in a study, and what theory demands of them."""

from collections.abc import Sequence
from typing import Any

from ..causal import CausalError, InterchangeResult, interchange
from ..causal.counterfactual import has_counterfactual
from ..core import LinrepError, Prediction
from ..grammars import Corpus
from ..hooks import CaptureError
from ..probes import ProbeResults
from ..reports import Check
from .settings import StudySettings
from .subjects import ModelUnderStudy

__all__ = ["EXACT", "NOTHING", "exchanges_of", "use_checks", "use_of"]

EXACT = 1e-10  # float64 conditionals after an edit in a rotated basis
NOTHING = 1e-9  # rounding of an edit that nothing reads
VISIBLE = 1e-3  # change of a probability that the counterfactual has to ask for
CHEAP = 50_000_000  # parameters of a model whose exchanges are run without being asked for
PAIRS = 40  # for the checks of theory


def use_of(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    results: ProbeResults,
    claims: Sequence[Prediction],
) -> tuple[InterchangeResult | None, tuple[Check, ...], tuple[str, ...]]:
    """Exchanges of the learned patterns, the checks of theory, and notes for the reader."""
    found, notes = exchanges_of(settings, subject, corpus, results)
    checks, more = use_checks(settings, subject, corpus, claims)
    return found, checks, (*notes, *more)


def exchanges_of(
    settings: StudySettings, subject: ModelUnderStudy, corpus: Corpus, results: ProbeResults
) -> tuple[InterchangeResult | None, tuple[str, ...]]:
    """Exchanges of the learned patterns; or why there are none.

    Args:
        settings: of the study.
        subject: the model.
        corpus: its language.
        results: the grid of probes, with its patterns.

    Returns:
        What was found, and notes for the reader.

    Raises:
        CausalError: they were asked for and cannot be made.
        CaptureError: likewise; the model cannot read what they need.
    """
    asked = settings.probes.causal
    reason = _why_not(settings, subject, corpus, results)
    if reason:
        return None, (f"states were not exchanged: {reason}",)
    try:
        found = interchange(
            subject.model, corpus, results.patterns, readouts=results.readouts, n=asked.pairs,
            protocol=asked.protocol, draws=asked.draws, bootstrap=settings.probes.bootstrap,
            seed=settings.seed, tokenizer=subject.tokenizer, das=asked.das,
        )  # fmt: skip
    except (CausalError, CaptureError) as error:
        if asked.run == "yes":
            raise
        return None, (f"states were not exchanged: {error}",)
    return found, found.notes


def _why_not(
    settings: StudySettings, subject: ModelUnderStudy, corpus: Corpus, results: ProbeResults
) -> str:
    asked = settings.probes.causal
    if asked.run == "no":
        return "the settings say so (probes.causal.run: no)"
    if corpus.texts is not None:
        return (
            "of such texts nobody knows what should come next after an exchange, as is known of a "
            "grammar's sentences; linrep.minimal_pairs and linrep.erasure_effects ask it of texts"
        )
    if not has_counterfactual(corpus.grammar) or not corpus.layers:
        return "the language gives no exact probabilities, so what should come next is not known"
    if subject.tokenizer is not None:
        return "the model reads tokens of a tokenizer, not the grammar's words"
    if subject.sight == "bidirectional":
        return "the model sees what follows, so that it has no next token to predict"
    if settings.sites != "resid_post":
        return "the stream can be edited between blocks only (sites: resid_post)"
    if not results.patterns:
        return "no cell has a pattern"
    size = sum(weights.numel() for weights in subject.model.parameters())
    if asked.run == "auto" and size > CHEAP:
        return f"the model has {size:,} parameters; probes.causal.run: yes runs it all the same"
    return ""


def use_checks(
    settings: StudySettings, subject: ModelUnderStudy, corpus: Corpus, claims: Sequence[Prediction]
) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Both sides of the window: exact where theory promises it, no effect where it excludes one.

    The predicted subspaces are exchanged, not the learned ones.

    Args:
        settings: of the study.
        subject: the model.
        corpus: its language.
        claims: predictions about its cells.
    """
    sided = [claim for claim in claims if claim.exact or claim.used is False]
    if subject.construction is None or settings.probes.causal.run == "no" or not sided:
        return (), ()
    if not has_counterfactual(corpus.grammar) or not corpus.layers:  # trees read by the model
        return (), ()
    spaces = {(claim.site, claim.target): claim.subspace for claim in sided}
    how: dict[str, Any] = {
        "n": PAIRS, "draws": 2, "bootstrap": 0, "twin": False, "isolation": False,
    }  # fmt: skip
    try:
        found = interchange(subject.model, corpus, spaces, seed=settings.seed, **how)
    except LinrepError as error:
        return (), (f"not tested: exchange of the predicted subspaces: {error}",)
    cells = found.cells
    exact = [cells[c.site, c.target] for c in sided if c.exact and (c.site, c.target) in cells]
    idle = [cells[c.site, c.target] for c in sided if not c.exact and (c.site, c.target) in cells]
    checks, notes = [], list(found.notes)
    if exact and max(row.error_base for row in exact) < VISIBLE:
        notes.append(
            "not tested: exchange against the exact counterfactual: in this language nothing that "
            "comes later depends on the states, so that an exchange cannot be seen"
        )
    elif exact:
        double = settings_dtype(subject) == "float64"
        checks.append(
            Check(
                f"exchange: largest error against the exact counterfactual at the {len(exact)} "
                "cells that nothing has read yet",
                max(row.error for row in exact),
                "<=",
                EXACT if double else 1e-4,
                "where the state was written and not read yet, an exchange in the predicted "
                "subspace makes the model speak exactly as if the span had been the other; "
                f"without it the error is {max(row.error_base for row in exact):.3g}",
            )
        )
    if idle:
        checks.append(
            Check(
                f"exchange: largest change of a probability at the {len(idle)} cells that nothing "
                "uses",
                max(row.change for row in idle),
                "<=",
                NOTHING if settings_dtype(subject) == "float64" else 1e-4,
                "before the state is written, and after its last reader, an exchange changes "
                "nothing, though probes may read the state perfectly",
            )
        )
    return tuple(checks), tuple(notes)


def settings_dtype(subject: ModelUnderStudy) -> str:
    """Precision of the model."""
    return str(subject.model.dtype).removeprefix("torch.")
