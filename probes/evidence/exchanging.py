"""Which labels may change places: those of sentences, position by position."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Int

__all__ = ["exchangeable", "in_order", "places", "swap_sentences"]


def exchangeable(
    groups: Int[np.ndarray, " token"],
    positions: Int[np.ndarray, " token"],
    *,
    smallest: int = 8,
) -> tuple[list[Int[np.ndarray, "_ _"]], list[Int[np.ndarray, "_ _"]]]:
    """Blocks of rows whose labels may change places without a label leaving its position.

    In each block all tokens of a column stand at the same position of their sentences, and
    sentences (its rows) may be permuted. Each row is in one block.

    Args:
        groups: ``[token]`` sentence (or other group) of each row.
        positions: ``[token]`` place of each row in its sentence.
        smallest: sentences with the same scored positions that exchange as wholes.

    Returns:
        Blocks of whole sentences, and those of the other sentences: position by position, but
        positions that the same sentences have go together.

    >>> exchangeable(np.array([0, 0, 1, 1, 2]), np.array([0, 3, 0, 3, 3]), smallest=2)
    ([array([[0, 1],
           [2, 3]])], [array([[4]])])
    """
    order = np.lexsort((positions, groups))
    wholes, pieces = in_order(groups[order], positions[order], smallest=smallest)
    return [order[block] for block in wholes], [order[block] for block in pieces]


def in_order(
    groups: Int[np.ndarray, " token"],
    positions: Int[np.ndarray, " token"],
    *,
    smallest: int = 8,
) -> tuple[list[Int[np.ndarray, "_ _"]], list[Int[np.ndarray, "_ _"]]]:
    """:func:`exchangeable` of rows that stand in order of group and position."""
    place = places(groups, positions)
    steps = np.arange(len(place))
    sentences: dict[bytes, list[np.ndarray]] = {}
    for rows in _stretches(groups):
        sentences.setdefault(place[rows].tobytes(), []).append(steps[rows])
    wholes = [np.stack(same) for same in sentences.values() if len(same) >= smallest]
    others = [rows for same in sentences.values() if len(same) < smallest for rows in same]
    rest = np.concatenate([steps[:0], *others])
    rest = rest[np.lexsort((groups[rest], place[rest]))]
    belongs = groups[rest]
    columns: dict[bytes, list[np.ndarray]] = {}
    for rows in _stretches(place[rest]):
        columns.setdefault(belongs[rows].tobytes(), []).append(rest[rows])
    return wholes, [np.stack(same, axis=1) for same in columns.values()]


def places(
    groups: Int[np.ndarray, " token"], positions: Int[np.ndarray, " token"]
) -> Int[np.ndarray, " token"]:
    """A number for each position, of rows in order of group and position.

    Groups of several sentences have a position several times: these are places of their own.
    """
    steps = np.arange(len(groups))
    fresh = np.ones(len(groups), dtype=bool)
    fresh[1:] = (groups[1:] != groups[:-1]) | (positions[1:] != positions[:-1])
    again = steps - np.maximum.accumulate(np.where(fresh, steps, 0))
    _, position = np.unique(positions, return_inverse=True)
    often = int(again.max(initial=0)) + 1
    numbered: np.ndarray = np.unique(position.reshape(-1) * often + again, return_inverse=True)[1]
    return numbered.reshape(-1)


def _stretches(values: Int[np.ndarray, " row"]) -> Iterator[slice]:
    """Where equal values stand together; a slice of an array costs less than NumPy's split."""
    edges = np.flatnonzero(np.diff(values)) + 1
    for begin, end in pairwise([0, *edges.tolist(), len(values)] if len(values) else ()):
        yield slice(begin, end)


def swap_sentences(
    blocks: Sequence[Int[np.ndarray, "_ _"]],
    rng: np.random.Generator,
    *,
    fixed: bool = True,
) -> Int[np.ndarray, " token"]:
    """For each token the token whose label it gets when sentences exchange their labels.

    Held fixed: the position of every label, hence how often each class stands at each position;
    inside a block (see :func:`exchangeable`) also which labels stand together in a sentence.

    Args:
        blocks: of all rows.
        rng: draws the partners.
        fixed: draw any permutation, in which a sentence may keep its own labels, as a test needs;
            else one cycle through all, in which none does, as a control needs. There tokens
            without a partner at their position exchange with one another.
    """
    source = np.empty(sum(block.size for block in blocks), dtype=np.int64)
    if not fixed:
        alone = [block.reshape(-1, 1) for block in blocks if len(block) == 1]
        blocks = [block for block in blocks if len(block) > 1]
        blocks += [np.concatenate(alone)] if alone else []
    for block in blocks:
        cycle = rng.permutation(len(block))
        if fixed:
            source[block] = block[cycle]
        else:
            source[block[cycle]] = block[np.roll(cycle, 1)]
    return source
