"""In which layer states appear, in which order, and from where they are used."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from ...core import CellScore, Invariant, Prediction, height_target
from ..grid.score import Score
from .materials import Materials

__all__ = ["NEARLY", "first_sites", "first_written", "use_rows"]

NEARLY: Final = 0.9  # share of the way from chance to the ceiling from which a state is there
NAN: Final = math.nan


def first_sites(
    materials: Materials, written: Mapping[str, int], level: float
) -> Iterator[Invariant]:
    """First site at which nearly all of each state is read, and the order of the heights.

    An untrained model never comes that far, or does so at the embedding, where words alone tell.

    Args:
        materials: what is measured.
        written: by target the number of blocks after which theory has the state written.
        level: chance allowed to an order.
    """
    results = materials.results
    found: dict[int, float] = {}
    for height in materials.heights:
        target = height_target(height)
        cells = [results.score(site, target) for site in results.sites]
        best = cells[int(np.nanargmax([-1.0, *(cell.ceiling for cell in cells)])) - 1]
        reached = [place for place, cell in enumerate(cells) if _there(best, cell.value)]
        twin = any(_there(best, cell.random_weights) for cell in cells)
        found[height] = float(reached[0]) if reached else NAN
        if target in written:
            yield _first(target, results.sites, reached, written[target], twin=twin)
    if len(found) > 1:
        yield _order(found, level)


def _there(best: Score, value: float) -> bool:
    """Whether a score holds nearly all that is known where most is; chance is the same there."""
    return best.share_of(value) >= NEARLY


def _first(
    target: str,
    sites: Sequence[str],
    reached: Sequence[int],
    written: int,
    *,
    twin: bool,
) -> Invariant:
    value = float(reached[0]) if reached else NAN
    site = sites[reached[0]] if reached else ""
    if twin:
        state, why = "not telling", "an untrained model can be read as well"
    elif not reached:
        state, why = "not as predicted", f"no site holds {NEARLY:.0%} of what can be known"
    elif value == written:
        state, why = "as predicted", "the block that writes it in the construction"
    else:
        when = "before" if value < written else "after"
        state, why = "not as predicted", f"{when} the block that writes it in the construction"
    return Invariant(
        "blocks until it is read", target, site, float(written), value, value, value, NAN, NAN,
        "" if twin else "untrained models are never read so well", state, why,  # type: ignore[arg-type]
    )  # fmt: skip


def _order(found: Mapping[int, float], level: float) -> Invariant:
    """Whether no height is read before a lower one."""
    values = list(found.values())
    chance = 1 / math.factorial(len(values))
    target = ", ".join(height_target(height) for height in found)
    null = f"an order is right by chance once in {math.factorial(len(values))}"
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    if not all(map(math.isfinite, values)):
        missing = [height_target(h) for h, place in found.items() if not math.isfinite(place)]
        return Invariant(
            "order of heights", target, "", 1.0, NAN, NAN, NAN, NAN, NAN, null, "not tested",
            f"nowhere read well enough: {', '.join(missing)}",
        )  # fmt: skip
    share = float(np.mean([a <= b for a, b in pairs]))
    strict = all(a < b for a, b in pairs)
    if share < 1:
        state, why = "not as predicted", "a height is read before a lower one"
    elif not strict:
        state, why = "partly", "no height is read before a lower one, but some at the same site"
    elif chance <= level:
        state, why = "as predicted", "each height is read after all lower ones"
    else:
        state, why = "not telling", f"each height is read after all lower ones; {null}"
    return Invariant(
        "order of heights", target, "", 1.0, share, share, share, chance, chance, null, state, why,  # type: ignore[arg-type]
    )  # fmt: skip


def first_written(predictions: Sequence[Prediction], sites: Sequence[str]) -> dict[str, int]:
    """By target the number of blocks after which a construction has written all of its state.

    Args:
        predictions: of a construction.
        sites: of the construction, in their order.
    """
    place = {site: number for number, site in enumerate(sites)}
    written = [
        claim
        for claim in predictions
        if claim.written and claim.site in place and claim.subspace.kind == "pattern"
    ]
    whole: dict[str, int] = {}  # a state that is written by several blocks grows to its whole rank
    for claim in written:
        whole[claim.target] = max(whole.get(claim.target, 0), claim.rank)
    found: dict[str, int] = {}
    for claim in written:
        if claim.rank == whole[claim.target]:
            found[claim.target] = min(found.get(claim.target, 10**6), place[claim.site])
    return found


def use_rows(
    materials: Materials, cells: Mapping[tuple[str, str], CellScore], level: float
) -> Iterator[Invariant]:
    """Whether the pattern carries what the whole state carries where the state is used most.

    Args:
        materials: what is measured.
        cells: exchanges by (site, target).
        level: of the p-value of an exchange.
    """
    for height in materials.heights:
        target = height_target(height)
        rows = [cells[site, target] for site in materials.results.sites if (site, target) in cells]
        rows = [row for row in rows if math.isfinite(row.share) and row.share_whole > 0]
        if not rows:
            continue
        best = max(rows, key=lambda row: row.share_whole)
        nulls = [best.share_random, best.share_placebo, best.share_drawn, best.share_twin]
        known = [value / best.share_whole for value in nulls if math.isfinite(value)]
        value, low, high = (
            share / best.share_whole for share in (best.share, best.share_low, best.share_high)
        )
        highest = max(known, default=NAN)
        if not best.p <= level:
            state, why = "not as predicted", f"no more than random subspaces do: p = {best.p:.3g}"
        elif low <= 1 <= high or value > 1:
            state, why = "as predicted", "all that this token carries of it"
        else:
            state, why = "partly", "a part of what this token carries of it"
        yield Invariant(
            "effect of the pattern over that of the whole state", target, best.site, 1.0, value,
            low, high, min(known, default=NAN), highest,
            "random, drawn and placebo subspaces, and an untrained model", state, why,  # type: ignore[arg-type]
        )  # fmt: skip
