"""Kinds of linear probe, each a weight per class on rotated features, and how they are fitted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...core.arguments import shown
from ..errors import ProbeError
from .closed_form import lda_weights, ridge_weights
from .descent import Descent
from .features import Features
from .logistic import LogisticProblem, descend, fit_logistic
from .scratch import SolverRows

__all__ = ["PENALTIES", "HeadProblem", "LinearClassifier", "Method", "fit_heads"]

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # inverse, from stiff to free
ALPHAS = tuple(10.0**power for power in range(-1, 6))
METHODS = ("logistic", "lda", "ridge", "means")
FLOOR = 0.1  # nats per token: errors below tolerance * this are of no interest to a probe
ROUGH = 10.0  # penalties are compared at this many times the final tolerance


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
        codes: ``[token]`` on the training rows.
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
        if not self.probabilistic:
            return np.full(len(codes), np.nan)
        top = scores.max(axis=1)
        total = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        chosen = scores[np.arange(len(codes)), np.maximum(codes, 0)]
        return np.where(codes >= 0, chosen - total, np.nan)


def fit_heads(
    method: Method,
    features: Features,
    problems: Sequence[HeadProblem],
    validation: Features,
) -> list[LinearClassifier]:
    """Fit one head for each problem on the same training rows.

    Args:
        method: kind and settings.
        features: of the training rows; the logistic probe keeps them and those of the validation
            rows rotated, in memory or in a temporary file; closed forms read them block by block.
        problems: what to learn.
        validation: features of the validation rows.
    """
    if method.name != "logistic":
        return _closed_forms(method, features, problems)
    rows, others = features.rows, validation.rows
    heads: dict[int, LinearClassifier] = {}
    own = [index for index, problem in enumerate(problems) if problem.like is None]
    variances = features.rotation.variances
    chosen = _best_penalties(method, variances, rows, [problems[i] for i in own], others)
    heads.update(zip(own, chosen, strict=True))
    rest = [index for index in range(len(problems)) if index not in heads]
    follow = [
        LogisticProblem(
            problems[i].codes, problems[i].n_classes, heads[problems[i].like or 0].penalty,
            method.tolerance, FLOOR,
        )
        for i in rest
    ]  # fmt: skip
    fits = fit_logistic(rows, follow, variances=variances)
    for index, problem, fit in zip(rest, follow, fits, strict=True):
        heads[index] = LinearClassifier(
            fit.weights, fit.intercepts, problem.C, converged=fit.converged
        )
    return [heads[index] for index in range(len(problems))]


def _closed_forms(
    method: Method, features: Features, problems: Sequence[HeadProblem]
) -> list[LinearClassifier]:
    """Probes that need the sums of the classes, and ridge the leverage of each row."""
    codes = [(problem.codes, problem.n_classes) for problem in problems]
    sums = features.class_sums(codes)
    if method.name == "means":
        return [_nearest_mean(*each) for each in zip(sums, codes, strict=True)]
    if method.name == "lda":
        found = lda_weights(sums, codes, features.rotation, method.shrinkage)
        return [LinearClassifier(*each) for each in found]
    like = [problem.like for problem in problems]
    solved = ridge_weights(features, sums, codes, method.alphas, like)
    return [
        LinearClassifier(fit.weights, fit.intercepts, fit.alpha, probabilistic=False)
        for fit in solved
    ]


def _nearest_mean(sums: np.ndarray, problem: tuple[np.ndarray, int]) -> LinearClassifier:
    """Scores are products with the means less half their squares: the nearest one wins."""
    means = sums / np.maximum(np.bincount(problem[0], minlength=problem[1]), 1)[:, None]
    return LinearClassifier(
        means, -0.5 * np.square(means).sum(axis=1), float("nan"), probabilistic=False
    )


def _best_penalties(
    method: Method,
    variances: np.ndarray,
    features: SolverRows,
    problems: Sequence[HeadProblem],
    validation: SolverRows,
) -> list[LinearClassifier]:
    """From the stiffest penalty on, each going on from the last, until validation gets worse."""
    usable = [p.validation is not None and bool((p.validation >= 0).any()) for p in problems]
    paths = [method.penalties if able else (_middle(method.penalties),) for able in usable]
    runs = [
        Descent(
            LogisticProblem(
                problem.codes, problem.n_classes, path[0], ROUGH * method.tolerance, FLOOR
            ),
            variances,
        )
        for problem, path in zip(problems, paths, strict=True)
    ]
    best: dict[int, tuple[Descent, float]] = {}
    losses = np.full(len(problems), np.inf)
    active = list(range(len(problems)))
    for step in range(max(map(len, paths), default=0)):
        active = [i for i in active if step < len(paths[i])]
        for i in active if step else ():
            runs[i].again(paths[i][step], ROUGH * method.tolerance)
        descend(features, [runs[i] for i in active])
        better = []
        for i in active:
            head = LinearClassifier(runs[i].weights, runs[i].intercepts, paths[i][step])
            loss = _loss(head, validation, problems[i])
            if loss < losses[i] or i not in best:
                best[i], losses[i] = (runs[i].kept(), paths[i][step]), loss
                better.append(i)
        active = better
    for run, C in best.values():
        run.again(C, method.tolerance)
    chosen = [best[i] for i in range(len(problems))]
    descend(features, [run for run, _ in chosen])
    return [
        LinearClassifier(run.weights, run.intercepts, C, converged=run.converged)
        for run, C in chosen
    ]


def _middle(penalties: Sequence[float]) -> float:
    """What is taken where there is no validation token: 1, scikit-learn's default, if listed."""
    return 1.0 if 1.0 in penalties else penalties[len(penalties) // 2]


def _loss(head: LinearClassifier, validation: SolverRows, problem: HeadProblem) -> float:
    if problem.validation is None or not (problem.validation >= 0).any():
        return 0.0
    logs = head.log_probability(head(validation), problem.validation)
    return float(-np.nanmean(logs))
