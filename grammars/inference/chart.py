"""The chart: weights of spans for many sentences at once, by dynamic programming.

One cell is a pair (symbol, length); its row holds, for every sentence and every number ``t`` of
tokens read, the weight of that symbol over the last ``length`` of them. All algorithms are sums
of products of shifted rows, so the same code runs in float64, in exact fractions, in integers
(counts) and in Booleans (support). Source: docs/theory/grammar.md, sections 4 and 9, that is
the inside algorithm of Baker (1979) and the prefix algorithm of Jelinek and Lafferty (1991).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, final

import numpy as np
from jaxtyping import Int, Shaped

from ..forms.normal_form import BinaryGrammar
from ..memory import require_memory

__all__ = [
    "PAD",
    "Arithmetic",
    "Chart",
    "Numbers",
    "blank_chart",
    "consecutive",
    "fill",
    "make_chart",
    "scale_exponents",
]

PAD = -1
"""Stands for no token, behind the end of a shorter sentence."""

Numbers = Literal["float", "exact", "count", "support"]
"""float64, ``fractions.Fraction``, Python integers that count derivations, or Booleans."""


@final
@dataclass(frozen=True, eq=False)
class Arithmetic:
    """A grammar's weights in the numbers of a chart.

    Args:
        dtype: of the arrays.
        unary: for each symbol its unary rules as (child, weight).
        binary: for each symbol its binary rules as (left, right, weight).
        mass: total weight of each symbol.
    """

    dtype: np.dtype[Any]
    unary: list[list[tuple[int, Any]]]
    binary: list[list[tuple[int, int, Any]]]
    mass: list[Any]


@final
@dataclass(frozen=True, eq=False)
class Chart:
    """Inside weights of a batch of token sequences.

    Args:
        grammar: the binary grammar.
        weights: its rules in the chart's numbers.
        tokens: ``[batch, position]`` terminals; ``n_terminals`` is the wildcard, ``PAD`` no token.
        rows: for each symbol the first row of its cells.
        lengths: for each symbol the lengths of its cells, ascending.
        beta: ``[cell, batch, read]`` weight of the cell's symbol over the last ``length`` of the
            first ``read`` tokens.
    """

    grammar: BinaryGrammar
    weights: Arithmetic
    tokens: Int[np.ndarray, "batch position"]
    rows: tuple[int, ...]
    lengths: tuple[tuple[int, ...], ...]
    beta: Shaped[np.ndarray, "cell batch read"]

    @property
    def n(self) -> int:
        """Number of tokens of the longest sequence in the batch."""
        return int(self.tokens.shape[1])

    def cells(self, symbol: int) -> Shaped[np.ndarray, "cells batch read"]:
        """Rows of one symbol, one per length."""
        first = self.rows[symbol]
        return self.beta[first : first + len(self.lengths[symbol])]

    @cached_property
    def spans(self) -> tuple[np.ndarray, ...]:
        """The lengths of each symbol's cells as arrays."""
        return tuple(np.array(lengths, dtype=np.int64) for lengths in self.lengths)

    @cached_property
    def _places(self) -> tuple[np.ndarray, ...]:
        """For each symbol length -> row among its cells."""
        places = tuple(np.full(self.n + 1, -1) for _ in self.lengths)
        for place, lengths in zip(places, self.spans, strict=True):
            place[lengths] = np.arange(len(lengths))
        return places

    # Called in the innermost loops: loose annotations, because checking shapes costs more than
    # the work.
    def fitting(self, symbol: int, beside: int) -> int:
        """How many of a symbol's lengths leave room for ``beside`` more tokens."""
        return int(np.searchsorted(self.spans[symbol], self.n - beside, side="right"))

    def row_of(self, symbol: int, lengths: np.ndarray) -> slice | np.ndarray:
        """Rows of the cells of some of a symbol's lengths."""
        return consecutive(self._places[symbol][lengths])

    def require(self, rows: int) -> None:
        """Refuse rows that would not fit in memory.

        Raises:
            TooLarge: with the memory needed.
        """
        _require_rows(rows, self.tokens, self.beta.dtype)

    def zeros(self, rows: int) -> Shaped[np.ndarray, "rows batch read"]:
        """An array of zeros in this chart's numbers.

        Raises:
            TooLarge: it would not fit in memory.
        """
        self.require(rows)
        return np.zeros((rows, len(self.tokens), self.n + 1), dtype=self.beta.dtype)


