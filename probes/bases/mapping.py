"""Linear maps between the streams of two models that read the same sentences."""

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np

from ...core import checked, progress
from ...core.options import refuse_unknown
from ..errors import ProbeError
from ..inputs.protocols import ActivationsLike
from ..inputs.reading import check_activations, check_corpus, read_kept, read_names
from .carrying import Fit
from .comparing import Compared, compare_streams
from .cross import Side, side_of
from .maps import BaseMaps, Pair
from .measured import BaseMap
from .ridge import PENALTIES, Solvers
from .rows import Dealt, Exchanged, deal_rows, exchanged_rows
from .twin_patterns import twin_patterns

__all__ = ["MapOptions", "linear_maps"]


class MapOptions(TypedDict, total=False):
    """Keywords of :func:`linear_maps` beyond those that it names."""

    sites: Sequence[str] | None
    heights: Sequence[int] | None
    groups: Any
    folds: int
    shuffles: int


@checked(ProbeError, most={"folds": 100, "shuffles": 1000})
def linear_maps(
    acts: Any,
    reference: Any,
    corpus: Any = None,
    *,
    random_weights: Any = None,
    reference_sites: Sequence[str] | str = "last",
    rows: Any = None,
    positions: Any = "boundary",
    seed: int = 0,
    **options: Unpack[MapOptions],
) -> BaseMaps:
    """Linear maps between two models that read the same sentences, both ways, held out.

    For each pair of sites: ridge regression of the model's stream on the reference's and back, R2
    on folds of which the map saw nothing (its penalty was chosen without them as well), canonical
    correlations, linear CKA and Procrustes. Beside each number stands the same number for untrained
    models, and for the model's own stream after whole sentences have exchanged their rows.

    All follow from one pass of sums per stream: time and memory grow with the rows times the
    square of the widths, never with the square of the rows.

    Args:
        acts: activations of the model, ``[token, d_model]`` at each site.
        reference: activations of the other model on the same corpus, of any width.
        corpus: their sentences; by default that of the activations.
        random_weights: activations of random-weight twins of the model, three or more for a null.
        reference_sites: ``"last"``, ``"all"``, or names. For :func:`linrep.compare` give the sites
            at which theory first writes each state.
        rows: ``[token]`` bool: the rows to learn maps from; by default those of half of the groups.
            For a comparison they must not be rows from which patterns are learned: the same noise
            would stand on both sides, and an untrained model would align. After
            :func:`linrep.probe` give ``~results.learned_from``.
        positions: tokens of the targets that are compared later, as :func:`linrep.probe` takes
            them; the twins' patterns of all heights are kept.
        seed: of the halves, the folds and the exchanges.
        **options: what else:
        sites: of the model; by default all.
        heights: targets whose patterns in the twins are kept; by default all.
        groups: what must not be split, as :func:`linrep.probe` takes it; sentences of equal text
            always stand together.
        folds: parts of the groups; 5 by default.
        shuffles: exchanges of sentences; 10 by default.

    Returns:
        The maps, which also carry subspaces: :meth:`BaseMaps.carry`.

    Raises:
        ProbeError: rows do not fit each other, a site is not there, or groups are too few.

    >>> import linrep
    >>> corpus = linrep.families.latin(order=3, depth=2).sample(60, seed=0)
    >>> x = np.random.default_rng(0).standard_normal((corpus.n_tokens, 4))
    >>> one = linrep.Activations.from_arrays({"a": x}, corpus)
    >>> other = linrep.Activations.from_arrays({"b": x[:, ::-1] + 3.0}, corpus)
    >>> found = linear_maps(one, other, corpus, shuffles=3)
    >>> round(found.at("a").r2.value, 6), round(found.at("a").procrustes.value, 6)
    (1.0, 1.0)
    """
    refuse_unknown("linear_maps", dict(options), MapOptions.__annotations__, ProbeError)
    folds, shuffles = options.get("folds", 5), options.get("shuffles", 10)
    heights = options.get("heights")
    corpus, twins = _entered(acts, reference, corpus, random_weights)
    if folds < 3 or shuffles < 0:
        raise ProbeError(
            f"at least 3 folds and 0 shuffles are needed; received {folds} and {shuffles}"
        )
    n = len(np.asarray(corpus.sentence_ids))
    kept = np.ones(n, dtype=bool)
    for each, what in ((acts, "the model has"), (reference, "the reference has"),
                       *((twin, "a twin has") for twin in twins)):  # fmt: skip
        kept &= read_kept(each, n, what, "capture both models on the same corpus")
    rng = np.random.default_rng(seed)
    dealt = deal_rows(corpus, kept, rows, options.get("groups"), folds, rng)
    sources = [exchanged_rows(dealt, corpus, rng) for _ in range(shuffles)]
    here = _named(acts, options.get("sites"), "model")
    there = _reference_sites(reference, reference_sites)
    known = [(_side(reference, site, dealt), Solvers(), site) for site in there]
    found: dict[Pair, tuple[BaseMap, Fit]] = {}
    for site in progress(here, "maps", unit="site"):
        streams = list(_streams(acts, twins, site, dealt, sources))
        back = Solvers()
        for side, solvers, name in known:
            said = compare_streams(Compared(site, name), side, streams, solvers, back, dealt)
            found[site, name] = said
    labelled = bool(tuple(corpus.heights)) and (heights is None or len(tuple(heights)) > 0)
    patterns = (
        twin_patterns(twins, here, corpus, heights, positions, kept & ~dealt.used)
        if twins and labelled and (kept & ~dealt.used).any()
        else {}
    )
    return BaseMaps(
        rows=tuple(row for row, _ in found.values()),
        fits={pair: fit for pair, (_, fit) in found.items()},
        twin_patterns=patterns,
        used=dealt.used,
        settings={
            "folds": len(dealt.parts), "shuffles": shuffles, "seed": seed, "twins": len(twins),
            "penalties": list(PENALTIES), "positions": positions if isinstance(positions, str) else
            "as given", "tokens": int(dealt.used.sum()), "groups": dealt.n_groups,
            "manifest": dict(acts.manifest),
        },
        notes=_notes(len(twins), shuffles, dealt),
    )  # fmt: skip


