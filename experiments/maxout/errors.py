"""Errors of soft networks, measured where they are largest."""

import numpy as np
import torch
from torch import nn

from ...constructions import MaxoutTransformer, SoftNetwork, gap_constant
from ...piecewise import MaxoutNetwork, regions_on_segment

__all__ = ["measured", "share_of_absolute", "silu_difference"]


def share_of_absolute() -> float:
    """Error over bound for the absolute value, at the distance from 0 where it is largest."""
    absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    t = MaxoutTransformer.from_network(absolute, (-1, 1), eps=1e-3)
    peak = (1 + float(gap_constant(2))) / (2 * t.inverse_temperatures[0])
    return float(np.abs(t([[peak]]) - peak).max() / t.error_bound())


def silu_difference(seed: int) -> float:
    """Largest difference of a ReLU network's transformer and its form with ``h sigmoid(rate h)``.

    A maximum of two pieces, 0 and ``h``, weighted by their softmax is exactly that (SiLU at rate
    1), so the transformer of a ReLU network is the same network with another activation.
    """
    rate, generator = 7.0, torch.Generator().manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    module = module.double().requires_grad_(False)
    for parameter in module.parameters():
        drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.copy_(drawn / 2)
    t = MaxoutTransformer.from_network(
        MaxoutNetwork.from_torch(module), (-1, 1), inverse_temperature=rate
    )
    x = torch.from_numpy(t.box.sample(500, seed))
    h = x
    for layer in module:
        h = h * torch.sigmoid(rate * h) if isinstance(layer, nn.ReLU) else layer(h)
    return float((t(x) - h).abs().max())


def measured(net: MaxoutNetwork, rates: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """Sup error at points placed where it peaks, its bound, and the mean error."""
    found = regions_on_segment(net, -2, 2)
    breaks = -2 + 4 * np.array([float(t) for t in found.breakpoints])
    slopes = np.array([float(s[0]) for s in found.slopes]) / 4
    gaps = np.maximum(np.abs(np.diff(slopes)), 0.1)
    grid = np.linspace(-2, 2, 100_001)[:, None]
    sup, bound, mean = [], [], []
    for rate in rates:
        soft = SoftNetwork(net, (rate,) * net.depth)
        near = breaks[:, None] + np.linspace(-3, 3, 121) / rate / gaps[:, None]
        x = np.clip(near.reshape(-1, 1), -2, 2)
        sup.append(float(np.abs(soft(x) - net(x)).max()))
        t = MaxoutTransformer.from_network(net, (-2, 2), inverse_temperature=float(rate))
        bound.append(t.error_bound())
        mean.append(float(np.abs(soft(grid) - net(grid)).mean()))
    return sup, bound, mean
