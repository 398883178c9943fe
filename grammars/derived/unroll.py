"""The bounded-depth part of any context-free grammar.

``A@d`` stands for the derivations of ``A`` that are at most ``d`` edges high. Its rules are those
of ``A`` with every child given one edge less; weights are those of the conditional distribution,
so the result samples exactly the trees of the original grammar that fit. Empty right-hand sides are
removed on the way: a child that may derive nothing is left out with the probability that it does.
"""

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from ...core import checked
from ..errors import GrammarError, LanguageError, TooLarge
from ..formats.files import read_rules
from ..formats.rule import Rule
from ..formats.text import parse_text
from ..formats.validation import find_problems, settle_weights
from ..grammar import Grammar
from ..memory import MOST_RULES

__all__ = ["unroll", "unroll_rules", "without_empty"]

# Masses are rounded to this many significant bits; exact ones double in size with every level.
_BITS = 192
_MOST_CELLS = 100_000  # some five seconds
_MOST_NULLABLE = 12


@checked(LanguageError)
def unroll(grammar: Any, depth: int) -> Grammar:
    """The part of a grammar whose derivations are at most ``depth`` edges high, renormalised.

    The result is the original distribution conditioned on "at most ``depth`` high and not empty";
    ``result.lost_mass`` is the probability of what was cut, the empty sentence included. Empty
    right-hand sides disappear: so do the nodes that derived nothing. Symbols are called ``A@d``,
    and plainly ``A`` where no derivation of ``A`` is cut. Probabilities of the unrolled symbols are
    exact to a relative error of 2**-180.

    Args:
        grammar: the text of any context-free grammar, recursive or with empty right-hand sides;
            or a ``Path`` to it; a :class:`Grammar`; or an ``nltk`` grammar.
        depth: longest path from the root to a token, in edges.

    Raises:
        GrammarError: the rules are at fault in other ways than recursion or emptiness.
        LanguageError: no sentence has a derivation that low.
        TooLarge: the result would have too many rules.

    >>> g = unroll("S -> '(' S ')' [0.4] | 'x' [0.6]", depth=3)
    >>> sorted(g.lengths), g.lost_mass
    ([1, 3, 5], Fraction(8, 125))
    >>> print(g)
    S@3 -> '(' S@2 ')' [14/39] | 'x' [25/39]
    S@2 -> '(' S@1 ')' [2/7] | 'x' [5/7]
    S@1 -> 'x'
    """
    return unroll_rules(*_rules_of(grammar), depth)


def unroll_rules(start: str, rules: Sequence[Rule], depth: int) -> Grammar:
    """:func:`unroll`, from a start symbol and rules.

    Raises:
        GrammarError: the rules are at fault in other ways than recursion or emptiness.
        LanguageError: no sentence has a derivation that low.
    """
    problems = find_problems(start, rules, recursion=True, epsilon=True)
    if problems:
        raise GrammarError(problems)
    if depth < 1:
        raise LanguageError(f"depth is a positive number of edges; received {depth}")
    settled, _ = settle_weights(start, rules)
    return _Unroller(start, settled).run(depth)


def without_empty(grammar: Any) -> Grammar:
    r"""A grammar without recursion, its empty right-hand sides removed.

    The distribution of the sentences is that of the grammar, given that they are not empty.

    Args:
        grammar: as :func:`unroll` takes it.

    Raises:
        GrammarError: the rules are at fault in other ways than emptiness.
        LanguageError: the empty sentence is the only one.

    >>> print(without_empty("S -> A 'x'\nA -> 'a' |"))
    S -> A 'x' | 'x'
    A -> 'a'
    """
    start, rules = _rules_of(grammar)
    problems = find_problems(start, rules, epsilon=True)
    if problems:
        raise GrammarError(problems)
    return unroll_rules(start, rules, len(rules))  # no path is longer than there are symbols


def _rules_of(grammar: Any) -> tuple[str, tuple[Rule, ...]]:
    if isinstance(grammar, Grammar):
        return grammar.start, grammar.rules
    if isinstance(grammar, Path):
        return read_rules(grammar, lambda start, rules: (start, rules), unbounded=True)
    if isinstance(grammar, str):
        return parse_text(grammar, unbounded=True)
    if hasattr(grammar, "productions") and hasattr(grammar, "start"):
        from .interop import rules_of_nltk

        return rules_of_nltk(grammar)
    raise LanguageError(
        "unroll takes the text of a grammar, a Path, a Grammar or an nltk grammar; received "
        f"{type(grammar).__name__}"
    )


