"""One layer of maxout units, each the maximum of its own number of affine pieces."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from ...core import checked
from ...core.arguments import shown
from ..errors import NetworkError
from .arraylike import as_real

__all__ = ["MaxoutLayer", "by_rank", "read_layer"]


@final
@dataclass(frozen=True, eq=False)
class MaxoutLayer:
    """``h[u] = max_j weight[u, j] @ x + bias[u, j]`` over ``j < ranks[u]``.

    Pieces at or beyond a unit's rank are zeros that nothing reads.
    """

    weight: Float[np.ndarray, "unit piece input"]
    bias: Float[np.ndarray, "unit piece"]
    ranks: Int[np.ndarray, " unit"]

    @property
    def width(self) -> int:
        """Number of units."""
        return int(self.weight.shape[0])

    @property
    def rank(self) -> int:
        """The largest rank of a unit."""
        return int(self.weight.shape[1])

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[2])

    @property
    def live(self) -> np.ndarray:
        """Bool ``[unit, piece]``: the piece exists."""
        live: np.ndarray = np.arange(self.rank) < self.ranks[:, None]
        return live

    @checked(NetworkError)
    def pieces(self, x: Float[np.ndarray, "point input"]) -> Float[np.ndarray, "point unit piece"]:
        """Values of every piece, ``-inf`` beyond a unit's rank.

        Raises:
            NetworkError: points of another number of inputs.
        """
        if x.shape[1] != self.n_inputs:
            raise NetworkError(f"inputs have shape [point, {self.n_inputs}]; received {x.shape}")
        flat = x @ self.weight.reshape(-1, self.n_inputs).T + self.bias.reshape(-1)
        z = flat.reshape(len(x), self.width, self.rank)
        return np.where(self.live, z, -np.inf)


def read_layer(weight: Any, bias: Any, name: str) -> MaxoutLayer:
    """Read arrays ``[unit, piece, input]`` and ``[unit, piece]``, or lists with one per unit.

    Raises:
        NetworkError: shapes that do not fit, rank 0, NaN or infinite entries.
    """
    weights, biases = _per_unit(weight, 2, f"{name} weights"), _per_unit(bias, 1, f"{name} biases")
    if len(weights) != len(biases):
        raise NetworkError(
            f"{name} has weights for {len(weights)} units and biases for {len(biases)}; "
            "give both per unit"
        )
    if not weights:
        raise NetworkError(f"{name} has no units; a layer needs at least one")
    inputs = weights[0].shape[1]
    for unit, (w, b) in enumerate(zip(weights, biases, strict=True)):
        if len(w) == 0:
            raise NetworkError(f"{name} unit {unit} has rank 0; a maximum needs a piece")
        if len(w) != len(b):
            raise NetworkError(
                f"{name} unit {unit} has {len(w)} pieces in the weights and {len(b)} in the biases"
            )
        if w.shape[1] != inputs:
            raise NetworkError(
                f"{name} unit {unit} reads {w.shape[1]} inputs and unit 0 reads {inputs}"
            )
    ranks = np.array([len(w) for w in weights], dtype=np.int64)
    padded = np.zeros((len(weights), int(ranks.max()), inputs))
    padded_bias = np.zeros(padded.shape[:2])
    for unit, (w, b) in enumerate(zip(weights, biases, strict=True)):
        padded[unit, : len(w)], padded_bias[unit, : len(w)] = w, b
    for array in (padded, padded_bias, ranks):
        array.setflags(write=False)
    return MaxoutLayer(padded, padded_bias, ranks)


def by_rank(padded: np.ndarray, ranks: np.ndarray) -> Any:
    """The array itself where all ranks agree, else one array per unit: both are read back alike."""
    if (ranks == padded.shape[1]).all():
        return padded
    return tuple(padded[unit, : int(rank)] for unit, rank in enumerate(ranks))


def _per_unit(given: Any, ndim: int, name: str) -> list[np.ndarray]:
    try:
        arrays = [as_real(row) for row in given]
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"{name} are not numbers in rows of equal length; received {shown(given)}"
        ) from error
    axes = "[unit, piece, input]" if ndim == 2 else "[unit, piece]"
    for unit, array in enumerate(arrays):
        if array.ndim != ndim:
            raise NetworkError(
                f"{name} have shape {axes}; unit {unit} received {array.ndim} axes, not {ndim}"
            )
        if not np.isfinite(array).all():
            raise NetworkError(f"{name} of unit {unit} hold NaN or infinite entries")
    return arrays
