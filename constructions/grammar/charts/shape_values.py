"""Chart values of ``shapes`` models: what each node of each tree shape weighs.

Within one shape a node's place is known, so its inside weight is a product over the tree and its
context a product along the path from the root; both are written out here node by node.
"""

from typing import final

import numpy as np
from jaxtyping import Float, Int

from ....grammars import BinaryGrammar, BinaryRule, UnaryRule
from ....grammars.inference.chart import PAD
from ..normal import Normal
from ..passes.shape_trees import Node, Shape
from ..program.coordinates import Coordinate
from ..scale import token_scale
from ..settings import ConstructionSettings

__all__ = ["ShapeValues"]

Values = Float[np.ndarray, "batch read"]
Inside = dict[int, dict[int, np.ndarray]]
"""Of each node (by its identity) and symbol the inside weight of every sentence."""


@final
class ShapeValues:
    """Values of a batch of sentences, by coordinate, at every number of tokens read.

    Args:
        normal: the levelled normal form that was compiled.
        settings: of the model.
        tokens: ``[batch, position]`` terminals, ``PAD`` behind the end.
        shapes: of the normal form, as compiled.
    """

    def __init__(
        self,
        normal: Normal,
        settings: ConstructionSettings,
        tokens: Int[np.ndarray, "batch position"],
        shapes: list[Shape],
    ) -> None:
        self.grammar: BinaryGrammar = normal.grammar
        self._bits = settings.semiring == "deterministic"
        self._gauge = settings.gauge and not self._bits
        self._kappa = token_scale(normal.grammar, normal.roots, settings)
        self._tokens = tokens
        self._depth = normal.depth
        self._roots = dict(normal.roots)
        self._symbols = {name: s for s, name in enumerate(self.grammar.symbols)}
        self._rules: dict[
            tuple[int, int], list[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]
        ] = {}
        self._held: dict[tuple[str, int, int, int, int], np.ndarray] = {}
        for shape in shapes:
            self._fill(shape)

    def of(self, coordinate: Coordinate, above: int | None = None) -> Values | None:
        """What a coordinate holds in the end, ``None`` for kinds that are no chart value.

        Args:
            coordinate: of the registry.
            above: not used: every context value is written at once here.
        """
        del above
        symbol = self._symbols.get(coordinate.symbol, -1)
        if coordinate.kind not in ("beta", "alpha", "gamma"):
            return None
        if coordinate.kind == "beta" and coordinate.shape is None:
            return self._stored(self._token(symbol))
        token = self._symbols[coordinate.token] if coordinate.kind == "gamma" else -1
        shape = -1 if coordinate.shape is None else coordinate.shape
        height = coordinate.height or 0
        held = self._held.get((coordinate.kind, shape, height, symbol, token))
        held = self._blank() if held is None else held
        return self._stored(held) if coordinate.kind == "beta" else held

    # -- one shape -----------------------------------------------------------------------------

    def _fill(self, shape: Shape) -> None:
        inside: Inside = {}
        for height, nodes in enumerate(shape.levels):
            for node in nodes:
                inside[id(node)] = self._node(shape, node, inside)
                if height and node.end <= self._tokens.shape[1]:
                    self._keep_inside(shape, node, inside[id(node)])
        paths = [shape.path(height) for height in range(self._depth + 1)]
        for t in range(min(shape.length, self._tokens.shape[1] + 1)):
            path = [paths[height][t] for height in range(self._depth + 1)]
            self._contexts(shape, path, t, inside)
            self._continuations(shape, path, t, inside)

    def _node(self, shape: Shape, node: Node, inside: Inside) -> dict[int, np.ndarray]:
        """Inside weights ``[batch]`` of a node, by symbol."""
        batch, n = self._tokens.shape
        if not node.tree:
            seen = self._tokens[:, node.end - 1] if node.end <= n else np.full(batch, PAD)
            return {s: (seen == s).astype(np.float64) for s in range(self.grammar.n_terminals)}
        found: dict[int, np.ndarray] = {}
        for rule, children in self._used(shape, node):
            value = np.full(batch, 1.0 if self._bits else float(rule.weight))
            for child, below in zip(children, node.children, strict=True):
                value = value * inside[id(below)].get(child, 0.0)
            found[rule.lhs] = found.get(rule.lhs, 0.0) + value
        return found

    def _used(
        self, shape: Shape, node: Node
    ) -> list[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]:
        """Rules with as many children that some node of this height uses in a derivation."""
        key = shape.index, node.height
        if key not in self._rules:
            used: dict[UnaryRule | BinaryRule, tuple[int, ...]] = {}
            for other in shape.levels[node.height]:
                used.update(shape.rules(other))
            self._rules[key] = list(used.items())
        return [found for found in self._rules[key] if len(found[1]) == len(node.tree)]

    def _keep_inside(self, shape: Shape, node: Node, found: dict[int, np.ndarray]) -> None:
        for symbol, value in found.items():
            factor = 1.0
            if self._gauge:
                best = shape.gauge(node.height, symbol, self._kappa)
                factor = float(self._kappa ** (node.end - node.start) / best)
            self._at("beta", shape.index, node.height, symbol)[:, node.end] = value * factor

    def _contexts(self, shape: Shape, path: list[Node], t: int, inside: Inside) -> None:
        """Context weights of the nodes above the token after the first ``t``, from the root on."""
        batch = len(self._tokens)
        above = {root: np.full(batch, float(w)) for root, w in self._roots.items()}
        for height in range(self._depth, 0, -1):
            node, below = path[height], path[height - 1]
            found: dict[int, np.ndarray] = {}
            for rule, children in self._used(shape, node):
                if rule.lhs in above:
                    child, weight = self._step(shape, node, below, rule, children, inside)
                    found[child] = found.get(child, 0.0) + above[rule.lhs] * weight
            above = found
            for symbol, value in found.items():
                index, level = (shape.index, height - 1) if height > 1 else (-1, 0)
                scaled = value * self._power(t, below)
                self._at("alpha", index, level, symbol)[:, t] += scaled

    def _continuations(self, shape: Shape, path: list[Node], t: int, inside: Inside) -> None:
        """Weights of the nodes above the next token together with that token, from below."""
        below: dict[tuple[int, int], np.ndarray] = {
            (s, s): np.ones(len(self._tokens)) for s in range(self.grammar.n_terminals)
        }
        for height in range(1, self._depth + 1):
            node, child_node = path[height], path[height - 1]
            found: dict[tuple[int, int], np.ndarray] = {}
            for rule, children in self._used(shape, node):
                child, weight = self._step(shape, node, child_node, rule, children, inside)
                for (symbol, token), value in below.items():
                    if symbol == child:
                        key = rule.lhs, token
                        found[key] = found.get(key, 0.0) + value * weight
            below = found
            for (symbol, token), value in found.items():
                # In the gauge only what the node itself has read carries the token scale.
                power = self._power(t, None, t - node.start)
                self._at("gamma", shape.index, height, symbol, token)[:, t] = value * power

    def _step(
        self,
        shape: Shape,
        node: Node,
        below: Node,
        rule: UnaryRule | BinaryRule,
        children: tuple[int, ...],
        inside: Inside,
    ) -> tuple[int, np.ndarray | float]:
        """The child on the path, and the weight of the rule with its sibling."""
        weight = float(rule.weight)
        if not isinstance(rule, BinaryRule):
            return children[0], weight
        if below is node.children[0]:
            if self._bits:
                return rule.left, weight * float(self.grammar.mass[rule.right])
            return rule.left, weight * float(shape.weights.total(rule.right, node.tree[1]))
        return rule.right, weight * inside[id(node.children[0])].get(rule.left, 0.0)

    # -- values in the model's units ------------------------------------------------------------

    def _power(self, t: int, below: Node | None, tokens: int = 0) -> float:
        """The token scale's power of what is complete: all tokens read, or those before a node."""
        if not self._gauge:
            return float(self._kappa**t)
        return float(self._kappa ** (tokens if below is None else below.start))

    def _stored(self, values: Values) -> Values:
        return 1.0 - values if self._bits else values

    def _token(self, symbol: int) -> Values:
        held = self._blank()
        held[:, 1:] = self._tokens == symbol
        return held

    def _blank(self) -> Values:
        return np.zeros((len(self._tokens), self._tokens.shape[1] + 1))

    def _at(self, kind: str, shape: int, height: int, symbol: int, token: int = -1) -> Values:
        key = kind, shape, height, symbol, token
        if key not in self._held:
            self._held[key] = self._blank()
        return self._held[key]
