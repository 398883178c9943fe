"""All numbers of one pair of sites, for a model, its twins and its exchanged sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from .carrying import Fit
from .cross import Side, Splits, crossed
from .measured import MEASURES, BaseMap, Measured, jackknifed
from .measures import canonical, linear_cka, mean_square, procrustes
from .ridge import HeldOutFit, Solvers, fit_folds
from .rows import Dealt

__all__ = ["Compared", "compare_streams"]

NAN = float("nan")
Ends = tuple[float, float, float]


@final
@dataclass(frozen=True)
class Compared:
    """The two sites of a map."""

    site: str
    reference_site: str


@final
@dataclass(frozen=True, eq=False)
class _Said:
    """What one stream says."""

    numbers: dict[str, Ends]
    forward: HeldOutFit
    back: HeldOutFit
    splits: Splits
    ranks: tuple[int, int]


def compare_streams(
    names: Compared,
    reference: Side,
    streams: Sequence[tuple[str, Side]],
    solvers: Solvers,
    back: Solvers,
    dealt: Dealt,
) -> tuple[BaseMap, Fit]:
    """Numbers and map of one pair of sites.

    Args:
        names: of the sites.
        reference: the reference's stream.
        streams: the model's first, then twins' and exchanged ones, by kind.
        solvers: of the reference's scatter, shared by all streams.
        back: of the model's own, shared by all sites of the reference.
        dealt: rows and folds.
    """
    said: dict[str, list[_Said]] = {"model": [], "twin": [], "shuffled": []}
    for kind, stream in streams:
        own = back if kind == "model" else Solvers()
        said[kind].append(_say(Splits.of(crossed(reference, stream)), solvers, own))
    (model,) = said["model"]
    numbers = {
        name: Measured(
            *model.numbers[name],
            tuple(each.numbers[name][0] for each in said["twin"]),
            tuple(each.numbers[name][0] for each in said["shuffled"]),
        )
        for name in MEASURES
    }
    row = BaseMap(
        names.site, names.reference_site, **numbers,
        penalty=model.forward.penalty, penalty_back=model.back.penalty,
        rank=model.ranks[1], rank_reference=model.ranks[0],
        n_tokens=int(dealt.used.sum()), n_groups=dealt.n_groups,
    )  # fmt: skip
    maps = {kind: tuple(each.forward.weights for each in said[kind]) for kind in said}
    return row, Fit(model.splits, model.forward, maps["twin"], maps["shuffled"])


def _say(splits: Splits, solvers: Solvers, back: Solvers) -> _Said:
    forward, backward = fit_folds(splits, solvers), fit_folds(splits.turned, back)
    whole = splits.whole
    x, y = solvers.of((), whole.scatter_xx), back.of((), whole.scatter_yy)
    pairs = canonical(whole, x, y)
    seen = []
    for fold, (part, rest) in enumerate(zip(splits.parts, splits.rests, strict=True)):
        left = (fold,)
        made = canonical(rest, solvers.of(left, rest.scatter_xx), back.of(left, rest.scatter_yy))
        seen.append(mean_square(made, part.about(rest.mean_x, rest.mean_y)))
    rotated, errors, spreads = procrustes(splits)
    moves = bool(len(pairs.correlations))
    squares = float(np.square(pairs.correlations).mean()) if moves else NAN
    numbers: dict[str, Ends] = {
        "r2": jackknifed(forward.errors, forward.spreads),
        "r2_back": jackknifed(backward.errors, backward.spreads),
        "cca": (squares, NAN, NAN),
        "cca_held_out": (float(np.mean(seen)), NAN, NAN),
        "cka": (linear_cka(whole), NAN, NAN),
        "procrustes": (rotated, NAN, NAN),
        "procrustes_held_out": jackknifed(errors, spreads),
    }
    return _Said(numbers, forward, backward, splits, (len(x.values), len(y.values)))
