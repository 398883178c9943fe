"""Who multiplies in a model's linear layers: PyTorch's own choice, or oneDNN where that is faster.

PyTorch's wheels multiply float32 on the processor with MKL, which takes AVX-512 on processors of
Intel alone. They bring oneDNN as well, which takes it on AMD's too: there its products take about
half the time. Both add the same products in float32, in another order, so activations differ by
rounding; the self-check holds them to the model's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

__all__ = ["FasterLinear", "Matmul", "has_faster_linear", "linear_layers"]

Matmul = Literal["auto", "model"]
"""``auto``: the faster of the two; ``model``: what the model's own code calls."""

ENOUGH = 1 << 21
"""Multiplications of a product from which on oneDNN is asked: below, its call costs what it wins
(``benchmarks/linear_layers.py``)."""

_OUTPUTS: dict[type, int] = {nn.Linear: 0, Conv1D: 1}
"""Kinds of linear layers, and the axis of their weights along which outputs lie."""


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


def linear_layers(matmul: Matmul, device: str, dtype: torch.dtype) -> str:
    """Who multiplies in the linear layers of a model on that device, in words for the manifest.

    >>> linear_layers("model", "cpu", torch.float32)
    "PyTorch's choice"
    """
    if matmul == "auto" and device == "cpu" and dtype == torch.float32 and has_faster_linear():
        return "oneDNN where products are large (AMD processor with AVX-512)"
    return "PyTorch's choice"


@final
class FasterLinear:
    """Large float32 products of a model's linear layers, made by oneDNN while a pass runs.

    Seen are layers that are ``nn.Linear`` or GPT-2's ``Conv1D`` themselves, not subclasses of them.
    Whatever oneDNN is not asked for goes the usual way: other dtypes and devices, small products,
    and everything where gradients are recorded.

    Args:
        model: its layers get another ``forward`` for the while, and have their own again after.
        matmul: ``model`` leaves them alone, and so does ``auto`` where nothing is won.

    >>> layer, rows = nn.Linear(512, 512), torch.ones(64, 512)
    >>> with torch.inference_mode():
    ...     own = layer(rows)
    ...     with FasterLinear(layer).running():
    ...         other = layer(rows)
    >>> bool((own - other).abs().max() < 1e-4), "forward" in vars(layer)
    (True, False)
    """

    def __init__(self, model: nn.Module, matmul: Matmul = "auto") -> None:
        wins = matmul == "auto" and has_faster_linear()
        self._layers = tuple(
            (layer, partial(_forward, layer, type(layer).forward, _OUTPUTS[type(layer)]))
            for layer in (model.modules() if wins else ())
            if type(layer) in _OUTPUTS
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a pass runs. Layers that have another ``forward`` already keep it."""
        layers = () if torch.is_autocast_enabled("cpu") else self._layers
        mine = [(vars(layer), new) for layer, new in layers if "forward" not in vars(layer)]
        for names, new in mine:
            names["forward"] = new  # past nn.Module.__setattr__, which looks for parameters
        try:
            yield
        finally:
            for names, _ in mine:
                names.pop("forward", None)


def _forward(layer: Any, own: Callable[..., Tensor], outputs: int, rows: Tensor) -> Tensor:
    """What a linear layer gives for rows ``[..., feature]``; its outputs lie along that axis."""
    weight, bias = layer.weight, layer.bias
    size = weight.shape[outputs]
    if rows.numel() * size < ENOUGH or torch.is_grad_enabled():
        return own(layer, rows)
    # oneDNN reads a bias as it lies in memory, whatever its strides.
    fits = (
        _plain(rows) and _plain(weight) and (bias is None or (_plain(bias) and len(bias) == size))
    )
    if not fits or rows.shape[-1] != weight.shape[1 - outputs]:
        return own(layer, rows)
    turned = weight.t() if outputs else weight
    made: Tensor = torch.ops.mkldnn._linear_pointwise(rows, turned, bias, "none", [], "")
    return made


def _plain(given: Tensor) -> bool:
    """Whether it is a whole float32 array in this machine's memory, and nothing else besides."""
    return (
        type(given) in (Tensor, nn.Parameter)
        and given.dtype is torch.float32
        and given.is_cpu
        and given.layout is torch.strided
        and given.is_contiguous()
    )
