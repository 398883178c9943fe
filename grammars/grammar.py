"""A probabilistic context-free grammar without recursion: the exact oracle of everything else."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from html import escape
from pathlib import Path
from typing import final

from ..core import as_path, checked
from .errors import GrammarError, LanguageError, Problem
from .formats.files import read_rules
from .formats.productive import keep_productive, reachable
from .formats.rule import Rule
from .formats.text import parse_text, write_text
from .formats.validation import find_problems, settle_weights
from .forms.binarisation import binarise_table
from .forms.normal_form import BinaryGrammar
from .forms.table import Table, make_table
from .memory import require_given_rules
from .oracle import Oracle
from .probabilities import read_fraction

__all__ = ["Grammar"]


@final
@checked(LanguageError)
@dataclass(frozen=True, eq=False)
class Grammar(Oracle):
    r"""A context-free grammar with exact probabilities, no recursion and no epsilon rule.

    Immutable, valid at birth, hashable; equal grammars have the same start symbol and the same
    rules with the same probabilities, in whatever order they were written. What it can be asked is
    listed in :class:`Oracle`.

    Args:
        start: the start symbol.
        rules: at least one per nonterminal. Missing weights are made uniform, duplicates merged.
        lost_mass: probability that was cut off to bound the depth (:func:`unroll`); not compared.

    Raises:
        GrammarError: the rules do not make such a grammar; all faults are listed.
        TooLarge: more rules than can be looked at in seconds.

    >>> g = Grammar.from_text("S -> 'a' B [0.75] | 'b' [0.25]\nB -> 'b' | 'c'")
    >>> g.terminals, g.nonterminals, g.depth, sorted(g.lengths)
    (('a', 'b', 'c'), ('S', 'B'), 2, [1, 2])
    >>> g.next_token(["a"])
    {'a': 0.0, 'b': 0.5, 'c': 0.5, '<eos>': 0.0}
    """

    start: str
    rules: tuple[Rule, ...]
    lost_mass: Fraction = Fraction(0)
    notes: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        require_given_rules(len(self.rules), f"the grammar has {len(self.rules)} rules")
        problems = find_problems(self.start, tuple(self.rules))
        if problems:
            raise GrammarError(problems)
        settled, notes = settle_weights(self.start, self.rules)
        kept, left = keep_productive(self.start, settled)
        object.__setattr__(self, "rules", kept)
        object.__setattr__(self, "notes", notes + left)

    # -- where grammars come from

    @classmethod
    def from_text(cls, text: str) -> "Grammar":
        """Read the text format: that of ``nltk.PCFG``; alternatives without weights are uniform."""
        return cls(*parse_text(text))

    @classmethod
    def from_file(cls, path: str | Path) -> "Grammar":
        """Read a text file, or the JSON (``.json``) of the cfg3 family; errors name the file."""
        return read_rules(as_path(path), cls)

    @classmethod
    def from_rules(
        cls,
        rules: Iterable[tuple[str, Sequence[str], Fraction | float | int | str | None]],
        start: str,
    ) -> "Grammar":
        """From (left, right, probability); a name without rules is a terminal.

        >>> print(Grammar.from_rules([("S", ["a", "B"], None), ("B", ["b"], 1)], "S"))
        S -> 'a' B
        B -> 'b'
        """
        listed = [(lhs, tuple(rhs), weight) for lhs, rhs, weight in rules]
        require_given_rules(len(listed), f"the grammar has {len(listed)} rules")
        heads = {lhs for lhs, _, _ in listed}
        made = (
            Rule(lhs, rhs, _weight(lhs, p), tuple(x not in heads for x in rhs))
            for lhs, rhs, p in listed
        )
        return cls(start, tuple(made))

    def below(self, symbol: str) -> "Grammar":
        r"""The language of one nonterminal: this grammar, started there.

        Args:
            symbol: a nonterminal of this grammar.

        Returns:
            Grammar: with the rules that its derivations can use; nothing is cut off.

        Raises:
            LanguageError: the grammar has no such nonterminal, or lost derivations of it when its
                depth was bounded.

        >>> print(Grammar.from_text("S -> 'a' B | 'b'\nB -> 'b' | 'c'").below("B"))
        B -> 'b' | 'c'
        """
        if symbol not in self.nonterminals:
            raise LanguageError(
                f"a nonterminal of the grammar is needed; received {symbol!a:.80}, and there are "
                f"{', '.join(self.nonterminals):.400}"
            )
        if symbol == self.start:
            return self
        if self.lost_mass:
            raise LanguageError(
                f"derivations were cut off in this grammar, so that not all of {symbol!a:.80} are "
                "here: bound the language below it instead (put its rules first in the file)"
            )
        kept = reachable(symbol, self.rules)
        return Grammar(symbol, tuple(rule for rule in self.rules if rule.lhs in kept))

    # -- what it is

    @cached_property
    def table(self) -> Table:
        """Symbols and rules as integers, in canonical order."""
        return make_table(self.start, self.rules)

    @cached_property
    def binary(self) -> BinaryGrammar:
        """The binary form used by charts: :func:`binarise`."""
        return binarise_table(self.table)

    @property
    def nonterminals(self) -> tuple[str, ...]:
        """The nonterminals in the order of their first rule."""
        return tuple(dict.fromkeys(rule.lhs for rule in self.rules))

    # -- how it shows itself

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of the content; equal grammars have equal fingerprints."""
        lines = sorted(f"{rule} [{rule.weight}]" for rule in self.rules)
        return hashlib.sha256("\n".join([self.start, *lines]).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grammar) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __str__(self) -> str:
        return write_text(self.start, self.rules)

    def _repr_html_(self) -> str:
        lines = str(self).splitlines()
        shown = "\n".join(lines[:40] + ["..."] * (len(lines) > 40))
        return (
            f"<b>Grammar</b>: {len(self.rules)} rules, {len(self.nonterminals)} nonterminals, "
            f"{len(self.terminals)} terminals, depth {self.depth}<pre>{escape(shown)}</pre>"
        )


def _weight(lhs: str, given: Fraction | float | int | str | None) -> Fraction | None:
    """The probability of a rule, exact.

    Raises:
        GrammarError: it is no finite number.
    """
    if given is None:
        return None
    try:
        return read_fraction(given) if isinstance(given, str) else Fraction(given)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        fault = f"the probability of a rule of {lhs} is {given!r:.60}; expected a finite number"
        raise GrammarError((Problem(fault),)) from None
