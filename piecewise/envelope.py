"""Layers of any rank: each unit cuts a cell into the convex parts on which one piece is largest."""

from dataclasses import dataclass
from typing import final

import numpy as np

from .cells import ROWS, Cells, Tally, affine, incidences, vertex_slots
from .layer import MaxoutLayer
from .polygons import Polygons, ragged

__all__ = ["Envelope"]

_ABSENT = -1e300  # a piece that does not exist: finite, so that differences stay numbers


@final
class Envelope:
    """The plan for a layer of any ranks.

    Args:
        layer: the layer.
        tol: relative tolerance of :func:`regions_in_plane`.
    """

    def __init__(self, layer: MaxoutLayer, tol: float) -> None:
        self._layer, self._tol = layer, tol
        bias = np.where(layer.live, layer.bias, _ABSENT)
        self._flat = layer.weight.reshape(-1, layer.n_inputs).T.copy(), bias.reshape(-1)
        self._gain = np.abs(layer.weight).sum(axis=2).max(axis=1)
        self._offset = np.abs(layer.bias).max(axis=1)

    def divide(self, cells: Cells, pool: Polygons, tally: Tally) -> "_Parts":
        """Cut the pool by every unit that changes its largest piece inside a cell."""
        shape = (3, len(cells), self._layer.width, self._layer.rank)
        pieces = affine(cells.maps, *self._flat).reshape(shape)
        tol = np.outer(self._tol * np.abs(cells.maps).max(axis=(0, 2)), self._gain)
        tol += self._tol * self._offset
        winner, cell, unit = _screen(pieces, cells.polygons, tol, tally)
        count = np.bincount(cell, minlength=len(cells))
        first = np.cumsum(count) - count
        own_pieces, own_tol = pieces[:, cell, unit], tol[cell, unit]
        parent, active = np.arange(len(cells)), np.arange(len(cells))
        for turn in range(int(count.max(initial=0))):
            active = active[count[parent[active]] > turn]
            cut = first[parent[active]] + turn
            parent, active = _cut_round(
                pool, parent, active, own_pieces[:, cut], own_tol[cut], tally
            )
            tally.watch(int((parent >= 0).sum()))
        return _Parts(parent, pieces, winner, first, count, unit, own_tol)


