"""Labels of training rows that sentences exchange, for controls and for patterns of no state."""

import numpy as np
from jaxtyping import Int

from ..evidence.exchanging import exchangeable, swap_sentences
from ..evidence.tokens import Tokens

__all__ = ["exchanged", "exchanges"]


def exchanged(
    tokens: Tokens, rows: np.ndarray, values: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Labels in other sentences than their own, each at its position where it has a partner.

    Sentences of one group come in any order: their places in it are no positions.
    """
    order, blocks = _partners(tokens, rows, rng.permutation(_sentences(tokens, rows)))
    moved = np.empty_like(values)
    moved[order] = values[order][swap_sentences(blocks, rng, fixed=False)]
    return moved


def exchanges(
    tokens: Tokens, rows: np.ndarray, draws: int, rng: np.random.Generator
) -> Int[np.ndarray, "draw row"]:
    """For each row the one whose label it gets, drawn several times (:func:`exchanged`)."""
    steps = np.arange(len(rows), dtype=np.int32)
    drawn = np.empty((draws, len(rows)), dtype=np.int32)
    single = len(np.unique(tokens.groups[rows])) == len(np.unique(tokens.sentences[rows]))
    known = None
    for moved in drawn:
        rank = rng.permutation(_sentences(tokens, rows))
        if known is None or not single:  # who is a partner does not change with the order of one
            known = _partners(tokens, rows, rank)
        order, blocks = known
        moved[order] = steps[order][swap_sentences(blocks, rng, fixed=False)]
    return drawn


def _sentences(tokens: Tokens, rows: np.ndarray) -> int:
    return int(tokens.sentences[rows].max(initial=-1)) + 1


def _partners(
    tokens: Tokens, rows: np.ndarray, rank: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """An order of the rows, and blocks of it that exchange labels; ranks order the sentences."""
    groups, positions, sentences = (
        each[rows] for each in (tokens.groups, tokens.positions, tokens.sentences)
    )
    order = np.lexsort((positions, rank[sentences], groups))
    wholes, pieces = exchangeable(groups[order], positions[order])
    return order, [*wholes, *pieces]
