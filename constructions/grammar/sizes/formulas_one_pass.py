"""What ``spans`` in one pass needs: counted on the normal form, without compiling.

Let ``P(X) = {(k, x) : X =>* u x v, |u| = k}`` be the places where tokens can stand in X's yields.
They concatenate, so ``P(x) = {(0, x)}`` for a token, and P(A) is the union of P(B) over rules
``A -> B`` and of P(B) and ``L(B) + P(C)`` over rules ``A -> B C``. A started, incomplete symbol
``gamma[A, k, x]`` exists iff (k, x) lies in P(A) with k > 0. A rule ``A -> B C`` extends it

* inside B by a linear map, no neuron;
* where B is complete and C begins with x, (0, x) in P(C), by one neuron per length of B;
* where C has begun, (k, x) in P(C) with k > 0, by one neuron per length of B,

together ``|L(B)| |P(C)|``; the last layer keeps what began at token 1: one neuron for each of the
start symbol's gammas and lengths. With the chart's own,

    neurons = sum_{A -> B C} |L(B)| (|L(C)| + |P(C)|) + sum_{A -> B} |L(B)|
              + sum_S (|P(S), k > 0| + |L(S)|).

Source: docs/theory/grammar.md, section 4, extended.
"""

from collections.abc import Iterable

from ....grammars import BinaryGrammar, BinaryRule
from ..normal import Normal
from ..settings import ConstructionSettings

__all__ = ["Places", "one_pass_heads", "one_pass_neurons", "one_pass_width", "places"]

Places = frozenset[tuple[int, int]]
"""Pairs (tokens before it, token)."""


def places(grammar: BinaryGrammar) -> list[Places]:
    """P(X) of every symbol.

    >>> from linrep.grammars import Grammar, binarise
    >>> found = places(binarise(Grammar.from_text("S -> 'a' 'b' | 'b'")))
    >>> sorted(found[-1])  # a = 0, b = 1
    [(0, 0), (0, 1), (1, 1)]
    """
    found: list[Places] = [frozenset()] * len(grammar.symbols)
    for symbol in grammar.ascending:
        mine = {(0, symbol)} if symbol < grammar.n_terminals else set()
        for one in grammar.unary_of[symbol]:
            mine |= found[one.child]
        for two in grammar.binary_of[symbol]:
            mine |= found[two.left]
            mine |= {(n + k, x) for n in grammar.lengths[two.left] for k, x in found[two.right]}
        found[symbol] = frozenset(mine)
    return found


def one_pass_neurons(normal: Normal, settings: ConstructionSettings) -> int:
    """Neurons of ``spans`` in one pass, without the log block.

    Merged: a sum over distinct bodies of a level, and everything that a lone ``beta[B, n]`` feeds
    (unary rules, second children that begin) shares one neuron. The Boolean zero tests add one
    neuron per distinct value that a layer's pairs use.
    """
    where = places(normal.grammar)
    levels = range(1, normal.depth + 1)
    return sum(_level(normal, settings, level, where) for level in levels) + _last(
        normal, settings, where
    )


def _level(normal: Normal, settings: ConstructionSettings, level: int, where: list[Places]) -> int:
    grammar, size = normal.grammar, normal.grammar.lengths
    ones = [r for r in grammar.unary if grammar.levels[r.lhs] == level]
    twos = [r for r in grammar.binary if grammar.levels[r.lhs] == level]
    merged = settings.merge != "none"
    alone = {(r.child, n) for r in ones for n in size[r.child]}
    alone |= {(r.left, n) for r in twos for n in size[r.left]}
    bodies = [(r.left, r.right) for r in twos]
    count = sum(len(size[r.child]) for r in ones)
    count += sum(len(size[b]) * len(_first(where[c])) for b, c in bodies)
    if merged:
        bodies, count = list(dict.fromkeys(bodies)), len(alone)
    count += sum(len(size[b]) * (len(size[c]) + len(_begun(where[c]))) for b, c in bodies)
    if settings.semiring == "boolean":
        own = {(r.right, m) for r in twos for m in size[r.right]}
        own -= alone if merged else set()  # those neurons are zero tests already
        gammas = {(r.right, *place) for r in twos for place in _begun(where[r.right])}
        count += len(own) + len(gammas) + len(_fetched(grammar, twos, where))
    return count


def _last(normal: Normal, settings: ConstructionSettings, where: list[Places]) -> int:
    """Neurons of the layer that keeps what started at token 1."""
    size = normal.grammar.lengths
    count = sum(len(_begun(where[root])) + len(size[root]) for root, _ in normal.roots)
    if settings.semiring == "boolean":  # every gamma and beta, and BOS's mark at each distance
        marks = {k for root, _ in normal.roots for k, _ in _begun(where[root])}
        count += count + len(marks.union(*(size[root] for root, _ in normal.roots)))
    return count


def one_pass_width(normal: Normal) -> dict[str, int]:
    """Coordinates of ``spans`` in one pass, by kind, without the position code.

    BOS has two (a mark for each semiring's two kinds of values) and one copy of its mark for each
    distance up to the longest sentence; every token and EOS have a score.
    """
    grammar, where = normal.grammar, places(normal.grammar)
    gammas = sum(len(_begun(where[s])) for s in range(grammar.n_terminals, len(where)))
    return {
        "bos": 2,
        "beta": sum(map(len, grammar.lengths)),
        "fetch": len(_fetched(grammar, grammar.binary, where)) + normal.lengths[-1],
        "gamma": gammas,
        "score": grammar.n_terminals,
        "eos": 1,
    }


def one_pass_heads(normal: Normal) -> int:
    """Heads of ``spans`` in one pass: one per distinct offset of a layer.

    A value is fetched by the first level that needs it; offset 0 passes on what a first or only
    child may be followed by; the last layer looks for BOS at every distance.
    """
    grammar, where = normal.grammar, places(normal.grammar)
    first: dict[tuple[int, int, int], int] = {}
    for rule in sorted(grammar.binary, key=lambda r: grammar.levels[r.lhs]):
        for key in _fetched(grammar, [rule], where):
            first.setdefault(key, grammar.levels[rule.lhs])
    used = {(level, offset) for (_, _, offset), level in first.items()}
    used |= {(grammar.levels[r.lhs], 0) for r in grammar.unary if _begun(where[r.child])}
    used |= {(grammar.levels[r.lhs], 0) for r in grammar.binary if _begun(where[r.left])}
    return len(used) + normal.lengths[-1]


def _fetched(
    grammar: BinaryGrammar, rules: Iterable[BinaryRule], where: list[Places]
) -> set[tuple[int, int, int]]:
    """Triples (B, n, m): ``beta[B, n]`` is needed m tokens later, C having derived or begun m."""
    size = grammar.lengths
    return {
        (r.left, n, m)
        for r in rules
        for n in size[r.left]
        for m in {*size[r.right], *(k for k, _ in _begun(where[r.right]))}
    }


def _first(found: Places) -> Places:
    return frozenset(place for place in found if place[0] == 0)


def _begun(found: Places) -> Places:
    return frozenset(place for place in found if place[0] > 0)
