"""Regression onto soft targets: posteriors over an ambiguous state, belief states."""

from typing import Any, final

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from ..errors import ProbeError
from ..inputs.columns import LARGEST
from ..solvers.closed_form import FREEDOM, as_path, preferred
from ..solvers.rotation import Rotation
from .base import check_truth
from .sklearn_input import require_fitted, validated

__all__ = ["SoftProbe"]


@final
class SoftProbe(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped base
    """Ridge regression onto numbers ``[token, k]``, the penalty by exact leave-one-out.

    A belief state (the posterior over hidden states) is linear in the residual stream exactly if
    this regression reaches ``R^2 = 1`` (Shai et al. 2024, arXiv:2405.15943). Columns that sum to 1
    in the targets sum to 1 in the predictions.

    Args:
        alphas: penalties compared by the sum of squared leave-one-out errors.
        standardize: divide each feature by its training standard deviation first.

    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 3)); Z = X @ rng.standard_normal((3, 2))
    >>> SoftProbe(alphas=[1e-6]).fit(X, Z).score(X, Z) > 0.999
    True
    """

    def __init__(
        self,
        alphas: Any = (1e-3, 0.1, 1.0, 10.0, 100.0, 1000.0),
        *,
        standardize: Any = True,
    ) -> None:
        self.alphas = alphas
        self.standardize = standardize

    def fit(self, X: Any, y: Any) -> "SoftProbe":
        """Fit on ``[token, feature]`` rows and ``[token, k]`` (or ``[token]``) numbers.

        Raises:
            ProbeError: a penalty is negative or not finite, or there is none; or numbers are too
                large or too small to learn from.
        """
        check_truth(standardize=self.standardize)
        x, z = validated(self, X, y, multi_output=True, y_numeric=True)
        path = as_path(self.alphas)
        self.single_ = z.ndim == 1
        z = z.reshape(len(z), -1).astype(np.float64)
        if np.abs(z).max(initial=0.0) > LARGEST:
            raise ProbeError("targets are so large that their squares overflow: divide them")
        rotation = Rotation.fit(x, standardize=self.standardize)
        rotated = rotation(x).astype(np.float64)
        mean = z.mean(axis=0)
        cross = rotated.T @ (z - mean)
        losses, fits = [], []
        for alpha in path:
            inverse = 1.0 / np.maximum(rotation.variances * len(x) + alpha, 1e-300)
            weights = cross * inverse[:, None]
            left = 1.0 - 1.0 / len(x) - np.square(rotated) @ inverse
            rest = (z - mean - rotated @ weights) / np.maximum(left, 1e-12)[:, None]
            known = left.min() >= FREEDOM * np.finfo(x.dtype).eps  # else 0 / 0: see there
            losses.append(float(np.square(rest).mean()) if known else np.inf)
            fits.append(weights)
        best = preferred(np.array(losses), path)
        self.alpha_, self.loo_ = float(path[best]), np.array(losses)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            self.coef_ = rotation.readers(fits[best]).T
            self.intercept_ = mean - self.coef_ @ rotation.mean
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            raise ProbeError(
                "weights are not finite: features or targets are too large or too small, scale them"
            )
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers ``[token, k]``."""
        require_fitted(self)
        x = validated(self, X, reset=False)
        values: np.ndarray = x @ self.coef_.T + self.intercept_
        return values[:, 0] if self.single_ else values
