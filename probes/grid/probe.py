"""The whole grid of sites and targets, with every control beside every number."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from ...core import running
from ...core.threads import threads_for
from ..errors import ProbeError
from ..evidence.groups import divide
from ..evidence.tokens import Tokens
from ..inputs.protocols import ActivationsLike
from ..inputs.reading import sees_next
from ..solvers.methods import Method
from .at_once import run_grid, sites_at_once
from .checks import check_counts, check_tolerance, read_penalties
from .entrance import Entered, enter
from .guesses import Guessing
from .joint import OTHERS, joint_patterns
from .judging import Judged, judge
from .kept_examples import kept_examples
from .memory import refuse_too_many_rows
from .notes import CONTROLS, about_devices, collect_notes, describe_settings
from .options import Asked, Evidence, ProbeOptions, Splitting, asked_of
from .plan import CONTROL_DRAWS
from .preparing import (
    ceilings_of,
    ceilings_told,
    embedding_of,
    folds_of,
    heights_in,
    kept_rows,
    plan_of,
    resamples,
    seeds_of,
    share_site,
)
from .results import ProbeResults
from .scoring import directions_of, held_out, score_cell
from .site_spaces import Companions
from .site_work import SiteWork, TwinWork
from .targets import ClassTarget, make_targets, strata

__all__ = ["CONTROLS", "probe"]

LATE = 63  # positions from here on count as one when patterns are estimated


def probe(
    acts: Any,
    corpus: Any = None,
    *,
    heights: Sequence[int] | None = None,
    targets: Any = None,
    positions: Any = "all",
    method: str = "logistic",
    evidence: Evidence | None = None,
    splitting: Splitting | None = None,
    seed: int = 0,
    **options: Unpack[ProbeOptions],
) -> ProbeResults:
    """Probe every site for every target.

    Tokens are split by group; standardisation and classes are learned on training groups only;
    every score comes from test groups, whose texts the training part does not hold.

    Rows of a store are read a block at a time: means, ``"lda"``, ``"ridge"``, numbers, their
    controls and patterns hold one block, a few ``d_model x d_model`` matrices and the sums of the
    classes. The logistic probe and codelengths hold the rotated training and validation rows of
    a site and four arrays of logits as wide as all classes of targets or of controls; what does
    not fit is refused before the work. Where sites are worked on side by side (``engine``), each
    holds its own. Beside them, for all sites, there is one byte (two beyond
    128 classes) per permutation and test token of each target.

    Args:
        acts: activations per site, rows aligned with the corpus; or arrays ``[row, d_model]`` by
            site, or one array.
        corpus: tokens, sentences, labels; by default that of the activations. Or the values to
            recover, of any form that ``targets`` may have: then rows are those of the activations.
            Without any corpus rows have no words and no positions, and controls that need them
            are left out with a note; each row is a group of its own, equal rows are one.
        heights: heights to probe; without targets all of the corpus', and all its targets.
        targets: what to recover, one value for each row: by name (a mapping, a data frame), in a
            list of :class:`linrep.Target`, alone, or names of targets that the corpus has.
            Text, bools and few different integers are classes; floats are numbers, and a table
            ``[row, column]`` is a vector (``Target.read`` says how, and otherwise). ``""``,
            ``None`` and NaN are undefined. Numbers are answered by ridge regression and scored
            by R2.
        positions: tokens to probe at: ``"all"``, ``"boundary"`` (ends of the target's span), a
            mask, or one of these per target.
        method: kind of probe for classes: ``"logistic"``, ``"lda"``, ``"ridge"``, or ``"means"``
            (the nearest class mean; ``directions`` of the results are the differences of means).
        evidence: what stands beside every number, as one object.
        splitting: how tokens are dealt to training and test, as one object.
        seed: of the split and of every draw.
        **options: fields of ``evidence`` and ``splitting`` by name, which they replace, and how to
            fit and where:
        controls: which controls to run.
        random_weights: activations of random-weight twins, one or several: with three or more
            their spread is known, which the first rung of a verdict needs.
        ceilings: per ``(site, target)`` or per target, ``[token]`` largest posterior probability
            (NaN = unknown), whose mean over the scored tokens is the ceiling; or a constructed
            model, which knows them.
        permutations: exchanges of labels between test sentences for the p-value; 0 = none.
        bootstrap: resamples of test sentences for the interval; 0 = none.
        codelength: also compute online codelengths.
        jackknife: parts of the groups, of which patterns leave out one at a time, for intervals of
            overlaps; by default 10 where the corpus was sampled from a grammar, else 0.
        examples: texts of the test part, at most, that the results keep with what every probe said
            of their words, for ``explore()``; 0 = none.
        groups: what must not be split: ``[token]`` ids, ``"document"``, or ``"sentence"`` (with
            all its copies); by default documents where the corpus knows them, else sentences.
            Held-out texts that also stand in the training part are left out.
        fractions: of groups in train, validation and test; by default 0.7, 0.1 and 0.2, with more
            in the test part where groups are few.
        min_count: training groups in which a class must occur to be learned.
        C: inverse penalty of the logistic probe, scikit-learn's; of several the one with the best
            validation loss is taken, per cell; by default 0.001 to 10. Controls take their
            target's.
        tolerance: of the logistic solver, relative to its objective.
        patterns: ``"targets"``: estimated jointly with the other targets and the position; or
            ``"joint"``: of heights, with every state that a grammar's corpus knows to be in the
            stream (see :mod:`linrep.probes.grid.joint`), as in constructed models; ``"rules"``:
            likewise where those states are rules (``merge="rules"``).
        engine: where the sites are worked on: ``"local"`` (as many at once as linear algebra may
            use threads, where their products are small), ``"processes:N"``, ``"ray"``,
            ``"ray://host:port"``, or an engine that is shared with other calls. The answers are
            the same; workers get all sites' activations at once, in a temporary folder or in
            Ray's object store.
        device: where the large products with a site's rows are made: ``"cpu"``, by NumPy;
            ``"cuda"`` or ``"cuda:1"``, on that GPU, by PyTorch in float64; ``"auto"``, on a GPU
            where there is one with room for it and the work is large, else by NumPy. One block of
            rows and a few ``d_model x d_model`` matrices lie on the GPU, for each worker of the
            engine. Numbers agree to rounding; notes name the device.

    Returns:
        Scores, patterns, readouts, held-out predictions, settings and notes.

    Raises:
        ProbeError: the data cannot answer; the message says why.
    """
    rest = asked_of(evidence, splitting, options)
    entered = enter(acts, corpus, targets, rest.evidence.random_weights)
    with threads_for(_multiplications(entered.acts)) as threads:
        return _probed(entered, rest, heights, positions, method, seed, threads)


def _multiplications(acts: ActivationsLike) -> float:
    """Of the largest product of a site: the scatter of its rows."""
    shapes = [tuple(getattr(acts[site], "shape", ())) for site in acts.sites]
    return max(
        (float(shape[0]) * shape[1] ** 2 for shape in shapes if len(shape) == 2), default=0.0
    )


def _probed(
    entered: Entered,
    rest: Asked,
    heights: Sequence[int] | None,
    positions: Any,
    method: str,
    seed: int,
    threads: int,
) -> ProbeResults:
    """The grid of what has entered, on so many threads in every process.

    Raises:
        ProbeError: the data cannot answer.
    """
    beyond, dealt = rest.evidence, rest.splitting
    permutations, codelength, bootstrap = beyond.permutations, beyond.codelength, beyond.bootstrap
    acts, corpus, twins = entered.acts, entered.corpus, entered.twins
    controls = entered.controls(tuple(beyond.controls))
    check_counts(seed=seed)
    kind = Method(method, read_penalties(rest.C), tolerance=check_tolerance(rest.tolerance))
    wanted = make_targets(corpus, heights, entered.targets, positions)
    if not acts.sites:
        raise ProbeError("no site was captured: capture at least one")
    kept = kept_rows(acts, twins, len(np.asarray(corpus.sentence_ids)))
    told = ceilings_told(beyond.ceilings, corpus, acts.sites, wanted, positions)
    highest = ceilings_of(told, acts.sites, wanted, len(kept))
    division = divide(corpus, dealt.groups, dealt.fractions, strata(wanted), kept, seed=seed)
    split = division.split
    needed = 0
    if kind.name == "logistic" or codelength:
        heads = max(CONTROL_DRAWS * ("control_task" in controls) + ("shuffled" in controls), 1)
        needed = refuse_too_many_rows(acts, wanted, kept & ~split.test, heads, held=codelength)
    tokens = Tokens.of(corpus, division.groups, sees_next=sees_next(acts.manifest))
    settings = describe_settings(
        kind, wanted, positions, controls, division,
        permutations=permutations, codelength=codelength, bootstrap=bootstrap,
        min_count=dealt.min_count, seed=seed,
    )  # fmt: skip
    plans = [
        plan_of(
            target, tokens, split, kept,
            min_count=dealt.min_count, permutations=permutations, seed=seed,
        )
        for target in wanted
    ]  # fmt: skip
    classes = [target for target in wanted if isinstance(target, ClassTarget)]
    companions = Companions(
        (*(target.name for target in classes), "position"),
        (*(target.codes for target in classes), np.minimum(np.asarray(corpus.positions), LATE)),
        folds_of(corpus, division.groups.ids, beyond.jackknife, seed),
    )
    weights = resamples(plans, bootstrap, np.random.default_rng(seeds_of(seed, "bootstrap", 1)[0]))
    asked_twins = twins if "random_weights" in controls else ()
    surface = tokens.surface(embedding_of(acts)) if "surface" in controls else None
    guesses = [Guessing(plan, tokens, surface) for plan in plans]
    with running(rest.engine) as runner:
        own = [
            SiteWork(
                site, share_site(runner, acts, site), plans, kind, controls, companions,
                np.flatnonzero(split.train & kept), len(kept), seed if codelength else None,
                threads, rest.device,
            )
            for site in acts.sites
        ]  # fmt: skip
        lean = [plan.without_draws for plan in plans]
        untrained = [
            TwinWork(
                site, share_site(runner, twin, site), lean, kind, len(kept), threads, rest.device
            )
            for site in acts.sites for twin in asked_twins if site in twin.sites
        ]  # fmt: skip
        room = max([needed, *(guess.needed for guess in guesses)])
        at_once = sites_at_once((acts, *asked_twins), rest.device, room) if threads == 1 else 1
        done = run_grid(runner, guesses, own, untrained, at_once)
    del surface, guesses  # they hold the embedding
    found, guessed = done.sites, zip(plans, done.guesses, strict=True)
    plans = [replace(plan, guesses=each) for plan, each in guessed]
    cells = {(site, name): cell for site in acts.sites for name, cell in found[site].cells.items()}
    scores = judge(
        [
            Judged(
                score_cell(
                    site, plan, cells[site, plan.name],
                    weights=weights.get(plan.name), ceiling=highest.get((site, plan.name)),
                ),
                plan, cells[site, plan.name], done.twins.get((site, plan.name)),
            )
            for site in acts.sites for plan in plans
        ],
        controls, permutations=permutations > 0, seed=seed,
        hidden=("control_codelength",) if entered.bare else (),
    )  # fmt: skip
    spaces = {key: cell.spaces for key, cell in cells.items() if cell.spaces}
    patterns = {key: each.pattern for key, each in spaces.items()}
    without = {key: each.without for key, each in spaces.items() if each.without}
    if rest.patterns != "targets":
        patterns, without = joint_patterns(
            acts, corpus, heights_in(wanted), companions.folds, rules=rest.patterns == "rules"
        )
    planned = {plan.name: plan for plan in plans}
    said = {key: held_out(planned[key[1]], cell) for key, cell in cells.items()}
    return ProbeResults(
        scores=scores,
        patterns=patterns,
        readouts={key: each.readout for key, each in spaces.items()},
        chance_patterns={key: each.chance for key, each in spaces.items()},
        fold_patterns=without,
        learned_from=kept & (split.train if rest.patterns == "targets" else True),
        directions={
            key: directions_of(planned[key[1]], cell)
            for key, cell in cells.items()
            if method == "means"
        },
        held_out=said,
        covariances={site: found[site].covariance for site in acts.sites},
        ceilings=highest,
        examples=None
        if entered.bare
        else kept_examples(
            corpus,
            wanted,
            said,
            {(one.site, one.target): one.validation for one in scores},
            acts.sites,
            most=beyond.examples,
            rng=np.random.default_rng(seeds_of(seed, "examples", 1)[0]),
        ),
        settings={
            **settings,
            "patterns": rest.patterns,
            "word_types": None if entered.bare else len(np.unique(tokens.words)),
            "manifest": dict(acts.manifest),
        },
        notes=(
            division.note,
            *entered.note(tuple(beyond.controls)),
            *(f"{target.name}: {target.note}" for target in wanted if target.note),
            *collect_notes(
                plans, controls, twins, told, scores, kept, cells, patterns, OTHERS[rest.patterns]
            ),
            *about_devices(done.devices),
        ),
    )
