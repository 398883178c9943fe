"""Who multiplies in a model's linear layers: PyTorch's own choice, or oneDNN where that is faster.

PyTorch's wheels multiply float32 on the processor with MKL, which takes AVX-512 on processors of
Intel alone. They bring oneDNN as well, which takes it on AMD's too: there its products take about
half the time. Both add the same products in float32, in another order, so activations differ by
rounding; the self-check, which multiplies so whatever the size, holds them to the model's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

__all__ = ["FasterLinear", "Matmul", "has_faster_linear"]

Matmul = Literal["auto", "model"]
"""``auto``: the faster of the two; ``model``: what the model's own code calls."""

ENOUGH = 1 << 21
"""Multiplications of a product from which on oneDNN is asked: below, its call costs what it wins
(``benchmarks/linear_layers.py``)."""

_OUTPUTS: dict[type[nn.Module], int] = {nn.Linear: 0, Conv1D: 1}
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


@final
class FasterLinear:
    """Large float32 products of a model's linear layers, made by oneDNN while a pass runs.

    Seen are layers that are ``nn.Linear`` or GPT-2's ``Conv1D`` themselves, not subclasses of them.
    Whatever oneDNN is not asked for goes the usual way: other dtypes and devices, small products,
    passes that record gradients, cast by themselves, or are watched by a mode of PyTorch's.

    Args:
        model: its layers get another ``forward`` for the while, and have their own again after.
        matmul: ``model`` leaves them alone, and so does ``auto`` where nothing is won.
        enough: multiplications of a product from which on oneDNN is asked.

    >>> layer, rows = nn.Linear(512, 512), torch.ones(64, 512)
    >>> with torch.inference_mode():
    ...     own = layer(rows)
    ...     with FasterLinear(layer).running():
    ...         other = layer(rows)
    >>> bool((own - other).abs().max() < 1e-4), "forward" in vars(layer)
    (True, False)
    """

    def __init__(
        self, model: nn.Module, matmul: Matmul = "auto", *, enough: int | None = None
    ) -> None:
        wins = matmul == "auto" and has_faster_linear()
        least = ENOUGH if enough is None else enough
        self._layers = tuple(
            (layer, partial(_forward, layer, _OUTPUTS[type(layer)], least))
            for layer in (model.modules() if wins else ())
            if type(layer) in _OUTPUTS and _untouched(type(layer))
        )

    @property
    def said(self) -> str:
        """Who multiplies, in words for the manifest.

        >>> FasterLinear(nn.Linear(4, 4), "model").said
        "PyTorch's choice"
        """
        if any(_plain(layer.weight) for layer, _ in self._layers):
            return "oneDNN where products are large (AMD processor with AVX-512)"
        return "PyTorch's choice"

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a pass runs. Layers that have another ``forward`` already keep it."""
        layers = self._layers if self._layers and _unwatched() else ()
        mine = [(vars(layer), new) for layer, new in layers if "forward" not in vars(layer)]
        try:
            for names, new in mine:
                names["forward"] = new  # past nn.Module.__setattr__, which looks for parameters
            yield
        finally:
            for names, new in mine:
                if names.get("forward") is new:
                    del names["forward"]


def _untouched(kind: type[nn.Module]) -> bool:
    """Whether a kind of layer still does what its author wrote."""
    return bool(kind.forward.__module__ == kind.__module__)


def _unwatched() -> bool:
    """Whether nobody looks at, or replaces, PyTorch's calls; nor has switched oneDNN off."""
    private: Any = torch._C
    return (
        torch.is_inference_mode_enabled()
        and bool(torch.backends.mkldnn.enabled)
        and not private._len_torch_function_stack()
        and not private._len_torch_dispatch_stack()
    )


def _forward(layer: Any, outputs: int, least: int, *given: Any, **named: Any) -> Tensor:
    """What a linear layer gives for rows ``[..., feature]``; its outputs lie along that axis."""
    found = None if named or len(given) != 1 else _product(layer, outputs, least, given[0])
    if found is None:
        own: Tensor = type(layer).forward(layer, *given, **named)
        return own
    return found


def _product(layer: Any, outputs: int, least: int, rows: Any) -> Tensor | None:
    """The layer's product by oneDNN; ``None`` where it is not for oneDNN."""
    weight, bias = layer.weight, layer.bias
    size, width = weight.shape[outputs], weight.shape[1 - outputs]
    if not isinstance(rows, Tensor) or rows.numel() * size < least:
        return None
    if not (_plain(rows) and _plain(weight) and (bias is None or _plain(bias))):
        return None
    if not size or not rows.ndim or rows.shape[-1] != width:
        return None
    if bias is not None and bias.shape != (size,):
        return None
    if not torch.is_inference_mode_enabled() or torch.is_autocast_enabled("cpu"):
        return None
    turned = weight.t() if outputs else weight
    made: Tensor = torch.ops.mkldnn._linear_pointwise(rows, turned, bias, "none", [], "")
    return made


def _plain(given: Any) -> bool:
    """Whether it is a whole float32 array in this machine's memory, and nothing else besides.

    Strides are refused: oneDNN reads a bias as it lies in memory.
    """
    return (
        type(given) in (Tensor, nn.Parameter)
        and given.dtype is torch.float32
        and given.is_cpu
        and given.layout is torch.strided
        and given.is_contiguous()
    )
