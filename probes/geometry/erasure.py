"""Least-squares concept erasure (LEACE): no linear probe finds the concept afterwards.

Belrose et al. 2023 (arXiv:2306.03819), theorem 4.2, in the form ``P = Sxz (Szx Sxx^-1 Sxz)^+ Szx
Sxx^-1``; ``x`` becomes ``x - P (x - mean)``. It needs solves with as many right-hand sides as
there are classes, never an eigendecomposition of ``Sxx`` unless ``Sxx`` is singular.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float
from scipy import linalg

from ...core import Subspace, checked
from ...core.decompositions import eigh
from ..errors import ProbeError
from ..inputs.columns import common_scale, feature_matrix
from .statistics import Statistics

__all__ = ["Eraser"]

# One-hot labels make Szx Sxx^-1 Sxz singular; what lies below this share of its largest
# eigenvalue is rounding, in float32 activations as well.
TOLERANCE = 1e-5
# A concept of smaller multiple correlation with the activations is not there: 1 / sqrt(tokens),
# what chance gives, is larger for fewer than 10^12 tokens; rounding is smaller.
UNKNOWN = 1e-6
# Share of a coordinate's variance that rounding leaves when all of it is taken away.
EMPTY = 1e-12


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class Eraser:
    """The affine map that removes a concept and moves activations least.

    Args:
        left: ``[d_model, k]`` directions that are taken away (whitened back).
        right: ``[k, d_model]`` directions that are read.
        mean: ``[d_model]`` mean of the activations, unmoved by the map.
        emptied: ``[d_model]`` coordinates of which the map leaves nothing, as in constructed models
            that write a state into coordinates of its own: they become the mean itself, for what
            rounding leaves of them tells the class to any probe that standardises.

    Raises:
        ProbeError: sizes contradict each other.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 300)
    >>> X = rng.standard_normal((300, 4)) + y[:, None]
    >>> erased = Eraser.fit(X, y)(X)
    >>> gap = erased[y == 1].mean(0) - erased[y == 0].mean(0)
    >>> bool(np.abs(gap).max() < 1e-12)
    True
    """

    left: Float[np.ndarray, "d_model k"]
    right: Float[np.ndarray, "k d_model"]
    mean: Float[np.ndarray, " d_model"]
    emptied: Bool[np.ndarray, " d_model"]

    def __post_init__(self) -> None:
        d, k = self.left.shape
        shapes = [part.shape for part in (self.right, self.mean, self.emptied)]
        if shapes != [(k, d), (d,), (d,)] or self.emptied.dtype != bool:
            raise ProbeError(
                f"left [{d}, {k}] goes with right [{k}, {d}], a mean [{d}] and emptied [{d}] of "
                f"True and False; received shapes {shapes}, emptied of {self.emptied.dtype}"
            )

    @classmethod
    def fit(cls, X: npt.ArrayLike | Statistics, y: npt.ArrayLike | None = None) -> "Eraser":
        """Derive the map from activations and classes, or from their :class:`Statistics`.

        Args:
            X: ``[token, d_model]`` activations, or statistics (all their targets are erased).
            y: ``[token]`` classes, or ``[token, k]`` numbers.

        Raises:
            ProbeError: labels are missing, or the data are not finite.
        """
        if isinstance(X, Statistics):
            statistics = X
        elif y is None:
            raise ProbeError(
                "labels y are missing: give for each row of X the value that is to be erased"
            )
        else:
            features = feature_matrix(X)
            scale = common_scale(features, axis=0)
            if (scale != 1.0).any():  # erasure does not care for units
                found = cls.fit(features * scale, y)
                with np.errstate(over="ignore"):  # checked below
                    mean, left = found.mean / scale, found.left / scale[:, None]
                    right = found.right * scale
                if not all(np.isfinite(part).all() for part in (mean, left, right)):
                    raise ProbeError("features are too large or too small for float64: scale them")
                return cls(left, right, mean, found.emptied)
            statistics = Statistics.from_arrays(features, y)
        # P depends on the column space of Sxz alone. In a concept's own units a rare class, or a
        # number measured in large units, would fall below the tolerance: columns count alike.
        spread = np.sqrt(np.maximum(np.diag(statistics.scatter_zz), 0.0))
        still = 1e-12 * np.sqrt(statistics.n) * np.abs(statistics.mean_z)  # rounding of the mean
        cross = statistics.scatter_xz[:, spread > still] / spread[spread > still]
        solved = _solve(statistics.scatter_xx, cross)
        known = np.sqrt(np.maximum(np.einsum("ij,ij->j", cross, solved), 0.0))
        cross, solved = (
            part[:, known > UNKNOWN] / known[known > UNKNOWN] for part in (cross, solved)
        )
        inner = cross.T @ solved
        values, vectors = eigh(0.5 * (inner + inner.T))
        keep = values > TOLERANCE * values.max(initial=0.0)
        left = cross @ (vectors[:, keep] / values[keep])
        right = vectors[:, keep].T @ solved.T
        whole = np.diag(statistics.scatter_xx)
        taken = (left * (cross @ vectors[:, keep])).sum(axis=1)  # diagonal of P Sxx
        emptied = (whole > 0) & (whole - taken <= EMPTY * whole)
        return cls(left, right, statistics.mean_x, emptied)

    @property
    def subspace(self) -> Subspace:
        """The directions that are taken away, as a pattern."""
        return Subspace(self.left, "pattern", "range of the LEACE projection")

    @property
    def readout(self) -> Subspace:
        """The directions whose values decide what is taken away."""
        return Subspace(self.right.T, "readout", "row space of the LEACE projection")

    def __call__(self, X: npt.ArrayLike) -> np.ndarray:
        """Erase: ``[token, d_model]`` to ``[token, d_model]``, same dtype.

        Raises:
            ProbeError: another number of dimensions.
        """
        x = np.asarray(X)
        if x.ndim != 2 or x.shape[1] != len(self.mean) or x.dtype.kind not in "fiub":
            raise ProbeError(
                f"activations are numbers [token, {len(self.mean)}]; received {x.dtype} of shape "
                f"{x.shape}"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinite stay what they are
            erased = x - ((x - self.mean) @ self.right.T) @ self.left.T
        # Not where the input is off already: NaN stays NaN.
        erased[:, self.emptied] = self.mean[self.emptied] + 0.0 * erased[:, self.emptied]
        out: np.ndarray = erased.astype(x.dtype) if x.dtype.kind == "f" else erased
        return out


def _solve(scatter: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """``scatter^+ cross``: by Cholesky if the matrix is safely regular, else by eigenvalues."""
    d = len(scatter)
    scale = np.sqrt(np.maximum(np.diag(scatter), 0.0))
    if d and scale.min() > 0:
        # Unit diagonal first: coordinates of very different size do not make a matrix singular.
        try:
            unit = scatter / scale
            unit /= scale[:, None]
            factor = linalg.cholesky(unit.T, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            factor = None
        if factor is not None and np.diag(factor).min() ** 2 > 1e3 * d * np.finfo(np.float64).eps:
            whole: np.ndarray = linalg.cho_solve(
                (factor, True), cross / scale[:, None], check_finite=False
            )
            return whole / scale[:, None]
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = eigh(scatter / np.outer(scale, scale))
    keep = values > d * np.finfo(np.float64).eps * max(float(values[-1]), 0.0) if d else values > 0
    inside = vectors[:, keep].T @ (cross / scale[:, None]) / values[keep][:, None]
    solved: np.ndarray = (vectors[:, keep] @ inside) / scale[:, None]
    return solved
