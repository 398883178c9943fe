"""Labels of training rows that sentences exchange, for controls and for patterns of no state."""

import numpy as np
from jaxtyping import Int

from ..evidence.exchanging import in_order, swap_sentences
from ..evidence.tokens import Tokens

__all__ = ["exchanged", "exchanges"]


def exchanged(
    tokens: Tokens, rows: np.ndarray, values: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Labels in other sentences than their own, each at its position where it has a partner.

    Sentences of one group come in any order: their places in it are no positions.
    """
    order = _order(tokens, rows, rng)
    blocks = _blocks(tokens, rows[order])
    moved = np.empty_like(values)
    moved[order] = values[order][swap_sentences(blocks, rng, fixed=False)]
    return moved


def exchanges(
    tokens: Tokens, rows: np.ndarray, draws: int, rng: np.random.Generator
) -> Int[np.ndarray, "draw row"]:
    """For each row the one whose label it gets, drawn several times (:func:`exchanged`)."""
    steps = np.arange(len(rows), dtype=np.int32)
    drawn = np.empty((draws, len(rows)), dtype=np.int32)
    blocks = None
    for moved in drawn:
        order = _order(tokens, rows, rng)
        # Another order of a group's sentences leaves groups and positions where they stand.
        blocks = _blocks(tokens, rows[order]) if blocks is None else blocks
        moved[order] = steps[order][swap_sentences(blocks, rng, fixed=False)]
    return drawn


def _order(tokens: Tokens, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows by group and position; those of one group at one position by a draw of sentences."""
    groups, positions, sentences = (
        each[rows] for each in (tokens.groups, tokens.positions, tokens.sentences)
    )
    rank = rng.permutation(int(sentences.max(initial=-1)) + 1)
    return np.lexsort((rank[sentences], positions, groups))


def _blocks(tokens: Tokens, rows: np.ndarray) -> list[np.ndarray]:
    """Blocks of ordered rows whose labels may change places."""
    wholes, pieces = in_order(tokens.groups[rows], tokens.positions[rows])
    return [*wholes, *pieces]
