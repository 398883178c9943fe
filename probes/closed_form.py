"""Discriminants and ridge regression for any number of targets from one rotated matrix.

The rotation makes the scatter diagonal, so each target costs its class sums and a solve of the
size of its classes; every control is a few more columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from .errors import ProbeError
from .features import Rotation
from .labels import one_hot

__all__ = ["RidgeFit", "as_path", "class_sums", "lda_weights", "oracle_shrinkage", "ridge_weights"]

ROWS = 4096


@final
@dataclass(frozen=True, eq=False)
class RidgeFit:
    """Least squares onto class indicators with the penalty that leave-one-out prefers.

    Args:
        weights: ``[class, feature]``.
        intercepts: ``[class]``.
        alpha: the penalty chosen.
        loo: mean squared leave-one-out error for each penalty of the path, exact.
    """

    weights: Float[np.ndarray, "class feature"]
    intercepts: Float[np.ndarray, " class"]
    alpha: float
    loo: Float[np.ndarray, " alpha"]


def class_sums(
    features: Float[np.ndarray, "token feature"],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int]],
) -> list[Float[np.ndarray, "class feature"]]:
    """Sum of the features in each class of each problem: one pass, all columns together."""
    widths = [n for _, n in problems]
    total = np.zeros((sum(widths), features.shape[1]))
    for start in range(0, len(features), ROWS):
        rows = slice(start, start + ROWS)
        columns = np.hstack([one_hot(codes[rows], n) for codes, n in problems])
        total += columns.T.astype(features.dtype) @ features[rows]
    return np.split(total, np.cumsum(widths)[:-1]) if widths else []


def oracle_shrinkage(trace: float, square: float, d: int, n: int) -> float:
    """Oracle-approximating shrinkage of a covariance (Chen et al. 2010, arXiv:0907.4698, eq. 23).

    Args:
        trace: of the covariance.
        square: trace of its square.
        d: dimensions.
        n: examples.
    """
    d = max(d, 1)  # without dimensions there is nothing to shrink: any answer will do
    top = (1 - 2 / d) * square + trace**2
    bottom = (n + 1 - 2 / d) * (square - trace**2 / d)
    return 1.0 if bottom <= 0 else float(min(1.0, top / bottom))


def lda_weights(
    features: Float[np.ndarray, "token feature"],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int]],
    rotation: Rotation,
    shrinkage: float | None = None,
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Linear discriminants: weights ``[class, feature]``, intercepts, shrinkage, per problem.

    The covariance inside the classes is shrunk towards a multiple of the identity of the
    standardised space, as scikit-learn's ``lsqr`` solver does. It is diagonal minus low rank,
    so its inverse comes from a matrix of the size of the classes (Woodbury).

    Raises:
        ProbeError: shrinkage lies outside 0..1.
    """
    if shrinkage is not None and not 0.0 <= shrinkage <= 1.0:
        raise ProbeError(f"shrinkage lies in 0..1, or is None; received {shrinkage!r}")
    found = []
    for (codes, n_classes), sums in zip(problems, class_sums(features, problems), strict=True):
        counts = np.bincount(codes, minlength=n_classes).astype(np.float64)
        shares = counts / len(codes)
        means = sums / np.maximum(counts, 1.0)[:, None]
        scaled = np.sqrt(shares)[:, None] * means
        found.append(_discriminant(means, scaled, shares, rotation, shrinkage))
    return found


