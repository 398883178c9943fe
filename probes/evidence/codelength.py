"""Online codelength: how many bits the labels cost when sent after ever more examples.

Voita and Titov 2020 (arXiv:2003.12298), equation 3: the first block of labels is sent with a
uniform code, each later block with the probe trained on all blocks before it. A state that is
easy to read costs few bits; labels that must be memorised cost many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ..solvers.logistic import LogisticProblem, fit_logistic

__all__ = ["FRACTIONS", "Codelength", "block_ends", "block_order", "online_codelengths"]

FRACTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)


@final
@dataclass(frozen=True)
class Codelength:
    """Length of one online code.

    Args:
        bits: the whole code.
        blocks: bits of each block.
        uniform: bits of the uniform code of all labels; ``uniform / bits`` is the compression.
    """

    bits: float
    blocks: tuple[float, ...]
    uniform: float


def block_order(
    groups: Int[np.ndarray, " token"], rng: np.random.Generator
) -> Int[np.ndarray, " token"]:
    """Rows in a random order of groups, each group's rows together and in their order."""
    _, index = np.unique(groups, return_inverse=True)
    rank = rng.permutation(int(index.max(initial=-1)) + 1)
    return np.argsort(rank[index], kind="stable")


def block_ends(
    groups: Int[np.ndarray, " token"], fractions: Sequence[float] = FRACTIONS
) -> list[int]:
    """Rows after which blocks end: at the first end of a group that reaches each fraction.

    Args:
        groups: ``[token]`` groups of the ordered rows, each group in one piece.
        fractions: ascending shares of the rows; those that add no group are skipped.
    """
    edges = np.append(np.flatnonzero(np.diff(groups)) + 1, len(groups))
    wanted = np.ceil(np.asarray(fractions) * len(groups) - 1e-9)
    return [int(end) for end in np.unique(edges[np.searchsorted(edges, wanted)])]


def online_codelengths(
    features: Float[np.ndarray, "token feature"],
    problems: Sequence[tuple[Int[np.ndarray, " token"], int, float]],
    ends: Sequence[int],
    *,
    variances: Float[np.ndarray, " feature"],
    tolerance: float = 1e-4,
) -> list[Codelength]:
    """Codelength of every problem; all of them share the passes over the features.

    After ``t`` labels the next one, of ``K`` classes, is sent with ``(t p + 1) / (t + K)`` for
    the probe's ``p``: as if every class had been seen once more, so that no label is impossible.

    Args:
        features: of the training rows, in the order in which labels are sent.
        problems: ``(codes, number of classes, C)``.
        ends: from :func:`block_ends`.
        variances: mean square of each feature, for the solver.
        tolerance: of the solver.
    """
    blocks = [[ends[0] * float(np.log2(n)) if n > 1 else 0.0] for _, n, _ in problems]
    starts: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(problems)
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        seen = [np.unique(codes[:begin]) for codes, _, _ in problems]
        posed = [index for index, classes in enumerate(seen) if len(classes) > 1]
        fits = fit_logistic(
            features[:begin],
            [_prefix(problems[i], begin, seen[i], starts[i], tolerance) for i in posed],
            variances=variances,
        )
        fitted = dict(zip(posed, fits, strict=True))
        for index, (codes, n_classes, _) in enumerate(problems):
            probabilities = np.zeros((end - begin, n_classes))
            if index in fitted:
                fit = fitted[index]
                starts[index] = _spread(fit.weights, fit.intercepts, seen[index], n_classes)
                probabilities[:, seen[index]] = _softmax(fit.logits(features[begin:end]))
            else:
                probabilities[:, seen[index]] = 1.0
            chosen = probabilities[np.arange(end - begin), codes[begin:end]]
            smooth = (begin * chosen + 1.0) / (begin + n_classes)
            blocks[index].append(float(-np.log2(smooth).sum()))
    return [
        Codelength(sum(parts), tuple(parts), ends[-1] * float(np.log2(n)))
        for parts, (_, n, _) in zip(blocks, problems, strict=True)
    ]


def _prefix(
    problem: tuple[np.ndarray, int, float],
    size: int,
    seen: np.ndarray,
    start: tuple[np.ndarray, np.ndarray] | None,
    tolerance: float,
) -> LogisticProblem:
    """The first rows, with the classes that occur in them."""
    codes, _, C = problem
    own = None if start is None else (start[0][seen], start[1][seen])
    return LogisticProblem(np.searchsorted(seen, codes[:size]), len(seen), C, tolerance, start=own)


def _spread(
    weights: np.ndarray, intercepts: np.ndarray, seen: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights for all classes, to start the next block from; unseen ones start low."""
    wide = np.zeros((n_classes, weights.shape[1]))
    bias = np.full(n_classes, float(intercepts.min()) - 1.0)
    wide[seen], bias[seen] = weights, intercepts
    return wide, bias


def _softmax(logits: np.ndarray) -> np.ndarray:
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    out: np.ndarray = scores / scores.sum(axis=1, keepdims=True)
    return out
