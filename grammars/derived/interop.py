"""Grammars to and from ``nltk`` and lark's EBNF."""

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from ...core import checked
from ...core.arguments import shown
from ..errors import GrammarError, LanguageError, Problem
from ..formats.rule import Rule
from ..grammar import Grammar

__all__ = ["from_lark", "from_nltk", "rules_of_nltk", "to_lark", "to_nltk"]


@checked(LanguageError)
def to_nltk(grammar: Grammar) -> Any:
    """The same grammar as ``nltk.PCFG``; probabilities become floats.

    >>> to_nltk(Grammar.from_text("S -> 'a' | 'b'")).productions()
    [S -> 'a' [0.5], S -> 'b' [0.5]]
    """
    from nltk.grammar import PCFG, Nonterminal, ProbabilisticProduction

    productions = [
        ProbabilisticProduction(
            Nonterminal(rule.lhs),
            [
                name if is_terminal else Nonterminal(name)
                for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True)
            ],
            prob=float(rule.probability),
        )
        for rule in grammar.rules
    ]
    return PCFG(Nonterminal(grammar.start), productions)


@checked(LanguageError)
def from_nltk(grammar: Any) -> Grammar:
    r"""A grammar from ``nltk.CFG`` (alternatives uniform) or ``nltk.PCFG``.

    Raises:
        GrammarError: it is recursive or otherwise not a usable grammar; :func:`unroll` takes
            recursive ones.

    >>> import nltk
    >>> print(from_nltk(nltk.CFG.fromstring("S -> 'a' B\nB -> 'b'")))
    S -> 'a' B
    B -> 'b'
    """
    return Grammar(*rules_of_nltk(grammar))


def rules_of_nltk(grammar: Any) -> tuple[str, tuple[Rule, ...]]:
    """Start and rules of an ``nltk`` grammar, not validated.

    Raises:
        LanguageError: it is no grammar of ``nltk``.
    """
    if not (hasattr(grammar, "productions") and hasattr(grammar, "start")):
        raise LanguageError(f"a grammar of nltk, CFG or PCFG, is read; received {shown(grammar)}")
    productions: Iterable[Any] = grammar.productions()
    rules = tuple(
        Rule(
            str(production.lhs()),
            tuple(str(symbol) for symbol in production.rhs()),
            # str() gives the decimal as it was written: 0.1, not the nearest binary number.
            Fraction(str(production.prob())) if hasattr(production, "prob") else None,
            tuple(isinstance(symbol, str) for symbol in production.rhs()),
        )
        for production in productions
    )
    return str(grammar.start()), rules


@checked(LanguageError)
def to_lark(grammar: Grammar) -> str:
    r"""The rules as a grammar for lark's parsers; probabilities, which lark lacks, are dropped.

    Rule names are made lower-case words, as lark demands; the start rule is called ``start``.

    >>> print(to_lark(Grammar.from_text("S -> 'a' NP\nNP -> 'b' | 'c'")))
    start: "a" np
    np: "b"
      | "c"
    """
    names: dict[str, str] = {grammar.start: "start"}
    for name in grammar.nonterminals:
        if name not in names:
            word = re.sub(r"\W", "_", name.lower(), flags=re.ASCII)
            word = word if re.match(r"[a-z]", word) else f"r{word}"
            while word in names.values():
                word += "_x"
            names[name] = word
    lines = []
    for name in grammar.nonterminals:
        bodies = [
            " ".join(
                _quote(part) if is_terminal else names[part]
                for part, is_terminal in zip(rule.rhs, rule.terminal, strict=True)
            )
            for rule in grammar.rules
            if rule.lhs == name
        ]
        lines.append(f"{names[name]}: " + "\n  | ".join(bodies))
    return "\n".join(lines)


@checked(LanguageError)
def from_lark(text: str, start: str = "start") -> Grammar:
    r"""A grammar from lark's EBNF: names, strings, ``|``, groups, ``[..]`` and ``?``, ``~n..m``.

    Alternatives are uniform. What has no bounded-depth meaning is refused: regular expressions,
    ``*`` and ``+`` (unbounded), imports and templates. Directives ``%ignore`` and aliases
    (``-> name``) are dropped.

    Args:
        text: the grammar.
        start: name of its start rule.

    Raises:
        GrammarError: a construct outside this subset, with its line, or an unusable grammar.

    >>> g = from_lark('start: A b?\nb: "x" | "y"\nA: "a"')
    >>> sorted(g.lengths), g.n_derivations
    ([1, 2], 3)
    """
    from ..formats.lark_rules import read_lark

    rules, problems = read_lark(text)
    if problems:
        raise GrammarError(tuple(problems))
    if not rules:
        raise GrammarError((Problem('the text holds no rule; write at least start: "a"'),))
    return Grammar(start, tuple(rules))


def _quote(token: str) -> str:
    return '"' + token.replace("\\", "\\\\").replace('"', '\\"') + '"'
