"""Multinomial logistic regression of many targets at once, on one matrix of rotated features.

The objective is scikit-learn's: mean cross-entropy plus ``|W|^2 / (2 C n)``, free intercept; of
two classes the penalty is ``|w1 - w0|^2 / (2 C n)``, as it is there.
Three ideas make it cheap:

- all targets share each pass over the features (one product forward, one back);
- L-BFGS keeps the logits, so the line search costs no pass;
- the preconditioner is the Kronecker-factored Hessian ``A (x) S + penalty``: ``S`` is diagonal
  because the features are rotated to its eigenbasis, ``A`` = mean of ``diag(p) - p p^T`` is
  refreshed on the way, and the whole is scaled by what the last step has seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from .descent import Descent
from .problem import LogisticProblem
from .scratch import SolverRows, moved, weighted

__all__ = ["LogisticFit", "LogisticProblem", "descend", "fit_logistic", "fit_of"]


@final
@dataclass(frozen=True)
class LogisticFit:
    """The optimum that was found, in the coordinates of the features given.

    Args:
        weights: ``[class, feature]``.
        intercepts: ``[class]``.
        objective: mean cross-entropy (nats) plus penalty.
        passes: products with the features, forward and back counted as one.
        converged: whether the tolerance was met.
    """

    weights: Float[np.ndarray, "class feature"]
    intercepts: Float[np.ndarray, " class"]
    objective: float
    passes: int
    converged: bool

    def logits(
        self, features: Float[np.ndarray, "token feature"]
    ) -> Float[np.ndarray, "token class"]:
        """Logits of each row."""
        weights = self.weights.astype(features.dtype, copy=False)
        out: np.ndarray = features @ weights.T + self.intercepts.astype(features.dtype, copy=False)
        return out


def fit_logistic(
    features: SolverRows,
    problems: Sequence[LogisticProblem],
    *,
    variances: Float[np.ndarray, " feature"],
    max_iterations: int = 300,
) -> list[LogisticFit]:
    """Solve every problem, sharing the passes over ``features``.

    Args:
        features: centred, decorrelated features (see
            :class:`linrep.probes.solvers.rotation.Rotation`); correlated ones
            are solved as well, only more slowly.
        problems: the targets; each is solved on its own, to its own tolerance.
        variances: mean square of each feature, the preconditioner's ``S``.
        max_iterations: passes after which a problem is returned as it is.

    Returns:
        One fit for each problem, in order.
    """
    runs = [Descent(problem, variances) for problem in problems]
    descend(features, runs, max_iterations=max_iterations)
    return [fit_of(run) for run in runs]


def fit_of(run: Descent) -> LogisticFit:
    """Where a descent stands."""
    return LogisticFit(run.weights, run.intercepts, run.objective, run.passes, run.converged)


def descend(
    features: SolverRows,
    runs: Sequence[Descent],
    *,
    max_iterations: int = 300,
    further: Callable[[int], Descent | None] = lambda _: None,
) -> None:
    """Go on with every descent that is not done, sharing the passes over ``features``.

    Args:
        features: the same rows and columns at each call.
        runs: new ones, or such as have been told to go on.
        max_iterations: passes after which a descent is left as it is.
        further: what goes on in the place of a descent that has ended, ``None`` if nothing does;
            it is given the index of the descent, and is asked again when what it gave has ended.
    """
    going = dict(enumerate(runs))
    passed = dict.fromkeys(going, 0)
    width = sum(run.n_classes for run in runs)
    moves, residuals = (np.empty((width, len(features)), features.dtype) for _ in range(2))
    while True:
        for index, run in list(going.items()):
            following: Descent | None = run
            while following is not None and (following.done or passed[index] >= max_iterations):
                following, passed[index] = further(index), 0
            if following is None:
                del going[index]
            else:
                going[index] = following
        if not going:
            return
        _pass(features, list(going.values()), moves, residuals)
        for index in going:
            passed[index] += 1


def _pass(
    features: SolverRows, runs: Sequence[Descent], moves: np.ndarray, residuals: np.ndarray
) -> None:
    """One step of every descent: a product forward, a search along it, a product back."""
    ends = np.cumsum([run.n_classes for run in runs])
    places = [slice(end - run.n_classes, end) for end, run in zip(ends, runs, strict=True)]
    steps = np.empty((int(ends[-1]), features.shape[1]), features.dtype)
    for run, place in zip(runs, places, strict=True):
        steps[place] = run.direction()
    if steps.any():
        moved(steps, features, moves[: len(steps)])
    else:
        moves[: len(steps)] = 0.0
    for run, place in zip(runs, places, strict=True):
        run.search(moves[place], residuals[place])
    gradients = weighted(residuals[: len(steps)], features)
    for run, place in zip(runs, places, strict=True):
        run.receive(gradients[place])
