"""Errors of soft networks, measured where they are largest."""

import numpy as np

from ..constructions import MaxoutTransformer, SoftNetwork, gap_constant
from ..piecewise import MaxoutNetwork, regions_on_segment

__all__ = ["measured", "share_of_absolute"]


def share_of_absolute() -> float:
    """Error over bound for the absolute value, at the distance from 0 where it is largest."""
    absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    t = MaxoutTransformer.from_network(absolute, (-1, 1), eps=1e-3)
    peak = (1 + float(gap_constant(2))) / (2 * t.inverse_temperatures[0])
    return float(np.abs(t([[peak]]) - peak).max() / t.error_bound())


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
