"""Logistic probes along penalties, from the stiffest on, until validation rows say stop."""

from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Float

from .descent import Descent
from .logistic import descend
from .methods import HeadProblem, LinearClassifier, Method
from .problem import LogisticProblem
from .scratch import SolverRows

__all__ = ["FLOOR", "PenaltyPath", "best_penalties"]

FLOOR = 0.1  # nats per token: errors below tolerance * this are of no interest to a probe
ROUGH = 10.0  # penalties are compared at this many times the final tolerance


@final
class PenaltyPath:
    """One target's way along the penalties: each optimum starts where the last one ended.

    Args:
        method: the penalties and the tolerance.
        problem: what is learned, and what the validation rows hold.
        variances: ``[feature]`` mean square of each feature.
        validation: the validation rows.
    """

    def __init__(
        self,
        method: Method,
        problem: HeadProblem,
        variances: Float[np.ndarray, " feature"],
        validation: SolverRows,
    ) -> None:
        self._method, self._problem, self._validation = method, problem, validation
        self._judged = problem.validation is not None and bool((problem.validation >= 0).any())
        self._left = list(method.penalties if self._judged else (_middle(method.penalties),))
        self.penalty = self._left.pop(0)
        self.run = Descent(
            LogisticProblem(
                problem.codes, problem.n_classes, self.penalty, ROUGH * method.tolerance, FLOOR
            ),
            variances,
        )
        self._best = np.inf, self.run, self.penalty
        self._compared = False
        self._chosen = False

    def onward(self) -> Descent | None:
        """What follows the descent that has ended: the next penalty's, the best one's, none."""
        if self._chosen:
            return None
        loss = self._loss()
        better = loss < self._best[0] or not self._compared
        self._compared = True
        if better:
            self._best = loss, self.run.kept(), self.penalty
        if better and self._left:
            self.penalty = self._left.pop(0)
            self.run.again(self.penalty, ROUGH * self._method.tolerance)
            return self.run
        _, self.run, self.penalty = self._best
        self._chosen = True
        self.run.again(self.penalty, self._method.tolerance)
        return self.run

    def classifier(self) -> LinearClassifier:
        """What the descent has found."""
        run = self.run
        return LinearClassifier(run.weights, run.intercepts, self.penalty, converged=run.converged)

    def _loss(self) -> float:
        """Mean negative log-probability (nats) of the validation rows."""
        codes = self._problem.validation
        if codes is None or not self._judged:
            return 0.0
        head = self.classifier()
        return float(-np.nanmean(head.log_probability(head(self._validation), codes)))


def best_penalties(
    method: Method,
    variances: Float[np.ndarray, " feature"],
    features: SolverRows,
    problems: Sequence[HeadProblem],
    validation: SolverRows,
) -> list[LinearClassifier]:
    """For each problem the classifier of the penalty that validation rows choose.

    Each goes along the penalties at its own pace, and all share the passes over the rows.

    Args:
        method: the penalties, ascending from the stiffest, and the tolerance.
        variances: ``[feature]`` mean square of each feature.
        features: training rows.
        problems: what to learn.
        validation: validation rows.
    """
    paths = [PenaltyPath(method, problem, variances, validation) for problem in problems]
    descend(features, [path.run for path in paths], further=lambda index: paths[index].onward())
    return [path.classifier() for path in paths]


def _middle(penalties: Sequence[float]) -> float:
    """What is taken where there is no validation token: 1, scikit-learn's default, if listed."""
    return 1.0 if 1.0 in penalties else penalties[len(penalties) // 2]
