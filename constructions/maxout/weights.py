"""Writes a maxout network into the weights of a plain transformer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...models import PlainConfig, PlainTransformer
from ...piecewise import MaxoutNetwork
from .error import MaxoutError
from .layout import MaxoutLayout
from .ranges import Reach, absent_penalty

__all__ = ["block_of", "gate_row", "write_weights"]

_MARGIN = 1e6  # gates exceed what they must close by this factor; on live tokens they are exact 0


def block_of(model: PlainTransformer, number: int) -> Any:
    """A block of the model, for reading and writing its weights."""
    return model.layers[number]


def gate_row(layout: MaxoutLayout, unit: int, piece: int, sign: int) -> int:
    """Index of the neuron that adds (sign 0) or subtracts (sign 1) a piece of a unit."""
    return (unit * max(layout.layer_ranks) + piece) * 2 + sign


def write_weights(
    net: MaxoutNetwork,
    layout: MaxoutLayout,
    reaches: Sequence[Reach],
    lam: Sequence[float],
    dtype: torch.dtype,
) -> PlainTransformer:
    """Standard blocks, no norm, one head of dimension 1 per unit, ReLU neurons.

    The MLP of block ``l - 1`` writes each token's pieces of layer ``l`` into Z; the attention of
    block ``l`` moves their soft maximum into X. Block 0 has no attention, the last no MLP.

    Raises:
        MaxoutError: a gate would overflow the dtype.
    """
    config = PlainConfig(
        vocab_size=layout.n_outputs,
        hidden_size=layout.d_model,
        num_hidden_layers=layout.blocks,
        num_attention_heads=layout.units,
        head_dim=1,
        attention_scale=1.0,
        intermediate_size=layout.hidden,
        max_position_embeddings=layout.tokens,
        mlp="relu",
        bidirectional=not layout.causal,
    )
    # Built in float64 and cast once: every weight of the network is rounded at most once.
    model: Any = PlainTransformer(config)
    model = model.double()
    with torch.no_grad():
        places = torch.arange(layout.tokens)
        model.posn.weight[places, layout.p(0) + places] = 1.0
        for number in range(1, net.depth + 1):
            _write_pieces(model, net, layout, number, _gates(net, layout, reaches, number, dtype))
            penalty = absent_penalty(layout, reaches, number, lam[number - 1])
            _write_maximum(model, layout, number, lam[number - 1], penalty)
        readout, bias = net.affine
        model.head.weight[:, : net.widths[-1]] = torch.from_numpy(readout.copy())
        model.head.bias.copy_(torch.from_numpy(bias.copy()))
    written: PlainTransformer = model.to(dtype).eval()
    return written


def _gates(
    net: MaxoutNetwork,
    layout: MaxoutLayout,
    reaches: Sequence[Reach],
    number: int,
    dtype: torch.dtype,
) -> np.ndarray:
    """``[unit]`` how far a neuron must be pushed down on other tokens than its own.

    Raises:
        MaxoutError: too far for the dtype.
    """
    layer = net.layers[number - 1]
    reach = reaches[number - 1]
    below = reach.below
    if layout.causal:
        # Tokens of earlier groups carry averages of what they see, which nothing reads: each
        # attention at most doubles their X and adds a piece.
        stray = float(reaches[0].below.max())
        for earlier in reaches[: number - 1]:
            stray = 2 * stray + float(earlier.pieces.max())
        below = np.maximum(below, stray)
    needed = np.zeros(layout.units)
    products = np.abs(layer.weight) @ below + np.abs(layer.bias)
    needed[: layer.width] = np.where(layer.live, products, 0.0).max(axis=1)
    if number > 1 and not layout.causal:  # the old Z is subtracted too
        old = reaches[number - 2].pieces
        needed[: len(old)] += old
    needed = np.maximum(needed, 1e-3)
    ceiling = 0.1 * torch.finfo(dtype).max
    if needed.max() > ceiling:
        raise MaxoutError(
            f"layer {number}: pieces reach {needed.max():.3g} on the box, too much for {dtype}; "
            "take a smaller box or a wider dtype"
        )
    return np.minimum(_MARGIN * needed, ceiling)


def _write_pieces(
    model: PlainTransformer, net: MaxoutNetwork, layout: MaxoutLayout, number: int, gate: np.ndarray
) -> None:
    """MLP of block ``number - 1``: on the token of piece j, ``Z_u <- z_{u, j}``."""
    layer = net.layers[number - 1]
    # Tokens are reused by every layer, so a piece, or its absence, takes the place of an older one.
    clears = number > 1 and not layout.causal
    for unit in range(layout.units):
        for piece in range(layout.tokens if clears else layer.rank):
            lives = unit < layer.width and piece < int(layer.ranks[unit])
            if not (lives or clears):
                continue
            row = np.zeros(layout.d_model)
            own = layout.p(layout.group(number)[piece])
            if lives:
                row[: layer.n_inputs] = layer.weight[unit, piece]
                row[own] = layer.bias[unit, piece]
            if clears:
                row[layout.z(unit)] = -1.0
            closed = np.zeros(layout.d_model)
            closed[layout.p(0) :] = gate[unit]
            closed[own] = 0.0
            mlp = block_of(model, number - 1).mlp
            for index, sign in enumerate((1.0, -1.0)):  # x = relu(x) - relu(-x)
                neuron = gate_row(layout, unit, piece, index)
                mlp.up_proj.weight[neuron] = torch.from_numpy(sign * row - closed)
                mlp.down_proj.weight[layout.z(unit), neuron] = sign


def _write_maximum(
    model: PlainTransformer, layout: MaxoutLayout, number: int, lam: float, penalty: float
) -> None:
    """Attention of block ``number``: ``X_u <- sum_j softmax(lam Z_u)_j Z_u``, one head per unit."""
    attention = block_of(model, number).attn
    ranks, group = layout.ranks[number - 1], layout.group(number)
    for unit in range(layout.units):
        attention.q_proj.bias[unit] = lam
        attention.k_proj.weight[unit, layout.z(unit)] = 1.0
        attention.v_proj.weight[unit, layout.z(unit)] = 1.0
        attention.v_proj.weight[unit, layout.x(unit)] = -1.0
        attention.o_proj.weight[layout.x(unit), unit] = 1.0
        pieces = ranks[unit] if unit < len(ranks) else len(group)
        for token in set(range(layout.tokens)) - set(group[:pieces]):
            attention.k_proj.weight[unit, layout.p(token)] = -penalty
