"""Linear discriminant analysis and difference of means as scikit-learn estimators."""

from numbers import Real
from typing import Any, final

import numpy as np

from ...core.arguments import shown
from ..errors import ProbeError
from ..inputs.blocks import Blocks
from ..solvers.closed_form import lda_weights
from ..solvers.features import Features
from ..solvers.rotation import Rotation
from .base import ProbeEstimator, check_truth

__all__ = ["DifferenceOfMeans", "DiscriminantProbe"]


@final
class DiscriminantProbe(ProbeEstimator):
    """Linear discriminant analysis with a shrunken covariance.

    On standardised features it equals scikit-learn's ``LinearDiscriminantAnalysis`` with the
    ``lsqr`` solver at the same shrinkage.

    Args:
        shrinkage: weight of the isotropic part, 0..1; by default the oracle-approximating one.
        standardize: divide each feature by its training standard deviation first.
    """

    def __init__(self, shrinkage: Any = None, *, standardize: Any = True) -> None:
        self.shrinkage = shrinkage
        self.standardize = standardize

    def fit(self, X: Any, y: Any) -> "DiscriminantProbe":
        """Fit on ``[token, feature]`` rows and ``[token]`` classes.

        Raises:
            ProbeError: shrinkage lies outside 0..1, or is a word.
        """
        check_truth(standardize=self.standardize)
        x, codes = self._checked(X, y)
        share = isinstance(self.shrinkage, Real) and 0 <= float(self.shrinkage) <= 1
        if self.shrinkage is not None and not share:
            raise ProbeError(
                f"shrinkage lies in 0..1, or is None; received {shown(self.shrinkage)}"
            )
        shrinkage = None if self.shrinkage is None else float(self.shrinkage)
        rotation = Rotation.fit(x, standardize=self.standardize)
        problem = [(codes, len(self.classes_))]
        sums = Features(rotation, Blocks(x), checked=True).class_sums(problem)
        ((weights, intercepts, self.shrinkage_),) = lda_weights(sums, problem, rotation, shrinkage)
        self._keep(rotation, weights, intercepts)
        return self

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Log-probability (nats) of each class ``[token, class]``."""
        return self._log_softmax(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class ``[token, class]``."""
        probabilities: np.ndarray = np.exp(self._log_softmax(X))
        return probabilities


@final
class DifferenceOfMeans(ProbeEstimator):
    """The nearest class mean: directions are differences of means, no covariance at all.

    Args:
        standardize: divide each feature by its training standard deviation first.
    """

    def __init__(self, *, standardize: Any = False) -> None:
        self.standardize = standardize

    def fit(self, X: Any, y: Any) -> "DifferenceOfMeans":
        """Fit on ``[token, feature]`` rows and ``[token]`` classes."""
        check_truth(standardize=self.standardize)
        x, codes = self._checked(X, y)
        rotation = Rotation.fit(x, standardize=self.standardize)
        problem = [(codes, len(self.classes_))]
        (sums,) = Features(rotation, Blocks(x), checked=True).class_sums(problem)
        means = sums / np.bincount(codes)[:, None]
        self._keep(rotation, means, -0.5 * np.square(means).sum(axis=1))
        self.means_ = (rotation.directions(means.T) + rotation.mean[:, None]).T
        return self
