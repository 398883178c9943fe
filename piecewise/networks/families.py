"""Networks whose regions are known in closed form, their copies, and random ones."""

import numpy as np

from ...core import checked
from ..errors import NetworkError
from .network import MaxoutNetwork
from .random import random_parts, require_room
from .sizes import Whole, Wholes, read_size

__all__ = ["product", "random_network", "tent", "zigzag"]

_DEEPEST, _LARGEST = 500, 1000
"""Depth and rank up to which a family is built: far more pieces than anything here can count."""


@checked(NetworkError)
def tent(depth: Whole) -> MaxoutNetwork:
    """The ``depth``-fold composition of ``T(x) = 1 - |2x - 1|``: ``2**depth`` pieces on [0, 1].

    Width 1, rank 2; every weight is a small integer, so float64 evaluation rounds nowhere but
    in the input. Source: Telgarsky 2016, arXiv 1602.04485.

    Raises:
        NetworkError: depth below 1 or above 500.

    >>> tent(2)([[0.25], [0.5], [0.75]]).ravel().tolist()
    [1.0, 0.0, 1.0]
    """
    depth = _at_most("depth", depth, _DEEPEST)
    first = (np.array([[[2.0], [-2.0]]]), np.array([[-1.0, 1.0]]))
    # h = |2x - 1| = 1 - T(x), so the layers above read 2(1 - h) - 1 = 1 - 2h.
    above = (np.array([[[-2.0], [2.0]]]), np.array([[1.0, -1.0]]))
    layers = [first] + [above] * (depth - 1)
    return MaxoutNetwork([w for w, _ in layers], [b for _, b in layers], [[-1.0]], [1.0])


@checked(NetworkError)
def zigzag(rank: Whole, depth: Whole) -> MaxoutNetwork:
    """The ``depth``-fold composition of a zigzag of ``2 rank - 1`` laps of [0, 1] onto itself.

    Width 2: the layer's output is ``A - B``, both convex, with breaks at even and odd multiples
    of ``1/(2 rank - 1)``. It has ``(2 rank - 1)**depth`` pieces on [0, 1], the largest number for
    width 2 and one input (the bound of :func:`maxout_bound`).

    Raises:
        NetworkError: rank or depth below 1, rank above 1000, depth above 500.

    >>> zigzag(2, 1)([[0.0], [1 / 3], [2 / 3], [1.0]]).round(12).ravel().tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    rank = _at_most("rank", rank, _LARGEST)
    depth = _at_most("depth", depth, _DEEPEST)
    k = 2 * rank - 1
    steps = np.arange(rank)
    # A rises by k, 3k, 5k, ... with breaks at 2i/k; B by 0, 2k, 4k, ... with breaks at (2i-1)/k.
    slopes = np.array([(2 * steps + 1) * k, 2 * steps * k], dtype=float)
    biases = np.array([-2.0 * steps * (steps + 1), -2.0 * steps**2])
    first = (slopes[:, :, None], biases)
    above = (np.stack([slopes, -slopes], axis=-1), biases)
    layers = [first] + [above] * (depth - 1)
    return MaxoutNetwork([w for w, _ in layers], [b for _, b in layers], [[1.0, -1.0]])


@checked(NetworkError)
def product(net: MaxoutNetwork, copies: Whole) -> MaxoutNetwork:
    """``copies`` of a network side by side, each on inputs of its own: cells multiply.

    Output ``i`` is the sum over copies of the network's output ``i``, copy ``c`` weighted by
    ``2**c`` so that different copies do not cancel.

    Raises:
        NetworkError: fewer than one copy, or more than memory holds.

    >>> product(tent(1), 2)([[0.5, 0.5]]).tolist()
    [[3.0]]
    """
    copies = read_size("copies", copies)
    require_room(copies**2 * sum(layer.weight.size for layer in net.layers))
    weights, biases = [], []
    for layer in net.layers:
        units, inputs = layer.width, layer.n_inputs
        weight = np.zeros((copies * units, layer.rank, copies * inputs))
        for c in range(copies):
            rows, columns = slice(c * units, (c + 1) * units), slice(c * inputs, (c + 1) * inputs)
            weight[rows, :, columns] = layer.weight
        ranks = np.tile(layer.ranks, copies)
        weights.append([weight[u, :r] for u, r in enumerate(ranks)])
        biases.append([np.tile(layer.bias, (copies, 1))[u, :r] for u, r in enumerate(ranks)])
    readout, bias = net.affine
    scales = 2.0 ** np.arange(copies)
    return MaxoutNetwork(weights, biases, np.kron(scales, readout), bias * scales.sum())


@checked(NetworkError)
def random_network(
    n_inputs: Whole,
    widths: Wholes,
    rank: Wholes = 2,
    n_outputs: Whole = 1,
    *,
    seed: Whole = 0,
) -> MaxoutNetwork:
    """Independent normal weights and biases of variance ``1 / fan-in``.

    Args:
        n_inputs: number of inputs.
        widths: units per layer.
        rank: one rank for all units, one per layer, or one per unit of each layer.
        n_outputs: number of outputs.
        seed: seed of the generator; the same seed gives the same network.

    Raises:
        NetworkError: a size or rank below 1, or ranks that do not fit the widths.

    >>> random_network(2, [4, 3], rank=[2, 3], seed=1)
    MaxoutNetwork(2-4-3-1, ranks [2, 3], 73 parameters)
    """
    return MaxoutNetwork(*random_parts(n_inputs, widths, rank, n_outputs, seed))


def _at_most(name: str, value: Whole, most: int) -> int:
    size = read_size(name, value)
    if size > most:
        raise NetworkError(
            f"{name} is at most {most} (pieces multiply with every layer); received {size}, "
            "give a smaller one"
        )
    return size
