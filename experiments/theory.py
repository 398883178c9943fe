"""A construction of the same grammar beside a model whose basis is its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ..causal import InterchangeResult
from ..core import Engine, Invariant, Prediction
from ..core.prediction import by_tokens
from ..grammars import Corpus, Grammar
from ..hooks import Activations, capture
from ..probes import BaseMaps, ProbeError, ProbeResults, linear_maps, measure_invariants
from ..reports import Comparison, Study, compare
from ..reports.theory import carried_from
from ..reports.values import Json
from .learned import Distance, distance_of, not_claimed
from .settings import StudySettings
from .subjects import ModelUnderStudy

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["TheoryBeside", "carried_by", "claimed", "compared", "invariants_of", "theory_of"]


@final
class TheoryBeside(NamedTuple):
    """The construction, its stream at the same tokens, and how far the model is from its language.

    Args:
        made: the construction.
        acts: its activations.
        distance: of the model under study; ``None`` where it cannot be known.
    """

    made: "GrammarTransformer"
    acts: Activations
    distance: Distance | None

    @property
    def facts(self) -> Mapping[str, Json]:
        """For a page."""
        return {} if self.distance is None else self.distance.facts

    @property
    def failure(self) -> str:
        """Why nothing is claimed of the model's states; empty where something is."""
        unlearned = self.distance is not None and not self.distance.learned
        return self.distance.failure if unlearned and self.distance else ""


def theory_of(
    settings: StudySettings,
    subject: ModelUnderStudy,
    corpus: Corpus,
    level: float,
    engine: str | Engine,
) -> tuple[TheoryBeside | None, float]:
    """Construct what theory says of the language, if the settings ask for it.

    Args:
        settings: of the study.
        subject: the model.
        corpus: its language.
        level: chance that something false is said on the page.
        engine: where the construction is read.

    Returns:
        The theory, and the part of the level that the verdicts and what does not depend on the
        basis have each.
    """
    if settings.theory is None or not isinstance(corpus.grammar, Grammar):
        return None, level
    from ..constructions import GrammarTransformer

    made = GrammarTransformer.from_grammar(corpus.grammar, **settings.theory.choices)
    acts = capture(made.model, corpus, sites=settings.sites, engine=engine)
    return TheoryBeside(made, acts, distance_of(subject, corpus, settings.seed)), level / 2


def compared(
    settings: StudySettings,
    corpus: Corpus,
    results: ProbeResults,
    acts: Activations,
    twins: Sequence[Activations],
    theory: TheoryBeside | None,
    swaps: InterchangeResult | None,
    claims: Sequence[Prediction],
    *,
    level: float,
) -> tuple[Comparison, tuple[Invariant, ...], tuple[str, ...]]:
    """Learned beside predicted; through a map and whatever the basis where theory stands beside.

    Args:
        settings: of the study.
        corpus: its language.
        results: the grid of probes.
        acts: of the model.
        twins: of untrained models.
        theory: beside a model of another basis; else ``None``.
        swaps: exchanges of the learned patterns.
        claims: predictions about the model itself.
        level: chance that something false is said, of each of the two.

    Returns:
        The verdicts, the invariants, and notes on what was left out.
    """
    how: dict[str, Any] = {"exchanges": swaps, "level": level, "seed": settings.seed}
    if theory is None:
        return compare(results, claims, **how), (), ()
    carried, uncarried = carried_by(settings, corpus, results, acts, twins, theory)
    comparison = compare(results, **how, **carried)
    if theory.failure:
        return comparison, (), uncarried
    rows, notes = invariants_of(settings, corpus, results, acts, twins, theory, swaps, level=level)
    return comparison, rows, (*uncarried, *notes)


def claimed(study: Study, theory: TheoryBeside | None) -> Study:
    """The study; of a model that has not learned its language without a claim.

    Args:
        study: with all that stands on its page.
        theory: beside the model.
    """
    if theory is None or not theory.failure:
        return study
    return replace(study, comparison=not_claimed(study.comparison, theory.failure))


def carried_by(
    settings: StudySettings,
    corpus: Corpus,
    results: ProbeResults,
    acts: Activations,
    twins: Sequence[Activations],
    theory: TheoryBeside,
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """What :func:`linrep.compare` takes to carry theory's subspaces over; and why it cannot.

    Args:
        settings: of the study.
        corpus: its language.
        results: the grid of probes; maps are learned from rows that its patterns were not.
        acts: of the model.
        twins: of untrained models.
        theory: of the same language.
    """
    here, _ = by_tokens(theory.made.predictions, settings.probes.positions)
    claims = [claim for claim in here if claim.target in results.targets]
    sites = carried_from(claims)
    if not sites or results.learned_from is None:
        return {}, ("not tested: nothing that theory writes was probed where it is written",)
    try:
        maps: BaseMaps = linear_maps(
            acts, theory.acts, corpus, random_weights=twins,
            reference_sites=sites,
            rows=~results.learned_from, positions=settings.probes.positions, seed=settings.seed,
        )  # fmt: skip
    except ProbeError as error:
        return {}, (f"not tested: a map between the constructed model and this one: {error}",)
    return {"predictions": claims, "through": maps}, maps.notes


def invariants_of(
    settings: StudySettings,
    corpus: Corpus,
    results: ProbeResults,
    acts: Activations,
    twins: Sequence[Activations],
    theory: TheoryBeside,
    swaps: InterchangeResult | None,
    *,
    level: float,
) -> tuple[tuple[Invariant, ...], tuple[str, ...]]:
    """What does not depend on the basis, predicted and measured; and why some was not.

    Args:
        settings: of the study.
        corpus: its language.
        results: the grid of probes.
        acts: of the model.
        twins: of untrained models.
        theory: of the same language.
        swaps: exchanges of the learned patterns.
        level: chance that an untrained model shows what is said of this one.
    """
    if settings.probes.positions != "boundary":
        return (), (
            "not tested: what does not depend on the basis: it is measured where spans end "
            "(probes.positions: boundary)",
        )
    try:
        found = measure_invariants(
            results, acts, corpus, theory.made.predictions, random_weights=twins, exchanges=swaps,
            level=level, seed=settings.seed,
        )  # fmt: skip
    except ProbeError as error:
        return (), (f"not tested: what does not depend on the basis: {error}",)
    unsure = (
        ()
        if theory.distance is not None
        else (
            "how far the model is from its language could not be measured (its words are not the "
            "grammar's, or it sees what follows): whether it has learned it is not known",
        )
    )
    return found.rows, (*found.notes, *unsure)
