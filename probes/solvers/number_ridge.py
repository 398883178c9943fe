"""Ridge regression onto numbers: any number of right-hand sides from one rotated matrix.

The rotation makes the scatter diagonal, so a right-hand side costs one product with the features,
and the error of every row on the fit without it is a division. All sums are in float64: where the
activations hold a number exactly, its error is rounding, and the penalty has to see that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from .closed_form import FREEDOM, as_path, preferred
from .rotation import Rotation

__all__ = ["NUMBER_ALPHAS", "NumberFit", "NumberProblem", "number_ridge"]

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
    """Predictions are ``features @ weights.T + intercepts``.

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

    def __call__(
        self, features: Float[np.ndarray, "token feature"]
    ) -> Float[np.ndarray, "token column"]:
        """Predictions of each row, in float64."""
        out = np.empty((len(features), len(self.weights)))
        for start in range(0, len(features), ROWS):
            here = features[start : start + ROWS].astype(np.float64)
            np.matmul(here, self.weights.T, out=out[start : start + ROWS])
        out += self.intercepts
        return out


def number_ridge(
    features: Float[np.ndarray, "token feature"],
    problems: Sequence[NumberProblem],
    rotation: Rotation,
    alphas: Sequence[float] = NUMBER_ALPHAS,
) -> list[NumberFit]:
    """Ridge regression, the penalty of every column by exact leave-one-out over a path.

    ``error_i / (1 - h_i)`` is the error on row ``i`` of the fit without it (Allen 1974); mean and
    scale of the standardisation stay those of all training rows.

    Args:
        features: rotated training rows.
        problems: what to learn.
        rotation: how the features were made.
        alphas: penalties compared, in the units of scikit-learn's ``Ridge``.

    Raises:
        ProbeError: a penalty is negative or not finite, or there is none.
    """
    n, path = len(features), as_path(alphas)
    if not problems:
        return []
    inverse = 1.0 / np.maximum(rotation.variances[:, None] * n + path[None, :], 1e-300)
    means = [problem.values.mean(axis=0) for problem in problems]
    sums = _products(features, problems, means)
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


def _products(
    features: np.ndarray, problems: Sequence[NumberProblem], means: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """``[feature, column]`` products of the features with the centred values of each problem."""
    values = np.hstack([p.values - mean for p, mean in zip(problems, means, strict=True)])
    total = np.zeros((features.shape[1], values.shape[1]))
    for start in range(0, len(features), ROWS):
        here = slice(start, start + ROWS)
        total += features[here].T.astype(np.float64) @ values[here]
    ends = np.cumsum([problem.values.shape[1] for problem in problems])
    return np.split(total, ends[:-1], axis=1)


def _left_out(
    features: np.ndarray,
    values: Float[np.ndarray, "token column"],
    sums: Float[np.ndarray, "feature column"],
    inverse: Float[np.ndarray, "feature alpha"],
) -> Float[np.ndarray, "column alpha"]:
    """Mean squared leave-one-out error of each column for each penalty.

    Where a fit passes through a row whatever its value (leverage 1), the error without that row is
    0 / 0: infinite, so that another penalty is chosen.
    """
    n, width = len(features), inverse.shape[1]
    total = np.zeros((values.shape[1], width))
    full = np.zeros(width, dtype=bool)
    for start in range(0, n, ROWS):
        here = features[start : start + ROWS].astype(np.float64)
        left = 1.0 - 1.0 / n - np.square(here) @ inverse
        full |= left.min(axis=0) < FREEDOM * np.finfo(features.dtype).eps
        left = np.maximum(left, 1e-12)
        for index in range(width):
            missed = values[start : start + ROWS] - here @ (sums * inverse[:, index, None])
            missed /= left[:, index, None]
            total[:, index] += np.square(missed).sum(axis=0)
    total[:, full] = np.inf
    return total / n
