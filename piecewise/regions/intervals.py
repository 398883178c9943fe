"""Interval propagation: what every piece can reach on a box."""

import numpy as np

from ...core import checked
from ..errors import NetworkError
from ..networks.box import as_box
from ..networks.given import AnyNetwork, as_network

__all__ = ["hidden_intervals", "piece_intervals"]

Ends = tuple[np.ndarray, np.ndarray]


@checked(NetworkError)
def piece_intervals(net: AnyNetwork, box: object) -> list[Ends]:
    """Per layer ``(lo, hi)`` of every piece ``[unit, piece]`` over a box, by interval arithmetic.

    Guarantee: the true range lies inside (up to rounding of float64); it may be much smaller.
    Entries beyond a unit's rank are 0.

    Raises:
        BoxError: the box does not fit the network's inputs.
        NetworkError: values on it may be beyond float64.

    >>> from ..networks.families import tent
    >>> lo, hi = piece_intervals(tent(1), (0, 1))[0]
    >>> lo.tolist(), hi.tolist()
    ([[-1.0, -1.0]], [[1.0, 1.0]])
    """
    net = as_network(net)
    lo, hi = as_box(box, net.n_inputs).ends
    ends = []
    for layer in net.layers:
        with np.errstate(over="ignore", invalid="ignore"):  # looked at below
            centre, radius = (lo + hi) / 2, (hi - lo) / 2
            middle = layer.weight @ centre + layer.bias
            spread = np.abs(layer.weight) @ radius
            ends.append((middle - spread, middle + spread))
        if not all(np.isfinite(end).all() for end in ends[-1]):
            raise NetworkError(
                f"values of layer {len(ends)} may be beyond float64 (1.8e308) on this box: scale "
                "the weights down, or take a smaller box"
            )
        lo, hi = (np.where(layer.live, end, -np.inf).max(axis=1) for end in ends[-1])
    return ends


@checked(NetworkError)
def hidden_intervals(net: AnyNetwork, box: object) -> list[Ends]:
    """Per layer ``(lo, hi)`` of every unit ``[unit]`` over a box.

    Raises:
        BoxError: the box does not fit the network's inputs.
    """
    net = as_network(net)
    live = [layer.live for layer in net.layers]
    return [
        (np.where(on, lo, -np.inf).max(axis=1), np.where(on, hi, -np.inf).max(axis=1))
        for on, (lo, hi) in zip(live, piece_intervals(net, box), strict=True)
    ]