def _discriminant(
    means: np.ndarray,
    scaled: np.ndarray,
    shares: np.ndarray,
    rotation: Rotation,
    shrinkage: float | None,
) -> tuple[np.ndarray, np.ndarray, float]:
    total, d = rotation.variances, len(rotation.mean)
    trace = float(total.sum() - np.square(scaled).sum())
    if shrinkage is None:
        square = float(
            np.square(total).sum()
            - 2 * (np.square(scaled) @ total).sum()
            + np.square(scaled @ scaled.T).sum()
        )
        shrinkage = oracle_shrinkage(max(trace, 0.0), max(square, 0.0), d, rotation.n)
    diagonal = (1 - shrinkage) * total + shrinkage * max(trace, 0.0) / d
    # Classes without any spread have no metric: a floor keeps their discriminant finite.
    diagonal = np.maximum(diagonal, 1e-12 * max(float(total.max(initial=0.0)), 1e-300))
    inner = scaled / diagonal
    core = np.eye(len(shares)) - (1 - shrinkage) * inner @ scaled.T
    values, vectors = np.linalg.eigh(0.5 * (core + core.T))
    values = np.maximum(values, 1e-10)
    direct = means / diagonal
    mixed = (direct @ scaled.T) @ (vectors / values) @ vectors.T
    weights = direct + (1 - shrinkage) * mixed @ inner
    with np.errstate(divide="ignore"):
        intercepts = np.log(shares) - 0.5 * (weights * means).sum(axis=1)
    return weights, intercepts, float(shrinkage)


def as_path(alphas: object) -> Float[np.ndarray, " alpha"]:
    """Penalties as a vector.

    Raises:
        ProbeError: they are no list of finite numbers, one is negative, or there is none.
    """
    path = np.asarray(alphas)
    usable = path.ndim == 1 and len(path) > 0 and path.dtype.kind in "fiu"
    if not (usable and np.isfinite(path).all() and (path >= 0).all()):
        raise ProbeError(
            f"alphas are a list of finite numbers, none of them negative; received {alphas!r}"
        )
    return path.astype(np.float64)


def ridge_weights(
    features: Float[np.ndarray, "token feature"],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int]],
    rotation: Rotation,
    alphas: Sequence[float],
    like: Sequence[int | None] | None = None,
) -> list[RidgeFit]:
    """Ridge regression onto indicators, penalty by exact leave-one-out over a path.

    ``error_i / (1 - h_i)`` is the error on row ``i`` of the fit without it (Allen 1974); mean and
    scale of the standardisation stay those of all training rows.

    Args:
        features: rotated training rows.
        problems: codes and number of classes.
        rotation: how the features were made.
        alphas: penalties compared.
        like: per problem the index of an earlier one whose penalty it takes, as controls do:
            then it costs its class sums only, and its ``loo`` is empty.

    Raises:
        ProbeError: a penalty is negative or not finite, or there is none.
    """
    n, path = len(features), as_path(alphas)
    inverse = 1.0 / np.maximum(rotation.variances[:, None] * n + path[None, :], 1e-300)
    leverage = 1.0 / n + np.square(features) @ inverse.astype(features.dtype)
    shrink = np.square(1.0 / np.maximum(1.0 - leverage.astype(np.float64), 1e-12))
    fits: list[RidgeFit] = []
    chosen: list[int] = []
    for index, sums in enumerate(class_sums(features, problems)):
        codes, n_classes = problems[index]
        shares = np.bincount(codes, minlength=n_classes) / n
        model = None if like is None else like[index]
        errors = np.zeros(0)
        if model is None:
            errors = _loo(features, one_hot(codes, n_classes) - shares, sums, inverse, shrink)
        chosen.append(int(np.argmin(errors)) if model is None else chosen[model])
        best = chosen[-1]
        fits.append(RidgeFit(sums * inverse[:, best], shares, float(path[best]), errors))
    return fits


def _loo(
    features: np.ndarray,
    targets: np.ndarray,
    sums: np.ndarray,
    inverse: np.ndarray,
    shrink: np.ndarray,
) -> np.ndarray:
    """Mean squared leave-one-out error of each penalty: one product for the whole path."""
    weights = sums[:, :, None] * inverse[None]  # [class, feature, alpha]
    width = inverse.shape[1] * len(sums)
    stacked = weights.transpose(1, 2, 0).reshape(features.shape[1], width).astype(features.dtype)
    errors = np.zeros(inverse.shape[1])
    for start in range(0, len(features), ROWS):
        rows = slice(start, start + ROWS)
        here = features[rows]
        fitted = (here @ stacked).reshape(len(here), len(errors), len(sums))
        squares = np.square(targets[rows][:, None, :] - fitted).sum(axis=2)
        errors += (squares * shrink[rows]).sum(axis=0)
    out: np.ndarray = errors / len(features)
    return out