@final
@dataclass(frozen=True, eq=False)
class _Parts:
    parent: np.ndarray
    pieces: np.ndarray  # [3, cell, unit, piece]
    winner: np.ndarray  # [cell, unit] where nothing is cut
    first: np.ndarray
    count: np.ndarray
    unit: np.ndarray  # [crossing]
    tol: np.ndarray  # [crossing]

    def settle(
        self, parent: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        winner = self.winner[parent]
        part, cut = incidences(self.first, self.count, parent)
        unit = self.unit[cut]
        a, b, c = self.pieces[:, parent[part], unit]
        values = a * x[part, None] + b * y[part, None] + c
        winner[part, unit] = _first_best(values, self.tol[cut])
        units, rank = self.pieces.shape[2:]
        flat = (parent[:, None] * units + np.arange(units)) * rank + winner
        return self.pieces.reshape(3, -1)[:, flat], winner


def _first_best(values: np.ndarray, tol: np.ndarray) -> np.ndarray:
    """The first piece within ``tol`` of the largest, along the last axis."""
    return np.asarray((values >= (values.max(axis=-1) - tol)[..., None]).argmax(axis=-1))


def _screen(
    pieces: np.ndarray, polygons: Polygons, tol: np.ndarray, tally: Tally
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The winner in the middle of each cell, and the (cell, unit) where another wins somewhere."""
    x, y, filled = vertex_slots(polygons)
    _, middle_x, middle_y = polygons.measure()
    cells, units, rank = pieces.shape[1:]
    winner = np.empty((cells, units), dtype=np.uint8 if rank <= 256 else np.uint16)
    rows_at_once = max(1, ROWS // rank)
    pairs = []
    for begin in range(0, cells, rows_at_once):
        rows = slice(begin, min(begin + rows_at_once, cells))
        a, b, c = pieces[:, rows]
        values = a * middle_x[rows, None, None] + b * middle_y[rows, None, None] + c
        winner[rows] = _first_best(values, tol[rows])
        chosen = winner[rows].astype(np.intp)[..., None]
        a, b, c = (row - np.take_along_axis(row, chosen, axis=-1) for row in (a, b, c))
        high = np.full(tol[rows].shape, -np.inf)
        for slot, most in enumerate(filled):
            now = min(int(most) - begin, len(a))
            if now <= 0:
                break
            at_x, at_y = x[slot, begin : begin + now], y[slot, begin : begin + now]
            ahead = a[:now] * at_x[:, None, None]
            ahead += b[:now] * at_y[:, None, None]
            ahead += c[:now]
            np.maximum(high[:now], ahead.max(axis=-1), out=high[:now])
        cell, unit = np.nonzero(high > tol[rows])
        tally.unsure += int((high[cell, unit] <= 100 * tol[rows][cell, unit]).sum())
        pairs.append((cell + begin, unit))
    cell, unit = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return winner, cell, unit


def _cut_round(
    pool: Polygons,
    parent: np.ndarray,
    active: np.ndarray,
    pieces: np.ndarray,
    tol: np.ndarray,
    tally: Tally,
) -> tuple[np.ndarray, np.ndarray]:
    """Cut each active polygon by its one unit, ``pieces [3, active, piece]``; parents, active."""
    kept = _undominated(pool, active, pieces, tol, tally)
    n_kept = kept.sum(axis=1)
    pair = np.flatnonzero(n_kept == 2)
    if len(pair):
        upper = kept[pair].argmax(axis=1)
        lower = pieces.shape[2] - 1 - kept[pair, ::-1].argmax(axis=1)
        lines = pieces[:, pair, upper] - pieces[:, pair, lower]
        number = tally.take(len(pair))
        crossed, new, unsure = pool.cut(active[pair], lines, tol[pair], number)
        tally.unsure += unsure
        parent = np.concatenate([parent, parent[active[pair[crossed]]]])
    else:
        new = np.empty(0, dtype=np.int64)
    many = np.flatnonzero(n_kept > 2)
    if not len(many):
        return parent, np.concatenate([active, new])
    copies, owner, alive = _copy_and_clip(
        pool, active[many], pieces[:, many], tol[many], kept[many], tally
    )
    parent = np.concatenate([parent, np.where(alive, parent[active[many[owner]]], -1)])
    parent[active[many]] = -1
    return parent, np.concatenate([np.delete(active, many), new, copies[alive]])


def _copy_and_clip(
    pool: Polygons,
    cells: np.ndarray,
    pieces: np.ndarray,
    tol: np.ndarray,
    kept: np.ndarray,
    tally: Tally,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One copy per kept piece, clipped to where it is largest: copies, their cell's row, alive.

    Where a piece turns out to win nowhere (others share its place), the cell is done again
    without it: then no three pieces tie along a line, and the edge between two pieces carries
    one number on both sides.
    """
    rank = pieces.shape[2]
    owner, piece = np.nonzero(kept)
    copies = pool.copy(cells[owner])
    number = tally.take(len(cells) * rank**2)[:: rank**2][owner]
    alive = np.ones(len(copies), dtype=bool)
    for other in range(rank):
        rows = np.flatnonzero(alive & kept[owner, other] & (piece != other))
        if not len(rows):
            continue
        row, own = owner[rows], piece[rows]
        lines = pieces[:, row, own] - pieces[:, row, other]
        code = number[rows] + np.minimum(own, other) * rank + np.maximum(own, other)
        alive[rows], unsure = pool.clip(copies[rows], lines, tol[row], code)
        tally.unsure += unsure
    if alive.all():
        return copies, owner, alive
    again = np.unique(owner[~alive])
    winners = kept.copy()
    winners[owner[~alive], piece[~alive]] = False
    alive &= ~np.isin(owner, again)
    more, row, lives = _copy_and_clip(
        pool, cells[again], pieces[:, again], tol[again], winners[again], tally
    )
    return (
        np.concatenate([copies, more]),
        np.concatenate([owner, again[row]]),
        np.concatenate([alive, lives]),
    )


def _undominated(
    pool: Polygons, active: np.ndarray, pieces: np.ndarray, tol: np.ndarray, tally: Tally
) -> np.ndarray:
    """Bool ``[active, piece]``: no single other piece is at least as large on the whole polygon.

    A piece can win inside without winning at a vertex, so winning somewhere is not asked.
    """
    length = pool.length[active]
    flat, begin = ragged(pool.start[active], length)
    owner = np.repeat(np.arange(len(active)), length)
    a, b, c = pieces[:, owner]
    values = a * pool.x[flat, None] + b * pool.y[flat, None] + c
    gap = np.maximum.reduceat(values[:, :, None] - values[:, None, :], begin)
    below = gap <= tol[:, None, None]
    tally.unsure += int((below != (gap <= 100 * tol[:, None, None])).sum())
    rank = pieces.shape[2]
    earlier = np.arange(rank) < np.arange(rank)[:, None]  # [piece, other]: the other comes first
    beaten = below & (~below.transpose(0, 2, 1) | earlier)
    beaten[:, np.arange(rank), np.arange(rank)] = False
    return np.asarray(~beaten.any(axis=2))