class _Unroller:
    """Masses by depth, bottom-up, then rules, top-down."""

    def __init__(self, start: str, rules: Sequence[Rule]) -> None:
        self.start = start
        self.by_lhs: dict[str, list[Rule]] = {}
        for rule in rules:
            self.by_lhs.setdefault(rule.lhs, []).append(rule)
        self.taken = {name for rule in rules for name in rule.rhs} | set(self.by_lhs)
        self.tops = self._tops()
        # mass[d][A]: probability that A derives a non-empty, or an empty, yield within d edges.
        self.full: list[dict[str, Fraction]] = [dict.fromkeys(self.by_lhs, Fraction(0))]
        # A node without children is a leaf: an empty right-hand side takes no edge.
        self.empty: list[dict[str, Fraction]] = [
            {
                lhs: sum((rule.probability for rule in group if not rule.rhs), Fraction(0))
                for lhs, group in self.by_lhs.items()
            }
        ]

    def _tops(self) -> dict[str, int]:
        """Greatest height of each symbol whose derivations are bounded."""
        below = {x: {c for r in group for c in _children(r)} for x, group in self.by_lhs.items()}
        above: dict[str, list[str]] = {}
        for lhs, children in below.items():
            for child in children:
                above.setdefault(child, []).append(lhs)
        waiting = {lhs: len(children) for lhs, children in below.items()}
        ready = deque(lhs for lhs, count in waiting.items() if not count)
        tops: dict[str, int] = {}
        while ready:
            lhs = ready.popleft()
            highest = max((tops[child] for child in below[lhs]), default=0)
            tops[lhs] = 1 + highest if any(rule.rhs for rule in self.by_lhs[lhs]) else 0
            for parent in above.get(lhs, ()):
                waiting[parent] -= 1
                if not waiting[parent]:
                    ready.append(parent)
        return tops

    def run(self, depth: int) -> Grammar:
        depth = self._budget(self.start, depth)
        cells = depth * len(self.by_lhs)
        if cells > _MOST_CELLS:
            raise TooLarge(
                f"unrolling {len(self.by_lhs)} symbols to depth {depth} keeps two probabilities of "
                f"each symbol at each height, {cells} pairs; at most {_MOST_CELLS} are worked "
                "with: give a smaller depth"
            )
        for height in range(1, depth + 1):
            self.full.append({})
            self.empty.append({})
            for lhs, group in self.by_lhs.items():
                parts = [self._masses(rule, height) for rule in group]
                self.full[height][lhs] = _rounded(sum((p[0] for p in parts), Fraction(0)))
                self.empty[height][lhs] = _rounded(sum((p[1] for p in parts), Fraction(0)))
        kept = self.full[depth][self.start]
        if not kept:
            raise LanguageError(
                f"no sentence of the grammar has a derivation of at most {depth} edges; "
                "give a greater depth"
            )
        return Grammar(self._name(self.start, depth), self._rules(depth), lost_mass=1 - kept)

    def _masses(self, rule: Rule, height: int) -> tuple[Fraction, Fraction]:
        total, empty = rule.probability, rule.probability
        for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True):
            none = Fraction(0) if is_terminal else self.empty[height - 1][name]
            some = Fraction(1) if is_terminal else self.full[height - 1][name]
            total *= some + none
            empty *= none
        return total - empty, empty

    def _rules(self, depth: int) -> tuple[Rule, ...]:
        made: list[Rule] = []
        todo = deque([(self.start, depth)])
        seen = set(todo)
        while todo:
            lhs, height = todo.popleft()
            group: list[Rule] = []
            for rule in self.by_lhs[lhs]:
                for variant, children in self._variants(rule, lhs, height):
                    group.append(variant)
                    fresh = [child for child in children if child not in seen]
                    seen.update(fresh)
                    todo += dict.fromkeys(fresh)
            total = sum((rule.probability for rule in group), Fraction(0))
            made += [Rule(r.lhs, r.rhs, r.probability / total, r.terminal) for r in group]
            if len(made) > MOST_RULES:
                raise TooLarge(
                    f"unrolled to depth {depth} the grammar has more than {MOST_RULES} rules; "
                    "give a smaller depth"
                )
        return tuple(made)

    def _variants(
        self, rule: Rule, lhs: str, height: int
    ) -> list[tuple[Rule, list[tuple[str, int]]]]:
        """A rule with every choice of children that derive nothing left out.

        Raises:
            TooLarge: there are too many choices.
        """
        options: list[list[bool]] = []
        for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True):
            some = is_terminal or self.full[height - 1][name] > 0
            none = not is_terminal and self.empty[height - 1][name] > 0
            options.append([True] * some + [False] * none)
        if sum(len(option) == 2 for option in options) > _MOST_NULLABLE:
            raise TooLarge(
                f"the rule {rule} has more than {_MOST_NULLABLE} children that may be empty, which "
                f"would make more than 2**{_MOST_NULLABLE} rules; split it into shorter rules"
            )
        found = []
        for kept in product(*options):
            if any(kept):
                found.append(self._variant(rule, lhs, height, kept))
        return found

    def _variant(
        self, rule: Rule, lhs: str, height: int, kept: tuple[bool, ...]
    ) -> tuple[Rule, list[tuple[str, int]]]:
        weight, names, flags = rule.probability, [], []
        children: list[tuple[str, int]] = []
        for name, is_terminal, keep in zip(rule.rhs, rule.terminal, kept, strict=True):
            if not keep:
                weight *= self.empty[height - 1][name]
                continue
            flags.append(is_terminal)
            if is_terminal:
                names.append(name)
                continue
            weight *= self.full[height - 1][name]
            child = (name, self._budget(name, height - 1))
            children.append(child)
            names.append(self._name(*child))
        return Rule(self._name(lhs, height), tuple(names), weight, tuple(flags)), children

    def _budget(self, name: str, height: int) -> int:
        """A symbol that never grows higher than its top needs no more budget than that."""
        return min(height, self.tops.get(name, height))

    def _name(self, name: str, height: int) -> str:
        if self.tops.get(name) == height:
            return name
        label = f"{name}@{height}"
        while label in self.taken:
            label += "'"
        return label


def _children(rule: Rule) -> list[str]:
    return [name for name, flag in zip(rule.rhs, rule.terminal, strict=True) if not flag]


def _rounded(value: Fraction) -> Fraction:
    """The value to a relative error of 2**-192, as is where it is short already."""
    size = value.denominator.bit_length()
    if size <= _BITS:
        return value
    shift = _BITS + size - value.numerator.bit_length()
    return Fraction((value.numerator << shift) // value.denominator, 1 << shift)
