"""Fast peer of the region count: edge subdivision (Berzins 2023, arXiv 2306.07212), ReLU, torch.

Vertices carry sign vectors over all neurons; a neuron splits the edges on which it changes sign,
and the new vertices of one face are joined. Two forms, both counting by Euler's formula, without
the regions' polygons or affine maps:

``published``: as the paper and its code describe it: new vertices are evaluated by a forward
pass, sign vectors grow by a column per neuron, faces are matched by sorting their sign vectors.

``tuned``: the same idea made faster here than published, to see what is left of the lead: faces
are matched by 64-bit hashes of sign vectors, values of later neurons of a layer are interpolated
along edges, sign vectors are written in place.
"""

import numpy as np
import torch
from torch import Tensor

from linrep.piecewise import MaxoutNetwork, Plane

__all__ = ["published_cells", "tuned_cells"]

_SIDES = 4  # the window's sides are the first four entries of every sign vector


def tuned_cells(net: MaxoutNetwork, plane: Plane, dtype: torch.dtype) -> int:
    """Number of regions of a ReLU network in general position."""
    total = _SIDES + sum(net.widths)
    generator = torch.Generator().manual_seed(0)
    hashes = torch.randint(-(2**62), 2**62, (total,), generator=generator)
    corners = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=dtype)
    signs = torch.zeros(4, total, dtype=torch.int8)
    signs[:, :_SIDES] = 1
    for corner in range(4):  # corner k lies on sides k - 1 and k
        signs[corner, [corner, (corner + 3) % 4]] = 0
    edges = torch.tensor([[0, 1], [1, 2], [2, 3], [3, 0]])
    frame = torch.from_numpy(plane.frame).to(dtype)
    hidden = corners @ frame[:, :2].T + frame[:, 2]
    done = _SIDES
    for layer in net.layers:
        weight = torch.from_numpy(layer.weight[:, 0].copy()).to(dtype)
        bias = torch.from_numpy(layer.bias[:, 0].copy()).to(dtype)
        values = hidden @ weight.T + bias
        for unit in range(layer.width):
            values, signs, edges = _subdivide(values, signs, edges, unit, done + unit, hashes)
        done += layer.width
        hidden = values.relu()
    return len(edges) - len(signs) + 1


def _subdivide(
    values: Tensor, signs: Tensor, edges: Tensor, unit: int, column: int, hashes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    side = values[:, unit].sign()
    signs[:, column] = side.to(torch.int8)
    start, end = edges[:, 0], edges[:, 1]
    split = (side[start] * side[end] < 0).nonzero()[:, 0]
    if not len(split):
        return values, signs, edges
    a, b = start[split], end[split]
    share = (values[a, unit] / (values[a, unit] - values[b, unit]))[:, None]
    fresh = values[a] + share * (values[b] - values[a])
    fresh[:, unit] = 0.0
    sign_a, sign_b = signs[a], signs[b]
    made = torch.where(sign_a == 0, sign_b, sign_a)  # an edge's sign vector: 0 only on its line
    made[:, column] = 0
    # The line of the edge: the one earlier entry where both ends are 0.
    line = (made[:, :column] == 0).to(torch.int8).argmax(dim=1)
    count = len(values)
    new = torch.arange(count, count + len(split))
    key = made[:, :column].long() @ hashes[:column]
    step = hashes[line]
    inner = line >= _SIDES  # beyond a side of the window there is no face
    keys = torch.cat([key + step, (key - step)[inner]])
    owner = torch.cat([new, new[inner]])
    keys, order = keys.sort()
    owner = owner[order]
    same = (keys[1:] == keys[:-1]).nonzero()[:, 0]
    joined = torch.stack([owner[same], owner[same + 1]], dim=1)
    halves = torch.stack([new, b], dim=1)
    edges = edges.clone()
    edges[split, 1] = new
    return (
        torch.cat([values, fresh]),
        torch.cat([signs, made]),
        torch.cat([edges, halves, joined]),
    )


def published_cells(net: MaxoutNetwork, plane: Plane, dtype: torch.dtype) -> int:
    """Number of regions of a ReLU network in general position, the published way."""
    layers = [
        (
            torch.from_numpy(x.weight[:, 0].copy()).to(dtype),
            torch.from_numpy(x.bias[:, 0].copy()).to(dtype),
        )
        for x in net.layers
    ]
    frame = torch.from_numpy(plane.frame).to(dtype)
    points = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=dtype)
    signs = torch.ones(4, _SIDES, dtype=torch.int8)
    for corner in range(4):
        signs[corner, [corner, (corner + 3) % 4]] = 0
    edges = torch.tensor([[0, 1], [1, 2], [2, 3], [3, 0]])
    values = _all_neurons(points, frame, layers)
    for neuron in range(values.shape[1]):
        own = values[:, neuron]
        pairs = own[edges]
        split = pairs.sign().prod(dim=1) == -1
        low, high = pairs[split, 0, None], pairs[split, 1, None]
        first, second = points[edges[split, 0]], points[edges[split, 1]]
        fresh = first - low * (second - first) / (high - low)
        edge_signs = signs[edges[split]].sum(dim=1, dtype=torch.int8).sign()
        joined = _shared_faces(edge_signs)
        count = len(points)
        points = torch.vstack([points, fresh])
        values = torch.vstack([values, _all_neurons(fresh, frame, layers)])
        column = own.sign().to(torch.int8)[:, None]
        zeros = torch.zeros(len(fresh), 1, dtype=torch.int8)
        signs = torch.vstack([torch.hstack([signs, column]), torch.hstack([edge_signs, zeros])])
        new = torch.arange(count, len(points)).repeat(2)
        halves = torch.stack([edges[split].T.flatten(), new], dim=1)
        edges = torch.vstack([edges[~split], halves, joined + count])
    return len(edges) - len(points) + 1


def _all_neurons(points: Tensor, frame: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    hidden, found = points @ frame[:, :2].T + frame[:, 2], []
    for weight, bias in layers:
        found.append(hidden @ weight.T + bias)
        hidden = found[-1].relu()
    return torch.hstack(found)


def _shared_faces(edge_signs: Tensor) -> Tensor:
    """Pairs of split edges that border one face: perturb the one zero, sort, compare rows."""
    if not len(edge_signs):
        return torch.empty(0, 2, dtype=torch.int64)
    row, column = (edge_signs == 0).nonzero().T
    faces = edge_signs.repeat(2, 1)
    faces[row, column] = 1
    faces[row + len(edge_signs), column] = -1
    order = torch.from_numpy(np.lexsort(faces.numpy().T))
    sorted_faces = faces[order]
    same = (sorted_faces[1:] == sorted_faces[:-1]).all(dim=1).nonzero()[:, 0]
    return torch.stack([order[same], order[same + 1]], dim=1) % len(edge_signs)
