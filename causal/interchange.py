"""Exchange states between runs, and compare the model with the counterfactual."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from ..core import CellScore, Subspace, checked
from ..core.options import settled
from ..corpora.corpus import Corpus
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import PreparedModel, left_alone, prepare
from ..hooks.reading.settings import CaptureSettings
from ..models import random_twin
from .errors import CausalError, NothingToExchange
from .exchange import Cells, ExchangeOutcome, exchange_all
from .grammar_pairs import interchange_pairs
from .isolation import IsolationRow, isolation_of, least_kept
from .kept import Watch
from .options import Exchange, ExchangeOptions
from .other_targets import probes_of, watch_of
from .pairs import Pairs
from .results import InterchangeResult
from .scores import score_cell
from .searching import das_fields, searched, with_searches

__all__ = ["interchange"]

LEAST = 2  # moved pairs without which there is no number


@checked(CausalError)
def interchange(
    model: Any,
    corpus: Any,
    subspaces: Mapping[tuple[str, str], Subspace],
    *,
    readouts: Mapping[tuple[str, str], Subspace] | None = None,
    pairs: Any = None,
    n: int = 200,
    seed: int = 0,
    exchange: Exchange | None = None,
    **options: Unpack[ExchangeOptions],
) -> InterchangeResult:
    """Put a source's state into a base's run, inside a subspace, and see what the model says then.

    At the last token of a span, ``h`` becomes ``h + (h' - h) V V^T``, with ``h'`` the state of the
    source and ``V`` a basis of the subspace. If the model uses that state as the target's, it then
    speaks as if the span had been the source's; what that means is known exactly where the corpus
    has a grammar. Beside every number stand the controls: random subspaces of equal dimension, the
    same moved as far as the edit (TransformerLens's placebo), subspaces drawn from the states,
    the whole state, the readout, a random-weight twin, the base's own state put in, and whether
    probes of the corpus's other heights go on saying what they said.

    Guarantee: the model is left as it was.

    Args:
        model: a constructed model, a ``PreTrainedModel``, a folder or a hub id.
        corpus: sampled from a grammar; pairs are made of it (``None`` if pairs are given).
        subspaces: (site, target) -> subspace, as ``ProbeResults.patterns`` has them; sites are
            ``resid_pre`` or ``resid_post`` of blocks, targets ``height 1`` and so on, or those
            of the pairs given.
        readouts: the same for readouts.
        pairs: :class:`Pairs`, or several, instead of those made of the corpus.
        n: pairs per target.
        seed: of pairs, draws and resamples.
        exchange: how states are exchanged, as one object.
        **options: its fields by name; they replace those of ``exchange``:
        protocol: ``last token`` or ``whole span``: at which tokens of the span.
        twin: whether to run a random-weight twin, or the twin itself.
        draws: random subspaces of each kind.
        bootstrap: resamples of base sentences.
        tokenizer: for an instance that is given without one.
        batch_size: pairs per batch; by default by tokens.
        resume: begin edited passes at the edited block where the model allows it: same numbers.
        isolation: look at what the exchange leaves of the corpus's other heights, by probes fitted
            on unedited states; not for pairs that are given, whose other targets are not known.
        das: epochs of a search for a subspace of equal dimension at each site (TransformerLens's
            distributed alignment search), with its own controls: arbitrary answers, and a
            random-weight twin. 0: none, since it takes its time.

    Returns:
        One row per (site, target).

    Raises:
        CausalError: sites that cannot be edited, or pairs that do not fit.
        NothingToExchange: no target has two spans that can stand for each other.

    >>> from linrep import GrammarTransformer, families
    >>> grammar = families.random_hierarchy(4, 2, 2, 2, seed=0)
    >>> built = GrammarTransformer.from_grammar(grammar)
    >>> claims = {(p.site, p.target): p.subspace for p in built.predictions if p.used}
    >>> found = interchange(built, grammar.sample(40), claims, n=20, draws=2, bootstrap=10)
    >>> row = found.rows[0]
    >>> round(row.share, 6), row.completeness > 0.999999, row.error < 1e-10
    (1.0, True, True)
    """
    how = settled("interchange", "exchange", Exchange, exchange, options, CausalError)
    _refuse(subspaces)
    chosen = _pairs(corpus, subspaces, pairs, n, seed)
    sites = list(dict.fromkeys(site for site, _ in subspaces))
    rows: dict[tuple[str, str], CellScore] = {}
    kept: list[IsolationRow] = []
    cost: dict[str, int] = {}
    absent = dict.fromkeys(name for _, name in subspaces if name not in chosen)
    notes = [
        f"{target}: no two of its spans are of equal length with other tokens, so that none was "
        "exchanged: sample more sentences"
        for target in absent
    ]
    settings = CaptureSettings.of(sites=sites)
    with left_alone(model):
        subject = prepare(model, settings, how.tokenizer)
        _require_width(subject, {**subspaces, **(readouts or {})})
        twins = _twin(subject, how.twin, settings)
        watched = how.isolation and pairs is None
        probes = probes_of(subject, corpus, sites, seed) if watched else {}
        for target, some in chosen.items():
            if int(some.moved.sum()) < LEAST:
                notes.append(
                    f"{target}: {int(some.moved.sum())} pairs whose labels differ, at least "
                    f"{LEAST} are needed: sample more sentences"
                )
                continue
            cells = _cells(target, subspaces, readouts or {})
            watch = watch_of(corpus, some, probes) if probes else None
            scored, left, why, cost[target] = _scored(subject, twins, some, cells, watch, how, seed)
            rows |= {(row.site, target): row for row in scored}
            kept += left
            notes += why
    return InterchangeResult(
        tuple(rows[cell] for cell in subspaces if cell in rows),
        {
            "n": n, "protocol": how.protocol, "draws": how.draws, "bootstrap": how.bootstrap,
            "seed": seed, "twin": twins is not None, "das": how.das,
        },
        chosen,
        tuple(notes),
        tuple(kept),
        cost,
    )  # fmt: skip


def _scored(
    subject: PreparedModel,
    twin: PreparedModel | None,
    pairs: Pairs,
    cells: Cells,
    watch: Watch | None,
    how: Exchange,
    seed: int,
) -> tuple[list[CellScore], tuple[IsolationRow, ...], list[str], int]:
    """One row per site of a target, what is left of other targets, notes, and the cost."""
    run: dict[str, Any] = {
        "last_only": how.protocol == "last token", "batch_size": how.batch_size,
        "resume": how.resume,
    }  # fmt: skip
    again = {"bootstrap": how.bootstrap, "seed": seed}
    left: tuple[IsolationRow, ...] = ()
    if watch is not None:
        left = isolation_of(subject, pairs, cells, watch, **run, **again)
    searches, notes = searched(subject, pairs, cells, how.das, seed) if how.das else ({}, [])
    run |= {"draws": how.draws, "seed": seed}
    found = exchange_all(subject, pairs, with_searches(cells, searches), **run)
    beside: ExchangeOutcome | None = None
    if twin is not None:
        beside = exchange_all(twin, pairs, cells, **run, only=("edit",))
    rows = []
    for site, (one, _) in cells.items():
        cell = score_cell(site, one.dim, pairs, how.protocol, found, beside, **again)
        learned = das_fields(site, found, searches.get(site), follows=cell.follows)
        rows.append(replace(cell, **least_kept(left, site, pairs.target), **learned))
    return rows, left, notes, found.block_tokens


def _refuse(subspaces: Mapping[tuple[str, str], Subspace]) -> None:
    """What cannot be asked.

    Raises:
        CausalError: with what can.
    """
    if not subspaces:
        raise CausalError(
            "no subspace is given, so there is nothing to exchange: give {(site, target): subspace}"
        )
    for site, _ in subspaces:
        place = Site.parse(site)
        if place is None or place.kind == "mid":
            raise CausalError(
                f"states are exchanged at resid_pre or resid_post of a block; received {site!r}"
            )


def _pairs(
    corpus: Any,
    subspaces: Iterable[tuple[str, str]],
    given: Any,
    n: int,
    seed: int,
) -> dict[str, Pairs]:
    """Pairs of every target.

    Raises:
        CausalError: a target without pairs.
        NothingToExchange: no target has any in this corpus.
    """
    targets = list(dict.fromkeys(target for _, target in subspaces))
    if given is not None:
        several = [given] if isinstance(given, Pairs) else given
        alone = isinstance(several, str) or getattr(several, "ndim", 1) == 0
        if not isinstance(several, Iterable) or alone:
            raise CausalError(f"pairs are Pairs, or several; received {type(given).__name__}")
        several = list(several)
        strange = [one for one in several if not isinstance(one, Pairs) or not len(one)]
        if strange:
            raise CausalError(f"pairs are Pairs, at least one each; received {strange[0]!r:.60}")
        named = {one.target: one for one in several}
        absent = [target for target in targets if target not in named]
        if absent:
            raise CausalError(
                f"there are subspaces for {', '.join(absent)}, but pairs of {', '.join(named)}"
            )
        return {target: named[target] for target in targets}
    if not isinstance(corpus, Corpus):
        raise CausalError(
            "pairs are made of a corpus that was sampled from a grammar; received "
            f"{type(corpus).__name__}: give one, or give pairs"
        )
    made: dict[str, Pairs] = {}
    without: dict[str, NothingToExchange] = {}
    for target in targets:
        word, _, height = target.partition(" ")
        if word != "height" or not height.isdigit():
            raise CausalError(
                f"pairs are made for targets called 'height 1' and so on; {target!r} needs pairs "
                "of its own (pairs=...)"
            )
        try:
            made[target] = interchange_pairs(corpus, int(height), n, seed=seed)
        except NothingToExchange as error:
            without[target] = error
    if without and not made:
        raise NothingToExchange(str(next(iter(without.values()))))
    return made


def _cells(
    target: str,
    subspaces: Mapping[tuple[str, str], Subspace],
    readouts: Mapping[tuple[str, str], Subspace],
) -> dict[str, tuple[Subspace, dict[str, Subspace]]]:
    """Per site of a target its subspace, and its readout where there is one."""
    found = {}
    for (site, name), space in subspaces.items():
        if name == target:
            beside = readouts.get((site, name))
            found[site] = (space, {} if beside is None else {"readout": beside})
    return found


def _require_width(subject: PreparedModel, spaces: Mapping[tuple[str, str], Subspace]) -> None:
    """Refuse subspaces of another stream.

    Raises:
        CausalError: with both widths.
    """
    for (site, target), space in spaces.items():
        if space.d_model != subject.d_model:
            raise CausalError(
                f"the subspace of {target} at {site} has d_model {space.d_model}, the stream of "
                f"{subject.name} {subject.d_model}"
            )


def _twin(subject: PreparedModel, asked: Any, settings: CaptureSettings) -> PreparedModel | None:
    if asked is False or asked is None:
        return None
    model = random_twin(subject.path.model) if asked is True else asked
    return prepare(model, settings, subject.tokenizer)
