"""Maxout networks: validated at birth, immutable, evaluated in float64 or exactly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ...core import checked
from ...core.arguments import shown
from ..errors import NetworkError
from .arraylike import ArrayLike, as_real, within_floats
from .exact import evaluate
from .interpolate import cpwl_parts, max_min_parts
from .layer import MaxoutLayer, by_rank, read_layer
from .random import random_parts
from .sizes import Whole, Wholes
from .storage import read_archive, read_arrays

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MaxoutNetwork"]


@final
@checked(NetworkError)
@dataclass(frozen=True, eq=False, repr=False)
class MaxoutNetwork:
    """``f(x) = readout @ h_L + readout_bias``, ``h_l[u] = max_j W_l[u, j] @ h_{l-1} + b_l[u, j]``.

    ReLU, leaky ReLU, absolute value and max-pooling are maxout units of rank 2 (or of the pool's
    size), exactly: see :meth:`from_torch`.

    Args:
        weights: per layer an array ``[unit, piece, input]``, or a list with one array
            ``[piece, input]`` per unit where ranks differ.
        biases: per layer an array ``[unit, piece]``, or a list with one array ``[piece]`` per unit.
        readout: ``[output, unit]``.
        readout_bias: ``[output]``; zeros if not given.

    Raises:
        NetworkError: shapes that do not chain, rank 0, no layer, NaN or infinite entries.

    >>> absolute = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    >>> absolute(np.array([[-3.0], [2.0]])).tolist()
    [[3.0], [2.0]]
    """

    weights: Sequence[Any]
    biases: Sequence[Any]
    readout: ArrayLike
    readout_bias: ArrayLike | None = None
    layers: tuple[MaxoutLayer, ...] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.biases) or not len(self.weights):
            raise NetworkError(
                f"received weights for {len(self.weights)} layers and biases for "
                f"{len(self.biases)}; give both for each of at least one layer"
            )
        pairs = zip(self.weights, self.biases, strict=True)
        layers = tuple(read_layer(w, b, f"layer {i}") for i, (w, b) in enumerate(pairs, 1))
        for i, (below, above) in enumerate(zip(layers, layers[1:], strict=False), 1):
            if above.n_inputs != below.width:
                raise NetworkError(
                    f"layer {i + 1} reads {above.n_inputs} inputs and layer {i} has {below.width} "
                    "units; the two must be equal"
                )
        readout, bias = _read_readout(self.readout, self.readout_bias, layers[-1].width)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "weights", tuple(by_rank(x.weight, x.ranks) for x in layers))
        object.__setattr__(self, "biases", tuple(by_rank(x.bias, x.ranks) for x in layers))
        object.__setattr__(self, "readout", readout)
        object.__setattr__(self, "readout_bias", bias)

    @property
    def affine(self) -> tuple[np.ndarray, np.ndarray]:
        """The read-out ``(V [output, unit], c [output])``."""
        return np.asarray(self.readout), np.asarray(self.readout_bias)

    @property
    def n_inputs(self) -> int:
        """Number of inputs, ``n_0``."""
        return self.layers[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return int(self.affine[0].shape[0])

    @property
    def depth(self) -> int:
        """Number of maxout layers, ``L``."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def ranks(self) -> tuple[tuple[int, ...], ...]:
        """Pieces of each unit of each layer."""
        return tuple(tuple(int(r) for r in layer.ranks) for layer in self.layers)

    @property
    def n_parameters(self) -> int:
        """Numbers that define the network, padding not counted."""
        hidden = sum(int(x.ranks.sum()) * (x.n_inputs + 1) for x in self.layers)
        return hidden + self.n_outputs * (self.widths[-1] + 1)

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Outputs ``[point, output]`` at ``x`` ``[point, input]``, in float64.

        Raises:
            NetworkError: ``x`` has another shape or is not finite, or an output is beyond float64.
        """
        readout, bias = self.affine
        h = self._points(x)
        with np.errstate(over="ignore", invalid="ignore"):  # looked at below, whatever the BLAS
            for layer in self.layers:
                h = layer.pieces(h).max(axis=-1)
            y: np.ndarray = h @ readout.T + bias
        return within_floats(y, "an output")

    def pieces(self, x: ArrayLike) -> list[np.ndarray]:
        """Per layer the values of all pieces ``[point, unit, piece]``, ``-inf`` beyond a rank.

        Raises:
            NetworkError: ``x`` has another shape or is not finite, or a value is beyond float64.
        """
        h, values = self._points(x), []
        for number, layer in enumerate(self.layers, 1):
            with np.errstate(over="ignore", invalid="ignore"):
                z = layer.pieces(h)
            within_floats(z[:, layer.live], f"a piece of layer {number}")
            values.append(z)
            h = z.max(axis=-1)
        return values

    def pattern(self, x: ArrayLike) -> list[np.ndarray]:
        """Per layer the active piece of each unit ``[point, unit]``; the first one in a tie."""
        return [z.argmax(axis=-1) for z in self.pieces(x)]

    def margin(self, x: ArrayLike) -> np.ndarray:
        """Smallest gap between the two best pieces over all units: ``[point]``, 0 at a tie.

        Units of rank 1 have no gap and are skipped; ``inf`` if every unit has rank 1.
        """
        gaps = [np.full(len(self._points(x)), np.inf)]
        for z in self.pieces(x):
            if z.shape[-1] > 1:
                top = np.partition(z, -2, axis=-1)[..., -2:]
                gaps.append((top[..., 1] - top[..., 0]).min(axis=-1))
        smallest: np.ndarray = np.min(gaps, axis=0)
        return smallest

    def exact(self, x: Iterable[ArrayLike]) -> tuple[Fraction, ...]:
        """Outputs at one input, without rounding (a float is a dyadic fraction).

        Raises:
            NetworkError: the input has the wrong length, or is not finite.

        >>> tent = MaxoutNetwork([[[[2.0], [-2.0]]]], [[[-1.0, 1.0]]], [[-1.0]], [1.0])
        >>> tent.exact([Fraction(1, 3)])
        (Fraction(2, 3),)
        """
        return evaluate(self.layers, self.affine, list(x))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All parameters by name, padded, with the ranks: what :meth:`save` writes."""
        readout, bias = self.affine
        arrays = {"readout": readout, "readout_bias": bias}
        for i, layer in enumerate(self.layers):
            arrays |= {
                f"weight_{i}": layer.weight,
                f"bias_{i}": layer.bias,
                f"ranks_{i}": layer.ranks,
            }
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "MaxoutNetwork":
        """Inverse of :meth:`to_arrays`.

        Raises:
            NetworkError: a name is missing, or shapes or ranks do not fit.
        """
        return cls(*read_arrays(arrays))

    def save(self, path: str | Path) -> None:
        """Write the parameters as an ``.npz`` archive (no pickle).

        Raises:
            NetworkError: the file cannot be written.
        """
        try:
            with Path(path).open("wb") as file:
                np.savez(file, allow_pickle=False, **self.to_arrays())
        except OSError as error:
            raise NetworkError(f"{path} cannot be written: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: str | Path) -> "MaxoutNetwork":
        """Read what :meth:`save` wrote.

        Raises:
            NetworkError: the file is missing or is no archive of a network.
        """
        return cls(*read_arrays(read_archive(path)))

    @classmethod
    def from_torch(cls, module: "nn.Module") -> "MaxoutNetwork":
        """Read a ``torch.nn.Sequential`` of affine and max-type layers; see :func:`torch_parts`."""
        from .from_torch import torch_parts  # torch loads when it is asked for

        return cls(*torch_parts(module))

    @classmethod
    def from_cpwl(cls, x: ArrayLike, y: ArrayLike) -> "MaxoutNetwork":
        """The interpolant of points on a line; see :func:`from_cpwl`."""
        return cls(*cpwl_parts(x, y))

    @classmethod
    def from_max_min(cls, groups: Sequence[tuple[ArrayLike, ArrayLike]]) -> "MaxoutNetwork":
        """A maximum of minima of affine functions; see :func:`from_max_min`."""
        return cls(*max_min_parts(groups))

    @classmethod
    def random(
        cls,
        n_inputs: Whole,
        widths: Wholes,
        rank: Wholes = 2,
        n_outputs: Whole = 1,
        *,
        seed: Whole = 0,
    ) -> "MaxoutNetwork":
        """Independent normal weights; see :func:`random_network`."""
        return cls(*random_parts(n_inputs, widths, rank, n_outputs, seed))

    def _points(self, x: ArrayLike) -> np.ndarray:
        points = _array(x, "inputs")
        if points.ndim != 2 or points.shape[1] != self.n_inputs:
            raise NetworkError(
                f"inputs have shape [point, {self.n_inputs}]; received {points.shape}"
            )
        if not np.isfinite(points).all():
            raise NetworkError("inputs must be finite; received NaN or infinite entries")
        return points

    def __repr__(self) -> str:
        shape = "-".join(str(n) for n in (self.n_inputs, *self.widths, self.n_outputs))
        ranks = sorted({r for layer in self.ranks for r in layer})
        return f"MaxoutNetwork({shape}, ranks {ranks}, {self.n_parameters} parameters)"


def _array(given: Any, name: str) -> np.ndarray:
    try:
        return as_real(given)
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"{name} are not numbers in rows of equal length; received {shown(given)}"
        ) from error


def _read_readout(readout: Any, bias: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    v = _array(readout, "the readout's entries")
    if v.ndim != 2 or v.shape[0] == 0:
        raise NetworkError(f"the readout has shape [output, unit]; received {v.shape}")
    if v.shape[1] != width:
        raise NetworkError(
            f"the readout reads {v.shape[1]} units and the last layer has {width}; "
            "the two must be equal"
        )
    c = np.zeros(len(v)) if bias is None else _array(bias, "the readout's biases")
    if c.shape != (len(v),):
        raise NetworkError(f"the readout has {len(v)} outputs and a bias of shape {c.shape}")
    if not (np.isfinite(v).all() and np.isfinite(c).all()):
        raise NetworkError("the readout holds NaN or infinite entries: give finite numbers")
    for array in (v, c):
        array.setflags(write=False)
    return v, c
