"""Reads the maxout network back from a transformer's weights."""

import numpy as np
import torch

from ...models import PlainTransformer
from ...piecewise import MaxoutNetwork
from .layout import MaxoutLayout
from .weights import block_of, gate_row

__all__ = ["read_network", "read_temperatures"]


def read_network(model: PlainTransformer, layout: MaxoutLayout) -> MaxoutNetwork:
    """The network that the weights hold: neurons give ``W, b``, keys give ranks, the head ``V, c``.

    Guarantee: in float64 the network put in comes out, to the bit; in a narrower format the one
    that was rounded to it.
    """
    weights, biases, inputs = [], [], layout.n_inputs
    for number, width in enumerate(layout.widths, 1):
        neurons = _array(block_of(model, number - 1).mlp.up_proj.weight)
        keys = _array(block_of(model, number).attn.k_proj.weight)
        group = layout.group(number)
        of_units, offsets = [], []
        for unit in range(width):
            live = [j for j, token in enumerate(group) if keys[unit, layout.p(token)] == 0]
            rows = neurons[[gate_row(layout, unit, j, 0) for j in live]]
            own = [layout.p(group[j]) for j in live]
            of_units.append(rows[:, :inputs])
            offsets.append(rows[np.arange(len(live)), own])
        weights.append(of_units)
        biases.append(offsets)
        inputs = width
    readout = _array(model.head.weight)[:, :inputs]
    return MaxoutNetwork(weights, biases, readout, _array(model.head.bias))


def read_temperatures(model: PlainTransformer, layout: MaxoutLayout) -> tuple[float, ...]:
    """Inverse temperature of each layer, from the query biases."""
    return tuple(
        float(block_of(model, n).attn.q_proj.bias[0].detach()) for n in range(1, layout.blocks)
    )


def _array(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().double().cpu().numpy())
