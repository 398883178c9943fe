"""Layers of rank at most 2: each unit is one line per cell, as in a ReLU network."""

from dataclasses import dataclass
from typing import final

import numpy as np

from ..networks.layer import MaxoutLayer
from .cells import ROWS, Cells, Tally, affine
from .crossings import ROUNDING, Crossings, Sizes, halve
from .polygons import Polygons

__all__ = ["Halving"]

_Map = tuple[np.ndarray, ...]  # weight [input, unit] and bias [unit]


@final
class Halving:
    """The plan for a layer whose units have one or two pieces.

    Args:
        layer: the layer.
        tol: relative tolerance of :func:`regions_in_plane`.
    """

    def __init__(self, layer: MaxoutLayer, tol: float) -> None:
        self._tol, self._sizes = tol, Sizes(layer)
        double = layer.ranks == 2
        first, second = layer.weight[:, 0], layer.weight[:, -1]
        bias, second_bias = layer.bias[:, 0], layer.bias[:, -1]
        # One piece: difference 0, which is "first piece" everywhere and never cut.
        line = np.where(double[:, None], first - second, 0.0)
        self._line = line.T.copy(), np.where(double, bias - second_bias, 0.0)
        base = np.where(double[:, None], second, first)
        base_bias = np.where(double, second_bias, bias)
        self._first = first.T, bias
        plain = not (base.any() or base_bias.any())  # ReLU: nothing below the line to add
        self._base = None if plain else (base.T.copy(), base_bias)

    def divide(self, cells: Cells, pool: Polygons, tally: Tally) -> "_Halves":
        """Cut the pool by every unit whose line crosses a cell."""
        contenders = self._sizes.contenders(cells.maps)
        line, below = self._sure(contenders)
        lines, sizes = affine(cells.maps, *line), self._sizes(cells.maps, contenders)
        upper, cell, unit = _screen(lines, cells.polygons, sizes, self._tol, tally)
        tol = self._tol * sizes[cell, unit]
        crossings = Crossings.of(lines[:, cell, unit], cell, unit, tol, len(cells))
        parent = crossings.cut(pool, halve, tally)
        base = None if below is None else affine(cells.maps, *below)
        return _Halves(parent, lines, base, upper, crossings)

    def _sure(self, contenders: np.ndarray) -> tuple[_Map, _Map | None]:
        """Line and base, where a second piece wins nowhere those of a unit with one piece.

        Taken as a second piece, a far lower one would be subtracted and added again, and what it
        was added to would be lost in rounding.
        """
        first = ~contenders[:, -1]
        if self._base is None or not first.any():
            return self._line, self._base
        line = tuple(np.where(first, 0.0, part) for part in self._line)
        base = tuple(np.where(first, *pair) for pair in zip(self._first, self._base, strict=True))
        return line, base


@final
@dataclass(frozen=True, eq=False)
class _Halves:
    parent: np.ndarray
    lines: np.ndarray  # [3, cell, unit]
    base: np.ndarray | None  # [3, cell, unit]
    upper: np.ndarray  # [cell, unit] the first piece is active, where no line crosses
    crossings: Crossings

    def settle(
        self, parent: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        upper = self.upper[parent]
        part, cut = self.crossings.of_parts(parent)
        a, b, c = self.crossings.maps[:, cut]
        upper[part, self.crossings.unit[cut]] = a * x[part] + b * y[part] + c > 0
        maps = np.empty((3, len(parent), upper.shape[1]))
        for axis in range(3):
            np.take(self.lines[axis], parent, axis=0, out=maps[axis], mode="clip")
            maps[axis] *= upper
            if self.base is not None:
                maps[axis] += self.base[axis][parent]
        return maps, np.logical_not(upper).view(np.uint8)


def _screen(
    lines: np.ndarray, polygons: Polygons, sizes: np.ndarray, tol: float, tally: Tally
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which lines cross which cells: ``(upper [cell, unit], crossing's cell, crossing's unit)``.

    Most lines pass far from a small cell. So a box around the cell is asked first, which takes one
    look at each line and not one per vertex; where it leaves a doubt, vertices decide.
    """
    upper, doubt = np.empty((2, *lines.shape[1:]), dtype=bool)
    boxes = polygons.boxes()
    for begin in range(0, len(upper), ROWS):
        rows = slice(begin, begin + ROWS)
        at_x, at_y, far_x, far_y = (column[rows, None] for column in boxes)
        a, b, c = lines[:, rows]
        value, reach, term = a * at_x, np.abs(a), np.abs(b)
        value += b * at_y
        value += c
        np.greater(value, 0.0, out=upper[rows])
        reach *= far_x
        term *= far_y
        reach += term
        np.multiply(sizes[rows], tol + ROUNDING, out=term)
        reach += term
        np.less_equal(np.abs(value, out=value), reach, out=doubt[rows])
    cell, unit = np.nonzero(doubt)
    values, start = polygons.values(cell, lines[:, cell, unit])
    limit = tol * sizes[cell, unit]
    high, low = np.maximum.reduceat(values, start), np.minimum.reduceat(values, start)
    upper[cell, unit] = low >= -limit
    crosses = (high > limit) & (low < -limit)
    sure = (high > 100 * limit) & (low < -100 * limit)
    tally.unsure += int((crosses & ~sure).sum())
    return upper, cell[crosses], unit[crosses]