def _entered(
    acts: Any, reference: Any, corpus: Any, random_weights: Any
) -> tuple[Any, tuple[ActivationsLike, ...]]:
    """The corpus and the twins, checked.

    Raises:
        ProbeError: there is no corpus.
    """
    check_activations(acts, "activations of the model")
    check_activations(reference, "activations of the reference")
    several = isinstance(random_weights, list | tuple)
    alone = () if random_weights is None else (random_weights,)
    given_twins = tuple(random_weights) if several else alone
    for twin in given_twins:
        check_activations(twin, "activations of the random-weight twin")
    given = corpus if corpus is not None else getattr(acts, "corpus", None)
    if given is None:
        raise ProbeError("these activations know no corpus: give the sentences both models read")
    check_corpus(given)
    return given, given_twins


def _named(acts: Any, names: Sequence[str] | None, what: str) -> tuple[str, ...]:
    known = tuple(acts.sites)
    if names is None:
        return known
    asked = read_names(names, f"sites of the {what} are a list of names")
    missing = [name for name in asked if name not in known]
    if missing or not asked:
        raise ProbeError(
            f"the {what} has no site {', '.join(missing) or 'in an empty list'}: there are "
            f"{', '.join(known)}"
        )
    return tuple(name for name in known if name in asked)


def _reference_sites(reference: Any, asked: Sequence[str] | str) -> tuple[str, ...]:
    known = tuple(reference.sites)
    if isinstance(asked, str):
        if asked not in ("last", "all"):
            raise ProbeError(
                f"reference_sites are 'last', 'all' or a list of names; received {asked!r:.60}"
            )
        return known[-1:] if asked == "last" else known
    return _named(reference, asked, "reference")


def _side(acts: Any, site: str, dealt: Dealt) -> Side:
    array = acts[site]
    if getattr(array, "ndim", 0) != 2:
        raise ProbeError(
            f"activations at {site!r} are a matrix [token, d_model]; received an array of shape "
            f"{np.shape(array)}"
        )
    return side_of(array, dealt.parts)


def _streams(
    acts: Any, twins: Sequence[Any], site: str, dealt: Dealt, sources: Sequence[np.ndarray]
) -> Iterator[tuple[str, Side]]:
    """The model's stream, those of twins that have the site, and with sentences exchanged."""
    yield "model", _side(acts, site, dealt)
    for twin in twins:
        if site in twin.sites:
            yield "twin", _side(twin, site, dealt)
    for source in sources:
        yield "shuffled", side_of(Exchanged(acts[site], source), dealt.parts)


def _notes(twins: int, shuffles: int, dealt: Dealt) -> tuple[str, ...]:
    told = [
        f"maps were learned from {int(dealt.used.sum())} tokens of {dealt.n_groups} groups of "
        f"sentences, in {len(dealt.parts)} folds"
    ]
    if twins < 3:
        told.append(f"{twins} untrained models were given; at least 3 tell their spread")
    if shuffles < 3:
        told.append(f"sentences were exchanged {shuffles} times; at least 3 tell the spread")
    return tuple(told)
