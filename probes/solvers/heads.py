"""How classifiers are fitted: many problems on the same rows, by each kind of probe."""

from collections.abc import Iterator, Sequence

import numpy as np

from .closed_form import lda_weights, ridge_weights
from .features import Features
from .logistic import LogisticProblem, fit_logistic
from .methods import HeadProblem, LinearClassifier, Method
from .penalty_path import FLOOR, best_penalties

__all__ = ["fit_heads"]

LOGITS = 2**27  # bytes of logits of problems solved together; the solver has a few such arrays


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
    column = len(rows) * features.dtype.itemsize
    for some in _together([problems[i] for i in own], column):
        these = [own[i] for i in some]
        chosen = best_penalties(method, variances, rows, [problems[i] for i in these], others)
        heads.update(zip(these, chosen, strict=True))
    rest = [index for index in range(len(problems)) if index not in heads]
    follow = [
        LogisticProblem(
            problems[i].codes, problems[i].n_classes, heads[problems[i].like or 0].penalty,
            method.tolerance, FLOOR,
        )
        for i in rest
    ]  # fmt: skip
    for some in _together(follow, column):
        fits = fit_logistic(rows, [follow[i] for i in some], variances=variances)
        for i, fit in zip(some, fits, strict=True):
            heads[rest[i]] = LinearClassifier(
                fit.weights, fit.intercepts, follow[i].C, converged=fit.converged
            )
    return [heads[index] for index in range(len(problems))]


def _together(
    problems: Sequence[HeadProblem | LogisticProblem], column: int
) -> Iterator[list[int]]:
    """Problems that are solved together: as many as their logits have room for, at least one.

    Args:
        problems: all of them.
        column: bytes of the logits of one class.
    """
    some: list[int] = []
    room = 0
    for index, problem in enumerate(problems):
        size = problem.n_classes * column
        if some and room + size > LOGITS:
            yield some
            some, room = [], 0
        some.append(index)
        room += size
    if some:
        yield some


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
