"""Exact posteriors of ancestors and the ceilings they imply (docs/theory/grammar.md, section 9).

The label of a token at height h is the first symbol with level at most h on the way from the root.
Joint weights: with the prefix (J), with the prefix and "the node ends here" (K), with the whole
sentence, with the position alone, and with the position and a window of the last tokens. The last
two put a wildcard, which any token matches, where nothing was seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int, Shaped

from ...core import progress
from ...corpora.language import Given
from ..forms.normal_form import BinaryGrammar
from ..forms.table import Table
from .chart import PAD, Chart, make_chart
from .top_down import beginnings, outside, starts
from .window_posterior import window_joint

__all__ = ["Question", "Sentence", "joint", "posteriors"]

# Bytes of one batch's inside chart; other arrays are a small multiple of it.
_BATCH_BYTES = 32 * 2**20

Sentence = Int[np.ndarray, "_"]  # each its own length


@final
@dataclass(frozen=True)
class Question:
    """Which ancestor is asked for, and what has been seen.

    Args:
        height: of the ancestor.
        given: what has been seen.
        window: tokens seen, the current one included; for ``given="window"``.
    """

    height: int
    given: Given = "prefix"
    window: int = 0


def joint(
    chart: Chart, table: Table, asked: Question
) -> Shaped[np.ndarray, "label batch position"]:
    """Joint weight of what is given and each label, per token.

    Args:
        chart: of the sentences; for ``position`` and ``window`` with wildcards in them.
        table: the grammar.
        asked: the question; labels are those of ``table.at_height[asked.height]``.
    """
    pushes = _pushes(chart.grammar, table, asked.height)
    symbols = table.at_height[asked.height]
    if asked.given == "sentence":
        return _sentence_joint(chart, symbols, pushes)
    alpha = starts(chart, pushes)
    every = None if asked.given == "boundary" else beginnings(chart)
    total = chart.zeros(len(symbols))
    for place, symbol in enumerate(symbols):
        cells = chart.cells(symbol) if every is None else every[symbol]
        lengths = chart.lengths[symbol] if every is None else range(1, len(cells) + 1)
        for row, length in enumerate(lengths):
            context = alpha[symbol][:, : chart.n + 1 - length]
            total[place][:, length:] += context * cells[row, :, length:]
    return total[:, :, 1:]


def _sentence_joint(
    chart: Chart, symbols: tuple[int, ...], pushes: tuple[bool, ...]
) -> Shaped[np.ndarray, "label batch position"]:
    around = outside(chart, (chart.tokens != PAD).sum(axis=1), pushes)
    total = chart.zeros(len(symbols))
    for place, symbol in enumerate(symbols):
        first = chart.rows[symbol]
        for row, length in enumerate(chart.lengths[symbol]):
            node = around[first + row] * chart.beta[first + row]
            for back in range(length):  # every token of the span has this node above it
                total[place][:, 1 + back : chart.n + 2 + back - length] += node[:, length:]
    return total[:, :, 1:]


def posteriors(
    grammar: BinaryGrammar,
    table: Table,
    sentences: list[Sentence],
    asked: Question,
    scale: float,
    summary: Callable[[Float[np.ndarray, "label batch position"]], np.ndarray],
) -> list[np.ndarray]:
    """For each sentence a summary of the posterior over labels at each token.

    Args:
        grammar: the binary form of ``table``.
        table: the grammar.
        sentences: terminals of each sentence.
        asked: the question.
        scale: token scale.
        summary: from posteriors to ``[batch, position, ...]``; NaN where what is given has
            probability 0.

    Returns:
        ``[position, ...]`` per sentence.
    """
    if asked.given == "position":
        longest = max((len(sentence) for sentence in sentences), default=0)
        blind = np.full((1, longest), grammar.n_terminals, dtype=np.int64)
        shares = _normal(joint(make_chart(grammar, blind), table, asked))
        return [summary(shares)[0, : len(sentence)] for sentence in sentences]
    if asked.given == "window":
        return _windowed(grammar, table, sentences, asked, scale, summary)
    found: list[np.ndarray] = [np.empty(0)] * len(sentences)
    for members, longest in _batches(grammar, [len(sentence) for sentence in sentences]):
        tokens = np.full((len(members), longest), PAD, dtype=np.int64)
        for row, member in enumerate(members):
            tokens[row, : len(sentences[member])] = sentences[member]
        values = summary(_normal(joint(make_chart(grammar, tokens, "float", scale), table, asked)))
        for row, member in enumerate(members):
            found[member] = values[row, : len(sentences[member])]
    return found


def _pushes(grammar: BinaryGrammar, table: Table, height: int) -> tuple[bool, ...]:
    """Which symbols hand contexts down at a height.

    Helpers of the binary form pass on what they receive; other symbols only above the height, so
    that exactly the contexts in which a symbol is the node of that height remain.
    """
    helpers = len(grammar.symbols) - table.n_symbols
    return (*(level > height for level in table.levels), *([True] * helpers))


def _windowed(
    grammar: BinaryGrammar,
    table: Table,
    sentences: list[Sentence],
    asked: Question,
    scale: float,
    summary: Callable[[Float[np.ndarray, "label batch position"]], np.ndarray],
) -> list[np.ndarray]:
    """Posteriors given position and last tokens; each distinct (position, tokens) once."""
    asked_before: dict[tuple[int, bytes], int] = {}
    queries: list[tuple[int, Sentence]] = []  # tokens read, and the last of them
    where: list[list[int]] = []
    for sentence in sentences:
        rows = []
        for read in range(1, len(sentence) + 1):
            seen = sentence[max(0, read - asked.window) : read]
            key = read, seen.tobytes()
            if key not in asked_before:
                asked_before[key] = len(queries)
                queries.append((read, seen))
            rows.append(asked_before[key])
        where.append(rows)
    answers: list[np.ndarray] = [np.empty(0)] * len(queries)
    pushes = _pushes(grammar, table, asked.height)
    for members, longest in _batches(grammar, [read for read, _ in queries]):
        tokens = np.full((len(members), longest), PAD, dtype=np.int64)
        for row, member in enumerate(members):
            read, seen = queries[member]
            tokens[row, longest - read :] = grammar.n_terminals
            tokens[row, longest - len(seen) :] = seen
        weights = window_joint(grammar, table, tokens, asked.height, pushes, asked.window, scale)
        values = summary(_normal(weights[:, :, None]))
        for row, member in enumerate(members):
            answers[member] = values[row, 0]
    return [np.stack([answers[i] for i in rows]) for rows in where]


def _normal(
    weights: Shaped[np.ndarray, "label batch position"],
) -> Float[np.ndarray, "label batch position"]:
    with np.errstate(invalid="ignore"):
        shares: Float[np.ndarray, "label batch position"] = weights / weights.sum(axis=0)
    return shares


def _batches(grammar: BinaryGrammar, sizes: list[int]) -> Iterator[tuple[list[int], int]]:
    """Sentences of similar size together, as many as fit the budget, and the greatest size."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    groups: list[list[int]] = []
    at = 0
    while at < len(order):
        size = len(order) - at
        # The longest of a group is its last: shrink until that one's chart fits.
        while size > 1 and size * _cost(grammar, sizes[order[at + size - 1]]) > _BATCH_BYTES:
            size = max(1, size // 2)
        groups.append(order[at : at + size])
        at += size
    for members in progress(groups, "posteriors", total=len(groups), unit="batch"):
        yield members, max(sizes[i] for i in members)


def _cost(grammar: BinaryGrammar, length: int) -> int:
    cells = sum(len(lengths) for lengths in grammar.lengths_up_to(length))
    return 8 * max(cells, 1) * (length + 1)
