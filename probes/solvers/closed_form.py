"""Discriminants and ridge regression for any number of targets from one rotated matrix.

The rotation makes the scatter diagonal, so each target costs its class sums, which both forms
share, and a solve of the size of its classes; every control is a few more columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...core.decompositions import eigh
from ..errors import ProbeError
from ..inputs.reading import as_array
from .features import Features
from .rotation import Rotation

__all__ = [
    "FREEDOM",
    "RidgeFit",
    "as_path",
    "lda_weights",
    "oracle_shrinkage",
    "preferred",
    "ridge_weights",
]

FREEDOM = 64  # times the rounding unit: what is left of a row's freedom below this is rounding
ROWS = 1024  # rows and their fitted values stay in the processor's cache


@final
@dataclass(frozen=True, eq=False)
class RidgeFit:
    """Least squares onto class indicators with the penalty that leave-one-out prefers.

    Args:
        weights: ``[class, feature]``.
        intercepts: ``[class]``.
        alpha: the penalty chosen.
        loo: mean squared leave-one-out error for each penalty of the path, exact; infinite where
            a row determines its own fitted value.
    """

    weights: Float[np.ndarray, "class feature"]
    intercepts: Float[np.ndarray, " class"]
    alpha: float
    loo: Float[np.ndarray, " alpha"]


def oracle_shrinkage(trace: float, square: float, d: int, n: int) -> float:
    """Oracle-approximating shrinkage of a covariance (Chen et al. 2010, arXiv:0907.4698, eq. 23).

    Args:
        trace: of the covariance.
        square: trace of its square.
        d: dimensions.
        n: examples.
    """
    if d < 2:  # one dimension is isotropic as it is, and the formula is 0 / 0: any answer will do
        return 1.0
    top = (1 - 2 / d) * square + trace**2
    bottom = (n + 1 - 2 / d) * (square - trace**2 / d)
    return 1.0 if bottom <= 0 else float(min(1.0, max(0.0, top / bottom)))


def lda_weights(
    sums: Sequence[np.ndarray],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int]],
    rotation: Rotation,
    shrinkage: float | None = None,
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Linear discriminants: weights ``[class, feature]``, intercepts, shrinkage, per problem.

    The covariance inside the classes is shrunk towards a multiple of the identity of the
    standardised space, as scikit-learn's ``lsqr`` solver does. It is diagonal minus low rank,
    so its inverse comes from a matrix of the size of the classes (Woodbury).

    Args:
        sums: per problem ``[class, feature]``, from :meth:`Features.class_sums`.
        problems: codes and number of classes.
        rotation: how the features were made.
        shrinkage: weight of the isotropic part; by default the oracle-approximating one.

    Raises:
        ProbeError: shrinkage lies outside 0..1.
    """
    if shrinkage is not None and not 0.0 <= shrinkage <= 1.0:
        raise ProbeError(f"shrinkage lies in 0..1, or is None; received {shrinkage!r}")
    found = []
    for (codes, n_classes), of_class in zip(problems, sums, strict=True):
        counts = np.bincount(codes, minlength=n_classes).astype(np.float64)
        shares = counts / len(codes)
        means = of_class / np.maximum(counts, 1.0)[:, None]
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
    values, vectors = eigh(0.5 * (core + core.T))
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
    path = as_array(alphas, "alphas are a list of finite numbers")
    usable = path.ndim == 1 and len(path) > 0 and path.dtype.kind in "fiu"
    if not (usable and np.isfinite(path).all() and (path >= 0).all()):
        raise ProbeError(
            f"alphas are a list of finite numbers, none of them negative; received {alphas!r}"
        )
    return path.astype(np.float64)


