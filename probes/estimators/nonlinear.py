"""What a probe that is not linear can read: the ceiling that a linear one is held to.

:class:`MLPProbe` has one hidden layer; :class:`NeighbourProbe` is its slow, obvious twin, which
assumes nothing but that near activations mean the same.
"""

from typing import Any, final

import numpy as np

from ..errors import ProbeError
from ..evidence.splits import split_by_group
from ..inputs.reading import as_array
from ..solvers.rotation import Rotation
from .base import ProbeEstimator, check_at_least_zero, check_rate, check_seed, check_whole
from .sklearn_input import require_fitted, validated

__all__ = ["MLPProbe", "NeighbourProbe"]


@final
class MLPProbe(ProbeEstimator):
    """One hidden layer of rectified units, trained by Adam, stopped early on held-out groups.

    Args:
        hidden: units.
        epochs: passes at most.
        patience: passes without a better validation loss before it stops.
        batch: rows per step.
        learning_rate: of Adam.
        weight_decay: of Adam, on every weight.
        seed: of initial weights, of the order of rows and of the validation part.
    """

    def __init__(
        self,
        hidden: Any = 128,
        *,
        epochs: Any = 60,
        patience: Any = 6,
        batch: Any = 256,
        learning_rate: Any = 2e-3,
        weight_decay: Any = 1e-4,
        seed: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any | None = None) -> "MLPProbe":
        """Fit on rows, classes and groups (every row its own group by default).

        Raises:
            ProbeError: a size is no positive whole number, or groups have another length.
        """
        x, codes = self._checked(X, y)
        check_whole(
            hidden=self.hidden, epochs=self.epochs, patience=self.patience, batch=self.batch
        )
        check_rate(self.learning_rate)
        check_at_least_zero(weight_decay=self.weight_decay)
        if self.weight_decay > 1e6:
            raise ProbeError(f"weight_decay is at most 1e6; received {self.weight_decay}")
        check_seed(self.seed)
        ids = np.arange(len(x)) if groups is None else as_array(groups, "groups are one id per row")
        if ids.shape != codes.shape:
            raise ProbeError(f"groups are one id per row, {codes.shape}; received {ids.shape}")
        split = split_by_group(ids, codes, fractions=(0.9, 0.1, 0.0), seed=self.seed)
        train, held = np.flatnonzero(split.train), np.flatnonzero(split.validation)
        self.rotation_ = Rotation.fit(x[train])
        # Unit variance in every direction that has some: Adam sees them alike.
        top = float(self.rotation_.variances.max(initial=1.0))
        self.spread_ = np.sqrt(self.rotation_.variances + 1e-3 * top)
        self.layers_ = self._train(self._features(x), codes, train, held)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class ``[token, class]``."""
        probabilities: np.ndarray = np.exp(self._log_softmax(X))
        return probabilities

    def _features(self, x: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (self.rotation_(x) / self.spread_).astype(np.float32)
        return scaled

    def _train(
        self, features: np.ndarray, codes: np.ndarray, train: np.ndarray, held: np.ndarray
    ) -> list[np.ndarray]:
        import torch

        generator = torch.Generator().manual_seed(self.seed)
        sizes = (features.shape[1], self.hidden, len(self.classes_))
        layers = []
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
            scale = np.sqrt(2.0 / max(fan_in, 1))
            layers.append(torch.randn(fan_in, fan_out, generator=generator) * scale)
            layers.append(torch.zeros(fan_out))
        weights = [layer.requires_grad_() for layer in layers]
        rate, decay = float(self.learning_rate), float(self.weight_decay)
        optimiser = torch.optim.Adam(weights, lr=rate, weight_decay=decay)
        x, y = torch.from_numpy(features), torch.from_numpy(codes)
        best, best_loss, waited = [w.detach().clone() for w in weights], np.inf, 0
        for _ in range(self.epochs):
            order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
            for rows in torch.split(order, self.batch):
                optimiser.zero_grad()
                loss = torch.nn.functional.cross_entropy(_forward(x[rows], weights), y[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            with torch.no_grad():
                there = _forward(x[held], weights)
                value = float(torch.nn.functional.cross_entropy(there, y[held]))
            if value < best_loss - 1e-5:
                best, best_loss, waited = [w.detach().clone() for w in weights], value, 0
            else:
                waited += 1
            if waited >= self.patience:
                break
        return [layer.numpy().astype(np.float64) for layer in best]

    def _scores(self, X: Any) -> np.ndarray:
        require_fitted(self)
        x = validated(self, X, reset=False)
        first, first_bias, second, second_bias = self.layers_
        hidden = np.maximum(self._features(x) @ first + first_bias, 0.0)
        scores: np.ndarray = hidden @ second + second_bias
        return scores


def _forward(x: Any, weights: list[Any]) -> Any:
    first, first_bias, second, second_bias = weights
    return (x @ first + first_bias).relu() @ second + second_bias


@final
class NeighbourProbe(ProbeEstimator):
    """Vote of the nearest training rows in the whitened space.

    Args:
        neighbours: rows that vote.
        floor: variance added to every direction before whitening, as a share of the largest.
    """

    def __init__(self, neighbours: Any = 15, *, floor: Any = 1e-2) -> None:
        self.neighbours = neighbours
        self.floor = floor

    def fit(self, X: Any, y: Any) -> "NeighbourProbe":
        """Keep rows and classes.

        Raises:
            ProbeError: no neighbour may vote, or the floor is negative.
        """
        from sklearn.neighbors import KNeighborsClassifier

        x, codes = self._checked(X, y)
        check_whole(neighbours=self.neighbours)
        check_at_least_zero(floor=self.floor)
        self.rotation_ = Rotation.fit(x)
        top = float(self.rotation_.variances.max(initial=1.0))
        self.spread_ = np.sqrt(self.rotation_.variances + self.floor * top)
        model = KNeighborsClassifier(min(self.neighbours, len(x)))
        self.model_ = model.fit(self._features(x), codes)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Share of the votes ``[token, class]``."""
        return self._scores(X)

    def _scores(self, X: Any) -> np.ndarray:
        require_fitted(self)
        x = validated(self, X, reset=False)
        votes: np.ndarray = self.model_.predict_proba(self._features(x))
        return votes

    def _features(self, x: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = self.rotation_(x) / self.spread_
        # Where nothing varies all rows are equally near: scikit-learn wants a column all the same.
        return scaled if scaled.shape[1] else np.zeros((len(x), 1))
