"""A pool of convex polygons in flat arrays, cut by lines many at a time.

Each polygon is a run of vertices in one buffer, counter-clockwise. Parts of a cut are appended;
nothing else moves. Every edge carries the number of the cut that made it: both sides of a cut
keep that number, so neighbours are found later without comparing coordinates.
"""

from typing import NamedTuple, final

import numpy as np

__all__ = ["Polygons", "ragged"]

OUTER = -1  # the number of an edge on the boundary of the whole window


def ragged(start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of runs ``start .. start + length`` one after another, and where each begins.

    >>> [row.tolist() for row in ragged(np.array([5, 0]), np.array([2, 3]))]
    [[5, 6, 0, 1, 2], [0, 2]]
    """
    ends = length.cumsum()
    begin = ends - length
    flat = np.arange(int(ends[-1]) if len(ends) else 0)
    flat += (start - begin).repeat(length)
    return flat, begin


class _Cut(NamedTuple):
    """Vertices of the polygons of one call and their side of the line: -1, 0 (on it), 1."""

    x: np.ndarray
    y: np.ndarray
    edge: np.ndarray
    distance: np.ndarray
    side: np.ndarray
    begin: np.ndarray
    length: np.ndarray


@final
class Polygons:
    """The pool. ``start``, ``length``: ``[cell]`` runs of the buffers ``x``, ``y``, ``edge``.

    Args:
        x: ``[vertex]`` coordinates, polygon after polygon.
        y: ``[vertex]``.
        edge: ``[vertex]`` number of the edge from this vertex to the next.
        length: ``[cell]`` vertices of each polygon.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, edge: np.ndarray, length: np.ndarray) -> None:
        self.x, self.y, self.edge = x, y, edge
        self.length = length
        self.start = np.cumsum(length) - length
        self._used = len(x)
        self._cells = len(length)

    def __len__(self) -> int:
        return self._cells

    def gather(self, cells: np.ndarray) -> "Polygons":
        """The polygons ``cells`` alone, in that order."""
        length = self.length[cells]
        flat, _ = ragged(self.start[cells], length)
        return Polygons(self.x[flat], self.y[flat], self.edge[flat], length)

    def measure(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Area and mean vertex ``(area, x, y)`` of each polygon of a pool fresh from gather."""
        nxt = _next(self.start[: len(self)], self.length[: len(self)])
        # Relative to the polygon's own first vertex: no cancellation for small, far-away cells.
        own = np.repeat(self.start, self.length)
        dx, dy = self.x - self.x[own], self.y - self.y[own]
        twice = np.add.reduceat(dx * dy[nxt] - dx[nxt] * dy, self.start)
        mean_x = self.x[self.start] + np.add.reduceat(dx, self.start) / self.length
        mean_y = self.y[self.start] + np.add.reduceat(dy, self.start) / self.length
        return twice / 2, mean_x, mean_y

    def boxes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean vertex of each polygon of a pool fresh from gather, and how far around it reaches.

        Returns:
            ``x, y`` of the mean vertices, and the largest distance from them along x and along y.
        """
        _, x, y = self.measure()
        far_x = np.abs(self.x - np.repeat(x, self.length))
        far_y = np.abs(self.y - np.repeat(y, self.length))
        return x, y, np.maximum.reduceat(far_x, self.start), np.maximum.reduceat(far_y, self.start)

    def values(self, cells: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values ``[.., vertex]`` of ``maps [3, .., item]`` around each item's polygon.

        Returns:
            The values, item after item, and where each item begins.
        """
        length = self.length[cells]
        flat, begin = ragged(self.start[cells], length)
        a, b, c = np.repeat(maps, length, axis=-1)
        a *= self.x[flat]
        b *= self.y[flat]
        a += b
        a += c
        return a, begin

    def cut(
        self, cells: np.ndarray, lines: np.ndarray, tol: np.ndarray, number: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Cut each polygon by its line ``a x + b y + c = 0`` where both sides exceed ``tol``.

        The side above 0 takes the polygon's place, the other side is appended.

        Args:
            cells: ``[item]`` polygons, each at most once.
            lines: ``[3, item]`` coefficients.
            tol: ``[item]`` distances up to this, in the line's own units, are on the line.
            number: ``[item]`` numbers for the new edges.

        Returns:
            Bool ``[item]`` whether it was cut, the appended polygons, and how many of the cuts
            100 times the tolerance would not have made.
        """
        found, high, low = self._distances(cells, lines, tol)
        crossed = (high > tol) & (low < -tol)
        wide = 100 * tol
        cuts = int(np.count_nonzero(crossed))
        unsure = cuts - int(np.count_nonzero((high > wide) & (low < -wide)))
        if not cuts:
            return crossed, np.empty(0, dtype=np.int64), unsure
        if cuts < len(crossed):
            found = _select(found, crossed)
        nxt = _next(found.begin, found.length)
        edge = number[crossed].repeat(found.length)
        self._replace(cells[crossed], *_part(found, nxt, edge, 1))
        appended = self._append(*_part(found, nxt, edge, -1))
        return crossed, appended, unsure

    def clip(
        self, cells: np.ndarray, lines: np.ndarray, tol: np.ndarray, number: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """Keep of each polygon the side above its line; arguments as of :meth:`cut`.

        Returns:
            Bool ``[item]`` whether anything above ``tol`` is left, and the number of decisions
            that 100 times the tolerance would change.
        """
        found, high, low = self._distances(cells, lines, tol)
        left = high > tol
        crossed = left & (low < -tol)
        wide = 100 * tol
        wide_left = high > wide
        unsure = int(np.count_nonzero(left != wide_left))
        unsure += int(np.count_nonzero(crossed & wide_left & (low >= -wide)))
        if crossed.any():
            found = _select(found, crossed)
            nxt = _next(found.begin, found.length)
            edge = number[crossed].repeat(found.length)
            self._replace(cells[crossed], *_part(found, nxt, edge, 1))
        return left, unsure

    def copy(self, cells: np.ndarray) -> np.ndarray:
        """Append polygons equal to ``cells`` (they share vertices until cut); their numbers."""
        return self._add(self.start[cells], self.length[cells])

    def _distances(
        self, cells: np.ndarray, lines: np.ndarray, tol: np.ndarray
    ) -> tuple[_Cut, np.ndarray, np.ndarray]:
        length = self.length[cells]
        flat, begin = ragged(self.start[cells], length)
        x, y = self.x[flat], self.y[flat]
        a, b, c = lines.repeat(length, axis=1)
        distance = a * x
        distance += b * y
        distance += c
        high = np.maximum.reduceat(distance, begin)
        low = np.minimum.reduceat(distance, begin)
        wide = tol.repeat(length)
        side = (distance > wide).astype(np.int8) - (distance < -wide)
        return _Cut(x, y, self.edge[flat], distance, side, begin, length), high, low

    def _replace(
        self, cells: np.ndarray, x: np.ndarray, y: np.ndarray, edge: np.ndarray, length: np.ndarray
    ) -> None:
        start = self._write(x, y, edge)
        self.start[cells] = start + length.cumsum() - length
        self.length[cells] = length

    def _append(
        self, x: np.ndarray, y: np.ndarray, edge: np.ndarray, length: np.ndarray
    ) -> np.ndarray:
        start = self._write(x, y, edge)
        return self._add(start + length.cumsum() - length, length)

    def _add(self, start: np.ndarray, length: np.ndarray) -> np.ndarray:
        first, last = self._cells, self._cells + len(start)
        if last > len(self.start):
            self.start, self.length = (_grow(row, last) for row in (self.start, self.length))
        self.start[first:last], self.length[first:last] = start, length
        self._cells = last
        return np.arange(first, last)

    def _write(self, x: np.ndarray, y: np.ndarray, edge: np.ndarray) -> int:
        first, last = self._used, self._used + len(x)
        if last > len(self.x):
            self.x, self.y, self.edge = (_grow(row, last) for row in (self.x, self.y, self.edge))
        self.x[first:last], self.y[first:last], self.edge[first:last] = x, y, edge
        self._used = last
        return first


def _grow(row: np.ndarray, size: int) -> np.ndarray:
    wider = np.empty(2 * size, dtype=row.dtype)
    wider[: len(row)] = row
    return wider


def _next(begin: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Index of the next vertex around each polygon; the polygons lie one behind the other."""
    ends = begin + length
    nxt = np.arange(1, int(ends[-1]) + 1) if len(ends) else np.arange(0)
    nxt[ends - 1] = begin
    return nxt


def _select(found: _Cut, keep: np.ndarray) -> _Cut:
    length = found.length[keep]
    flat, begin = ragged(found.begin[keep], length)
    return _Cut(
        found.x[flat],
        found.y[flat],
        found.edge[flat],
        found.distance[flat],
        found.side[flat],
        begin,
        length,
    )


def _part(
    found: _Cut, nxt: np.ndarray, new_edge: np.ndarray, sign: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices of the side ``sign`` of every polygon: those on it, and where the line crosses.

    The rule of Sutherland and Hodgman 1974, for all polygons at once. Both sides compute the
    same crossing from the same two ends, so they share it to the last bit.
    """
    side = found.side if sign > 0 else -found.side
    following = side[nxt]
    kept = side >= 0
    crossing = (side * following < 0).nonzero()[0]
    count = kept.astype(np.int64)
    count[crossing] += 1
    position = count.cumsum()
    size = int(position[-1])
    position -= count
    own = kept.nonzero()[0]
    spot = position[own]
    x, y, edge = np.empty(size), np.empty(size), np.empty(size, dtype=found.edge.dtype)
    x[spot], y[spot] = found.x[own], found.y[own]
    # A vertex on the line whose successor is beyond it starts the new edge.
    leaves = (side[own] == 0) & (following[own] < 0)
    edge[spot] = np.where(leaves, new_edge[own], found.edge[own])
    after = nxt[crossing]
    start, end = found.distance[crossing], found.distance[after]
    share = start / (start - end)
    spot = position[crossing] + kept[crossing]
    x[spot] = found.x[crossing] + share * (found.x[after] - found.x[crossing])
    y[spot] = found.y[crossing] + share * (found.y[after] - found.y[crossing])
    edge[spot] = np.where(side[crossing] > 0, new_edge[crossing], found.edge[crossing])
    return x, y, edge, np.add.reduceat(count, found.begin)