def make_chart(
    grammar: BinaryGrammar,
    tokens: Int[np.ndarray, "batch position"],
    numbers: Numbers = "float",
    scale: float = 1.0,
) -> Chart:
    """Inside weights of every span of every sequence.

    Args:
        grammar: a binary grammar.
        tokens: terminals; ``grammar.n_terminals`` stands for any token, ``PAD`` for none.
        numbers: the arithmetic.
        scale: token scale kappa, used in float64 only: weights over the first ``t`` tokens carry
            about ``scale**t``, which cancels in every conditional and keeps long sentences in
            range; exactly ``2**scale_exponents(n, scale)[t]``.

    Raises:
        TooLarge: the chart would not fit in memory.
    """
    chart = blank_chart(grammar, tokens, numbers)
    if chart.n:
        steps = np.ones(chart.n, dtype=chart.beta.dtype)
        if numbers == "float":
            steps = np.ldexp(steps, np.diff(scale_exponents(chart.n, scale)))
        for symbol in range(grammar.n_terminals):
            seen = (tokens == symbol) | (tokens == grammar.n_terminals)
            chart.beta[chart.rows[symbol], :, 1:] = seen * steps
    for symbol in grammar.ascending:
        fill(chart, symbol)
    return chart


def blank_chart(
    grammar: BinaryGrammar, tokens: Int[np.ndarray, "batch position"], numbers: Numbers = "float"
) -> Chart:
    """A chart of zeros.

    Raises:
        TooLarge: the chart would not fit in memory.
    """
    batch, n = tokens.shape
    lengths = grammar.lengths_up_to(n)
    firsts = np.concatenate([[0], np.cumsum([len(each) for each in lengths])])
    weights = _arithmetic(grammar, numbers)
    _require_rows(int(firsts[-1]), tokens, weights.dtype)
    beta = np.zeros((int(firsts[-1]), batch, n + 1), dtype=weights.dtype)
    return Chart(grammar, weights, tokens, tuple(firsts[:-1].tolist()), lengths, beta)


def scale_exponents(n: int, scale: float) -> Int[np.ndarray, " read"]:
    """Binary exponents of the weights after 0..n tokens, the nearest integers to ``t log2(scale)``.

    Powers of two, so that scaling never rounds: every probability is the same to the last bit as
    without it. The token at position ``t`` weighs two to the difference of its neighbours; it does
    so in every derivation, which is why it cancels.
    """
    exponents: Int[np.ndarray, " read"] = np.rint(np.arange(n + 1) * np.log2(scale)).astype(
        np.int64
    )
    return exponents


def fill(chart: Chart, symbol: int, first: int = 0) -> None:
    """Cells of one symbol from those of its children, for ``first`` or more tokens read."""
    own = chart.cells(symbol)
    for child, weight in chart.weights.unary[symbol]:
        rows = chart.row_of(symbol, chart.spans[child])
        own[rows, :, first:] += weight * chart.cells(child)[:, :, first:]
    for left, right, weight in chart.weights.binary[symbol]:
        before, after = chart.cells(left), chart.cells(right)
        for row, length in enumerate(chart.lengths[right]):
            fits = chart.fitting(left, length)
            targets = chart.row_of(symbol, chart.spans[left][:fits] + length)
            begin, stop = max(first, length), chart.n + 1
            # What ended `length` tokens ago times what ends now.
            product = before[:fits, :, begin - length : stop - length] * after[row, :, begin:]
            own[targets, :, begin:] += weight * product


def consecutive(rows: np.ndarray) -> slice | np.ndarray:
    """Ascending rows as a slice where they are consecutive; NumPy adds to that without a copy."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _require_rows(
    rows: int, tokens: Int[np.ndarray, "batch position"], dtype: np.dtype[Any]
) -> None:
    batch, n = tokens.shape
    sentences = "1 sentence" if batch == 1 else f"{batch} sentences"
    what = f"a chart of {rows} rows over {sentences} of up to {n} tokens"
    require_memory(rows * batch * (n + 1) * dtype.itemsize, what)


@lru_cache(maxsize=64)
def _arithmetic(grammar: BinaryGrammar, numbers: Numbers) -> Arithmetic:
    casts: dict[str, tuple[type, Callable[[Any], Any]]] = {
        "float": (np.float64, float),
        "exact": (object, lambda weight: weight),
        "count": (object, lambda _: 1),
        "support": (np.bool_, lambda _: True),
    }
    dtype, cast = casts[numbers]
    return Arithmetic(
        np.dtype(dtype),
        [[(rule.child, cast(rule.weight)) for rule in group] for group in grammar.unary_of],
        [[(r.left, r.right, cast(r.weight)) for r in group] for group in grammar.binary_of],
        [cast(mass) for mass in grammar.mass],
    )
