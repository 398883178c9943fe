"""All derivations of a sentence: their number, each of them, and the best one.

The chart says which symbol can derive which span; the forest is read off it top-down, so only
spans that belong to a derivation of the whole sentence are ever touched.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Int

from ...corpora.tree import Tree
from ..forms.normal_form import BinaryGrammar
from ..forms.table import Production, Table
from ..memory import nested_calls
from .chart import make_chart

__all__ = ["Forest", "tree_weight"]

Span = tuple[int, int, int]
"""(symbol, first token, token after the last)."""

Best = tuple[Any, Tree | str]
"""A derivation with its score: a log probability, or a probability as a fraction."""

Combine = Callable[[Fraction, list[Any]], Any]
"""Score of a rule from its weight and its children's scores."""


class Forest:
    """Every derivation of one sentence, packed.

    Args:
        table: the grammar.
        grammar: its binary form, whose first symbols are the table's.
        tokens: ``[position]`` terminals of the sentence.
    """

    def __init__(
        self, table: Table, grammar: BinaryGrammar, tokens: Int[np.ndarray, " position"]
    ) -> None:
        self._table = table
        self._n = len(tokens)
        self._chart = make_chart(grammar, tokens[None, :], "support")
        self._places = [
            {length: row for row, length in enumerate(lengths)} for lengths in self._chart.lengths
        ]
        self._counts: dict[Span, int] = {}

    def derives(self, symbol: int, begin: int, end: int) -> bool:
        """Whether the symbol derives the tokens ``begin..end-1``."""
        row = self._places[symbol].get(end - begin)
        return row is not None and bool(self._chart.cells(symbol)[row, 0, end])

    def count(self) -> int:
        """Number of derivation trees of the sentence, exact."""
        root = (self._table.start, 0, self._n)
        with nested_calls("counting derivations"):
            return self._count(root) if self.derives(*root) else 0

    def trees(self) -> Iterator[Tree]:
        """Each derivation tree once, in the canonical order of rules and splits, lazily."""
        if self.derives(self._table.start, 0, self._n):
            every = self._trees((self._table.start, 0, self._n))
            while True:
                with nested_calls("listing derivations"):
                    tree = next(every, None)
                if not isinstance(tree, Tree):
                    return
                yield tree

    def best(self, exact: bool = False) -> Tree | None:
        """A most probable derivation tree; ``None`` outside the language.

        Of equally probable ones the first in the order of :meth:`trees`.

        Args:
            exact: compare products of fractions; otherwise sums of logarithms in float64, whose
                rounding may confuse probabilities that are nearly equal.
        """
        root = (self._table.start, 0, self._n)
        if not self.derives(*root):
            return None
        with nested_calls("the best derivation"):
            tree = self._viterbi(root, _product if exact else _log_sum, {})[1]
        return tree if isinstance(tree, Tree) else None

    def _splits(self, rhs: tuple[int, ...], begin: int, end: int) -> Iterator[tuple[Span, ...]]:
        """Ways to cut a span among right-hand symbols that derive their parts."""
        first, rest = rhs[0], rhs[1:]
        if not rest:
            if self.derives(first, begin, end):
                yield ((first, begin, end),)
            return
        for length in self._chart.lengths[first]:
            middle = begin + length
            if middle > end - len(rest):
                break
            if self.derives(first, begin, middle):
                for others in self._splits(rest, middle, end):
                    yield ((first, begin, middle), *others)

    def _alternatives(self, span: Span) -> Iterator[tuple[Production, tuple[Span, ...]]]:
        symbol, begin, end = span
        for production in self._table.of[symbol]:
            for parts in self._splits(production.rhs, begin, end):
                yield production, parts

    def _count(self, span: Span) -> int:
        if span[0] < self._table.n_terminals:
            return 1
        if span not in self._counts:
            self._counts[span] = sum(
                math.prod(self._count(part) for part in parts)
                for _, parts in self._alternatives(span)
            )
        return self._counts[span]

    def _trees(self, span: Span) -> Iterator[Tree | str]:
        if span[0] < self._table.n_terminals:
            yield self._table.terminals[span[0]]
            return
        for _, parts in self._alternatives(span):
            for children in self._products(parts):
                yield Tree(self._table.names[span[0]], children)

    def _products(self, parts: tuple[Span, ...]) -> Iterator[tuple[Tree | str, ...]]:
        if not parts:
            yield ()
            return
        for first in self._trees(parts[0]):
            for rest in self._products(parts[1:]):
                yield (first, *rest)

    def _viterbi(self, span: Span, combine: Combine, known: dict[Span, Best]) -> Best:
        """Score and tree of the best derivation of a span; ``known`` holds those found before."""
        symbol = span[0]
        if symbol < self._table.n_terminals:
            return combine(Fraction(1), []), self._table.terminals[symbol]
        if span not in known:
            top, chosen = None, tuple[Tree | str, ...]()
            for production, parts in self._alternatives(span):
                found = [self._viterbi(part, combine, known) for part in parts]
                score = combine(production.weight, [below for below, _ in found])
                if top is None or score > top:
                    top, chosen = score, tuple(child for _, child in found)
            known[span] = (top, Tree(self._table.names[symbol], chosen))
        return known[span]


def _log_sum(weight: Fraction, scores: list[float]) -> float:
    # By parts, because a fraction may be smaller than any positive float.
    return math.log(weight.numerator) - math.log(weight.denominator) + sum(scores)


def _product(weight: Fraction, scores: list[Fraction]) -> Fraction:
    return math.prod(scores, start=weight)


def tree_weight(table: Table, tree: Tree) -> Fraction:
    """Probability of a derivation, exact; 0 for a tree that is none of the grammar's."""
    names = {name: symbol for symbol, name in enumerate(table.names)}
    weights = {(p.lhs, p.rhs): p.weight for p in table.productions}
    if names.get(tree.label) != table.start:
        return Fraction(0)
    total = Fraction(1)
    for node in tree.nodes():
        rhs = tuple(
            table.terminal_ids.get(child, -1)
            if isinstance(child, str)
            else names.get(child.label, -1)
            for child in node.children
        )
        total *= weights.get((names.get(node.label, -1), rhs), Fraction(0))
    return total
