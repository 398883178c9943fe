"""What a grid needs before its sites are worked on: rows, seeds, resamples, ceilings."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ...core import Engine, Shared
from ..errors import ProbeError
from ..evidence.intervals import bootstrap_weights
from ..evidence.splits import Split
from ..evidence.tokens import Tokens
from ..geometry.fold_patterns import FOLDS, deal
from ..inputs.blocks import Matrix, as_matrix
from ..inputs.protocols import ActivationsLike, CorpusLike, KnowsCeilings
from ..inputs.reading import read_kept, shown
from .checks import check_ceilings
from .entrance import GivenArrays
from .notes import EMBEDDINGS
from .numbers import NumberPlan, make_number_plan
from .plan import Plan, make_plan
from .targets import ClassTarget, NumberTarget

__all__ = [
    "ceilings_of",
    "ceilings_told",
    "embedding_of",
    "folds_of",
    "heights_in",
    "kept_rows",
    "plan_of",
    "resamples",
    "seeds_of",
    "share_site",
]


def plan_of(
    target: ClassTarget | NumberTarget,
    tokens: Tokens,
    split: Split,
    kept: np.ndarray,
    *,
    min_count: int,
    permutations: int,
    seed: int,
) -> Plan | NumberPlan:
    """The plan of one target of either kind."""
    seeds = seeds_of(seed, target.name, 3)
    if isinstance(target, NumberTarget):
        return make_number_plan(
            target, tokens, split, kept,
            permutations=permutations, seed=seed, seeds=seeds,
        )  # fmt: skip
    return make_plan(
        target, tokens, split, kept,
        min_count=min_count, permutations=permutations, seed=seed, seeds=seeds,
    )  # fmt: skip


def seeds_of(seed: int, name: str, count: int) -> list[np.random.SeedSequence]:
    """Seeds of one target's draws: which other targets stand in the grid does not matter."""
    return np.random.SeedSequence([seed, crc32(name.encode())]).spawn(count)


def kept_rows(acts: ActivationsLike, twins: Sequence[ActivationsLike], n: int) -> np.ndarray:
    """``[token]`` bool: the model and all its twins have an activation."""
    plain = isinstance(acts, GivenArrays)
    remedy = "give one row for each of its tokens" if plain else "capture this corpus"
    kept = read_kept(acts, n, "activations have", remedy)
    for twin in twins:
        kept &= read_kept(twin, n, "the random-weight twin has", "capture the same corpus")
    return kept


def folds_of(corpus: Any, groups: np.ndarray, parts: int | None, seed: int) -> np.ndarray | None:
    """``[token]`` part of the groups; ``None`` where no patterns without one are asked for."""
    if parts is None:
        parts = FOLDS if getattr(corpus, "grammar", None) is not None else 0
    if not parts:
        return None
    rng = np.random.default_rng(seeds_of(seed, "jackknife", 1)[0])
    return deal(np.asarray(groups), parts, rng)


def share_site(engine: Engine, acts: ActivationsLike, site: str) -> Shared:
    """One site's activations where every worker finds them."""
    return engine.share(lambda: as_matrix(acts[site], f"activations at {site!r} are [token, d]"))


def embedding_of(acts: ActivationsLike) -> Matrix | None:
    """What enters the first block, if it was captured."""
    here = [site for site in EMBEDDINGS if site in acts.sites]
    return (
        as_matrix(acts[here[-1]], f"activations at {here[-1]!r} are [token, d]") if here else None
    )


def resamples(
    plans: Sequence[Plan | NumberPlan], draws: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Bootstrap weights per target; targets with as many sentences share them."""
    if draws == 0:
        return {}
    by_size: dict[int, np.ndarray] = {}
    for size in sorted({len(np.unique(plan.groups[2])) for plan in plans}):
        by_size[size] = bootstrap_weights(size, draws, rng)
    return {plan.name: by_size[len(np.unique(plan.groups[2]))] for plan in plans}


def heights_in(targets: Sequence[ClassTarget | NumberTarget]) -> tuple[int, ...]:
    """Heights of the corpus among the targets."""
    return tuple(
        target.height
        for target in targets
        if isinstance(target, ClassTarget) and target.height is not None
    )


def ceilings_told(
    given: Any,
    corpus: CorpusLike,
    sites: Sequence[str],
    targets: Sequence[ClassTarget | NumberTarget],
    positions: object,
) -> Any:
    """What a model that knows its ceilings says of these cells; anything else as it is.

    Raises:
        ProbeError: tokens are chosen in a way that ceilings are not known for.
    """
    if not isinstance(given, KnowsCeilings) or isinstance(given, type):
        return given
    if not isinstance(positions, str):
        raise ProbeError(
            "a model knows its ceilings at positions='all' and 'boundary'; at tokens chosen by a "
            "mask that says more, or less: give the ceilings as [token] posteriors"
        )
    return given.ceilings(corpus, sites, heights_in(targets), boundary=positions == "boundary")


def ceilings_of(
    given: Mapping[Any, npt.ArrayLike] | None,
    sites: Sequence[str],
    targets: Sequence[ClassTarget | NumberTarget],
    n: int,
) -> dict[tuple[str, str], np.ndarray]:
    """Ceilings per cell, checked; what is given for a cell goes before what is for its target.

    Raises:
        ProbeError: one is given for no cell, or is not usable.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ProbeError(
            "ceilings are a mapping from targets, or (site, target), to [token] largest posteriors;"
            f" received {shown(given)}"
        )
    names = [target.name for target in targets if isinstance(target, ClassTarget)]
    cells = {(site, name) for site in sites for name in names}
    unknown = [key for key in given or {} if key not in cells and key not in names]
    if unknown:
        raise ProbeError(
            f"ceilings are given for {unknown}: neither targets of classes {names} nor "
            f"(site, target) pairs of sites {list(sites)}"
        )
    read = {key: check_ceilings(values, n, repr(key)) for key, values in (given or {}).items()}
    found: dict[tuple[str, str], np.ndarray] = {}
    for site, name in cells:
        values = read.get((site, name), read.get(name))
        if values is not None:
            found[site, name] = values
    return found
