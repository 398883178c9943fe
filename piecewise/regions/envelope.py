"""Layers of any rank: each unit cuts a cell into the convex parts on which one piece is largest."""

from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np

from ..networks.layer import MaxoutLayer
from .cells import ROWS, Cells, Tally
from .crossings import ROUNDING, Crossings, Sizes, halve
from .polygons import Polygons

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
        self._tol, self._sizes = tol, Sizes(layer)
        self._weight = layer.weight.transpose(1, 2, 0).copy()  # [piece, input, unit]
        self._bias = np.where(layer.live, layer.bias, _ABSENT).T.copy()

    def divide(self, cells: Cells, pool: Polygons, tally: Tally) -> "_Parts":
        """Cut the pool by every unit that changes its largest piece inside a cell."""
        contenders = self._sizes.contenders(cells.maps)
        pieces, sizes = cells.maps[:, None] @ self._weight, self._sizes(cells.maps, contenders)
        pieces[2] += self._bias[:, None]
        winner, base, cell, unit = _screen(pieces, cells.polygons, sizes, self._tol, tally)
        tol = self._tol * sizes[cell, unit]
        crossings = Crossings.of(pieces[:, :, cell, unit], cell, unit, tol, len(cells))
        return _Parts(crossings.cut(pool, _cut_round, tally), winner, base, crossings)


