"""Counting tree shapes without enumeration, by the determinised tree automaton.

Source: docs/theory/grammar.md, section 1.1.

A shape is an unlabelled ordered levelled tree: edges are padded with unary nodes until every
symbol sits at the height of its level and every token at 0. Different labellings of one shape must
not be counted twice, so a state is the exact *set* of symbols that derive a shape; a generating
function over symbols counts labelled trees and is too large.
"""

from collections import defaultdict

from ..errors import TooLarge
from ..forms.table import Table
from ..memory import require_digits
from .counting import unpack

__all__ = ["shapes", "shapes_by_length"]

_MOST_STATES = 20_000

# A rule of the levelled grammar: (left-hand symbol, right-hand symbols one height below).
_Levelled = list[tuple[int, tuple[int, ...]]]


def shapes(table: Table) -> int:
    """Number of tree shapes of the language's derivations, c; exact.

    Args:
        table: a grammar.

    Raises:
        TooLarge: the automaton has too many states to be built.
    """
    return _count(table, one=1)


def shapes_by_length(table: Table) -> dict[int, int]:
    """Length of the sentence -> number of tree shapes; exact.

    Args:
        table: a grammar.

    Raises:
        TooLarge: the automaton has too many states to be built.
    """
    width = shapes(table).bit_length() + 1
    return unpack(_count(table, one=1 << width), width)


def _count(table: Table, one: int) -> int:
    """Weight of all shapes when a token weighs ``one`` (1, or x of a packed polynomial).

    Raises:
        TooLarge: the numbers have too many digits to be held.
    """
    # All tokens look alike in a shape, so one state holds every symbol of height 0.
    states: dict[frozenset[int], int] = {frozenset(range(table.n_terminals)): one}
    for height in range(1, table.depth + 1):
        rules = _levelled(table, height)
        by_arity: dict[int, _Levelled] = defaultdict(list)
        for lhs, rhs in rules:
            by_arity[len(rhs)].append((lhs, rhs))
        bits = max(by_arity) * max(weight.bit_length() for weight in states.values())
        require_digits(bits, "counting tree shapes")
        above: dict[frozenset[int], int] = defaultdict(int)
        for group in by_arity.values():
            for state, weight in _parents(group, states).items():
                above[state] += weight
        states = above
    return sum(weight for state, weight in states.items() if table.start in state)


def _parents(rules: _Levelled, below: dict[frozenset[int], int]) -> dict[frozenset[int], int]:
    """States over rules of one arity: children are read left to right, equal ones merged.

    Raises:
        TooLarge: there are too many.
    """
    partial: dict[frozenset[int], int] = {frozenset(range(len(rules))): 1}
    for place in range(len(rules[0][1])):
        longer: dict[frozenset[int], int] = defaultdict(int)
        for alive, weight in partial.items():
            for state, count in below.items():
                kept = frozenset(rule for rule in alive if rules[rule][1][place] in state)
                if kept:
                    longer[kept] += weight * count
        if len(longer) > _MOST_STATES:
            raise TooLarge(
                f"the tree automaton has more than {_MOST_STATES} states at one height; the number "
                "of shapes of this grammar is out of reach"
            )
        partial = longer
    found: dict[frozenset[int], int] = defaultdict(int)
    for alive, weight in partial.items():
        found[frozenset(rules[rule][0] for rule in alive)] += weight
    return found


def _levelled(table: Table, height: int) -> _Levelled:
    """Rules of one height of the edge-padded grammar: its own rules, and lower symbols passing."""
    rules: _Levelled = []
    for symbol in table.at_height[height]:
        if table.levels[symbol] == height:
            rules += [(symbol, production.rhs) for production in table.of[symbol]]
        else:
            rules.append((symbol, (symbol,)))
    return rules
