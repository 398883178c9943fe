"""The top-down half: where symbols may start, how they may begin, what surrounds them.

All three passes can be restricted to the contexts of one height: pushing only from symbols whose
level in the original grammar is above it leaves exactly the contexts in which a symbol is the
node of that height (docs/theory/grammar.md, section 9). Helpers pass on what they receive.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from .chart import Chart, consecutive

__all__ = ["beginnings", "outside", "starts"]


def starts(
    chart: Chart,
    pushes: tuple[bool, ...] | None = None,
    begins: Int[np.ndarray, " batch"] | None = None,
    roots: Mapping[int, Any] | None = None,
) -> Shaped[np.ndarray, "symbol batch read"]:
    """Weight of the tokens read so far together with "this symbol starts next": alpha.

    Args:
        chart: inside weights.
        pushes: for each symbol whether it is expanded; ``None`` expands all.
        begins: ``[batch]`` where each sentence begins, in tokens read; ``None`` means 0.
        roots: symbols that a sentence can be, with their weights; ``None`` means the start symbol.
    """
    grammar, weights = chart.grammar, chart.weights
    alpha = chart.zeros(len(grammar.symbols))
    batch = np.arange(len(chart.tokens))
    for root, share in ({grammar.start: 1} if roots is None else roots).items():
        alpha[root, batch, 0 if begins is None else begins] = share
    for symbol in reversed(grammar.ascending):
        if pushes is not None and not pushes[symbol]:
            continue
        own = alpha[symbol]
        for child, weight in weights.unary[symbol]:
            alpha[child] += weight * own
        for left, right, weight in weights.binary[symbol]:
            alpha[left] += weight * weights.mass[right] * own
            cells = chart.cells(left)
            for row, length in enumerate(chart.lengths[left]):
                done = own[:, : chart.n + 1 - length] * cells[row, :, length:]
                alpha[right, :, length:] += weight * done
    return alpha


def beginnings(chart: Chart, first: int = 0) -> list[Shaped[np.ndarray, "length batch read"]]:
    """For each symbol the weight with which its yield begins with the last m tokens: pi.

    Row ``m - 1`` of a symbol belongs to ``m`` tokens, ``m >= 1``.

    Args:
        chart: inside weights.
        first: only the values after this many tokens or more are computed.

    Raises:
        TooLarge: they would not fit in memory.
    """
    grammar, weights = chart.grammar, chart.weights
    chart.require(sum(min(longest, chart.n) for longest in grammar.longest))
    every: list[Shaped[np.ndarray, "length batch read"]] = [
        chart.zeros(min(longest, chart.n)) for longest in grammar.longest
    ]
    for symbol in grammar.ascending:
        own = every[symbol]
        if symbol < grammar.n_terminals:
            own[:, :, first:] += chart.cells(symbol)[:, :, first:]
        for child, weight in weights.unary[symbol]:
            own[: len(every[child]), :, first:] += weight * every[child][:, :, first:]
        for left, right, weight in weights.binary[symbol]:
            own[: len(every[left])] += weight * weights.mass[right] * every[left]
            before = chart.cells(left)
            for row, begun in enumerate(every[right]):
                fits = chart.fitting(left, row + 1)
                targets = consecutive(chart.spans[left][:fits] + row)
                begin, back = max(first, row + 1), row + 1
                product = before[:fits, :, begin - back : chart.n + 1 - back] * begun[:, begin:]
                own[targets, :, begin:] += weight * product
    return every


def outside(
    chart: Chart, ends: Int[np.ndarray, " batch"], pushes: tuple[bool, ...] | None = None
) -> Shaped[np.ndarray, "cell batch read"]:
    """Weight of everything around each cell in sentences of the given numbers of tokens.

    Args:
        chart: inside weights.
        ends: ``[batch]`` number of tokens of each sentence.
        pushes: for each symbol whether it is expanded; ``None`` expands all.
    """
    grammar = chart.grammar
    around = chart.zeros(len(chart.beta))
    first = chart.rows[grammar.start]
    for row, length in enumerate(chart.lengths[grammar.start]):
        around[first + row, ends == length, length] = 1
    for symbol in reversed(grammar.ascending):
        if pushes is not None and not pushes[symbol]:
            continue
        _push(chart, around, symbol)
    return around


def _push(chart: Chart, around: Shaped[np.ndarray, "cell batch read"], symbol: int) -> None:
    """Hand the surroundings of one symbol down to its children."""
    first, rows = chart.rows[symbol], chart.rows
    own = around[first : first + len(chart.lengths[symbol])]
    for child, weight in chart.weights.unary[symbol]:
        inner = slice(rows[child], rows[child] + len(chart.lengths[child]))
        around[inner] += weight * own[chart.row_of(symbol, chart.spans[child])]
    for left, right, weight in chart.weights.binary[symbol]:
        before, after = chart.cells(left), chart.cells(right)
        for row, length in enumerate(chart.lengths[right]):
            fits = chart.fitting(left, length)
            targets = chart.row_of(symbol, chart.spans[left][:fits] + length)
            above = weight * own[targets, :, length:]
            stop = chart.n + 1 - length
            around[rows[right] + row, :, length:] += (above * before[:fits, :, :stop]).sum(axis=0)
            inner = slice(rows[left], rows[left] + fits)
            around[inner, :, :stop] += above * after[row, :, length:]
