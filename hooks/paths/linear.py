"""Who multiplies in a model's linear layers: PyTorch's own choice, or oneDNN where that is faster.

PyTorch's wheels multiply float32 on the processor with MKL, which takes AVX-512 on processors of
Intel alone. They bring oneDNN as well, which takes it on AMD's too: there its products take about
half the time. Both add the same products in float32, in another order, so activations differ by
rounding; the self-check, which multiplies so whatever the size, holds them to the model's own.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

__all__ = ["ENOUGH", "OUTPUTS", "has_faster_linear", "linear", "plain"]

ENOUGH = 1 << 21
"""Multiplications of a product from which on oneDNN is asked: below, its call costs what it wins
(``benchmarks/linear_layers.py``)."""

OUTPUTS: dict[type[nn.Module], int] = {nn.Linear: 0, Conv1D: 1}
"""Kinds of linear layers, and the axis of their weights along which outputs lie."""

_KINDS = frozenset({Tensor, nn.Parameter})


@cache
def has_faster_linear() -> bool:
    """Whether PyTorch's own choice leaves half of this processor's width unused.

    By the processor's name and not by a clock: numbers of a machine stay equal from day to day.
    """
    told: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    libraries: Any = torch.backends
    return (
        str(told.get("cpu_name", "")).startswith("AMD")
        and bool(told.get("avx512_f"))
        and libraries.mkl.is_available()
        and libraries.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def linear(layer: Any, outputs: int, least: int, *given: Any, **named: Any) -> Tensor:
    """What a linear layer gives for rows ``[..., feature]``.

    Args:
        layer: an ``nn.Linear`` or a ``Conv1D``.
        outputs: axis of its weights along which outputs lie.
        least: multiplications from which on oneDNN is asked.
        given: what the layer is called with.
        named: likewise.
    """
    found = None if named or len(given) != 1 else _product(layer, outputs, least, given[0])
    if found is None:
        own: Tensor = type(layer).forward(layer, *given, **named)
        return own
    return found


def _product(layer: Any, outputs: int, least: int, rows: Any) -> Tensor | None:
    """The layer's product by oneDNN; ``None`` where it is not for oneDNN.

    All is looked at in every call, since hooks may change a layer during a pass. Parameters are
    taken from where PyTorch keeps them: to ask the layer takes ten times as long.
    """
    parameters = layer._parameters
    weight, bias = parameters.get("weight"), parameters.get("bias")
    if not (plain(weight) and plain(rows) and weight.ndim == 2 and rows.ndim):
        return None
    size = weight.size(outputs)
    if not size or rows.numel() * size < least or rows.size(-1) != weight.size(1 - outputs):
        return None
    if bias is None:
        if "bias" not in parameters:  # it is no parameter, and may be anything
            return None
    elif not plain(bias) or bias.ndim != 1 or bias.size(0) != size:
        return None
    if not torch.is_inference_mode_enabled() or torch.is_autocast_enabled("cpu"):
        return None
    turned = weight.t() if outputs else weight
    made: Tensor = torch.ops.mkldnn._linear_pointwise(rows, turned, bias, "none", [], "")
    return made


def plain(given: Any) -> bool:
    """Whether it is a whole float32 array in this machine's memory, and nothing else besides.

    Strides are refused: oneDNN reads a bias as it lies in memory.
    """
    return (
        type(given) in _KINDS
        and given.dtype is torch.float32
        and given.is_cpu
        and given.layout is torch.strided
        and given.is_contiguous()
    )
