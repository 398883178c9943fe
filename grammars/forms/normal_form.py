"""Grammars in binary normal form, with the quantities that constructions and charts read."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Protocol, final, runtime_checkable

from ...core import checked
from ..errors import LanguageError, TooLarge
from .table import Table

__all__ = [
    "BinaryGrammar",
    "BinaryRule",
    "HasTable",
    "UnaryRule",
]

_MOST_TOKENS = 1_000_000


@runtime_checkable
class HasTable(Protocol):
    """Anything with a :class:`Table`: a grammar."""

    @property
    def table(self) -> Table:
        """Its symbols and rules as integers."""
        ...


@final
@dataclass(frozen=True)
class UnaryRule:
    """``lhs -> child`` with its weight; symbols are indices."""

    lhs: int
    child: int
    weight: Fraction


@final
@dataclass(frozen=True)
class BinaryRule:
    """``lhs -> left right`` with its weight; symbols are indices."""

    lhs: int
    left: int
    right: int
    weight: Fraction


@final
@dataclass(frozen=True, eq=False)  # compared by identity: hashing all rules would be slow
class BinaryGrammar:
    """A grammar whose rules have one or two children; it derives the same weighted trees.

    Symbols are integers: the terminals first, in the order of the grammar's ``terminals``.

    Args:
        symbols: unique display name of each symbol.
        n_terminals: how many of them are terminals.
        start: the start symbol.
        unary: rules with one child, by ascending level of ``lhs``.
        binary: rules with two children, by ascending level of ``lhs``.
        levels: level of each symbol *in this normal form*; 0 for terminals.
        origin: for each symbol the original symbol it stands for, ``None`` for a helper.
        heights: for each symbol the height in the original grammar (the levelled form: the height
            of the copy); for a helper the height of the rules it serves, ``None`` where shared.
    """

    symbols: tuple[str, ...]
    n_terminals: int
    start: int
    unary: tuple[UnaryRule, ...]
    binary: tuple[BinaryRule, ...]
    levels: tuple[int, ...]
    origin: tuple[str | None, ...]
    heights: tuple[int | None, ...]

    @property
    def depth(self) -> int:
        """Level of the start symbol, d' of docs/theory/grammar.md."""
        return self.levels[self.start]

    @property
    def terminals(self) -> tuple[str, ...]:
        """Names of the terminals."""
        return self.symbols[: self.n_terminals]

    @cached_property
    def ascending(self) -> tuple[int, ...]:
        """Symbols by ascending level: every child stands before its parents."""
        return tuple(sorted(range(len(self.symbols)), key=lambda s: (self.levels[s], s)))

    @cached_property
    def unary_of(self) -> tuple[tuple[UnaryRule, ...], ...]:
        """Unary rules of each symbol."""
        lists: list[list[UnaryRule]] = [[] for _ in self.symbols]
        for rule in self.unary:
            lists[rule.lhs].append(rule)
        return tuple(tuple(group) for group in lists)

    @cached_property
    def binary_of(self) -> tuple[tuple[BinaryRule, ...], ...]:
        """Binary rules of each symbol."""
        lists: list[list[BinaryRule]] = [[] for _ in self.symbols]
        for rule in self.binary:
            lists[rule.lhs].append(rule)
        return tuple(tuple(group) for group in lists)

    @cached_property
    def longest(self) -> tuple[int, ...]:
        """For each symbol the greatest length of what it derives."""
        most = [int(s < self.n_terminals) for s in range(len(self.symbols))]
        for s in self.ascending:
            parts = [most[one.child] for one in self.unary_of[s]]
            parts += [most[two.left] + most[two.right] for two in self.binary_of[s]]
            most[s] = max(parts, default=most[s])
        return tuple(most)

    @cached_property
    def lengths(self) -> tuple[tuple[int, ...], ...]:
        """For each symbol the lengths of what it derives, ascending: L of docs/theory/grammar.md.

        Raises:
            TooLarge: they reach too far to be listed; :meth:`lengths_up_to` lists some.
        """
        return self.lengths_up_to(max(self.longest))

    @checked(LanguageError)
    def lengths_up_to(self, most: int) -> tuple[tuple[int, ...], ...]:
        """For each symbol the lengths of what it derives, ascending, none above ``most``.

        Raises:
            TooLarge: they reach too far to be listed.
        """
        most = min(most, max(self.longest))
        if most > _MOST_TOKENS:
            raise TooLarge(
                f"sentences have up to {most} tokens; the set of their lengths is not listed "
                f"beyond {_MOST_TOKENS}; bound the depth further, or lower most"
            )
        # Rounded up, so that sentences of similar length share the work.
        wide = _lengths(self, 1 << max(most - 1, 1).bit_length())
        return tuple(lengths[: bisect_right(lengths, most)] for lengths in wide)

    @cached_property
    def mass(self) -> tuple[Fraction, ...]:
        """For each symbol the total weight of its derivations, w; 1 for proper grammars."""
        masses = [Fraction(int(s < self.n_terminals)) for s in range(len(self.symbols))]
        for s in self.ascending:
            for one in self.unary_of[s]:
                masses[s] += one.weight * masses[one.child]
            for two in self.binary_of[s]:
                masses[s] += two.weight * masses[two.left] * masses[two.right]
        return tuple(masses)

    @cached_property
    def viterbi(self) -> tuple[dict[int, Fraction], ...]:
        """For each symbol and length the weight of its best derivation of that length, v.

        Raises:
            TooLarge: the lengths reach too far to be listed.
        """
        _ = self.lengths
        best: list[dict[int, Fraction]] = [
            {1: Fraction(1)} if s < self.n_terminals else {} for s in range(len(self.symbols))
        ]
        for s in self.ascending:
            row = best[s]
            for one in self.unary_of[s]:
                for length, value in best[one.child].items():
                    row[length] = max(row.get(length, Fraction(0)), one.weight * value)
            for two in self.binary_of[s]:
                right = best[two.right]
                for left_length, value in best[two.left].items():
                    scaled = two.weight * value
                    for right_length, other in right.items():
                        total = left_length + right_length
                        row[total] = max(row.get(total, Fraction(0)), scaled * other)
        return tuple(best)


@lru_cache(maxsize=64)
def _lengths(grammar: BinaryGrammar, most: int) -> tuple[tuple[int, ...], ...]:
    kept = (2 << most) - 1
    masks = [2 if s < grammar.n_terminals else 0 for s in range(len(grammar.symbols))]
    for s in grammar.ascending:
        for one in grammar.unary_of[s]:
            masks[s] |= masks[one.child]
        for two in grammar.binary_of[s]:
            masks[s] |= _sumset(masks[two.left], masks[two.right]) & kept
    return tuple(
        tuple(length for length, bit in enumerate(bin(mask)[:1:-1]) if bit == "1") for mask in masks
    )


def _sumset(left: int, right: int) -> int:
    """Sums of two sets of lengths, each held as the bits of an integer."""
    total = 0
    while right:
        lowest = right & -right
        total |= left << (lowest.bit_length() - 1)
        right ^= lowest
    return total
