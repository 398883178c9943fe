"""What all probes share as scikit-learn estimators: checks of the input, and prediction."""

import math
from abc import abstractmethod
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ...core.arguments import shown
from ..errors import ProbeError
from ..solvers.rotation import Rotation
from .sklearn_input import require_fitted, validated

__all__ = [
    "ProbeEstimator",
    "check_at_least_zero",
    "check_positive",
    "check_rate",
    "check_seed",
    "check_truth",
    "check_whole",
]


def check_whole(**settings: object) -> None:
    """Settings that count something: whole numbers of at least 1.

    Raises:
        ProbeError: one is not.
    """
    for name, value in settings.items():
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not (whole and 1 <= int(value) < 2**63):  # type: ignore[call-overload]
            raise ProbeError(f"{name} is a positive whole number; received {shown(value)}")


def check_positive(**settings: object) -> None:
    """Settings that measure something: finite positive numbers.

    Raises:
        ProbeError: one is not.
    """
    for name, value in settings.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and 0 < float(value) < math.inf):  # type: ignore[arg-type]
            raise ProbeError(f"{name} is positive and finite; received {shown(value)}")


def check_truth(**settings: object) -> None:
    """Settings that are on or off; scikit-learn's tools give 0 and 1 as well.

    Raises:
        ProbeError: one is something else.
    """
    for name, value in settings.items():
        if not isinstance(value, bool | np.bool_ | int) or value not in (0, 1):
            raise ProbeError(f"{name} is True or False; received {shown(value)}")


def check_at_least_zero(**settings: object) -> None:
    """Settings that may be nothing: finite numbers, none of them negative.

    Raises:
        ProbeError: one is something else.
    """
    for name, value in settings.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and 0 <= float(value) < math.inf):  # type: ignore[arg-type]
            raise ProbeError(f"{name} is not negative, and finite; received {shown(value)}")


def check_rate(learning_rate: object) -> None:
    """A learning rate is a positive number up to a million.

    Raises:
        ProbeError: it is something else.
    """
    check_positive(learning_rate=learning_rate)
    if float(learning_rate) > 1e6:  # type: ignore[arg-type]
        raise ProbeError(f"learning_rate is at most 1e6; received {shown(learning_rate)}")


def check_seed(seed: object) -> None:
    """A seed is a whole number from 0 that fits 63 bits.

    Raises:
        ProbeError: it is something else.
    """
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not (whole and 0 <= int(seed) < 2**63):  # type: ignore[call-overload]
        raise ProbeError(f"seed is a whole number of at least 0; received {shown(seed)}")


class ProbeEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped base
    """A classifier; linear ones keep a weight vector per class, ``coef_`` ``[class, feature]``.

    Settings are annotated ``Any`` in constructors: scikit-learn's tools put anything there and
    expect ``fit`` to complain.
    """

    @abstractmethod
    def fit(self, X: Any, y: Any) -> "ProbeEstimator":
        """Learn from ``[token, feature]`` rows and ``[token]`` classes."""

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores ``[token, class]``; of two classes the second's over the first's, ``[token]``."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Class with the highest score."""
        scores = self._scores(X)
        chosen: np.ndarray = self.classes_[scores.argmax(axis=1)]
        return chosen

    def _checked(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Features and class codes, after scikit-learn's checks.

        Raises:
            ProbeError: one class only.
        """
        x, labels = validated(self, X, y, classes=True, ensure_min_samples=2)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ProbeError(
                f"one class only ({self.classes_[0]!r}): a probe needs at least two classes"
            )
        return x, codes.astype(np.int64)

    def _keep(self, rotation: Rotation, weights: np.ndarray, intercepts: np.ndarray) -> None:
        """Bring weights back from rotated features to the features given.

        Raises:
            ProbeError: they are not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            self.coef_ = rotation.readers(weights.T).T
            self.intercept_ = intercepts - self.coef_ @ rotation.mean
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            raise ProbeError(
                "weights are not finite: features are too large or too small for their dtype, "
                "scale them"
            )

    def _scores(self, X: Any) -> np.ndarray:
        require_fitted(self)
        x: Any = validated(self, X, reset=False)
        scores: np.ndarray = x.astype(np.float64) @ self.coef_.T + self.intercept_
        return scores

    def _log_softmax(self, X: Any) -> np.ndarray:
        scores = self._scores(X)
        scores -= scores.max(axis=1, keepdims=True)
        normalised: np.ndarray = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return normalised
