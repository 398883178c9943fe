"""Which units of a layer change inside which cells, and the turns in which those cells are cut."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from ..networks.layer import MaxoutLayer
from .cells import Tally
from .polygons import Polygons, ragged

__all__ = ["ROUNDING", "Crossings", "Sizes", "halve"]

ROUNDING = 1e-13  # of a unit's size: far above what a dozen operations in float64 can lose

Parents = tuple[np.ndarray, np.ndarray]
Turn = Callable[[Polygons, np.ndarray, np.ndarray, np.ndarray, np.ndarray, Tally], Parents]


@final
class Sizes:
    """The largest value that a unit's terms can take in a cell: what ``tol`` is relative to.

    Pieces that lose to another piece on the whole window do not count: a piece that only fills
    a row up, with a bias far below all others, must not make the rest look small.

    Args:
        layer: the layer.
    """

    def __init__(self, layer: MaxoutLayer) -> None:
        self._layer, self._weight, self._bias = layer, np.abs(layer.weight), np.abs(layer.bias)

    def contenders(self, maps: np.ndarray) -> np.ndarray:
        """Bool ``[unit, piece]``: those that may win somewhere on the window ``[-1, 1]^2``.

        By interval arithmetic on the ranges of the layer's inputs over all cells of ``maps``.
        """
        reach = np.abs(maps[0]) + np.abs(maps[1])
        low, high = (maps[2] - reach).min(axis=0), (maps[2] + reach).max(axis=0)
        middle = self._layer.weight @ ((low + high) / 2) + self._layer.bias
        spread = self._weight @ ((high - low) / 2)
        live = self._layer.live
        surest = np.where(live, middle - spread, -np.inf).max(axis=1, keepdims=True)
        return np.asarray(live & (middle + spread >= surest))

    def __call__(self, maps: np.ndarray, contenders: np.ndarray) -> np.ndarray:
        """``[cell, unit]`` for the maps ``[3, cell, input]`` of the layer's inputs."""
        gain = np.where(contenders[:, :, None], self._weight, 0.0).max(axis=1)
        sizes: np.ndarray = np.abs(maps).max(axis=0) @ gain.T
        sizes += np.where(contenders, self._bias, 0.0).max(axis=1)
        return sizes


@final
@dataclass(frozen=True, eq=False)
class Crossings:
    """Pairs of a cell and a unit that changes its piece inside it, cell after cell.

    Args:
        maps: ``[3, .., crossing]`` what the unit is cut by.
        unit: ``[crossing]``.
        tol: ``[crossing]`` distances up to this are none.
        first: ``[cell]`` first of its crossings.
        count: ``[cell]`` number of its crossings.
    """

    maps: np.ndarray
    unit: np.ndarray
    tol: np.ndarray
    first: np.ndarray
    count: np.ndarray

    @classmethod
    def of(
        cls, maps: np.ndarray, cell: np.ndarray, unit: np.ndarray, tol: np.ndarray, cells: int
    ) -> "Crossings":
        """Crossings of ``cells`` cells; ``cell [crossing]`` ascends."""
        count = np.bincount(cell, minlength=cells)
        return cls(maps, unit, tol, np.cumsum(count) - count, count)

    def cut(self, pool: Polygons, turn: Turn, tally: Tally) -> np.ndarray:
        """Cut the pool by every crossing: one unit of each polygon per turn.

        Returns:
            The pool's ``parent``, -1 for a polygon to forget.
        """
        cells = len(self.count)
        parent, active = np.arange(cells), np.arange(cells)
        for number in range(int(self.count.max(initial=0))):
            active = active[self.count[parent[active]] > number]
            at = self.first[parent[active]] + number
            parent, active = turn(pool, parent, active, self.maps[..., at], self.tol[at], tally)
            tally.watch(int((parent >= 0).sum()))
        return parent

    def of_parts(self, parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each part all crossings of its parent: ``(part, crossing)`` pairs."""
        per_part = self.count[parent]
        crossing, _ = ragged(self.first[parent], per_part)
        return np.repeat(np.arange(len(parent)), per_part), crossing


def halve(
    pool: Polygons,
    parent: np.ndarray,
    active: np.ndarray,
    lines: np.ndarray,
    tol: np.ndarray,
    tally: Tally,
) -> Parents:
    """Cut each active polygon by its line ``[3, active]``; parents, and the active with the new."""
    crossed, new, unsure = pool.cut(active, lines, tol, tally.take(len(active)))
    tally.unsure += unsure
    return np.concatenate([parent, parent[active[crossed]]]), np.concatenate([active, new])
