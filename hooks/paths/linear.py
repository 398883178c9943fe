"""Who multiplies in a model's linear layers: PyTorch's own choice, or oneDNN where that is faster.

PyTorch's wheels multiply float32 on the processor with MKL, which takes AVX-512 on processors of
Intel alone. They bring oneDNN as well, which takes it on AMD's too: there its products take about
half the time. Both add the same products in float32, in another order, so activations differ by
rounding; the self-check holds them to the model's own.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["Matmul", "OneDNNLinear", "faster_linear", "has_faster_linear", "linear_layers"]

Matmul = Literal["auto", "model"]
"""``auto``: the faster of the two; ``model``: what the model's own code calls."""

ENOUGH = 1 << 21
"""Multiplications of a product from which on oneDNN is asked: below, its call costs what it wins
(``benchmarks/linear_layers.py``)."""

WORTH = 1 << 23
"""Multiplications of the largest product of a pass from which on calls are looked at: to look
costs every call of PyTorch in the pass a microsecond."""

_PLAIN = (Tensor, nn.Parameter)


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


def faster_linear(
    blocks: Iterable[nn.Module], matmul: Matmul
) -> Callable[[int], AbstractContextManager[Any]]:
    """What a pass over so many tokens runs in: :class:`OneDNNLinear` where it wins time.

    Args:
        blocks: of the model.
        matmul: see :data:`Matmul`.

    >>> own = faster_linear([nn.Linear(4, 4)], "model")
    >>> with own(1000) as nothing:
    ...     print(nothing)
    None
    """
    largest = 0
    if matmul == "auto" and has_faster_linear():
        sizes = (p.numel() for block in blocks for p in block.parameters() if _fits(p))
        largest = max(sizes, default=0)

    def around(tokens: int) -> AbstractContextManager[Any]:
        wins = tokens * largest >= WORTH and torch.backends.mkldnn.enabled
        return OneDNNLinear() if wins else nullcontext()

    return around


@final
class OneDNNLinear(TorchFunctionMode):
    """While it is entered, large float32 products of linear layers on the processor are oneDNN's.

    It sees calls of ``torch.nn.functional.linear`` and ``torch.addmm`` (GPT-2's layers) on this
    thread. Whatever it is not made for goes the usual way: other dtypes and devices, subclasses of
    tensors, small products, and all of it where gradients are recorded. Nothing in a model changes.

    >>> layer, rows = nn.Linear(512, 512), torch.ones(64, 512)
    >>> with torch.inference_mode():
    ...     own = layer(rows)
    ...     with OneDNNLinear():
    ...         other = layer(rows)
    >>> bool((own - other).abs().max() < 1e-4)
    True
    """

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """A call of PyTorch on this thread."""
        if func is nn.functional.linear:
            found = _of_linear(*args, **(kwargs or {}))
        elif func is torch.addmm and len(args) == 3 and not kwargs:
            found = _product(args[1], args[2].t(), args[0]) if args[2].ndim == 2 else None
        else:
            return func(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {})) if found is None else found


def _of_linear(
    input: Tensor,  # PyTorch's name, which callers may use
    weight: Tensor,
    bias: Tensor | None = None,
) -> Tensor | None:
    return _product(input, weight, bias)


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor | None:
    """``rows @ weight.T + bias``; ``None`` if it is not for oneDNN.

    oneDNN reads a bias as it lies in memory, whatever its strides: only a plain vector is given.
    """
    if not (_fits(rows) and _fits(weight)) or rows.ndim < 2 or weight.ndim != 2:
        return None
    outputs, inputs = weight.shape
    if rows.numel() * outputs < ENOUGH or rows.shape[-1] != inputs or not rows.is_contiguous():
        return None
    if not (weight.is_contiguous() or weight.t().is_contiguous()):
        return None
    if bias is not None and not (_fits(bias) and bias.shape == (outputs,) and bias.is_contiguous()):
        return None
    if torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
        return None
    made: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return made


def _fits(given: Any) -> bool:
    return (
        type(given) in _PLAIN
        and given.dtype is torch.float32
        and given.device.type == "cpu"
        and given.layout is torch.strided
    )
