"""A page where no probe can be fitted: what can be said all the same, and what to do."""

from collections.abc import Sequence

from ..core import Prediction
from ..grammars import Corpus, Grammar
from ..hooks import Activations
from ..probes import ProbeError
from ..reports import Check, Comparison, Scores, Study
from .exactness import accounts_check, exact_check
from .languages import language_facts
from .pictures import drawn_trees
from .settings import StudySettings
from .subjects import ModelUnderStudy
from .supply import NEEDED, supply_of
from .unwritten import stream_check

__all__ = ["unanswered"]


def unanswered(
    settings: StudySettings,
    corpus: Corpus,
    subject: ModelUnderStudy,
    acts: Activations,
    claims: Sequence[Prediction],
    error: ProbeError,
    notes: Sequence[str] = (),
) -> Study:
    """What can be said where the language has too few sentences, or labels, for any probe.

    Args:
        settings: of the study.
        corpus: its sentences.
        subject: the model.
        acts: activations of the corpus.
        claims: predictions about cells that were asked for.
        error: why no probe could be fitted.
        notes: what was already found out about the heights.

    Returns:
        The study without scores: facts, the checks that need no probe, and a note that names the
        reason and the remedy.

    Raises:
        ProbeError: the reason is another one.
    """
    supply = supply_of(corpus)
    if supply is None or (not notes and supply.here >= NEEDED):
        raise error
    reasons = notes or (
        f"not tested: {supply.remedy}. Probes learn from some sentences and are tested on others: "
        f"verdicts need {NEEDED} different ones",
    )
    grammar = corpus.grammar
    checks: tuple[Check, ...] = ()
    if subject.construction is not None and isinstance(grammar, Grammar):
        absent = [claim for claim in claims if not claim.written]
        checks = (
            exact_check(subject, corpus, grammar),
            accounts_check(subject.construction),
            *([stream_check(acts, corpus, absent)] if absent else ()),
        )
    return Study(
        name=settings.name,
        question=settings.question,
        facts={**language_facts(corpus), **subject.facts},
        scores=Scores(()),
        comparison=Comparison(()),
        checks=checks,
        notes=tuple(reasons),
        trees=drawn_trees(corpus),
    )
