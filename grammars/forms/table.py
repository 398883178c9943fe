"""A validated grammar as integers: what the algorithms work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import final

from ...corpora.quoting import write_terminal
from ..formats.rule import Rule

__all__ = ["Production", "Table", "make_table"]


@final
@dataclass(frozen=True)
class Production:
    """A rule with symbols as integers; ``index`` is its place in the table."""

    index: int
    lhs: int
    rhs: tuple[int, ...]
    weight: Fraction


@final
@dataclass(frozen=True)
class Table:
    """Symbols and rules in canonical order, so that equal grammars have equal tables.

    Symbols ``0..n_terminals-1`` are the terminals, sorted; nonterminals follow by ascending level,
    then name. Productions are sorted by left-hand side and right-hand side.

    Args:
        names: name of each symbol; a terminal spelt like a nonterminal appears in quotes.
        terminals: the terminals as tokens, in symbol order.
        start: the start symbol.
        productions: rules.
        levels: 0 for terminals, else one more than the highest child
            (the longest path to a token).
    """

    names: tuple[str, ...]
    terminals: tuple[str, ...]
    start: int
    productions: tuple[Production, ...]
    levels: tuple[int, ...]

    @property
    def n_symbols(self) -> int:
        """Number of terminals and nonterminals."""
        return len(self.names)

    @property
    def n_terminals(self) -> int:
        """Number of terminals."""
        return len(self.terminals)

    @property
    def depth(self) -> int:
        """Level of the start symbol."""
        return self.levels[self.start]

    @cached_property
    def of(self) -> tuple[tuple[Production, ...], ...]:
        """Productions of each symbol; empty for terminals."""
        lists: list[list[Production]] = [[] for _ in self.names]
        for production in self.productions:
            lists[production.lhs].append(production)
        return tuple(tuple(group) for group in lists)

    @cached_property
    def at_height(self) -> tuple[tuple[int, ...], ...]:
        r"""For each height from 0 the symbols that can label a token there, in edge-padded trees.

        A child stands for its parent's heights down to its own level.

        >>> from linrep.grammars import Grammar
        >>> t = Grammar.from_text("S -> A 'b'\nA -> B 'a'\nB -> 'c'").table
        >>> [[t.names[s] for s in symbols] for symbols in t.at_height[1:]]
        [['a', 'b', 'B'], ['b', 'A'], ['S']]
        """
        heights: list[set[int]] = [set() for _ in range(self.depth + 1)]
        heights[self.depth].add(self.start)
        for height in range(self.depth, 0, -1):
            for symbol in heights[height]:
                if self.levels[symbol] < height:
                    heights[height - 1].add(symbol)
                for production in self.of[symbol] if self.levels[symbol] == height else ():
                    heights[height - 1].update(production.rhs)
        return tuple(tuple(sorted(symbols)) for symbols in heights)

    @cached_property
    def terminal_ids(self) -> dict[str, int]:
        """Token -> symbol."""
        return {name: index for index, name in enumerate(self.terminals)}

    def show(self, index: int) -> str:
        """A production as text, ``NP -> Det N``."""
        production = self.productions[index]
        right = " ".join(
            write_terminal(self.terminals[s]) if s < self.n_terminals else self.names[s]
            for s in production.rhs
        )
        return f"{self.names[production.lhs]} -> {right}"


def make_table(start: str, rules: Sequence[Rule]) -> Table:
    """The canonical table of validated rules (no recursion, no undefined symbol)."""
    levels = _levels(rules)
    terminals = sorted(
        {name for r in rules for name, flag in zip(r.rhs, r.terminal, strict=True) if flag}
    )
    heads = sorted(levels, key=lambda name: (levels[name], name))
    token_ids = {name: index for index, name in enumerate(terminals)}
    head_ids = {name: len(terminals) + index for index, name in enumerate(heads)}
    encoded = sorted(
        (
            head_ids[rule.lhs],
            tuple(
                token_ids[name] if flag else head_ids[name]
                for name, flag in zip(rule.rhs, rule.terminal, strict=True)
            ),
            rule.probability,
        )
        for rule in rules
    )
    return Table(
        names=(*(write_terminal(t) if t in head_ids else t for t in terminals), *heads),
        terminals=tuple(terminals),
        start=head_ids[start],
        productions=tuple(Production(i, *parts) for i, parts in enumerate(encoded)),
        levels=(*(0 for _ in terminals), *(levels[name] for name in heads)),
    )


def _levels(rules: Sequence[Rule]) -> dict[str, int]:
    """Level of each nonterminal by depth-first search with an explicit stack."""
    below: dict[str, set[str]] = {}
    for rule in rules:
        children = {n for n, flag in zip(rule.rhs, rule.terminal, strict=True) if not flag}
        below.setdefault(rule.lhs, set()).update(children)
    levels: dict[str, int] = {}
    for root in below:
        stack = [root]
        while stack:
            name = stack[-1]
            todo = [child for child in below[name] if child not in levels]
            if todo:
                stack.extend(todo)
                continue
            levels[name] = 1 + max((levels[child] for child in below[name]), default=0)
            stack.pop()
    return levels
