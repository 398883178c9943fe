"""Layers of rank at most 2: each unit is one line per cell, as in a ReLU network."""

from dataclasses import dataclass
from typing import final

import numpy as np

from .cells import ROWS, Cells, Tally, affine, incidences, vertex_slots
from .layer import MaxoutLayer
from .polygons import Polygons

__all__ = ["Halving"]


@final
class Halving:
    """The plan for a layer whose units have one or two pieces.

    Args:
        layer: the layer.
        tol: relative tolerance of :func:`regions_in_plane`.
    """

    def __init__(self, layer: MaxoutLayer, tol: float) -> None:
        self._tol = tol
        double = layer.ranks == 2
        first, second = layer.weight[:, 0], layer.weight[:, -1]
        bias, second_bias = layer.bias[:, 0], layer.bias[:, -1]
        # One piece: difference 0, which is "first piece" everywhere and never cut.
        line = np.where(double[:, None], first - second, 0.0)
        self._line = line.T.copy(), np.where(double, bias - second_bias, 0.0)
        base = np.where(double[:, None], second, first)
        base_bias = np.where(double, second_bias, bias)
        plain = not (base.any() or base_bias.any())  # ReLU: nothing below the line to add
        self._base = None if plain else (base.T.copy(), base_bias)
        self._gain = np.abs(layer.weight).sum(axis=2).max(axis=1)
        self._offset = np.abs(layer.bias).max(axis=1)

    def divide(self, cells: Cells, pool: Polygons, tally: Tally) -> "_Halves":
        """Cut the pool by every unit whose line crosses a cell."""
        lines = affine(cells.maps, *self._line)
        tol = np.outer(self._tol * np.abs(cells.maps).max(axis=(0, 2)), self._gain)
        tol += self._tol * self._offset
        upper, cell, unit = _screen(lines, cells.polygons, tol, tally)
        count = np.bincount(cell, minlength=len(cells))
        first = np.cumsum(count) - count
        own_lines, own_tol = lines[:, cell, unit], tol[cell, unit]
        parent, active = np.arange(len(cells)), np.arange(len(cells))
        for turn in range(int(count.max(initial=0))):
            active = active[count[parent[active]] > turn]
            cut = first[parent[active]] + turn
            number = tally.take(len(active))
            crossed, new, unsure = pool.cut(active, own_lines[:, cut], own_tol[cut], number)
            tally.unsure += unsure
            parent = np.concatenate([parent, parent[active[crossed]]])
            active = np.concatenate([active, new])
            tally.watch(len(parent))
        base = None if self._base is None else affine(cells.maps, *self._base)
        return _Halves(parent, lines, base, upper, first, count, unit)


@final
@dataclass(frozen=True, eq=False)
class _Halves:
    parent: np.ndarray
    lines: np.ndarray  # [3, cell, unit]
    base: np.ndarray | None  # [3, cell, unit]
    upper: np.ndarray  # [cell, unit] the first piece is active, where no line crosses
    first: np.ndarray  # [cell] first of its crossings
    count: np.ndarray  # [cell] number of its crossings
    unit: np.ndarray  # [crossing]

    def settle(
        self, parent: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        upper = self.upper[parent]
        part, cut = incidences(self.first, self.count, parent)
        unit = self.unit[cut]
        a, b, c = self.lines[:, parent[part], unit]
        upper[part, unit] = a * x[part] + b * y[part] + c > 0
        maps = np.empty((3, len(parent), upper.shape[1]))
        for axis in range(3):
            np.take(self.lines[axis], parent, axis=0, out=maps[axis], mode="clip")
            maps[axis] *= upper
            if self.base is not None:
                maps[axis] += self.base[axis][parent]
        return maps, np.logical_not(upper).view(np.uint8)


def _screen(
    lines: np.ndarray, polygons: Polygons, tol: np.ndarray, tally: Tally
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which lines cross which cells: ``(upper [cell, unit], crossing's cell, crossing's unit)``."""
    x, y, filled = vertex_slots(polygons)
    cells, units = lines.shape[1:]
    upper = np.empty((cells, units), dtype=bool)
    pairs = []
    room = np.empty((4, min(ROWS, cells), units))
    for begin in range(0, cells, ROWS):
        rows = slice(begin, min(begin + ROWS, cells))
        high, low, value, term = room[:, : rows.stop - begin]
        high.fill(-np.inf)
        low.fill(np.inf)
        a, b, c = lines[:, rows]
        for slot, most in enumerate(filled):
            now = min(int(most) - begin, len(a))
            if now <= 0:
                break
            np.multiply(a[:now], x[slot, begin : begin + now, None], out=value[:now])
            np.multiply(b[:now], y[slot, begin : begin + now, None], out=term[:now])
            value[:now] += term[:now]
            value[:now] += c[:now]
            np.maximum(high[:now], value[:now], out=high[:now])
            np.minimum(low[:now], value[:now], out=low[:now])
        limit = tol[rows]
        np.greater_equal(low, -limit, out=upper[rows])
        cell, unit = np.nonzero((high > limit) & ~upper[rows])
        wide = 100 * limit[cell, unit]
        sure = (high[cell, unit] > wide) & (low[cell, unit] < -wide)
        tally.unsure += len(cell) - int(sure.sum())
        pairs.append((cell + begin, unit))
    cell, unit = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return upper, cell, unit
