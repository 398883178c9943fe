"""Numbers and masks as users give them: arrays, lists, tensors of any dtype."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import CaptureError

__all__ = ["fitted", "mask_of", "numbers"]


def numbers(what: str, value: Any) -> Tensor:
    """A float64 tensor without gradients, from whatever holds real numbers.

    Args:
        what: how messages call it.
        value: a tensor of any dtype and on any device, an array, nested lists.

    Raises:
        CaptureError: it holds no real numbers, or numbers that are not finite.

    >>> numbers("mean", torch.ones(2, dtype=torch.bfloat16, requires_grad=True)).tolist()
    [1.0, 1.0]
    """
    if isinstance(value, Tensor) and not value.is_complex():
        if value.is_meta or value.layout != torch.strided:
            raise CaptureError(f"{what} is a tensor of the meta device or sparse: give its numbers")
        return _finite(what, value.detach().double())
    array = _array(value)
    if array is None or array.dtype.kind not in "biuf":
        kind = type(value).__name__ if array is None else f"{type(value).__name__} of {array.dtype}"
        raise CaptureError(
            f"{what} is a tensor, an array or nested lists of real numbers; received {kind}"
        )
    return _finite(what, torch.from_numpy(np.array(array, dtype=np.float64)))


def _finite(what: str, found: Tensor) -> Tensor:
    if not bool(found.isfinite().all()):
        raise CaptureError(
            f"{what} holds NaN or infinite numbers, with which nothing can be computed: leave the "
            "rows out that hold them, or find out where they come from"
        )
    return found


def _array(value: Any) -> np.ndarray | None:
    try:
        return np.asarray(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError):  # ragged lists, bfloat16 tensors in a list
        return None


def mask_of(what: str, value: Any) -> Bool[Tensor, "batch position"]:
    """A mask from truth values, or from numbers all of which are 0 or 1.

    Raises:
        CaptureError: other numbers (indices, say), or not two axes.

    >>> mask_of("where", [[1, 0]]).tolist()
    [[True, False]]
    """
    mask = numbers(what, value)
    if mask.ndim != 2 or not bool(((mask == 0) | (mask == 1)).all()):
        raise CaptureError(
            f"{what} is a mask [batch, position] of True and False; received shape "
            f"{tuple(mask.shape)} with values from {_range(mask)}: positions are not given by "
            "number"
        )
    return mask.bool()


def _range(values: Tensor) -> str:
    return f"{float(values.min()):g} to {float(values.max()):g}" if values.numel() else "nothing"


def fitted(what: str, value: Tensor, stream: Float[Tensor, "batch position d_model"]) -> Tensor:
    """``value`` on the stream's device, if it fits: ``[d_model]``, or three axes.

    Of three axes the first two may be 1: the same state for every input or position. Two axes are
    refused, because nothing tells ``[position, d_model]`` from a capture's ``[token, d_model]``.

    Raises:
        CaptureError: it does not fit.
    """
    shape, whole = tuple(value.shape), tuple(stream.shape)
    axes = len(shape) in (1, 3) and shape[-1] == whole[-1]
    if not axes or any(n not in (1, m) for n, m in zip(shape[:-1], whole[:-1], strict=False)):
        raise CaptureError(
            f"{what} has shape {shape}; expected {whole} (batch, position, d_model; the first two "
            f"may be 1) or ({whole[-1]},). Rows of a capture are brought to positions by "
            "`linrep.hooks.at_positions`"
        )
    return value.to(stream.device)
