"""Into binary normal form: one way for charts and ``spans``, one that keeps tree shapes.

Source: docs/theory/grammar.md, section 1.2. Binarising
before levelling changes the number of shapes; the two functions here keep the right order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from ...core import checked
from ..errors import LanguageError
from .normal_form import BinaryGrammar, BinaryRule, HasTable, UnaryRule
from .table import Table

__all__ = ["binarise", "binarise_table", "level_and_binarise"]


@checked(LanguageError)
def binarise(grammar: HasTable) -> BinaryGrammar:
    """The grammar with long rules split in balanced halves; equal substrings share a helper.

    Guarantee: symbols ``0..n-1`` are the grammar's own, in the order of its table; helpers follow
    and carry probability 1; derivations correspond one to one and keep their weights. The depth
    is at most ``depth * ceil(log2(longest rule))``.

    Args:
        grammar: any grammar.

    >>> from linrep.grammars import Grammar
    >>> normal = binarise(Grammar.from_text("S -> 'a' 'b' 'c'"))
    >>> normal.symbols, normal.depth
    (('a', 'b', 'c', 'S', 'a b'), 2)
    """
    return binarise_table(grammar.table)


def binarise_table(table: Table) -> BinaryGrammar:
    """:func:`binarise`, from a table."""
    build = _Builder(list(table.names), [*table.names], list(table.levels))
    for production in table.productions:
        build.rule(production.lhs, production.rhs, production.weight)
    return build.finish(len(table.terminals), table.start)


@checked(LanguageError)
def level_and_binarise(grammar: HasTable) -> BinaryGrammar:
    r"""First edge padding, then synchronous binarisation: shapes and their number are kept.

    Every node of height ``h`` is a symbol ``(X, h)``, level ``h`` is split into
    ``K_h = max(1, ceil(log2 of its longest rule))`` sublevels, and a rule becomes the balanced
    bracket of its children, padded below to ``K_h``. All rules of a symbol of level ``l`` have
    children of level ``l - 1``.

    Args:
        grammar: any grammar.

    >>> from linrep.grammars import Grammar
    >>> normal = level_and_binarise(Grammar.from_text("S -> A 'b'\nA -> 'a'"))
    >>> normal.symbols
    ('a', 'b', 'b@1', 'A', 'S')
    """
    table = grammar.table
    widest = [1] * (table.depth + 1)
    for production in table.productions:
        height = table.levels[production.lhs]
        widest[height] = max(widest[height], len(production.rhs))
    names = list(table.terminals)
    build = _Builder(
        names,
        list[str | None](table.terminals),
        list[int | None]([0] * len(names)),
    )
    ids: dict[tuple[int, int], int] = {(s, 0): s for s in range(table.n_terminals)}
    for height in range(1, table.depth + 1):
        for symbol in table.at_height[height]:
            own = table.levels[symbol] == height
            label = table.names[symbol] if own else f"{table.names[symbol]}@{height}"
            ids[symbol, height] = build.add(label, table.names[symbol], height)
        steps = max(1, (widest[height] - 1).bit_length())
        for symbol in table.at_height[height]:
            lhs = ids[symbol, height]
            if table.levels[symbol] < height:
                build.synchronous(lhs, (ids[symbol, height - 1],), Fraction(1), steps, height)
                continue
            for production in table.of[symbol]:
                children = tuple(ids[child, height - 1] for child in production.rhs)
                build.synchronous(lhs, children, production.weight, steps, height)
    return build.finish(table.n_terminals, ids[table.start, table.depth])


@final
@dataclass
class _Builder:
    """Collects symbols and rules; helpers are made once per (substring, sublevel)."""

    names: list[str]
    origin: list[str | None]
    heights: list[int | None]

    def __post_init__(self) -> None:
        self.taken = set(self.names)
        self.unary: list[UnaryRule] = []
        self.binary: list[BinaryRule] = []
        self.helpers: dict[tuple[tuple[int, ...], int, int], int] = {}

    def add(self, name: str, origin: str | None, height: int | None) -> int:
        while name in self.taken:
            name += "'"
        self.taken.add(name)
        self.names.append(name)
        self.origin.append(origin)
        self.heights.append(height)
        return len(self.names) - 1

    def helper(
        self, children: tuple[int, ...], step: int, height: int, fill: Callable[[int], None]
    ) -> int:
        key = (children, step, height)
        if key not in self.helpers:
            name = " ".join(self.names[child] for child in children)
            self.helpers[key] = self.add(name, None, height or None)
            fill(self.helpers[key])
        return self.helpers[key]

    def rule(self, lhs: int, children: tuple[int, ...], weight: Fraction) -> None:
        """A rule of any arity as a balanced bracket without padding."""
        if len(children) == 1:
            self.unary.append(UnaryRule(lhs, children[0], weight))
            return
        half = (len(children) + 1) // 2
        left, right = self.part(children[:half]), self.part(children[half:])
        self.binary.append(BinaryRule(lhs, left, right, weight))

    def part(self, children: tuple[int, ...]) -> int:
        if len(children) == 1:
            return children[0]
        return self.helper(children, 0, 0, lambda s: self.rule(s, children, Fraction(1)))

    def synchronous(
        self, lhs: int, children: tuple[int, ...], weight: Fraction, step: int, height: int
    ) -> None:
        """A rule as the balanced bracket of its children, padded below to ``step`` sublevels."""
        if len(children) == 1:
            child = self.sublevel(children, step - 1, height)
            self.unary.append(UnaryRule(lhs, child, weight))
            return
        half = (len(children) + 1) // 2
        left = self.sublevel(children[:half], step - 1, height)
        right = self.sublevel(children[half:], step - 1, height)
        self.binary.append(BinaryRule(lhs, left, right, weight))

    def sublevel(self, children: tuple[int, ...], step: int, height: int) -> int:
        if step == 0:
            return children[0]
        return self.helper(
            children,
            step,
            height,
            lambda s: self.synchronous(s, children, Fraction(1), step, height),
        )

    def finish(self, n_terminals: int, start: int) -> BinaryGrammar:
        levels = self._levels(n_terminals)
        return BinaryGrammar(
            symbols=tuple(self.names),
            n_terminals=n_terminals,
            start=start,
            unary=tuple(sorted(self.unary, key=lambda r: (levels[r.lhs], r.lhs, r.child))),
            binary=tuple(
                sorted(self.binary, key=lambda r: (levels[r.lhs], r.lhs, r.left, r.right))
            ),
            levels=levels,
            origin=tuple(self.origin),
            heights=tuple(self.heights),
        )

    def _levels(self, n_terminals: int) -> tuple[int, ...]:
        below: list[list[int]] = [[] for _ in self.names]
        for one in self.unary:
            below[one.lhs].append(one.child)
        for two in self.binary:
            below[two.lhs] += [two.left, two.right]
        levels = [0 if s < n_terminals else -1 for s in range(len(self.names))]
        for root in range(n_terminals, len(self.names)):
            stack = [root]
            while stack:
                todo = [child for child in below[stack[-1]] if levels[child] < 0]
                if todo:
                    stack += todo
                    continue
                done = stack.pop()
                levels[done] = 1 + max(levels[child] for child in below[done])
        return tuple(levels)
