"""Kinds of linear probe, what they learn, and what comes of it: a weight per class and feature."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...core.arguments import shown
from ..errors import ProbeError
from .scratch import SolverRows

__all__ = ["PENALTIES", "HeadProblem", "LinearClassifier", "Method"]

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # inverse, from stiff to free
ALPHAS = tuple(10.0**power for power in range(-1, 6))
METHODS = ("logistic", "lda", "ridge", "means")


@final
@dataclass(frozen=True)
class Method:
    """A kind of probe and its settings.

    Args:
        name: ``"logistic"``, ``"lda"``, ``"ridge"`` or ``"means"`` (the nearest class mean).
        penalties: inverse penalties ``C`` of the logistic probe (scikit-learn's), ascending;
            several are compared on validation sentences.
        alphas: penalties of the ridge probe, compared by exact leave-one-out.
        shrinkage: of the discriminant's scatter; by default the oracle-approximating one.
        tolerance: of the logistic solver, relative to its objective.
    """

    name: str = "logistic"
    penalties: tuple[float, ...] = PENALTIES
    alphas: tuple[float, ...] = ALPHAS
    shrinkage: float | None = None
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        known = isinstance(self.name, str) and self.name in METHODS
        if not known:
            raise ProbeError(
                f"method is 'logistic', 'lda', 'ridge' or 'means'; received {shown(self.name)}"
            )
        if not self.penalties or not all(0 < C < math.inf for C in self.penalties):
            raise ProbeError(f"C is positive and finite; received {self.penalties}")
        if not 0 < self.tolerance < math.inf:
            raise ProbeError(f"tolerance is positive and finite; received {self.tolerance}")


@final
@dataclass(frozen=True, eq=False)
class HeadProblem:
    """Class codes to learn.

    Args:
        codes: ``[token]`` on the training rows; of the logistic probe, -1 for a row that is not
            learned from.
        n_classes: number of classes.
        validation: ``[token]`` on the validation rows, -1 for a class that is not learned;
            ``None`` where nothing is to be chosen there.
        like: index of the problem whose penalty this one takes: a control takes its target's.
    """

    codes: Int[np.ndarray, " token"]
    n_classes: int
    validation: np.ndarray | None = None
    like: int | None = None


@final
@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Scores of each class: ``features @ weights.T + intercepts``.

    Args:
        weights: ``[class, feature]``.
        intercepts: ``[class]``.
        penalty: the one used: ``C``, ridge's ``alpha``, the discriminant's shrinkage.
        probabilistic: scores are logits; else they are no log-probabilities.
        converged: the solver met its tolerance.
    """

    weights: Float[np.ndarray, "class feature"]
    intercepts: Float[np.ndarray, " class"]
    penalty: float
    probabilistic: bool = True
    converged: bool = True

    def __call__(self, features: SolverRows) -> Float[np.ndarray, "token class"]:
        """Scores of each row."""
        scores: np.ndarray = features @ self.weights.T.astype(features.dtype)
        out: np.ndarray = scores.astype(np.float64) + self.intercepts
        return out

    def log_probability(
        self, scores: Float[np.ndarray, "token class"], codes: Int[np.ndarray, " token"]
    ) -> Float[np.ndarray, " token"]:
        """Log-probability (nats) of each row's class; NaN for the code -1."""
        return self.log_probabilities(scores, [codes])[0]

    def log_probabilities(
        self, scores: Float[np.ndarray, "token class"], asked: Sequence[Int[np.ndarray, " token"]]
    ) -> list[Float[np.ndarray, " token"]]:
        """Likewise of several codes of each row."""
        if not self.probabilistic:
            return [np.full(len(codes), np.nan) for codes in asked]
        top, rows = scores.max(axis=1), np.arange(len(scores))
        total = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        chosen = [scores[rows, np.maximum(codes, 0)] - total for codes in asked]
        return [np.where(c >= 0, each, np.nan) for c, each in zip(asked, chosen, strict=True)]
