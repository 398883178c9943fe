"""A construction of the same grammar beside a model whose basis is its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ..causal import InterchangeResult
from ..core import Engine, Invariant
from ..core.prediction import by_tokens
from ..grammars import Corpus, Grammar
from ..hooks import Activations, capture
from ..probes import BaseMaps, ProbeError, ProbeResults, linear_maps, measure_invariants
from ..reports.theory import carried_from
from .settings import StudySettings

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["Theory", "carried_by", "invariants_of", "theory_of"]


@final
class Theory(NamedTuple):
    """The construction, and its stream at the same tokens."""

    made: "GrammarTransformer"
    acts: Activations


def theory_of(settings: StudySettings, corpus: Corpus, engine: str | Engine) -> Theory | None:
    """Construct what theory says of the language; ``None`` where the settings ask for nothing.

    Args:
        settings: of the study.
        corpus: its language.
        engine: where the construction is read.
    """
    if settings.theory is None or not isinstance(corpus.grammar, Grammar):
        return None
    from ..constructions import GrammarTransformer

    made = GrammarTransformer.from_grammar(corpus.grammar, **settings.theory.choices)
    return Theory(made, capture(made.model, corpus, sites=settings.sites, engine=engine))


def carried_by(
    settings: StudySettings,
    corpus: Corpus,
    results: ProbeResults,
    acts: Activations,
    twins: Sequence[Activations],
    theory: Theory | None,
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
    if theory is None:
        return {}, ()
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
    theory: Theory | None,
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
        theory: of the same language; without it there is nothing to say.
        swaps: exchanges of the learned patterns.
        level: chance that an untrained model shows what is said of this one.
    """
    if theory is None:
        return (), ()
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
    return found.rows, found.notes
