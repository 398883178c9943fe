"""What theory says a compiled model needs: counted on the normal form, without compiling.

Source: docs/theory/grammar.md, sections 4 and 6; arXiv 2606.17522.
"""

from collections.abc import Hashable
from typing import TypeVar

from ....grammars import BinaryGrammar
from ..normal import Normal
from ..settings import ConstructionSettings

__all__ = [
    "boolean_shape_bound",
    "rule_pairs",
    "shape_bound",
    "span_heads",
    "span_neurons",
    "span_width",
]

Item = TypeVar("Item", bound=Hashable)


def span_neurons(normal: Normal, settings: ConstructionSettings) -> int:
    """Neurons of ``spans`` in two passes, without belief or log blocks.

    Bottom-up: ``|L(B)| |L(C)|`` per rule ``A -> B C`` and ``|L(B)|`` per rule ``A -> B``; top-down
    ``|L(B)|`` per rule ``A -> B C``; EOS ``|L(S)|``. Merged: sums over distinct bodies of a level
    (bottom-up) and distinct (A, B) (top-down). The Boolean zero tests add one neuron per distinct
    value that a layer's pairs use.
    """
    grammar = normal.grammar
    total = sum(_level_neurons(normal, settings, level) for level in range(1, normal.depth + 1))
    roots = sum(len(grammar.lengths[root]) for root, _ in normal.roots)
    return total + roots


def _level_neurons(normal: Normal, settings: ConstructionSettings, level: int) -> int:
    """Neurons of the two layers of one level, EOS's pairs apart."""
    grammar, size = normal.grammar, normal.grammar.lengths
    ones = [r for r in grammar.unary if grammar.levels[r.lhs] == level]
    twos = [r for r in grammar.binary if grammar.levels[r.lhs] == level]
    singles = [one.child for one in ones]
    pairs = [(two.left, two.right) for two in twos]
    passed = [(two.lhs, two.left) for two in twos]
    merged = settings.merge != "none"
    if merged:
        singles, pairs, passed = _distinct(singles), _distinct(pairs), _distinct(passed)
    count = sum(len(size[b]) for b in singles)
    count += sum(len(size[b]) * len(size[c]) for b, c in pairs) + sum(
        len(size[b]) for _, b in passed
    )
    if settings.semiring == "boolean":
        count += _zero_tests(normal, level, set(singles) if merged else set())
    return count


def _zero_tests(normal: Normal, level: int, shared: set[int]) -> int:
    """Distinct values tested for zero by a level's two layers."""
    grammar, size = normal.grammar, normal.grammar.lengths
    twos = [r for r in grammar.binary if grammar.levels[r.lhs] == level]
    up = {("fetched", r.left, n, m) for r in twos for n in size[r.left] for m in size[r.right]}
    up |= {("own", r.right, m, 0) for r in twos for m in size[r.right]}
    up -= {("own", b, n, 0) for b in shared for n in size[b]}  # merged copies test these already
    down = {("context", r.lhs, n) for r in twos for n in size[r.left]}
    down |= {("own", r.left, n) for r in twos for n in size[r.left]}
    if level == normal.depth:
        down |= {(kind, s, n) for s, _ in normal.roots for n in size[s] for kind in _END}
    return len(up) + len(down)


_END = ("context", "own")


def span_width(normal: Normal) -> dict[str, int]:
    """Coordinates of ``spans`` in two passes, by kind, without the position code."""
    grammar, size = normal.grammar, normal.grammar.lengths
    fetched = {(r.left, n, m) for r in grammar.binary for n in size[r.left] for m in size[r.right]}
    contexts = {(r.lhs, n) for r in grammar.binary for n in size[r.left]}
    contexts |= {(root, n) for root, _ in normal.roots for n in size[root]}
    return {
        "beta": sum(map(len, size)),
        "fetch": len(fetched),
        "alpha": len(grammar.symbols),
        "fetched alpha": len(contexts),
        "eos": 1,
    }


def span_heads(normal: Normal) -> int:
    """Heads of ``spans`` in two passes, all layers: one per distinct offset of a layer."""
    grammar, size = normal.grammar, normal.grammar.lengths
    first: dict[tuple[int, int, int], int] = {}
    for rule in grammar.binary:
        for n in size[rule.left]:
            for m in size[rule.right]:
                key, level = (rule.left, n, m), grammar.levels[rule.lhs]
                first[key] = min(level, first.get(key, level))
    up = {(level, m) for (_, _, m), level in first.items()}
    down = {(grammar.levels[r.lhs], 0) for r in grammar.unary}
    down |= {(grammar.levels[r.lhs], 0) for r in grammar.binary}
    down |= {(grammar.levels[r.lhs], n) for r in grammar.binary for n in size[r.left]}
    down |= {(normal.depth, n) for root, _ in normal.roots for n in size[root]}
    return len(up) + len(down)


def shape_bound(grammar: BinaryGrammar, n_shapes: int, passes: int) -> int:
    """Most neurons of ``shapes``: c (3 M2 + 2 M1), in one pass c (M1 + M2 + V (2 M2 + M1))."""
    m1, m2, v = len(grammar.unary), len(grammar.binary), grammar.n_terminals
    per_shape = 3 * m2 + 2 * m1 if passes == 2 else m1 + m2 + v * (2 * m2 + m1)
    return n_shapes * per_shape


def boolean_shape_bound(grammar: BinaryGrammar, n_shapes: int, passes: int) -> int:
    """Most neurons of Boolean ``shapes``: the products of :func:`shape_bound`, and zero tests.

    A Boolean product of two values is one neuron for the pair and one zero test for each value, and
    a layer tests a value once. Values of one shape's layer of height h, with l, r, u and a the
    distinct left children, right children, only children and left-hand sides of height h: bottom-up
    l fetched left children, at most r + u values of last (or only) children and one gate "a unary
    node ends here" if u > 0; top-down a contexts, and l complete left children, r gates "this right
    sibling is to come", one gate "the node above is unary" if u > 0. In one pass the contexts are
    gammas of children, at most V (l + r + u). Less where shapes prune rules or gates coincide.

    Args:
        grammar: levelled, synchronously binarised.
        n_shapes: c.
        passes: 1 or 2.
    """
    tests = 0
    for level in range(1, grammar.depth + 1):
        ones = [r for r in grammar.unary if grammar.levels[r.lhs] == level]
        twos = [r for r in grammar.binary if grammar.levels[r.lhs] == level]
        left, right = {r.left for r in twos}, {r.right for r in twos}
        only, above = {r.child for r in ones}, {r.lhs for r in ones} | {r.lhs for r in twos}
        contexts = len(above) if passes == 2 else grammar.n_terminals * len(left | right | only)
        tests += 2 * len(left) + len(right) + len(right | only) + contexts + 2 * bool(only)
    return shape_bound(grammar, n_shapes, passes) + n_shapes * tests


def rule_pairs(grammar: BinaryGrammar, lhs: list[int]) -> int:
    """Pairs of rules with adjacent left-hand sides, sum over levels of m(B) m(C).

    Args:
        grammar: the grammar whose states are rules.
        lhs: for each state the symbol it stands for.
    """
    bodies = {(grammar.levels[r.lhs], lhs[r.left], lhs[r.right]) for r in grammar.binary}
    per_symbol = {symbol: lhs.count(symbol) for symbol in set(lhs)}
    return sum(per_symbol[b] * per_symbol[c] for _, b, c in bodies)


def _distinct(items: list[Item]) -> list[Item]:
    return list(dict.fromkeys(items))
