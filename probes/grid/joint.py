"""Patterns of a grammar's states where every other state of the stream is known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core import Subspace, height_target, progress
from ..errors import ProbeError
from ..geometry.fold_patterns import patterns_without
from ..geometry.patterns import pattern_subspace
from ..geometry.statistics import Statistics
from ..inputs.protocols import ActivationsLike
from ..inputs.reading import as_array

__all__ = ["ESTIMATE", "OTHERS", "joint_patterns", "left_of"]

ESTIMATE = (
    "Learned patterns are estimated jointly: at the tokens that end the parent as well, "
    "activations are regressed on the labels of the token, of every node that ends there, of the "
    "nodes to their left, and on the position; the pattern of a height is its own share. Without "
    "that, class means also move wherever other states go along with the class."
)
OTHERS = {
    "targets": "position and the other targets",
    "joint": "the other states of the stream",
    "rules": "the rules around it in the stream",
}
"""What patterns are estimated jointly with, by the name of the choice."""
OWN = "the target itself"
Cell = tuple[str, str]


def joint_patterns(
    acts: ActivationsLike,
    corpus: Any,
    heights: Sequence[int],
    folds: np.ndarray | None = None,
    *,
    rules: bool = False,
) -> tuple[dict[Cell, Subspace], dict[Cell, tuple[np.ndarray, ...]]]:
    """The movement of class means that no other state of the stream explains.

    The stream of a constructed model holds, at a token that ends a node of height h: the states of
    all nodes that end there and, fetched by attention, those to their left. They go along with
    each other, so class means of one move in the subspaces of all; one regression on all of them
    tells them apart (a state that the others fix leaves nothing, and has no pattern here). Tokens
    that end the parent too are taken because elsewhere the stream also holds states that depend
    on the class in ways that no label names: false constituents across the border of the parent,
    and what is expected next.

    Args:
        acts: activations of the corpus.
        corpus: sentences of a grammar.
        heights: of the targets.
        folds: ``[token]`` part of the groups, for patterns without one part each; or ``None``.
        rules: the states of the stream are rules, not labels (``merge="rules"``): a rule tells the
            labels of its children, so what goes along with a label there is the rules around it.

    Returns:
        (site, target) -> pattern; cells without any are left out. And for the same cells the
        orthonormal bases of the patterns without one part each.

    Raises:
        ProbeError: no height is asked for.
    """
    if not heights:
        raise ProbeError(
            "patterns='joint' takes the states of a grammar apart, so it needs heights=[...] and a "
            "corpus that was sampled from a grammar"
        )
    found: dict[Cell, Subspace] = {}
    without: dict[Cell, tuple[np.ndarray, ...]] = {}
    kept = np.asarray(acts.kept)
    states = {height: _states(corpus, height, kept, rules=rules) for height in heights}
    for site in progress(acts.sites, "patterns", unit="site"):
        stream = as_array(acts[site], f"activations at {site!r} are [token, d]")
        for height, (rows, own, others) in states.items():
            here, cell = stream[rows].astype(np.float64), (site, height_target(height))
            space = pattern_subspace(here, own, others=others)
            if not space.dim:
                continue
            found[cell] = space
            if folds is not None:
                without[cell] = _without(here, {OWN: own, **others}, folds[rows], space.dim)
    return found, without


def _without(
    X: np.ndarray, targets: Mapping[str, np.ndarray], fold: np.ndarray, rank: int
) -> tuple[np.ndarray, ...]:
    parts = [
        Statistics.from_arrays(
            X[fold == number], {name: each[fold == number] for name, each in targets.items()}
        )
        for number in np.unique(fold)
    ]
    return tuple(np.linalg.qr(each)[0] for each in patterns_without(parts, OWN, rank))


def _states(
    corpus: Any, height: int, kept: np.ndarray, *, rules: bool
) -> tuple[np.ndarray, np.ndarray, Mapping[str, np.ndarray]]:
    """Rows to look at, the labels wanted there, and every other state that may go along."""
    above = min(height + 1, max(corpus.heights))
    rows = corpus.boundary(height) & corpus.boundary(above) & kept
    others = {"position": corpus.positions[rows].astype(str)}
    for level in range(above + 1):
        if level != height:
            others[f"height {level}"] = _labels(corpus, level, rules=rules)[rows]
        if level <= height:
            others[f"left of height {level}"] = left_of(corpus, level, rules=rules)[rows]
    telling = {name: labels for name, labels in others.items() if len(np.unique(labels)) > 1}
    return np.flatnonzero(rows), corpus.labels(height)[rows], telling


def _labels(corpus: Any, height: int, *, rules: bool) -> np.ndarray:
    """``[token]`` label of the ancestor, or the rule that expands it (a lower one's label)."""
    labels: np.ndarray = corpus.labels(height) if height else corpus.words
    if not rules or not height:
        return labels
    joined: np.ndarray = np.char.add(np.char.add(labels, " by "), corpus.labels(height, "rule"))
    return joined


def left_of(corpus: Any, height: int, *, rules: bool = False) -> np.ndarray:
    """``[token]`` state of the node to the left of the one that ends here; "none" at the start.

    Args:
        corpus: sentences of a grammar.
        height: of the nodes.
        rules: the rule that expands the node, not its label alone.
    """
    ends = np.flatnonzero(corpus.boundary(height)) if height else np.arange(len(corpus.words))
    labels = _labels(corpus, height, rules=rules)[ends].astype(object)
    left = np.full(len(corpus.words), "none", dtype=object)
    same = corpus.sentence_ids[ends][1:] == corpus.sentence_ids[ends][:-1]
    left[ends[1:]] = np.where(same, labels[:-1], "none")
    return left.astype(str)
