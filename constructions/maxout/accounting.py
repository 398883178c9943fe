"""Size of a maxout transformer: counted in its weights, beside the theorem's formula."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from ...models import PlainTransformer
from ...piecewise import MaxoutNetwork
from .layout import MaxoutLayout
from .weights import block_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MaxoutAccounting", "measure_sizes"]


@final
@dataclass(frozen=True)
class MaxoutAccounting:
    """Each quantity as ``(measured, formula)``.

    Args:
        tokens: ``T``: largest rank (causal: one per piece of every layer, and one).
        heads: ``H``: largest width.
        d_model: ``D = 2 H + T``.
        hidden: neurons of one MLP, ``F = 2 H T`` (causal: largest rank in place of T).
        blocks: ``L + 1``.
        nonzero: weights that are not 0, the embedding's ``n_0`` ones included.
        dense: all weights.
        maxout: parameters of the network itself.
    """

    tokens: tuple[int, int]
    heads: tuple[int, int]
    d_model: tuple[int, int]
    hidden: tuple[int, int]
    blocks: tuple[int, int]
    nonzero: tuple[int, int]
    dense: tuple[int, int]
    maxout: tuple[int, int]

    @property
    def nonzero_ratio(self) -> float:
        """Nonzero weights per parameter of the network; tends to 2 for wide layers."""
        return self.nonzero[0] / self.maxout[0]

    @property
    def dense_ratio(self) -> float:
        """All weights per parameter of the network."""
        return self.dense[0] / self.maxout[0]

    def to_frame(self) -> "pd.DataFrame":
        """One row per quantity, columns ``measured`` and ``formula``."""
        import pandas as pd

        rows = {name: pair for name, pair in vars(self).items() if isinstance(pair, tuple)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["measured", "formula"])


def measure_sizes(
    model: PlainTransformer, net: MaxoutNetwork, layout: MaxoutLayout
) -> MaxoutAccounting:
    """Count the weights, and evaluate the formulas for the same network.

    The formula of ``nonzero`` assumes a network without zero weights: a zero in the network is a
    zero in the transformer, and the measured number is smaller.
    """
    rank, n, t = max(layout.layer_ranks), layout.units, layout.tokens
    d, f = layout.d_model, layout.hidden
    out = net.n_outputs
    parameters = list(model.parameters())
    nonzero = sum(int(torch.count_nonzero(p)) for p in parameters) + net.n_inputs
    attention = 4 * n * d + 3 * n + d
    mlp = 2 * f * d + f + d
    tables = out * d + t * d + out * d + out
    measured_heads = int(block_of(model, 0).attn.n_heads)
    return MaxoutAccounting(
        tokens=(
            int(model.posn.weight.shape[0]),
            (sum(layout.layer_ranks) + 1) if layout.causal else rank,
        ),
        heads=(measured_heads, max(net.n_inputs, *net.widths)),
        d_model=(int(model.posn.weight.shape[1]), 2 * n + t),
        hidden=(int(block_of(model, 0).mlp.up_proj.weight.shape[0]), 2 * n * rank),
        blocks=(len(model.layers), net.depth + 1),
        nonzero=(nonzero, _nonzero_formula(net, layout)),
        dense=(sum(p.numel() for p in parameters), layout.blocks * (attention + mlp) + tables),
        maxout=(net.n_parameters, _maxout_formula(net)),
    )


def _nonzero_formula(net: MaxoutNetwork, layout: MaxoutLayout) -> int:
    """``sum_l [2 n p (n_{l-1} + [l > 1] + p + 1) + 5 n] + n_0 + p + n_L out + out``, any ranks.

    The bracket counts, per neuron: the row of W, the old Z, the bias, the gates to the other
    tokens, the output weight. Units and pieces a layer lacks still clear what the layer below
    left in Z, and keys push absent pieces down.
    """
    n, t = layout.units, layout.tokens
    total = net.n_inputs + t + net.n_outputs * (net.widths[-1] + 1)
    for number, layer in enumerate(net.layers, 1):
        pieces = int(layer.ranks.sum())
        clears = int(number > 1 and not layout.causal)
        total += 2 * pieces * (layer.n_inputs + clears + 1 + (t - 1) + 1)
        if clears:
            total += 2 * (n * t - pieces) * (1 + (t - 1) + 1)
        total += 5 * n + layer.width * t - pieces
        if layout.causal:  # heads without a unit attend to the layer's own tokens as well
            total += (n - layer.width) * (t - layer.rank)
    return total


def _maxout_formula(net: MaxoutNetwork) -> int:
    hidden = sum(int(x.ranks.sum()) * (x.n_inputs + 1) for x in net.layers)
    return hidden + net.n_outputs * (net.widths[-1] + 1)