def ridge_weights(
    features: Features,
    sums: Sequence[np.ndarray],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int]],
    alphas: Sequence[float],
    like: Sequence[int | None] | None = None,
) -> list[RidgeFit]:
    """Ridge regression onto indicators, penalty by exact leave-one-out over a path.

    ``error_i / (1 - h_i)`` is the error on row ``i`` of the fit without it (Allen 1974); mean and
    scale of the standardisation stay those of all training rows.

    Args:
        features: of the training rows; they are rotated once, a block at a time.
        sums: per problem ``[class, feature]``, from :meth:`Features.class_sums`.
        problems: codes and number of classes.
        alphas: penalties compared.
        like: per problem the index of an earlier one whose penalty it takes, as controls do:
            then it costs its class sums only, and its ``loo`` is empty.

    Raises:
        ProbeError: a penalty is negative or not finite, or there is none.
    """
    n, path = len(features), as_path(alphas)
    variances = features.rotation.variances
    inverse = 1.0 / np.maximum(variances[:, None] * n + path[None, :], 1e-300)
    shares = [np.bincount(codes, minlength=k) / n for codes, k in problems]
    models: list[int | None] = [None] * len(problems) if like is None else list(like)
    own = [index for index, model in enumerate(models) if model is None]
    errors = _leave_one_out(features, [problems[i] for i in own], [sums[i] for i in own], inverse)
    of_target = dict(zip(own, errors, strict=True))
    fits: list[RidgeFit] = []
    chosen: list[int] = []
    for index, model in enumerate(models):
        loo = of_target.get(index, np.zeros(0))
        chosen.append(preferred(loo, path) if model is None else chosen[model])
        best = chosen[-1]
        weights = sums[index] * inverse[:, best]
        fits.append(RidgeFit(weights, shares[index], float(path[best]), loo))
    return fits


def preferred(loo: np.ndarray, path: np.ndarray) -> int:
    """Index of the penalty with the least error; where none is known, of the largest penalty.

    >>> preferred(np.array([np.inf, 0.5, 0.4]), np.array([0.0, 1.0, 10.0]))
    2
    """
    return int(np.argmin(loo) if np.isfinite(loo).any() else np.argmax(path))


def _leave_one_out(
    features: Features,
    problems: Sequence[tuple[np.ndarray, int]],
    sums: Sequence[np.ndarray],
    inverse: Float[np.ndarray, "feature alpha"],
) -> list[Float[np.ndarray, " alpha"]]:
    """Mean squared leave-one-out error of each penalty for each problem, in one pass.

    A block of rows holds its misses as ``[token, class, alpha]``, the classes of all problems in
    one row: one product makes them, one weighs their squares by the rows' leverages. Where a fit
    passes through a row whatever its label (leverage 1), the error without that row is 0 / 0:
    infinite, so that another penalty is chosen.
    """
    if not problems:
        return []
    n, width, kind, place = len(features), inverse.shape[1], features.precision, features.place
    starts = np.cumsum([0, *(k for _, k in problems)])[:-1]
    codes = np.stack([own + start for (own, _), start in zip(problems, starts, strict=True)], 1)
    shares = np.concatenate([np.bincount(own, minlength=k) / n for own, k in problems])
    readers = [(one.T[:, :, None] * inverse[:, None, :]).astype(kind) for one in sums]
    weights = np.concatenate(readers, axis=1).reshape(len(inverse), len(shares) * width)
    fixed, divisors = np.repeat(shares, width).astype(kind), place.put(inverse.astype(kind))
    readers_there = place.put(weights)
    room = np.empty((min(ROWS, n), weights.shape[1]), kind)
    total, fixed_rows = np.zeros((len(shares), width)), np.zeros(width, dtype=bool)
    for block, here in features.rotated(ROWS):
        left = 1.0 - 1.0 / n - place.back((here * here) @ divisors).astype(np.float64)
        fixed_rows |= left.min(axis=0) < FREEDOM * np.finfo(kind).eps
        grow = np.square(1.0 / np.maximum(left, 1e-12)).astype(kind)
        misses = place.multiply(here, readers_there, room[: len(here)])
        misses += fixed
        by_class = misses.reshape(len(here), len(shares), width)
        by_class[np.arange(len(here))[:, None], codes[block]] -= 1.0
        np.square(misses, out=misses)
        # Every penalty's leverages with every penalty's misses; those of its own are kept.
        weighed = (grow.T @ misses).reshape(width, len(shares), width)
        total += np.einsum("aca->ca", weighed)
    total[:, fixed_rows] = np.inf
    return list(np.add.reduceat(total, starts) / n)
