"""Patterns of a grammar's states where every other state of the stream is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..core import Subspace, height_target, progress
from ..grammars import Corpus
from ..hooks import Activations
from ..probes import HeldOut, ProbeResults, pattern_subspace
from ..probes.grid.notes import lost_dimensions

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["ESTIMATE", "joint_patterns", "with_joint_patterns"]

ESTIMATE = (
    "Learned patterns are estimated jointly: at the tokens that end the parent as well, "
    "activations are regressed on the labels of the token, of every node that ends there, of the "
    "nodes to their left, and on the position; the pattern of a height is its own share. Without "
    "that, class means also move wherever other states go along with the class."
)
OTHERS = "the other states of the stream"


def with_joint_patterns(
    results: ProbeResults,
    acts: Activations,
    corpus: Corpus,
    heights: Sequence[int],
    made: "GrammarTransformer | None" = None,
) -> ProbeResults:
    """The grid with :func:`joint_patterns` for its own, and with what it notes about them."""
    rules = made is not None and made.settings.merge == "rules"
    patterns = joint_patterns(acts, corpus, heights, rules=rules)
    classes = {
        target: len(held.classes)
        for (_, target), held in results.held_out.items()
        if isinstance(held, HeldOut)
    }
    replaced = lost_dimensions(results.patterns, classes)
    kept = [note for note in results.notes if note not in replaced]
    notes = (*lost_dimensions(patterns, classes, OTHERS), *kept)
    return replace(results, patterns=patterns, notes=notes)


def joint_patterns(
    acts: Activations, corpus: Corpus, heights: Sequence[int], *, rules: bool = False
) -> Mapping[tuple[str, str], Subspace]:
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
        rules: the states of the stream are rules, not labels (``merge="rules"``): a rule tells the
            labels of its children, so what goes along with a label there is the rules around it.

    Returns:
        (site, target) -> pattern; cells without any are left out.
    """
    found = {}
    states = {height: _states(corpus, height, rules) for height in heights}
    for site in progress(acts.sites, "patterns", unit="site"):
        stream = np.asarray(acts[site], dtype=np.float64)
        for height, (rows, own, others) in states.items():
            space = pattern_subspace(stream[rows], own, others=others)
            if space.dim:
                found[site, height_target(height)] = space
    return found


def _states(
    corpus: Corpus, height: int, rules: bool
) -> tuple[np.ndarray, np.ndarray, Mapping[str, np.ndarray]]:
    """Rows to look at, the labels wanted there, and every other state that may go along."""
    above = min(height + 1, max(corpus.heights))
    rows = corpus.boundary(height) & corpus.boundary(above)
    others = {"position": corpus.positions[rows].astype(str)}
    for level in range(above + 1):
        if level != height:
            others[f"height {level}"] = _labels(corpus, level, rules)[rows]
        if level <= height:
            others[f"left of height {level}"] = _left(corpus, level, rules)[rows]
    telling = {name: labels for name, labels in others.items() if len(np.unique(labels)) > 1}
    return np.flatnonzero(rows), corpus.labels(height)[rows], telling


def _labels(corpus: Corpus, height: int, rules: bool) -> np.ndarray:
    """``[token]`` label of the ancestor, or the rule that expands it (a lower one's label)."""
    if not height:
        return corpus.words
    if not rules:
        return corpus.labels(height)
    names = np.char.add(corpus.labels(height), " by ")
    joined: np.ndarray = np.char.add(names, corpus.labels(height, "rule"))
    return joined


def _left(corpus: Corpus, height: int, rules: bool) -> np.ndarray:
    """``[token]`` state of the node to the left of the one that ends here; "none" at the start."""
    ends = np.flatnonzero(corpus.boundary(height)) if height else np.arange(corpus.n_tokens)
    labels = _labels(corpus, height, rules)[ends].astype(object)
    left = np.full(corpus.n_tokens, "none", dtype=object)
    same = corpus.sentence_ids[ends][1:] == corpus.sentence_ids[ends][:-1]
    left[ends[1:]] = np.where(same, labels[:-1], "none")
    return left.astype(str)
