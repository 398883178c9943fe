"""The cells of a window and what one layer of units makes of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, final, runtime_checkable

import numpy as np

from .polygons import Polygons

__all__ = ["CellPlan", "Cells", "Tally", "affine", "cut_cells"]

ROWS = 256  # cells screened at a time, so that a few [cell, unit] arrays stay in the cache


def _never(met: int) -> None:
    """Any number of parts will do."""
    del met


@final
@dataclass(eq=False)
class Tally:
    """What all layers of one count share.

    Args:
        numbers: numbers given to cuts so far.
        unsure: decisions near the tolerance.
        terms: ``[output]`` largest sum of the read-out's terms, in absolute value, met on a cell.
        watch: told how many parts a layer has made so far, each at least one cell in the end; it
            raises if they are too many.
    """

    numbers: int = 0
    unsure: int = 0
    terms: np.ndarray = field(default_factory=lambda: np.zeros(1))
    watch: Callable[[int], None] = _never

    def take(self, count: int) -> np.ndarray:
        """``count`` numbers never given before."""
        self.numbers += count
        return np.arange(self.numbers - count, self.numbers)


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """Convex cells by descending number of vertices, and the affine map on each.

    Args:
        polygons: one polygon per cell.
        maps: ``[3, cell, unit]`` coefficients of x, y and 1 for the current layer's units.
        pattern: ``[cell, unit]`` active pieces of all layers so far (uint8, uint16 above 256).
        root: ``[cell]`` which of the first cells it lies in.
    """

    polygons: Polygons
    maps: np.ndarray
    pattern: np.ndarray
    root: np.ndarray

    def __len__(self) -> int:
        return len(self.root)


@runtime_checkable
class CellDivision(Protocol):
    """A pool divided by a layer, and what is active on its parts."""

    @property
    def parent(self) -> np.ndarray:
        """``[part]`` the cell each polygon of the pool comes from, -1 for a polygon to forget."""
        ...

    def settle(
        self, parent: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Maps ``[3, part, unit]`` and pattern ``[part, unit]``, given an inner point of each."""
        ...


@runtime_checkable
class CellPlan(Protocol):
    """How one layer divides cells."""

    def divide(self, cells: Cells, pool: Polygons, tally: Tally) -> CellDivision:
        """Cut the pool (a copy of the cells' polygons) by every unit of the layer."""
        ...


def cut_cells(cells: Cells, plan: CellPlan, tally: Tally, block: int) -> Iterator[Cells]:
    """The cells inside ``cells`` on which the layer's pattern is constant, some at a time.

    Polygons of the whole layer are in memory at once; maps and patterns, which are as wide as the
    layer, only for the block that is asked for.

    Args:
        cells: cells of the layers below.
        plan: the layer.
        tally: shared by all layers.
        block: cells to give at a time, at most.
    """
    pool = cells.polygons.gather(np.arange(len(cells)))
    division = plan.divide(cells, pool, tally)
    alive = np.flatnonzero(division.parent >= 0)
    alive = alive[np.argsort(-pool.length[alive], kind="stable")]
    for begin in range(0, len(alive), block):
        rows = alive[begin : begin + block]
        parts = pool.gather(rows)
        area, x, y = parts.measure()
        if area.min() <= 0.0:  # thinner than rounding: nothing of it is left in the plane
            large = area > 0.0
            if not large.any():
                continue
            rows, x, y = rows[large], x[large], y[large]
            parts = pool.gather(rows)
        parent = division.parent[rows]
        maps, pattern = division.settle(parent, x, y)
        whole = np.concatenate([cells.pattern[parent], pattern], axis=1)
        yield Cells(parts, maps, whole, cells.root[parent])


def affine(maps: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Maps ``[3, cell, row]`` of affine functions of the units: three contiguous products."""
    out = np.empty((3, maps.shape[1], weight.shape[1]))
    for axis in range(3):
        np.matmul(maps[axis], weight, out=out[axis])
    out[2] += bias
    return out