@final
@dataclass(frozen=True, eq=False)
class _Parts:
    parent: np.ndarray
    winner: np.ndarray  # [cell, unit] where nothing is cut
    base: np.ndarray  # [3, cell, unit] the winners' maps
    crossings: Crossings

    def settle(
        self, parent: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        winner, maps = self.winner[parent], np.take(self.base, parent, axis=1)
        part, cut = self.crossings.of_parts(parent)
        a, b, c = self.crossings.maps[:, :, cut]
        best = _first_best(a * x[part] + b * y[part] + c, self.crossings.tol[cut])
        unit = self.crossings.unit[cut]
        winner[part, unit] = best
        maps[:, part, unit] = self.crossings.maps[:, best, cut]
        return maps, winner


def _first_best(values: np.ndarray, tol: np.ndarray) -> np.ndarray:
    """The first piece within ``tol`` of the largest, along the first axis."""
    enough = values.max(axis=0) - tol
    best = np.zeros(enough.shape, dtype=np.uint8 if len(values) <= 256 else np.uint16)
    for piece in range(len(values) - 1, -1, -1):  # argmax along a first axis is ten times slower
        best[values[piece] >= enough] = piece
    return best


def _screen(
    pieces: np.ndarray, polygons: Polygons, sizes: np.ndarray, tol: float, tally: Tally
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The winner in the middle of each cell, its map, and the (cell, unit) another wins somewhere.

    Most units change nowhere near a small cell. So a box around the cell is asked first, which
    takes one look at each piece and not one per vertex; where it leaves a doubt, vertices decide.
    """
    rank, cells, units = pieces.shape[1:]
    winner = np.empty((cells, units), dtype=np.uint8 if rank <= 256 else np.uint16)
    base, doubt = np.empty((3, cells, units)), np.empty((cells, units), dtype=bool)
    boxes, rows_at_once = polygons.boxes(), max(1, ROWS // rank)
    for begin in range(0, cells, rows_at_once):
        rows = slice(begin, begin + rows_at_once)
        box = [column[rows, None] for column in boxes]
        size = sizes[rows]
        winner[rows], lead = _best_in_boxes(pieces[:, :, rows], box, tol * size, base[:, rows])
        np.greater(lead, (tol - ROUNDING) * size, out=doubt[rows])
    cell, unit = np.nonzero(doubt)
    ahead = pieces[:, :, cell, unit] - base[:, None, cell, unit]
    values, start = polygons.values(cell, ahead)
    high, limit = np.maximum.reduceat(values.max(axis=0), start), tol * sizes[cell, unit]
    wins = high > limit
    tally.unsure += int((high[wins] <= 100 * limit[wins]).sum())
    return winner, base, cell[wins], unit[wins]


def _best_in_boxes(
    pieces: np.ndarray, box: list[np.ndarray], tol: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best piece in the middle, and by how much another can lead it in the box, at most.

    Writes the best pieces' maps ``[3, cell, unit]`` into ``chosen``.
    """
    at_x, at_y, far_x, far_y = box
    a, b, c = pieces
    values = a * at_x
    values += b * at_y
    values += c
    best = _first_best(values, tol)
    for piece in range(len(values)):
        np.copyto(chosen, pieces[:, piece], where=best == piece)
    values -= chosen[0] * at_x + chosen[1] * at_y + chosen[2]
    for slopes, own, far in ((a, chosen[0], far_x), (b, chosen[1], far_y)):
        rise = slopes - own
        np.abs(rise, out=rise)
        rise *= far
        values += rise
    for piece in range(len(values)):
        np.copyto(values[piece], -np.inf, where=best == piece)
    return best, values.max(axis=0)


@cache
def _pairs(rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of pieces, the earlier first."""
    return np.triu_indices(rank, 1)


def _cut_round(
    pool: Polygons,
    parent: np.ndarray,
    active: np.ndarray,
    pieces: np.ndarray,
    tol: np.ndarray,
    tally: Tally,
) -> tuple[np.ndarray, np.ndarray]:
    """Cut each active polygon by its one unit, ``pieces [3, piece, active]``; parents, active."""
    kept = _undominated(pool, active, pieces, tol, tally)
    n_kept = kept.sum(axis=0)
    pair = np.flatnonzero(n_kept == 2)
    halves = active[pair]
    if len(pair):
        upper = kept[:, pair].argmax(axis=0)
        lower = len(kept) - 1 - kept[::-1, pair].argmax(axis=0)
        lines = pieces[:, upper, pair] - pieces[:, lower, pair]
        parent, halves = halve(pool, parent, halves, lines, tol[pair], tally)
    many = np.flatnonzero(n_kept > 2)
    going = np.concatenate([active[n_kept < 2], halves])
    if not len(many):
        return parent, going
    copies, owner, alive = _copy_and_clip(
        pool, active[many], pieces[:, :, many], tol[many], kept[:, many], tally
    )
    parent = np.concatenate([parent, np.where(alive, parent[active[many[owner]]], -1)])
    parent[active[many]] = -1
    return parent, np.concatenate([going, copies[alive]])


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
    rank = len(kept)
    owner, piece = np.nonzero(kept.T)
    copies = pool.copy(cells[owner])
    number = tally.take(len(cells) * rank**2)[:: rank**2][owner]
    alive = np.ones(len(copies), dtype=bool)
    for other in range(rank):
        rows = np.flatnonzero(alive & kept[other, owner] & (piece != other))
        if not len(rows):
            continue
        row, own = owner[rows], piece[rows]
        lines = pieces[:, own, row] - pieces[:, other, row]
        code = number[rows] + np.minimum(own, other) * rank + np.maximum(own, other)
        alive[rows], unsure = pool.clip(copies[rows], lines, tol[row], code)
        tally.unsure += unsure
    if alive.all():
        return copies, owner, alive
    again = np.unique(owner[~alive])
    winners = kept.copy()
    winners[piece[~alive], owner[~alive]] = False
    alive &= ~np.isin(owner, again)
    more, row, lives = _copy_and_clip(
        pool, cells[again], pieces[:, :, again], tol[again], winners[:, again], tally
    )
    return (
        np.concatenate([copies, more]),
        np.concatenate([owner, again[row]]),
        np.concatenate([alive, lives]),
    )


def _undominated(
    pool: Polygons, active: np.ndarray, pieces: np.ndarray, tol: np.ndarray, tally: Tally
) -> np.ndarray:
    """Bool ``[piece, active]``: no single other piece is at least as large on the whole polygon.

    A piece can win inside without winning at a vertex, so winning somewhere is not asked.
    """
    values, begin = pool.values(active, pieces)
    rank = len(values)
    one, two = _pairs(rank)
    ahead = values[one] - values[two]
    most = np.maximum.reduceat(ahead, begin, axis=1)
    least = np.minimum.reduceat(ahead, begin, axis=1)
    lower, below = least >= -tol, most <= tol
    tally.unsure += int((lower != (least >= -100 * tol)).sum())
    tally.unsure += int((below != (most <= 100 * tol)).sum())
    beaten = np.zeros((rank, rank, len(active)), dtype=bool)
    beaten[one, two] = lower  # equal pieces: the earlier stands
    beaten[two, one] = below & ~lower
    return np.asarray(~beaten.any(axis=0))
