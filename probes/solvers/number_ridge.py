"""Ridge regression onto numbers: any number of right-hand sides from one rotated matrix.

The rotation makes the scatter diagonal, so a right-hand side costs one product with the features,
and the error of every row on the fit without it is a division. All sums are in float64: where the
activations hold a number exactly, its error is rounding, and the penalty has to see that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from jaxtyping import Float

from .closed_form import FREEDOM, as_path, preferred
from .features import Features

__all__ = ["NUMBER_ALPHAS", "NumberFit", "NumberProblem", "number_ridge", "predictions"]

NUMBER_ALPHAS = (0.0, 1e-8, 1e-6, 1e-4, 1e-2, *(10.0**power for power in range(-1, 6)))
"""Penalties compared; 0 is least squares, which noise-free activations call for."""

ROWS = 1024  # of a block: its errors for every penalty and column are in memory


@final
@dataclass(frozen=True, eq=False)
class NumberProblem:
    """Numbers to learn.

    Args:
        values: ``[token, column]`` on the training rows.
        like: index of the problem whose penalties this one takes, column by column: a control
            takes its target's.
    """

    values: Float[np.ndarray, "token column"]
    like: int | None = None


@final
@dataclass(frozen=True, eq=False)
class NumberFit:
    """Predictions are ``features @ weights.T + intercepts`` (:func:`predictions`).

    Args:
        weights: ``[column, feature]``.
        intercepts: ``[column]``.
        alphas: ``[column]`` the penalty of each.
        loo: ``[column, alpha]`` mean squared leave-one-out error for each penalty of the path,
            exact; infinite where a row determines its own fitted value; empty for a problem that
            takes another's penalties.
    """

    weights: Float[np.ndarray, "column feature"]
    intercepts: Float[np.ndarray, " column"]
    alphas: Float[np.ndarray, " column"]
    loo: Float[np.ndarray, "column alpha"]


def predictions(
    fits: Sequence[NumberFit], features: Features
) -> list[Float[np.ndarray, "token column"]]:
    """What each fit says of each row, in float64; one pass for all of them."""
    if not fits:
        return []
    weights = np.concatenate([fit.weights for fit in fits])
    intercepts = np.concatenate([fit.intercepts for fit in fits])
    out = np.empty((len(features), len(weights)))
    for here, found in features.scored(weights, np.dtype(np.float64)):
        out[here] = found + intercepts
    return np.split(out, np.cumsum([len(fit.weights) for fit in fits])[:-1], axis=1)


def number_ridge(
    features: Features,
    problems: Sequence[NumberProblem],
    alphas: Sequence[float] = NUMBER_ALPHAS,
) -> list[NumberFit]:
    """Ridge regression, the penalty of every column by exact leave-one-out over a path.

    ``error_i / (1 - h_i)`` is the error on row ``i`` of the fit without it (Allen 1974); mean and
    scale of the standardisation stay those of all training rows.

    Args:
        features: of the training rows, read twice.
        problems: what to learn.
        alphas: penalties compared, in the units of scikit-learn's ``Ridge``.

    Raises:
        ProbeError: a penalty is negative or not finite, or there is none.
    """
    n, path = len(features), as_path(alphas)
    if not problems:
        return []
    inverse = 1.0 / np.maximum(features.rotation.variances[:, None] * n + path[None, :], 1e-300)
    means = [problem.values.mean(axis=0) for problem in problems]
    columns = [
        (len(mean), partial(_centred, problem.values, mean))
        for problem, mean in zip(problems, means, strict=True)
    ]
    sums = [found.T for found in features.products(columns)]
    own = [index for index, problem in enumerate(problems) if problem.like is None]
    errors = _left_out(
        features,
        np.hstack([problems[i].values - means[i] for i in own]),
        np.hstack([sums[i] for i in own]),
        inverse,
    )
    ends = np.cumsum([problems[i].values.shape[1] for i in own])
    of_own = dict(zip(own, np.split(errors, ends[:-1]), strict=True))
    fits: list[NumberFit] = []
    chosen: list[np.ndarray] = []
    for index, problem in enumerate(problems):
        loo = of_own.get(index, np.zeros((problem.values.shape[1], 0)))
        if problem.like is None:
            chosen.append(np.array([preferred(column, path) for column in loo], dtype=np.int64))
        else:
            chosen.append(chosen[problem.like])
        best = chosen[-1]
        fits.append(NumberFit((sums[index] * inverse[:, best]).T, means[index], path[best], loo))
    return fits


def _centred(values: np.ndarray, mean: np.ndarray, here: slice) -> np.ndarray:
    centred: np.ndarray = values[here] - mean
    return centred


def _left_out(
    features: Features,
    values: Float[np.ndarray, "token column"],
    sums: Float[np.ndarray, "feature column"],
    inverse: Float[np.ndarray, "feature alpha"],
) -> Float[np.ndarray, "column alpha"]:
    """Mean squared leave-one-out error of each column for each penalty.

    Where a fit passes through a row whatever its value (leverage 1), the error without that row is
    0 / 0: infinite, so that another penalty is chosen.
    """
    n, width, place = len(features), inverse.shape[1], features.place
    sums_there, inverse_there = place.put(sums), place.put(inverse)
    total = np.zeros((values.shape[1], width))
    full = np.zeros(width, dtype=bool)
    for block, rows in features.rotated(ROWS):
        here = place.wide(rows)
        left = 1.0 - 1.0 / n - place.back((here * here) @ inverse_there)
        full |= left.min(axis=0) < FREEDOM * np.finfo(features.precision).eps
        left = np.maximum(left, 1e-12)
        for index in range(width):
            fitted = here @ (sums_there * inverse_there[:, index, None])
            missed = values[block] - place.back(fitted)
            missed /= left[:, index, None]
            total[:, index] += np.square(missed).sum(axis=0)
    total[:, full] = np.inf
    return total / n
