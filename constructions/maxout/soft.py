"""The soft network by its own recursion, with its Jacobian: every maximum a softmax average."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core import checked
from ...core.arrays import as_numbers
from ...piecewise import MaxoutNetwork, PlaneRegions
from .error import MaxoutError, require_rates

__all__ = ["SoftNetwork", "confident_bracket", "n_confident", "n_resolved", "uniform"]


@final
@checked(MaxoutError)
@dataclass(frozen=True, eq=False)
class SoftNetwork:
    """What a maxout transformer computes, without the transformer.

    Args:
        net: the network.
        lam: inverse temperature of each layer.

    Raises:
        MaxoutError: not one temperature per layer.

    >>> absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    >>> SoftNetwork(absolute, (1000.0,))(np.array([[0.5]])).tolist()
    [[0.5]]
    """

    net: MaxoutNetwork
    lam: tuple[float, ...]

    def __post_init__(self) -> None:
        require_rates(self.net, self.lam)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs ``[point, output]``."""
        return self.resume(np.asarray(x, dtype=np.float64), 0)

    def resume(self, h: Float[np.ndarray, "point unit"], layer: int) -> np.ndarray:
        """Outputs from the activations ``[point, unit]`` of a layer (0: the inputs).

        Raises:
            MaxoutError: no such layer, or another number of units.
        """
        if not 0 <= layer <= self.net.depth:
            raise MaxoutError(f"layers are 0..{self.net.depth}; received {layer}")
        readout, bias = self.net.affine
        for z, weights in self._layers(h, layer):
            h = (weights * z).sum(axis=-1)
        if h.shape[1] != readout.shape[1]:
            raise MaxoutError(f"activations are [point, {readout.shape[1]}]; received {h.shape}")
        return np.asarray(h @ readout.T + bias)

    def hidden(self, x: Float[np.ndarray, "point input"]) -> list[np.ndarray]:
        """Per layer the soft activations ``[point, unit]``."""
        return [(weights * z).sum(axis=-1) for z, weights in self._layers(x)]

    def weights(self, x: Float[np.ndarray, "point input"]) -> list[np.ndarray]:
        """Per layer the softmax weights ``[point, unit, piece]``: the attention patterns."""
        return [weights for _, weights in self._layers(x)]

    def jacobian(self, x: Float[np.ndarray, "point input"]) -> np.ndarray:
        """``[point, output, input]``: ``dS/dz_j = a_j (1 + lam (z_j - S))``, chained."""
        chain = np.broadcast_to(np.eye(self.net.n_inputs), (len(x),) + 2 * (self.net.n_inputs,))
        for layer, rate, (z, weights) in zip(
            self.net.layers, self.lam, self._layers(x), strict=True
        ):
            soft = (weights * z).sum(axis=-1, keepdims=True)
            slope = weights * (1 + rate * (z - soft))
            mixed = np.einsum("nup,upi->nui", slope, layer.weight)
            chain = mixed @ chain
        return np.asarray(self.net.affine[0] @ chain)

    def _layers(self, x: np.ndarray, start: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per layer above ``start`` the pieces (0 where absent) and their softmax weights."""
        h, out = np.asarray(x, dtype=np.float64), []
        for layer, rate in zip(self.net.layers[start:], self.lam[start:], strict=True):
            z = layer.pieces(h)
            weights = np.exp(rate * (z - z.max(axis=-1, keepdims=True)))
            weights /= weights.sum(axis=-1, keepdims=True)
            z = np.where(layer.live, z, 0.0)
            out.append((z, weights))
            h = (weights * z).sum(axis=-1)
        return out


@checked(MaxoutError)
def n_resolved(soft: SoftNetwork, regions: PlaneRegions, rtol: float = 1e-3) -> int:
    """Exact cells whose affine map the soft network shows: Jacobians agree at an inner point.

    The soft network is smooth and has no regions; this count rises to the exact number of cells
    as temperatures fall. Clustering Jacobians of random points instead misses small cells.

    Args:
        soft: the soft network.
        regions: the exact cells, in a plane of its inputs.
        rtol: agreement asked for, relative to the largest slope.
    """
    directions = np.stack([np.asarray(regions.plane.u), np.asarray(regions.plane.v)], axis=1)
    found = soft.jacobian(regions.plane.points(regions.centres)) @ directions
    exact = regions.maps[:, :, :2]
    gap = np.abs(found - exact).max(axis=(1, 2))
    return int((gap <= rtol * max(1e-300, float(np.abs(exact).max()))).sum())


@checked(MaxoutError)
def n_confident(soft: SoftNetwork, points: Float[np.ndarray, "point input"], tau: float) -> int:
    """Points at which every head gives one piece a weight above ``1 - tau``.

    Raises:
        MaxoutError: ``tau`` is no share.
    """
    _require_share(tau)
    least = np.min([w.max(axis=-1).min(axis=-1) for w in soft.weights(points)], axis=0)
    return int((least > 1 - tau).sum())


@checked(MaxoutError)
def confident_bracket(
    net: MaxoutNetwork, points: np.ndarray, lam: float, tau: float
) -> tuple[int, int]:
    """Between how many of the points :func:`n_confident` lies, from exact margins alone.

    With p pieces, a margin above ``log((p - 1)(1 - tau)/tau)/lam`` suffices and one above
    ``log((1 - tau)/tau)/lam`` is needed. Margins are those of the exact network, so a soft error
    of the layers below can blur the bracket by as much.

    Raises:
        MaxoutError: ``tau`` is no share, or the inverse temperature not positive.
    """
    _require_share(tau)
    if not lam > 0:
        raise MaxoutError(f"an inverse temperature is positive; received {lam}")
    margin = net.margin(points)
    rank = max(max(ranks) for ranks in net.ranks)
    odds = (1 - tau) / tau
    enough, needed = np.log(max(rank - 1, 1) * odds) / lam, np.log(odds) / lam
    return int((margin > enough).sum()), int((margin > needed).sum())


def _require_share(tau: float) -> None:
    """Refuse what is no share.

    Raises:
        MaxoutError: it does not lie between 0 and 1.
    """
    if not 0 < tau < 1:
        raise MaxoutError(f"tau lies between 0 and 1; received {tau}")


def uniform(net: MaxoutNetwork, lam: float | Sequence[float] | np.ndarray) -> tuple[float, ...]:
    """One inverse temperature per layer, from one number or several.

    Raises:
        MaxoutError: not numbers.
    """
    rates = as_numbers(lam, "inverse temperatures are one number, or one per layer", MaxoutError)
    return (float(rates),) * net.depth if rates.ndim == 0 else tuple(rates.ravel().tolist())
