"""In which layer states appear, in which order, and from where they are used."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from ...core import CellScore, Invariant, Prediction, height_target
from ...core.invariant import LEAST_UNTRAINED
from ..grid.score import Score
from .materials import Materials

__all__ = ["NEARLY", "first_sites", "first_written", "use_rows"]

NEARLY: Final = 0.9  # share of the way from chance to the ceiling from which a state is there
NAN: Final = math.nan
STREAM: Final = re.compile(r"blocks\.(\d+)\.hook_resid_(pre|mid|post)")
WITHIN: Final = {"pre": 0.0, "mid": 0.5, "post": 1.0}


def first_sites(
    materials: Materials, written: Mapping[str, float], level: float
) -> Iterator[Invariant]:
    """First site at which nearly all of each state is read, and the order of the heights.

    An untrained model never comes that far, or does so at the embedding, where words alone tell.

    Args:
        materials: what is measured.
        written: by target the number of blocks after which theory has the state written.
        level: chance allowed to an order.
    """
    results = materials.results
    stream = [site for site in results.sites if not math.isnan(blocks_before(site))]
    found: dict[int, float] = {}
    readable = False
    for height in materials.heights:
        target = height_target(height)
        cells = [results.score(site, target) for site in stream]
        if not cells:
            return
        best = cells[int(np.nanargmax([-1.0, *(cell.ceiling for cell in cells)])) - 1]
        reached = [place for place, cell in enumerate(cells) if _there(best, cell.value)]
        twin = any(_there(best, cell.random_weights) for cell in cells)
        known = len(materials.twins) >= LEAST_UNTRAINED and all(
            math.isfinite(cell.random_weights) for cell in cells
        )
        found[height], readable = float(reached[0]) if reached else NAN, readable or twin
        if target in written:
            yield _first(target, stream, reached, written[target], twin=twin if known else None)
    if len(found) > 1:
        yield _order(found, level, readable=readable)


def blocks_before(site: str) -> float:
    """Blocks that have written to the stream at a site; NaN where it is not on the stream.

    >>> blocks_before("blocks.0.hook_resid_pre"), blocks_before("blocks.3.hook_resid_post")
    (0.0, 4.0)
    """
    found = STREAM.fullmatch(site)
    return NAN if found is None else int(found[1]) + WITHIN[found[2]]


def _there(best: Score, value: float) -> bool:
    """Whether a score holds nearly all that is known where most is; chance is the same there."""
    return best.share_of(value) >= NEARLY


def _first(
    target: str,
    sites: Sequence[str],
    reached: Sequence[int],
    written: float,
    *,
    twin: bool | None,
) -> Invariant:
    blocks = [-1.0, *map(blocks_before, sites)]
    value = blocks[reached[0] + 1] if reached else NAN
    site = sites[reached[0]] if reached else ""
    if twin is None:
        state, why = (
            "not tested",
            f"it takes a grid with random_weights, and {LEAST_UNTRAINED} of them beside it",
        )
    elif twin:
        state, why = "not telling", "an untrained model can be read as well"
    elif not reached:
        state, why = "not as predicted", f"no site holds {NEARLY:.0%} of what can be known"
    elif value - blocks[reached[0]] > 1:
        state, why = "not tested", "the block before was not probed, so it may be read earlier"
    elif value == written:
        state, why = "as predicted", "the block that writes it in the construction"
    else:
        when = "before" if value < written else "after"
        state, why = "not as predicted", f"{when} the block that writes it in the construction"
    return Invariant(
        "blocks until it is read", target, site, float(written), value, value, value, NAN, NAN,
        "untrained models are never read so well" if twin is False else "", state, why,  # type: ignore[arg-type]
    )  # fmt: skip


def _order(found: Mapping[int, float], level: float, *, readable: bool) -> Invariant:
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
    elif readable:
        state, why = "not telling", "an untrained model can be read as well at some height"
    elif not strict:
        state, why = "partly", "no height is read before a lower one, but some at the same site"
    elif chance <= level:
        state, why = "as predicted", "each height is read after all lower ones"
    else:
        state, why = "not telling", f"each height is read after all lower ones; {null}"
    return Invariant(
        "order of heights", target, "", 1.0, share, share, share, chance, chance, null, state, why,  # type: ignore[arg-type]
    )  # fmt: skip


def first_written(predictions: Sequence[Prediction]) -> dict[str, float]:
    """By target the number of blocks after which a construction has written all of its state.

    Args:
        predictions: of a construction.
    """
    written = [
        claim
        for claim in predictions
        if claim.written
        and claim.subspace.kind == "pattern"
        and not math.isnan(blocks_before(claim.site))
    ]
    whole: dict[str, int] = {}  # a state that is written by several blocks grows to its whole rank
    for claim in written:
        whole[claim.target] = max(whole.get(claim.target, 0), claim.rank)
    found: dict[str, float] = {}
    for claim in written:
        if claim.rank == whole[claim.target]:
            found[claim.target] = min(found.get(claim.target, math.inf), blocks_before(claim.site))
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
        rows = [row for row in rows if row.dim]  # without a pattern nothing was exchanged
        if not rows:
            continue
        best = max(rows, key=lambda row: row.share_whole)
        nulls = [best.share_random, best.share_placebo, best.share_drawn, best.share_twin]
        known = [value / best.share_whole for value in nulls if math.isfinite(value)]
        value, low, high = (
            share / best.share_whole for share in (best.share, best.share_low, best.share_high)
        )
        highest = max(known, default=NAN)
        state, why = _used((value, low, high), best.p, level)
        yield Invariant(
            "effect of the pattern over that of the whole state", target, best.site, 1.0, value,
            low, high, min(known, default=NAN), highest,
            "random, drawn and placebo subspaces, and an untrained model", state, why,  # type: ignore[arg-type]
        )  # fmt: skip


def _used(share: tuple[float, float, float], p: float, level: float) -> tuple[str, str]:
    """State and sentence of an effect over that of the whole state, with its interval."""
    value, low, high = share
    if not all(map(math.isfinite, (*share, p))):
        return "not tested", "its chance or its interval could not be measured"
    if p > level:
        return "not as predicted", f"not shown to be more than random subspaces do: p = {p:.3g}"
    if low <= 1 <= high:
        return "as predicted", "all that this token carries of it"
    if value > 1:
        return "not as predicted", "more than the whole state at this token does"
    return "partly", "a part of what this token carries of it"
