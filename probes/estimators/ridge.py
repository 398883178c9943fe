"""Ridge regression onto class indicators, its penalty by exact leave-one-out."""

from typing import Any, final

from ..inputs.blocks import Blocks
from ..solvers.closed_form import as_path, ridge_weights
from ..solvers.features import Features
from ..solvers.rotation import Rotation
from .base import ProbeEstimator, check_truth

__all__ = ["RidgeProbe"]


@final
class RidgeProbe(ProbeEstimator):
    """Least squares onto indicators; the class with the largest value wins.

    With one ``alpha`` its predictions are those of scikit-learn's ``RidgeClassifier``.

    Args:
        alphas: penalties compared; the leave-one-out errors of all of them come from one fit.
        standardize: divide each feature by its training standard deviation first.
    """

    def __init__(
        self, alphas: Any = (0.1, 1.0, 10.0, 100.0, 1000.0), *, standardize: Any = True
    ) -> None:
        self.alphas = alphas
        self.standardize = standardize

    def fit(self, X: Any, y: Any) -> "RidgeProbe":
        """Fit on ``[token, feature]`` rows and ``[token]`` classes."""
        check_truth(standardize=self.standardize)
        x, codes = self._checked(X, y)
        rotation = Rotation.fit(x, standardize=self.standardize)
        path, problem = as_path(self.alphas).tolist(), [(codes, len(self.classes_))]
        features = Features(rotation, Blocks(x), checked=True)
        sums = features.class_sums(problem)
        (found,) = ridge_weights(features, sums, problem, path)
        self._keep(rotation, found.weights, found.intercepts)
        self.alpha_, self.loo_ = found.alpha, found.loo
        return self
