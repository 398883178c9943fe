"""The whole path once: start reading here.

corpus -> model -> activations -> statistics -> probes -> comparison -> report
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..core import (
    Engine,
    Prediction,
    Subspace,
    checked,
    height_target,
    progress,
    running,
)
from ..core.prediction import by_tokens
from ..core.threads import threads_for
from ..corpora import Corpus
from ..hooks import Activations, capture
from ..hooks.paths.sites import EMBEDDING
from ..models import random_twin
from ..probes import ProbeError, ProbeResults, probe
from ..probes.grid.joint import ESTIMATE
from ..reports import Run, Study
from ..reports.classes import classes_of
from ..reports.values import plain
from .beside import beside_of, with_beside
from .checks import checks_of
from .edits import edits_of
from .heights import heights_of
from .languages import language_facts
from .lookahead import look_ahead
from .manifest import versions
from .pictures import drawn_trees
from .scores import scores_of
from .settings import Experiment, SettingsError, StudySettings
from .subjects import ModelUnderStudy, make_subject
from .supply import supply_of, with_remedy
from .theory import claimed, compared, theory_of
from .transferring import corpora_of, transfers_of
from .unanswered import unanswered
from .use import use_of
from .wording import wording_of

__all__ = ["run_experiment", "run_study"]

LEVEL = 0.05


@checked(SettingsError)
def run_experiment(settings: Experiment, *, engine: str | Engine = "local") -> Run:
    """Every study of an experiment, as one run.

    Args:
        settings: what to do.
        engine: where captures and grids run (see :func:`linrep.capture`); the answers are the same.

    Returns:
        The run; :func:`linrep.reports.write_run` puts it into a folder with its report.
    """
    look_ahead(settings)
    with running(engine) as runner:
        found = [
            # What one page says holds together: its studies share the level.
            run_study(study, level=LEVEL / len(settings.studies), engine=runner)
            for study in progress(settings.studies, "studies", unit="study")
        ]
    return Run(
        title=settings.title,
        question=settings.question,
        settings=settings.dump(),
        manifest={**versions(), "studies": {study.name: plain(made) for study, made in found}},
        studies=tuple(study for study, _ in found),
    )


@checked(SettingsError)
def run_study(
    settings: StudySettings, *, level: float = LEVEL, engine: str | Engine = "local"
) -> tuple[Study, Mapping[str, Any]]:
    """One language, one model, one grid of probes.

    Args:
        settings: what to do.
        level: chance that something false is said at a rung, over all cells of the study.
        engine: where captures and grids run.

    Returns:
        What was found, and the manifest of what made it.
    """
    asked, seed = settings.probes, settings.seed
    # Sentences with the hidden state of every token.
    corpus, others, told = corpora_of(settings)
    heights, chosen = heights_of(settings, corpus)
    # A model, with what theory says about it; and the same architecture that knows nothing.
    subject = make_subject(settings.model, corpus)
    # Its residual stream at every token, at every layer.
    read = _reader(settings, subject.tokenizer, engine)
    acts = read(subject.model, corpus)
    twins = [read(random_twin(subject.model, seed=seed + i), corpus) for i in range(asked.twins)]
    claims = _claims(subject, acts.sites, heights)
    made = {"activations": plain(acts.manifest), "random twin": plain(twins[0].manifest)}
    width = max(acts[site].shape[1] for site in acts.sites)
    with threads_for(float(len(corpus.words) * width**2)):
        seen = _Seen(
            corpus, others, (*heights,), (*chosen,), (*told,), subject, acts, twins, claims
        )
        study = _studied(settings, seen, read, level, engine)
    return study, made


class _Seen(NamedTuple):
    """A model and its stream: all that probes, exchanges and theory are asked about."""

    corpus: Corpus
    others: Mapping[str, Corpus]
    heights: tuple[int, ...]
    chosen: tuple[str, ...]
    told: tuple[str, ...]
    subject: ModelUnderStudy
    acts: Activations
    twins: list[Activations]
    claims: list[Prediction]


def _studied(
    settings: StudySettings, seen: _Seen, read: Any, level: float, engine: str | Engine
) -> Study:
    """What can be said of activations: everything after the model was read."""
    corpus, others, heights, chosen, told, subject, acts, twins, claims = seen
    here, _ = by_tokens(claims, settings.probes.positions)
    # Chart values and beliefs beside the labels: the page's grids share its level.
    beside, level = beside_of(settings, subject, corpus, acts, twins, heights, level, engine)
    theory, level = theory_of(settings, subject, corpus, level, engine)
    # Statistics, probes, every control and what any classifier could reach, for all cells.
    grid = _grid(settings, heights, engine) | _known(subject, corpus)
    try:
        results = probe(acts, corpus, random_weights=twins, **grid)
    except ProbeError as error:  # a small language: what can be said without probes
        study = unanswered(settings, corpus, subject, acts, here, error, chosen)
        return with_beside(study, beside, settings, subject, corpus)
    results = with_remedy(results, supply := supply_of(corpus), corpus)
    chosen = chosen if subject.construction is None else (*chosen, ESTIMATE)
    # Whether the model uses it: states exchanged, the answer known; erased and steered if asked.
    swaps, used, unused = use_of(settings, subject, corpus, results, claims)
    edits, unedited = edits_of(settings, subject, corpus, acts, results)
    # Whether what was learned from one file of texts holds in others.
    moved, unmoved = transfers_of(settings, subject.model, read, acts, twins[0], others)
    # What was learned beside what was predicted, and what the whole says.
    comparison, constant, unknown = compared(
        settings, corpus, results, acts, twins, theory, swaps, claims, level=level
    )
    checks, untested = checks_of(subject, corpus, acts, results, comparison, here)
    study = Study(
        name=settings.name, question=settings.question,
        facts={**language_facts(corpus), **subject.facts, **(theory.facts if theory else {})},
        scores=scores_of(results), examples=results.examples,
        comparison=comparison,
        checks=(*checks, *used),
        trees=drawn_trees(corpus), **edits, transfers=moved, invariants=constant,
        notes=(
            *chosen, *(supply.notes if supply else ()), *untested, *unused, *unedited, *told,
            *unmoved, *unknown,
        ),
        subspaces=_subspaces(results, here), classes=classes_of(results, acts, here),
        **wording_of(settings.language, heights),
    )  # fmt: skip
    return claimed(with_beside(study, beside, settings, subject, corpus), theory)


def _subspaces(
    results: ProbeResults, claims: Sequence[Prediction]
) -> Mapping[str, Mapping[tuple[str, str], Subspace]]:
    """Learned patterns, and predicted ones of the same cells."""
    predicted = {(p.site, p.target): p.subspace for p in claims}
    return {
        "learned": results.patterns,
        "predicted": {cell: predicted[cell] for cell in predicted if cell in results.patterns},
    }


def _known(subject: ModelUnderStudy, corpus: Corpus) -> dict[str, Any]:
    """Ceilings and states that are known of the model, and targets that the corpus brings."""
    return {
        "ceilings": subject, "patterns": subject.patterns,
        "targets": list(corpus.targets) or None,
    }  # fmt: skip


def _grid(settings: StudySettings, heights: Sequence[int], engine: str | Engine) -> dict[str, Any]:
    """What the settings say of the grid of probes."""
    asked = settings.probes
    return {
        "heights": heights, "positions": asked.positions, "method": asked.method, "C": asked.C,
        "groups": None if asked.groups == "auto" else asked.groups, "tolerance": asked.tolerance,
        "controls": asked.controls, "permutations": asked.permutations,
        "codelength": asked.codelength, "bootstrap": asked.bootstrap, "examples": asked.examples,
        "seed": settings.seed, "engine": engine,
    }  # fmt: skip


def _claims(
    subject: ModelUnderStudy, sites: Sequence[str], heights: Sequence[int]
) -> list[Prediction]:
    """Predictions about the cells of the grid."""
    targets = [height_target(height) for height in heights]
    return [p for p in subject.predictions if p.site in sites and p.target in targets]


def _reader(settings: StudySettings, tokenizer: Any, engine: str | Engine) -> Any:
    """What captures a model's stream as the settings say."""
    how = settings.reading
    where: dict[str, Any] = {"sites": settings.sites}
    if how.layers is not None:
        where = {"sites": [EMBEDDING, settings.sites], "layers": how.layers}
    return partial(
        capture, **where, tokenizer=tokenizer, engine=engine,
        long_inputs=how.long_inputs, special_tokens=how.special_tokens, check=how.check,
    )  # fmt: skip
