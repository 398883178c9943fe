"""Standardised features, rotated to the eigenbasis of their own scatter.

In that basis the scatter is diagonal: closed forms become divisions, the logistic
preconditioner becomes elementwise, and directions that carry nothing are dropped.
An L2 penalty does not see the rotation, so objectives are unchanged.
"""

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from jaxtyping import Float

from ...core.products import NUMPY, Products
from ..errors import ProbeError
from ..inputs.blocks import Blocks
from .moments import Moments, standardised

__all__ = ["Rotation"]


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
    def fit(cls, X: np.ndarray | Blocks, *, standardize: bool = True) -> "Rotation":
        """Learn mean, scale and axes from ``[token, d_model]`` rows.

        Raises:
            ProbeError: no rows, no dimensions, or a value is not finite.
        """
        blocks = X if isinstance(X, Blocks) else Blocks(X)
        return cls.of(Moments.of(blocks), standardize=standardize)

    @classmethod
    def of(
        cls, moments: Moments, *, standardize: bool = True, products: Products = NUMPY
    ) -> "Rotation":
        """From the moments of the training rows.

        Raises:
            ProbeError: squares of the features overflow or vanish.
        """
        n, low, high, unit = moments.n, moments.low, moments.high, moments.unit
        kind = (
            np.float32 if moments.dtype in (np.float32, np.float16) else np.float64
        )  # of products
        if not standardize and np.maximum(high, -low).max() > np.sqrt(np.finfo(kind).max):
            raise ProbeError("activations are so large that their squares overflow: divide them")
        if not standardize and 0.0 < (high - low).max() < np.sqrt(np.finfo(kind).tiny):
            raise ProbeError("activations are so small that their squares vanish: multiply them")
        mean = moments.mean
        spread = np.sqrt(np.maximum(np.diag(moments.scatter), 0.0))
        # A feature whose spread is the rounding of its own mean does not vary.
        floating = moments.dtype.kind == "f"
        noise = 4 * np.finfo(moments.dtype).eps * np.abs(mean) if floating else 0.0
        constant = unit * spread <= noise
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            if standardize:
                unit, scale = (
                    np.where(constant, 1.0, spread),
                    np.where(constant, 1.0, unit * spread),
                )
            else:
                unit, scale = 1.0 / unit, np.ones(len(spread))
            scatter = moments.scatter / unit
            scatter /= unit[:, None]
        scatter[constant] = 0.0
        scatter[:, constant] = 0.0
        if not np.isfinite(scatter).all():
            raise ProbeError("activations are so large that their squares overflow: divide them")
        variances, axes = products.eigh(scatter)
        # Eigenvalues below this are rounding of the largest one.
        floor = len(mean) * np.finfo(np.float64).eps * max(variances[-1], 0.0)
        keep = np.flatnonzero(variances > floor)[::-1][: max(n - 1, 0)]
        return cls(mean, scale, np.ascontiguousarray(axes[:, keep]), variances[keep], n)

    def leading(self, count: int) -> "Rotation":
        """The same with the features of largest variance only."""
        axes = np.ascontiguousarray(self.axes[:, :count])
        return replace(self, axes=axes, variances=self.variances[:count])

    def __call__(self, X: np.ndarray | Blocks, products: Products = NUMPY) -> np.ndarray:
        """Rotate rows: ``[token, d_model]`` to ``[token, feature]``, same precision as ``X``.

        Raises:
            ProbeError: a value is not finite.
        """
        blocks = X if isinstance(X, Blocks) else Blocks(X)
        dtype = self.kind(blocks.dtype)
        out = np.empty((len(blocks), len(self.variances)), dtype)
        precision = products.precision(dtype)
        axes = products.put(self.axes.astype(precision))
        for here, rows in standardised(blocks, self.mean, self.scale, products, checked=False):
            products.multiply(products.cast(rows, precision), axes, out[here])
        return out

    @staticmethod
    def kind(dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Precision of rotated rows.

        Rows are centred and scaled in float64; a product in float32 adds rounding of the same size
        as that of the float32 values themselves, and takes half the time.
        """
        return dtype if dtype in (np.float32, np.float64) else np.dtype(np.float32)

    def directions(self, rotated: np.ndarray) -> Float[np.ndarray, "d_model k"]:
        """Movements in rotated coordinates as movements of activations (patterns)."""
        moved: np.ndarray = self.scale[:, None] * (self.axes @ rotated)
        return moved

    def readers(self, rotated: np.ndarray) -> Float[np.ndarray, "d_model k"]:
        """Weights on rotated coordinates as weights on activations (readouts)."""
        weights: np.ndarray = (self.axes @ rotated) / self.scale[:, None]
        return weights
