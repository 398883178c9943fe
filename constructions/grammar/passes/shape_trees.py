"""Derivation-tree shapes of a levelled binary grammar, one by one, with their geometry."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, final

from ....grammars import BinaryGrammar, BinaryRule, UnaryRule

__all__ = ["Node", "Shape", "ShapeWeights", "Tree", "enumerate_shapes"]

Tree = tuple[Any, ...]
"""An unlabelled ordered tree: its children; ``()`` is a token."""


@final
@dataclass(frozen=True, eq=False)
class Node:
    """A node of one shape.

    Args:
        height: its level; 0 for tokens.
        start: tokens before it.
        end: position of its last token (BOS is 0, the first token 1).
        tree: what hangs below.
        symbols: labels that it carries in some derivation of the shape.
        children: its one or two children.
    """

    height: int
    start: int
    end: int
    tree: Tree
    symbols: frozenset[int]
    children: tuple["Node", ...]


@final
class ShapeWeights:
    """Weights with which symbols derive sub-shapes; memoised.

    Args:
        grammar: levelled, synchronously binarised.
    """

    def __init__(self, grammar: BinaryGrammar) -> None:
        self.grammar = grammar
        self._total: dict[tuple[int, Tree], Fraction] = {}
        self._best: dict[tuple[int, Tree], Fraction] = {}

    def total(self, symbol: int, tree: Tree) -> Fraction:
        """Total weight of the symbol's derivations of this shape."""
        if not tree:
            return Fraction(int(symbol < self.grammar.n_terminals))
        key = (symbol, tree)
        if key not in self._total:
            self._total[key] = sum(self._weights(symbol, tree, self.total), Fraction(0))
        return self._total[key]

    def best(self, symbol: int, tree: Tree) -> Fraction:
        """Weight of the best of them."""
        if not tree:
            return Fraction(int(symbol < self.grammar.n_terminals))
        key = (symbol, tree)
        if key not in self._best:
            self._best[key] = max(self._weights(symbol, tree, self.best), default=Fraction(0))
        return self._best[key]

    def _weights(
        self, symbol: int, tree: Tree, below: Callable[[int, Tree], Fraction]
    ) -> Iterator[Fraction]:
        for rule, children in rules_of(self.grammar, symbol, len(tree)):
            weight = rule.weight
            for child, part in zip(children, tree, strict=True):
                weight *= below(child, part)
            yield weight


def rules_of(
    grammar: BinaryGrammar, symbol: int, arity: int
) -> Iterator[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]:
    """Rules of a symbol with so many children, each with its children."""
    if arity == 1:
        for one in grammar.unary_of[symbol]:
            yield one, (one.child,)
    else:
        for two in grammar.binary_of[symbol]:
            yield two, (two.left, two.right)


def enumerate_shapes(grammar: BinaryGrammar, root: Sequence[int]) -> list[Tree]:
    """Every shape that a root symbol derives, in order of length, without repetition."""
    known: dict[int, list[Tree]] = {s: [()] for s in range(grammar.n_terminals)}
    for symbol in grammar.ascending[grammar.n_terminals :]:
        found: dict[Tree, None] = {}
        for one in grammar.unary_of[symbol]:
            found.update(((tree,), None) for tree in known[one.child])
        for two in grammar.binary_of[symbol]:
            for left in known[two.left]:
                found.update(((left, right), None) for right in known[two.right])
        known[symbol] = list(found)
    shapes = {tree: None for symbol in root for tree in known[symbol]}
    return sorted(shapes, key=_size)


def _size(tree: Tree) -> int:
    return sum(map(_size, tree)) if tree else 1


@final
@dataclass(frozen=True, eq=False)
class Shape:
    """One shape with its nodes.

    Args:
        index: its number.
        tree: itself.
        grammar: levelled, synchronously binarised.
        roots: symbols that may label its root.
        weights: shared table of weights.
    """

    index: int
    tree: Tree
    grammar: BinaryGrammar
    roots: frozenset[int]
    weights: ShapeWeights

    @cached_property
    def length(self) -> int:
        """Tokens."""
        return self.root.end

    @cached_property
    def root(self) -> Node:
        """The root, with all nodes below."""
        inside = frozenset(s for s in self.roots if self.weights.total(s, self.tree))
        return self._node(self.tree, 0, self.grammar.depth, inside)

    @cached_property
    def levels(self) -> list[list[Node]]:
        """Nodes of each height, left to right."""
        levels: list[list[Node]] = [[] for _ in range(self.grammar.depth + 1)]
        stack = [self.root]
        while stack:
            node = stack.pop()
            levels[node.height].append(node)
            stack.extend(reversed(node.children))
        return levels

    def rules(self, node: Node) -> Iterator[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]:
        """Rules that expand this node in some derivation of the shape."""
        for symbol in sorted(node.symbols):
            for rule, children in rules_of(self.grammar, symbol, len(node.tree)):
                parts = zip(children, node.tree, strict=True)
                if all(self.weights.total(child, tree) for child, tree in parts):
                    yield rule, children

    def path(self, height: int) -> list[Node]:
        """For t = 0..length-1 the node of this height above the next token, t + 1."""
        return [node for node in self.levels[height] for _ in range(node.end - node.start)]

    def gauge(self, height: int, symbol: int, kappa: Fraction) -> Fraction:
        """Largest best-derivation weight of the symbol over the shape's nodes of this height.

        Each is taken times ``kappa`` to the number of its tokens, so that an inside value carries
        the scale of its tokens, and no power of kappa is ever met alone.
        """
        return max(
            (
                self.weights.best(symbol, node.tree) * kappa ** (node.end - node.start)
                for node in self.levels[height]
                if symbol in node.symbols
            ),
            default=Fraction(1),
        )

    def _node(self, tree: Tree, start: int, height: int, symbols: frozenset[int]) -> Node:
        if not tree:
            return Node(0, start, start + 1, tree, symbols, ())
        below: list[set[int]] = [set() for _ in tree]
        for symbol in symbols:
            for _, children in rules_of(self.grammar, symbol, len(tree)):
                parts = list(zip(children, tree, strict=True))
                if all(self.weights.total(child, part) for child, part in parts):
                    for labels, child in zip(below, children, strict=True):
                        labels.add(child)
        nodes: list[Node] = []
        at = start
        for part, labels in zip(tree, below, strict=True):
            nodes.append(self._node(part, at, height - 1, frozenset(labels)))
            at = nodes[-1].end
        return Node(height, start, at, tree, symbols, tuple(nodes))
