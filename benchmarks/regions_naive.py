"""Slow peer of the region count: one convex polygon at a time, clipped in plain Python."""

import numpy as np

from linrep.piecewise import MaxoutNetwork, Plane

__all__ = ["naive_cells"]

Polygon = list[tuple[float, float]]


def naive_cells(net: MaxoutNetwork, plane: Plane, tol: float = 1e-12) -> int:
    """Number of cells; every cell meets every unit of every layer."""
    cells: list[tuple[Polygon, np.ndarray]] = [
        ([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)], plane.frame)
    ]
    for layer in net.layers:
        following = []
        for polygon, maps in cells:
            pieces = layer.weight @ maps
            pieces[:, :, 2] += layer.bias
            parts: list[tuple[Polygon, list[np.ndarray]]] = [(polygon, [])]
            for unit in range(layer.width):
                own = pieces[unit, : layer.ranks[unit]]
                parts = [new for part in parts for new in _through(part, own, tol)]
            following += [(corners, np.stack(active)) for corners, active in parts]
        cells = following
    return len(cells)


def _through(
    part: tuple[Polygon, list[np.ndarray]], pieces: np.ndarray, tol: float
) -> list[tuple[Polygon, list[np.ndarray]]]:
    """The parts of a polygon on which each piece is the largest."""
    corners, active = part
    made = []
    for j, own in enumerate(pieces):
        left = corners
        for k, other in enumerate(pieces):
            if k != j and left:
                left = _clip(left, own - other, tol, keep_ties=j < k)
        if left:
            made.append((left, [*active, own]))
    return made


def _clip(corners: Polygon, line: np.ndarray, tol: float, keep_ties: bool) -> Polygon:
    a, b, c = line
    values = [a * x + b * y + c for x, y in corners]
    if max(values) <= tol:
        return corners if keep_ties and min(values) >= -tol else []
    if min(values) >= -tol:
        return corners
    out = []
    for i, (p, v) in enumerate(zip(corners, values, strict=True)):
        q, w = corners[i - len(corners) + 1], values[i - len(values) + 1]
        if v >= 0:
            out.append(p)
        if v * w < 0:
            share = v / (v - w)
            out.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
    return out
