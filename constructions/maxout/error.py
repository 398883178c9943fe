"""How far a soft maximum is from the maximum, and how that error travels through a network."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from scipy.special import lambertw

from ...core import LinrepError, checked
from ...core.arrays import as_numbers
from ...piecewise import MaxoutNetwork

__all__ = [
    "MaxoutError",
    "gap_constant",
    "inverse_temperatures",
    "norm_bound",
    "require_rates",
    "signed_bound",
]

Rates = Sequence[float] | np.ndarray


@final
class MaxoutError(LinrepError):
    """A maxout network cannot be written as the transformer asked for."""


@checked(MaxoutError)
def gap_constant(rank: int | np.ndarray) -> np.ndarray:
    """``C_p``: a softmax average of p values is at most ``C_p / lam`` below their maximum.

    ``C_p = W((p - 1) / e)`` with Lambert's W; attained where each of the others trails by
    ``(1 + C_p) / lam``, so no smaller constant holds. ``log p``, often quoted, is larger.

    Raises:
        MaxoutError: a rank below 1.

    >>> [round(float(gap_constant(p)), 6) for p in (1, 2, 3, 64)]
    [0.0, 0.278465, 0.463056, 2.30713]
    """
    if np.min(rank, initial=1) < 1:
        raise MaxoutError(f"a rank is at least 1; received {np.min(rank)}")
    argument: Any = (np.asarray(rank) - 1) / np.e
    return np.asarray(np.real(lambertw(argument)))


def require_rates(net: MaxoutNetwork, lam: Rates) -> None:
    """Refuse a number of inverse temperatures that is not the number of layers.

    Raises:
        MaxoutError: too few or too many, or one is not positive.
    """
    rates = as_numbers(lam, "inverse temperatures are numbers, one per layer", MaxoutError, ndim=1)
    wrong = ~((rates > 0) & np.isfinite(rates))
    if wrong.any():
        layer = int(np.argmax(wrong))
        raise MaxoutError(
            f"inverse temperatures are positive and finite; layer {layer + 1} received "
            f"{rates[layer]}"
        )
    if len(rates) != net.depth:
        raise MaxoutError(
            f"the network has {net.depth} layers and {len(rates)} inverse temperatures were given; "
            "give one number, or one per layer"
        )


@checked(MaxoutError)
def norm_bound(net: MaxoutNetwork, lam: Rates) -> float:
    """Bound on the sup error from norms alone: ``A_out sum_l C_l / lam_l prod_{k > l} A_k``.

    ``A`` is the largest l1 norm of a row. Never below :func:`signed_bound`.

    Raises:
        MaxoutError: not one temperature per layer.

    >>> absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    >>> round(norm_bound(absolute, [10.0]), 6)
    0.027846
    """
    require_rates(net, lam)
    shares = _layer_shares(net)
    return float(sum(c / rate for c, rate in zip(shares, lam, strict=True)))


@checked(MaxoutError)
def signed_bound(net: MaxoutNetwork, lam: Rates) -> tuple[np.ndarray, np.ndarray]:
    """Per output ``(lo, hi)`` with ``lo <= soft - exact <= hi``, for every input.

    A soft maximum is never above the maximum, so errors have a sign until weights mix them:
    ``lo' = min_j (W+ lo + W- hi) - C_p / lam``, ``hi' = max_j (W+ hi + W- lo)``, from (0, 0).
    The step uses that the *maximum* has Lipschitz constant 1; the soft average has not.

    Args:
        net: the network.
        lam: inverse temperature of each layer.

    Raises:
        MaxoutError: not one temperature per layer.

    >>> absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    >>> [round(float(end[0]), 6) for end in signed_bound(absolute, [10.0])]
    [-0.027846, 0.0]
    """
    require_rates(net, lam)
    low, high = np.zeros(net.n_inputs), np.zeros(net.n_inputs)
    for layer, rate in zip(net.layers, lam, strict=True):
        below, above = _through(layer.weight, low, high)
        below = np.where(layer.live, below, np.inf).min(axis=1)
        high = np.where(layer.live, above, -np.inf).max(axis=1)
        low = below - gap_constant(layer.ranks) / rate
    return _through(net.affine[0], low, high)


@checked(MaxoutError)
def inverse_temperatures(net: MaxoutNetwork, eps: float, split: str = "uniform") -> list[float]:
    """Inverse temperatures for which the signed bound is ``eps``.

    The bound is inversely proportional to a common factor of all temperatures, so the factor is
    exact. ``uniform``: one value for all layers (the smallest maximum); ``split``: every layer
    gets the same share of the norm bound; ``sqrt``: smallest sum of inverse temperatures.

    Args:
        net: the network.
        eps: largest sup error over all inputs, positive.
        split: how the layers share it.

    Raises:
        MaxoutError: ``eps`` is not positive or too small for float64, or ``split`` is none of the
            three.

    >>> absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    >>> round(inverse_temperatures(absolute, 0.1)[0], 5)
    2.78465
    """
    if not (np.isfinite(eps) and eps > 0):
        raise MaxoutError(f"eps is a positive error; received {eps}")
    shares = _layer_shares(net)
    # A layer without a share (rank 1, or nothing reads it) is exact at any temperature.
    shares = np.where(shares > 0, shares, float(shares.max()) or 1.0)
    shapes = {"uniform": np.ones_like(shares), "split": shares, "sqrt": np.sqrt(shares)}
    if split not in shapes:
        raise MaxoutError(f"split is one of {sorted(shapes)}; received {split!r}")
    shape = shapes[split] / shapes[split].max()
    low, high = signed_bound(net, list(shape))
    widest = float(np.abs([low, high]).max())
    if eps < 1.0 and widest > eps * np.finfo(float).max:
        raise MaxoutError(f"eps {eps:g} needs temperatures beyond float64; take a larger eps")
    factor = max(widest / eps, np.finfo(float).tiny)
    # A network whose maxima never matter (rank 1, or a zero read-out) is exact at any temperature.
    return [float(max(rate * factor, 1.0 if factor < 1e-300 else 0.0)) for rate in shape]


def _through(
    weight: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    positive, negative = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    return positive @ low + negative @ high, positive @ high + negative @ low


def _layer_shares(net: MaxoutNetwork) -> np.ndarray:
    """``c_l = A_out C_l prod_{k > l} A_k`` per layer, with the layer's largest rank."""
    gain = float(np.abs(net.affine[0]).sum(axis=1).max())
    shares = []
    for layer in reversed(net.layers):
        shares.append(gain * float(gap_constant(int(layer.ranks.max()))))
        gain *= float(np.abs(layer.weight).sum(axis=2).max())
    return np.array(shares[::-1])
