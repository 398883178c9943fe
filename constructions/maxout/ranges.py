"""What the soft network can reach on a box, and which temperatures a number format can hold."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from ...piecewise import Box, MaxoutNetwork
from .error import MaxoutError, gap_constant, require_rates
from .layout import MaxoutLayout

__all__ = ["Reach", "absent_penalty", "check_temperatures", "soft_reach"]

_FORMATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@final
@dataclass(frozen=True, eq=False)
class Reach:
    """Bounds for one layer.

    Args:
        pieces: ``[unit]`` largest ``|z|`` of a unit's pieces on any input of the box.
        below: largest ``|x|`` of the activations the layer reads, per input ``[input]``.
    """

    pieces: np.ndarray
    below: np.ndarray


def soft_reach(net: MaxoutNetwork, box: Box) -> list[Reach]:
    """Interval bounds that hold at every temperature: an average lies between its pieces."""
    low, high = box.ends
    reaches = []
    for layer in net.layers:
        centre, radius = (low + high) / 2, (high - low) / 2
        middle = layer.weight @ centre + layer.bias
        spread = np.abs(layer.weight) @ radius
        ends = middle - spread, middle + spread
        size = np.where(layer.live, np.maximum(np.abs(ends[0]), np.abs(ends[1])), 0.0)
        reaches.append(Reach(size.max(axis=1), np.maximum(np.abs(low), np.abs(high))))
        low = np.where(layer.live, ends[0], np.inf).min(axis=1)
        high = np.where(layer.live, ends[1], -np.inf).max(axis=1)
    return reaches


def absent_penalty(
    layout: MaxoutLayout, reaches: Sequence[Reach], number: int, lam: float
) -> float:
    """How far keys of absent pieces go down, so that their softmax weight is exactly 0.

    ``exp(-1000)`` underflows in every number format.
    """
    own = float(reaches[number - 1].pieces.max())
    seen = max(float(r.pieces.max()) for r in reaches) if layout.causal else own
    return own + seen + 1 + 1000 / lam


def check_temperatures(
    net: MaxoutNetwork,
    layout: MaxoutLayout,
    reaches: Sequence[Reach],
    lam: Sequence[float],
    dtype: torch.dtype,
) -> None:
    """Refuse temperatures whose scores or keys overflow; warn where rounding drowns the error.

    Raises:
        MaxoutError: another dtype than the four, or an inverse temperature that is not positive,
            or too large or too small for the dtype.
    """
    require_rates(net, lam)
    if dtype not in _FORMATS:
        raise MaxoutError(f"weights are one of {[str(d) for d in _FORMATS]}; received {dtype}")
    limits = torch.finfo(dtype)
    for number, (layer, reach, rate) in enumerate(zip(net.layers, reaches, lam, strict=True), 1):
        size = float(reach.pieces.max())
        smallest, largest = limits.tiny, 0.1 * limits.max / max(size, np.finfo(float).tiny)
        # Are keys pushed down, of absent pieces or of other layers' tokens?
        if min(layout.ranks[number - 1]) < layout.tokens:
            deepest = size + absent_penalty(layout, reaches, number, math.inf)
            largest = min(largest, (0.1 * limits.max - 1000) / deepest)
            smallest = 1000 / max(0.1 * limits.max - deepest, limits.tiny)  # the key itself fits
        if rate < smallest:
            raise MaxoutError(
                f"layer {number}: inverse temperature {rate:.6g} is too small for {dtype} (pieces "
                f"reach {size:.3g} on the box); the smallest allowed is {smallest:.6g}: take a "
                "smaller eps, a smaller box or a wider dtype"
            )
        if rate > largest:
            raise MaxoutError(
                f"layer {number}: inverse temperature {rate:.6g} overflows attention scores in "
                f"{dtype} (pieces reach {size:.3g} on the box); the largest allowed is "
                f"{largest:.6g}: take a larger eps, a smaller box or a wider dtype"
            )
        soft = float(gap_constant(layer.ranks).max()) / rate
        if 0 < soft < limits.eps * size:
            warnings.warn(
                f"layer {number}: at inverse temperature {rate:.3g} the softness {soft:.1e} is "
                f"below the rounding of {dtype}, {limits.eps * size:.1e}",
                stacklevel=3,
            )
