"""Standardised features, rotated to the eigenbasis of their own scatter.

In that basis the scatter is diagonal: closed forms become divisions, the logistic
preconditioner becomes elementwise, and directions that carry nothing are dropped.
An L2 penalty does not see the rotation, so objectives are unchanged.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core.decompositions import eigh
from ..errors import ProbeError

__all__ = ["Rotation"]

ROWS = 4096
LARGEST = 1e290  # sums of larger numbers do not fit float64


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """``z = ((x - mean) / scale) @ axes``, learned on training rows only.

    Args:
        mean: ``[d_model]``.
        scale: ``[d_model]`` standard deviations, 1 for features that do not vary.
        axes: ``[d_model, feature]`` orthonormal, by falling variance.
        variances: ``[feature]`` mean square of each rotated feature on the training rows.
        n: training rows.
    """

    mean: Float[np.ndarray, " d_model"]
    scale: Float[np.ndarray, " d_model"]
    axes: Float[np.ndarray, "d_model feature"]
    variances: Float[np.ndarray, " feature"]
    n: int

    @classmethod
    def fit(cls, X: np.ndarray, *, standardize: bool = True) -> "Rotation":
        """Learn mean, scale and axes from ``[token, d_model]`` rows.

        Raises:
            ProbeError: no rows, no dimensions, or a value is not finite.
        """
        n = len(X)
        if n == 0:
            raise ProbeError("no training rows: nothing can be learned from no examples")
        if X.shape[1] == 0:
            raise ProbeError("activations have no dimensions: [token, 0]")
        low, high = _edges(X)
        kind = np.float32 if X.dtype in (np.float32, np.float16) else np.float64  # of products
        if not standardize and np.maximum(high, -low).max() > np.sqrt(np.finfo(kind).max):
            raise ProbeError("activations are so large that their squares overflow: divide them")
        if not standardize and 0.0 < (high - low).max() < np.sqrt(np.finfo(kind).tiny):
            raise ProbeError("activations are so small that their squares vanish: multiply them")
        mean = X.mean(axis=0, dtype=np.float64)
        unit = np.where(high > low, high - low, 1.0)  # squares neither overflow nor vanish
        scatter, drift = np.zeros((X.shape[1], X.shape[1])), np.zeros(X.shape[1])
        room = np.empty((min(n, ROWS), X.shape[1]))
        for start in range(0, n, ROWS):
            here = X[start : start + ROWS]
            rows = np.subtract(here, mean, out=room[: len(here)])
            rows /= unit
            scatter += rows.T @ rows
            drift += rows.sum(axis=0)
        # The mean was off by rounding, which beside a large mean is no small spread.
        drift /= n
        mean += unit * drift
        scatter = scatter / n - np.outer(drift, drift)
        spread = np.sqrt(np.maximum(np.diag(scatter), 0.0))
        # A feature whose spread is the rounding of its own mean does not vary.
        noise = 4 * np.finfo(X.dtype).eps * np.abs(mean) if X.dtype.kind == "f" else 0.0
        constant = unit * spread <= noise
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            if standardize:
                unit, scale = (
                    np.where(constant, 1.0, spread),
                    np.where(constant, 1.0, unit * spread),
                )
            else:
                unit, scale = 1.0 / unit, np.ones(len(spread))
            scatter /= unit
            scatter /= unit[:, None]
        scatter[constant] = 0.0
        scatter[:, constant] = 0.0
        if not np.isfinite(scatter).all():
            raise ProbeError("activations are so large that their squares overflow: divide them")
        variances, axes = eigh(scatter)
        # Eigenvalues below this are rounding of the largest one.
        floor = X.shape[1] * np.finfo(np.float64).eps * max(variances[-1], 0.0)
        keep = np.flatnonzero(variances > floor)[::-1][: max(n - 1, 0)]
        return cls(mean, scale, np.ascontiguousarray(axes[:, keep]), variances[keep], n)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Rotate rows: ``[token, d_model]`` to ``[token, feature]``, same precision as ``X``.

        Raises:
            ProbeError: a value is not finite.
        """
        if len(X):
            _edges(X)
        dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.dtype(np.float32)
        out = np.empty((len(X), len(self.variances)), dtype)
        axes = self.axes.astype(dtype)
        room = np.empty((min(len(X), ROWS), X.shape[1]))
        narrow = room if dtype == room.dtype else np.empty(room.shape, dtype)
        for start in range(0, len(X), ROWS):
            # Centred and scaled in float64; a product in float32 adds rounding of the same size
            # as that of the float32 values themselves, and takes half the time.
            here = X[start : start + ROWS]
            rows, ready = room[: len(here)], narrow[: len(here)]
            np.subtract(here, self.mean, out=rows)
            np.divide(rows, self.scale, out=ready, casting="same_kind")
            np.matmul(ready, axes, out=out[start : start + ROWS])
        return out

    def directions(self, rotated: np.ndarray) -> Float[np.ndarray, "d_model k"]:
        """Movements in rotated coordinates as movements of activations (patterns)."""
        moved: np.ndarray = self.scale[:, None] * (self.axes @ rotated)
        return moved

    def readers(self, rotated: np.ndarray) -> Float[np.ndarray, "d_model k"]:
        """Weights on rotated coordinates as weights on activations (readouts)."""
        weights: np.ndarray = (self.axes @ rotated) / self.scale[:, None]
        return weights


def _edges(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value of each feature, in float64, refused where a value is not finite.

    This comes before any arithmetic: whether a product with an infinite value warns depends on
    the processor. A minimum and a maximum need no copy of the rows, and carry NaN along.

    Raises:
        ProbeError: a value is not finite, or sums of such values would not be.
    """
    with np.errstate(over="ignore"):  # wider numbers that float64 does not hold are refused below
        low, high = (edge(X, axis=0).astype(np.float64) for edge in (np.min, np.max))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ProbeError(
            "activations hold NaN or infinite values: drop those tokens, or capture again in "
            "a wider dtype"
        )
    if max(high.max(initial=0.0), -low.min(initial=0.0)) > LARGEST:
        raise ProbeError(f"activations beyond {LARGEST:g}: their sums overflow, divide them")
    return low, high
