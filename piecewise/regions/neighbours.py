"""Which cells touch along an edge, and which carry the same affine map."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .polygons import OUTER, Polygons

__all__ = ["components", "edge_neighbours", "same_maps"]


def same_maps(maps: np.ndarray, tol: float) -> np.ndarray:
    """Labels ``[cell]`` of equal affine maps.

    Maps ``[cell, coefficient]`` are sorted along one generic direction and joined with their
    neighbour there if every coefficient agrees within ``tol``.

    >>> same_maps(np.array([[1.0, 2.0], [0.0, 2.0], [1.0, 2.0]]), 1e-9).tolist()
    [1, 0, 1]
    """
    direction = np.random.default_rng(0).standard_normal(maps.shape[1])
    order = np.argsort(maps @ direction, kind="stable")
    differs = np.abs(np.diff(maps[order], axis=0)).max(axis=1) > tol
    labels: np.ndarray = np.empty(len(maps), dtype=np.int64)
    labels[order] = np.concatenate([[0], np.cumsum(differs)])
    return labels


def edge_neighbours(polygons: Polygons, tol: float) -> np.ndarray:
    """Pairs ``[pair, 2]`` of cells that share more than ``tol`` of an edge, each pair once.

    Both sides of a cut carry its number; each side is tiled by edges of the cells that were made
    of it, so a walk along the cut meets, between two ends of edges, one cell on each side.
    """
    cells = len(polygons)
    following = np.arange(1, len(polygons.x) + 1)
    following[polygons.start + polygons.length - 1] = polygons.start
    inner = np.flatnonzero(polygons.edge != OUTER)
    if not len(inner):
        return np.empty((0, 2), dtype=np.int64)
    owner = np.repeat(np.arange(cells), polygons.length)[inner]
    after = following[inner]
    _, cut = np.unique(polygons.edge[inner], return_inverse=True)
    ends = np.stack([polygons.x[inner], polygons.y[inner], polygons.x[after], polygons.y[after]])
    reach = np.zeros((2, int(cut.max()) + 1))
    for axis in range(2):
        np.maximum.at(reach[axis], cut, np.abs(ends[axis + 2] - ends[axis]))
    steep = (reach[1] > reach[0])[cut]
    begin, end = np.where(steep, ends[1], ends[0]), np.where(steep, ends[3], ends[2])
    forward = (end > begin).astype(np.int64)
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    return _walk(cut, forward, low, high, owner, tol)


def _walk(
    cut: np.ndarray,
    side: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    owner: np.ndarray,
    tol: float,
) -> np.ndarray:
    """Walk along every cut at once, from end to end of its edges."""
    count = len(cut)
    at = np.concatenate([low, high])
    group = np.concatenate([cut, cut])
    order = np.lexsort((at, group))
    at, group = at[order], group[order]
    starts = order < count  # an edge begins here; its index is `order` itself
    step = np.flatnonzero((group[1:] == group[:-1]) & (np.diff(at) > tol))
    current = []
    for which in (0, 1):
        own = starts & (side[order % count] == which)
        last = np.maximum.accumulate(np.where(own, np.arange(len(order)), -1))
        current.append(last[step])
    here = group[step]
    valid = (current[0] >= 0) & (current[1] >= 0)
    for last in current:
        edge = order[last] % count
        valid &= (cut[edge] == here) & (high[edge] >= at[step + 1] - tol)
    pairs = np.stack([owner[order[last[valid]] % count] for last in current], axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0).reshape(-1, 2)


def components(pairs: np.ndarray, cells: int) -> np.ndarray:
    """Labels ``[cell]`` of the connected components of the graph with these edges."""
    ones = np.ones(len(pairs), dtype=bool)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(cells, cells))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels)
