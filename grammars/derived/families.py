"""Families of grammars and processes whose properties are known in advance."""

import math
from fractions import Fraction

import numpy as np

from ...core import checked
from ..errors import LanguageError, TooLarge
from ..formats.rule import Rule
from ..grammar import Grammar
from ..memory import MOST_RULES, require_rules
from ..processes.known import mess3, rrxor
from ..sampling.draw import generator

__all__ = ["latin", "mess3", "random_grammar", "random_hierarchy", "rrxor"]

# Draws before a body that has a parent already is accepted, or done without.
_TRIES = 50


@checked(LanguageError)
def random_hierarchy(
    n_symbols: int = 8, n_rules: int = 4, arity: int = 2, depth: int = 3, seed: int = 0
) -> Grammar:
    """The Random Hierarchy Model (Cagnina et al., arXiv 2307.02129), as a grammar.

    Levels ``1..depth - 1`` have ``n_symbols`` symbols each; the start symbol alone is at level
    ``depth``. Every symbol has ``n_rules`` equally probable bodies of ``arity`` symbols of the
    level below, and no body has two parents: the grammar is unambiguous, has one tree shape and
    sentences of ``arity ** depth`` tokens. Terminals are ``a0, a1, ...``; nonterminals of level l
    are ``{l}_{i}``, the start symbol ``S``.

    Args:
        n_symbols: symbols per level, terminals included.
        n_rules: bodies per symbol.
        arity: symbols per body.
        depth: levels above the tokens; the depth of the grammar.
        seed: of the drawing of bodies.

    Raises:
        LanguageError: there are fewer than ``n_symbols * n_rules`` bodies to share out.
        TooLarge: the rules would not fit in memory, or there are too many bodies to draw from.

    >>> g = random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=3, seed=1)
    >>> g.depth, sorted(g.lengths), len(g.rules)
    (3, [8], 18)
    """
    _positive(n_symbols=n_symbols, n_rules=n_rules, arity=arity, depth=depth)
    require_rules(n_symbols * n_rules * depth, arity)
    if arity * math.log2(n_symbols) >= 63:
        raise TooLarge(
            f"there are {n_symbols}^{arity} bodies; fewer than 2^63 can be drawn from; lower arity "
            "or n_symbols"
        )
    bodies = n_symbols**arity
    if n_symbols * n_rules > bodies and depth > 1 or n_rules > bodies:
        raise LanguageError(
            f"{n_symbols} symbols with {n_rules} bodies each need {n_symbols * n_rules} different "
            f"bodies; {n_symbols}^{arity} = {bodies} exist; lower n_rules or raise arity"
        )
    rng = generator(seed)
    rules: list[Rule] = []
    for level in range(depth, 0, -1):
        heads = ["S"] if level == depth else [f"{level}_{i}" for i in range(n_symbols)]
        drawn = rng.choice(bodies, size=(len(heads), n_rules), replace=False)
        for head, row in zip(heads, drawn.tolist(), strict=True):
            for number in sorted(row):
                body = [number // n_symbols**place % n_symbols for place in range(arity)]
                rules.append(_rule(head, body[::-1], level, n_rules))
    return _only_reachable("S", rules)


@checked(LanguageError)
def latin(order: int = 3, depth: int = 3, *, start: str = "every") -> Grammar:
    """Latin-square grammar: ``A -> (B, C)`` if and only if ``B + C = A`` modulo ``order``, uniform.

    Levels ``1..depth - 1`` have one symbol per class; the start symbol, alone at level ``depth``,
    stands for every class and so has every pair as a body. Before a node below it is complete, its
    class is uniform whatever was seen, so the ceiling is ``1 / order`` everywhere but at its last
    token, where it is 1: the sharpest staircase (P4 of docs/theory/grammar.md). (A start symbol of
    one class would betray its last child to whoever has seen the first.) Terminals are
    ``a0, a1, ...``; nonterminals of level l are ``{l}_{class}``, the start symbol ``S``.

    That start symbol makes every sentence possible, so the next token is uniform whatever the
    states are, and nothing that is done to them can change it. With ``start="one"`` the start
    symbol stands for class 0 alone, as other symbols do for theirs: the last token is minus the sum
    of all others modulo q, and an exchange of states shows in it. The staircase then holds for all
    nodes but the last of each height, whose class the rest of the sentence betrays.

    Args:
        order: number of classes, q.
        depth: levels above the tokens; sentences have ``2 ** depth`` tokens.
        start: classes of the start symbol: ``every`` or ``one``.

    Raises:
        LanguageError: an argument below 1, or no such start symbol.
        TooLarge: the rules would not fit in memory.

    >>> print(latin(order=2, depth=1))
    S -> 'a0' 'a0' | 'a0' 'a1' | 'a1' 'a0' | 'a1' 'a1'
    >>> print(latin(order=3, depth=1, start="one"))
    S -> 'a0' 'a0' | 'a1' 'a2' | 'a2' 'a1'
    """
    _positive(order=order, depth=depth)
    if start not in ("every", "one"):
        raise LanguageError(f"start is 'every' or 'one' (class of S); received {start!r}")
    require_rules(order**2 * depth, 2)
    classes = range(order)
    pairs = [(x, y) for x in classes for y in classes if start == "every" or (x + y) % order == 0]
    rules = [_rule("S", [*pair], depth, len(pairs)) for pair in pairs]
    for level in range(depth - 1, 0, -1):
        for value in classes:
            for first in classes:
                body = [first, (value - first) % order]
                rules.append(_rule(f"{level}_{value}", body, level, order))
    return Grammar("S", tuple(rules))


@checked(LanguageError)
def random_grammar(
    depth: int = 3,
    *,
    n_symbols: int = 2,
    n_terminals: int = 3,
    n_rules: int = 2,
    arity: tuple[int, int] = (2, 3),
    ambiguity: float | int = 0.0,
    unary: float | int = 0.0,
    skip: float | int = 0.0,
    uniform: bool = True,
    seed: int = 0,
) -> Grammar:
    """A grammar drawn at random, of exactly this depth.

    Args:
        depth: level of the start symbol ``S``.
        n_symbols: nonterminals per level, ``{level}_{i}``; those that are never used are left out.
        n_terminals: tokens ``a0, a1, ...``.
        n_rules: bodies per symbol; fewer where they run out or coincide.
        arity: least and greatest number of symbols in a body.
        ambiguity: probability that a body is one of another symbol of the same level. At 0 no body
            has two parents as long as there are bodies enough (bodies of different lengths can
            still make sentences ambiguous).
        unary: probability that a body is a single symbol, whatever ``arity`` says.
        skip: probability that a child comes from any lower level rather than the next.
        uniform: equal probabilities; otherwise random ones.
        seed: of all of this.

    Raises:
        LanguageError: an argument is out of range.
        TooLarge: the rules or terminals would not fit in memory.

    >>> g = random_grammar(depth=4, ambiguity=0.5, unary=0.2, skip=0.3, uniform=False, seed=7)
    >>> g.depth
    4
    """
    _positive(depth=depth, n_symbols=n_symbols, n_terminals=n_terminals, n_rules=n_rules)
    if not 1 <= arity[0] <= arity[1]:
        raise LanguageError(f"arity is (least, greatest), both positive; received {arity}")
    for name, value in {"ambiguity": ambiguity, "unary": unary, "skip": skip}.items():
        if not 0 <= value <= 1:
            raise LanguageError(f"{name} is a probability; received {value}")
    require_rules(n_symbols * n_rules * depth, arity[1])
    _require_terminals(n_terminals)
    rng = generator(seed)
    levels = [[f"a{i}" for i in range(n_terminals)]]
    rules: list[Rule] = []
    for level in range(1, depth + 1):
        heads = ["S"] if level == depth else [f"{level}_{i}" for i in range(n_symbols)]
        used: list[tuple[str, ...]] = []
        for head in heads:
            bodies: list[tuple[str, ...]] = []
            for _ in range(n_rules):
                # The first body keeps a child of the next level, so that the depth is met.
                body = _draw_body(rng, levels, arity, unary, skip if bodies else 0.0)
                for _ in range(_TRIES if ambiguity == 0 else 0):
                    if body not in used:
                        break
                    body = _draw_body(rng, levels, arity, unary, skip if bodies else 0.0)
                if used and bodies and rng.random() < ambiguity:
                    body = used[rng.integers(len(used))]
                if body not in bodies and (not bodies or ambiguity > 0 or body not in used):
                    bodies.append(body)
            used += bodies
            parts = [1] * len(bodies) if uniform else rng.integers(1, 10, len(bodies)).tolist()
            for body, part in zip(bodies, parts, strict=True):
                flags = tuple(name in levels[0] for name in body)
                rules.append(Rule(head, body, Fraction(part, sum(parts)), flags))
        levels.append(heads)
    return _only_reachable("S", rules[::-1])


def _draw_body(
    rng: np.random.Generator,
    levels: list[list[str]],
    arity: tuple[int, int],
    unary: float | int,
    skip: float | int,
) -> tuple[str, ...]:
    size = 1 if rng.random() < unary else int(rng.integers(arity[0], arity[1] + 1))
    body = []
    for _ in range(size):
        choices = levels[rng.integers(len(levels))] if rng.random() < skip else levels[-1]
        body.append(choices[rng.integers(len(choices))])
    return tuple(body)


def _rule(head: str, body: list[int], level: int, n_rules: int) -> Rule:
    names = tuple(f"a{i}" if level == 1 else f"{level - 1}_{i}" for i in body)
    return Rule(head, names, Fraction(1, n_rules), (level == 1,) * len(body))


def _only_reachable(start: str, rules: list[Rule]) -> Grammar:
    from ..formats.productive import reachable

    keep = reachable(start, rules)
    return Grammar(start, tuple(rule for rule in rules if rule.lhs in keep))


def _require_terminals(n: int) -> None:
    """Refuse more tokens than a grammar could use.

    Raises:
        TooLarge: with their number and the limit.
    """
    if n > MOST_RULES:
        raise TooLarge(
            f"n_terminals is at most {MOST_RULES:,}; received {n}: take fewer, those that no rule "
            "draws are left out anyway"
        )


def _positive(**arguments: int) -> None:
    for name, value in arguments.items():
        if value < 1:
            raise LanguageError(f"{name} is a positive integer; received {value}")
