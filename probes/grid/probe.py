"""The whole grid of sites and targets, with every control beside every number."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ...core import Engine, Shared, progress, running
from ..errors import ProbeError
from ..evidence.groups import FRACTIONS, divide
from ..evidence.intervals import bootstrap_weights
from ..evidence.tokens import Tokens
from ..inputs.protocols import ActivationsLike, CorpusLike
from ..inputs.reading import (
    as_array,
    check_activations,
    check_corpus,
    check_manifest,
    read_kept,
    read_twins,
    sees_next,
    shown,
)
from ..solvers.methods import Method
from .checks import (
    check_ceilings,
    check_controls,
    check_counts,
    check_flag,
    check_fractions,
    check_tolerance,
    read_penalties,
)
from .judging import Judged, judge
from .notes import CONTROLS, EMBEDDINGS, account, collect_notes
from .plan import Plan, make_plan
from .results import ProbeResults
from .scoring import held_out, score_cell
from .site import Companions
from .site_work import SiteFound, SiteWork, current_threads, probe_in_worker
from .targets import Target, make_targets

__all__ = ["CONTROLS", "probe"]

LATE = 63  # positions from here on count as one when patterns are estimated


def probe(  # noqa: PLR0913 - the one public entrance; every setting is a keyword
    acts: ActivationsLike,
    corpus: CorpusLike,
    *,
    heights: Sequence[int] | None = None,
    targets: Mapping[str, npt.ArrayLike] | None = None,
    positions: Any = "all",
    method: str = "logistic",
    C: Any = None,
    controls: Sequence[str] = CONTROLS,
    random_weights: ActivationsLike | Sequence[ActivationsLike] | None = None,
    ceilings: Mapping[Any, npt.ArrayLike] | None = None,
    permutations: int = 200,
    codelength: bool = False,
    bootstrap: int = 1000,
    groups: npt.ArrayLike | str | None = None,
    fractions: Any = FRACTIONS,
    min_count: int = 2,
    tolerance: float = 1e-4,
    engine: str | Engine = "local",
    seed: int = 0,
) -> ProbeResults:
    """Probe every site for every target.

    Tokens are split by group; standardisation and classes are learned on training groups only;
    every score comes from test groups, whose texts the training part does not hold. One site is in
    memory at a time: its activations, their rotated copy, and three arrays of logits as wide as
    all classes of targets and controls; beside them, for all sites, one byte (two beyond 128
    classes) per permutation and test token of each target.

    Args:
        acts: activations per site, rows aligned with the corpus.
        corpus: tokens, sentences, labels.
        heights: heights to probe; all of the corpus' by default.
        targets: further targets by name, ``[token]`` labels (``""`` or NaN = undefined).
        positions: tokens to probe at: ``"all"``, ``"boundary"`` (ends of the target's span), a
            mask, or one of these per target.
        method: kind of probe.
        C: inverse penalty of the logistic probe, scikit-learn's; of several the one with the best
            validation loss is taken, per cell; by default 0.001 to 10. Controls take their
            target's.
        controls: which controls to run.
        random_weights: activations of random-weight twins, one or several: with three or more
            their spread is known, which the first rung of a verdict needs.
        ceilings: per ``(site, target)`` or per target, ``[token]`` largest posterior probability
            (NaN = unknown); its mean over the scored tokens is the ceiling.
        permutations: exchanges of labels between test sentences for the p-value; 0 = none.
        codelength: also compute online codelengths.
        bootstrap: resamples of test sentences for the interval; 0 = none.
        groups: what must not be split: ``[token]`` ids, ``"document"``, or ``"sentence"`` (with
            all its copies); by default documents where the corpus knows them, else sentences.
            Held-out texts that also stand in the training part are left out.
        fractions: of groups in train, validation and test; by default 0.7, 0.1 and 0.2, with more
            in the test part where groups are few.
        min_count: training groups in which a class must occur to be learned.
        tolerance: of the logistic solver, relative to its objective.
        engine: where the sites are worked on: ``"local"``, ``"processes:N"``, ``"ray"``,
            ``"ray://host:port"``, or an engine that is shared with other calls. The answers are
            the same; workers get all sites' activations at once, in a temporary folder or in
            Ray's object store.
        seed: of the split and of every draw.

    Returns:
        Scores, patterns, readouts, held-out predictions, settings and notes.

    Raises:
        ProbeError: the data cannot answer; the message says why.
    """
    check_activations(acts)
    check_manifest(acts)
    check_corpus(corpus)
    twins = read_twins(random_weights)
    controls = check_controls(controls)
    check_counts(seed=seed, permutations=permutations, bootstrap=bootstrap, min_count=min_count)
    check_flag(codelength=codelength)
    shares = check_fractions(fractions)
    kind = Method(method, read_penalties(C), tolerance=check_tolerance(tolerance))
    wanted = make_targets(corpus, heights, targets, positions)
    if not acts.sites:
        raise ProbeError("no site was captured: capture at least one")
    kept = _kept(acts, twins, len(np.asarray(corpus.sentence_ids)))
    highest = _ceilings(ceilings, acts.sites, wanted, len(kept))
    division = divide(corpus, groups, shares, _stratify(wanted), kept, seed=seed)
    split = division.split
    tokens = Tokens.of(corpus, division.groups, sees_next=sees_next(acts.manifest))
    settings = account(
        kind, wanted, positions, controls, division,
        permutations=permutations, codelength=codelength, bootstrap=bootstrap,
        min_count=min_count, seed=seed,
    )  # fmt: skip
    surface = tokens.surface(_embedding(acts)) if "surface" in controls else None
    plans = [
        make_plan(
            target, tokens, split, kept, surface,
            min_count=min_count, permutations=permutations, seed=seed,
            seeds=_seeds(seed, target.name, 2),
        )
        for target in wanted
    ]  # fmt: skip
    del surface  # it holds a copy of the embedding
    companions = Companions(
        (*(target.name for target in wanted), "position"),
        (*(target.codes for target in wanted), np.minimum(np.asarray(corpus.positions), LATE)),
    )
    weights = _resamples(plans, bootstrap, np.random.default_rng(_seeds(seed, "bootstrap", 1)[0]))
    asked_twins = twins if "random_weights" in controls else ()
    found: dict[str, SiteFound] = {}
    with running(engine) as runner:
        beside = {site: [twin for twin in asked_twins if site in twin.sites] for site in acts.sites}
        works = [
            SiteWork(
                site, _shared(runner, acts, site),
                [_shared(runner, twin, site) for twin in beside[site]], plans, kind,
                controls, companions, np.flatnonzero(split.train & kept), len(kept),
                seed if codelength else None, current_threads(),
            )
            for site in acts.sites
        ]  # fmt: skip
        run = probe_in_worker if runner.workers else SiteWork.run
        done = progress(runner.map(run, works), "probing", total=len(works), unit="site")
        found.update((works[index].site, here) for index, here in done)
    cells = {
        (site, plan.name): found[site].cells[plan.name] for site in acts.sites for plan in plans
    }
    scores = judge(
        [
            Judged(
                score_cell(
                    site, plan, cells[site, plan.name],
                    weights=weights.get(plan.name), ceiling=highest.get((site, plan.name)),
                ),
                plan, cells[site, plan.name], found[site].twins.get(plan.name),
            )
            for site in acts.sites for plan in plans
        ],
        controls, permutations=permutations > 0, seed=seed,
    )  # fmt: skip
    plan_of = {plan.name: plan for plan in plans}
    return ProbeResults(
        scores=scores,
        patterns={key: cell.pattern for key, cell in cells.items() if cell.pattern is not None},
        readouts={key: cell.readout for key, cell in cells.items() if cell.readout is not None},
        held_out={key: held_out(plan_of[key[1]], cell) for key, cell in cells.items()},
        covariances={site: found[site].covariance for site in acts.sites},
        settings={
            **settings,
            "word_types": len(np.unique(tokens.words)),
            "manifest": dict(acts.manifest),
        },
        notes=(
            division.note,
            *collect_notes(plans, controls, twins, ceilings, scores, kept, cells),
        ),
    )


def _seeds(seed: int, name: str, count: int) -> list[np.random.SeedSequence]:
    """Seeds of one target's draws: which other targets stand in the grid does not matter."""
    return np.random.SeedSequence([seed, crc32(name.encode())]).spawn(count)


def _kept(acts: ActivationsLike, twins: Sequence[ActivationsLike], n: int) -> np.ndarray:
    kept = read_kept(acts, n, "activations have", "capture this corpus")
    for twin in twins:
        kept &= read_kept(twin, n, "the random-weight twin has", "capture the same corpus")
    return kept


def _shared(engine: Engine, acts: ActivationsLike, site: str) -> Shared:
    return engine.share(lambda: as_array(acts[site], f"activations at {site!r} are [token, d]"))


def _embedding(acts: ActivationsLike) -> np.ndarray | None:
    """What enters the first block, if it was captured."""
    here = [site for site in EMBEDDINGS if site in acts.sites]
    return as_array(acts[here[-1]], f"activations at {here[-1]!r} are [token, d]") if here else None


def _stratify(targets: Sequence[Target]) -> np.ndarray:
    """Labels whose shares the parts should have alike; undefined where a target is not asked."""
    columns = [np.where(target.mask, target.codes, -1) for target in targets]
    labels: np.ndarray = np.stack(columns, axis=1).astype(np.float64)
    labels[labels < 0] = np.nan
    return labels


def _resamples(
    plans: Sequence[Plan], draws: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Bootstrap weights per target; targets with as many sentences share them."""
    if draws == 0:
        return {}
    by_size: dict[int, np.ndarray] = {}
    for size in sorted({len(np.unique(plan.groups[2])) for plan in plans}):
        by_size[size] = bootstrap_weights(size, draws, rng)
    return {plan.name: by_size[len(np.unique(plan.groups[2]))] for plan in plans}


def _ceilings(
    given: Mapping[Any, npt.ArrayLike] | None,
    sites: Sequence[str],
    targets: Sequence[Target],
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
    names = [target.name for target in targets]
    cells = {(site, name) for site in sites for name in names}
    unknown = [key for key in given or {} if key not in cells and key not in names]
    if unknown:
        raise ProbeError(
            f"ceilings are given for {unknown}: neither targets {names} nor (site, target) pairs "
            f"of sites {list(sites)}"
        )
    read = {key: check_ceilings(values, n, repr(key)) for key, values in (given or {}).items()}
    found: dict[tuple[str, str], np.ndarray] = {}
    for site, name in cells:
        values = read.get((site, name), read.get(name))
        if values is not None:
            found[site, name] = values
    return found
