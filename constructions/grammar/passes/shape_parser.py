"""Construction ``shapes``: one copy of the parser per derivation-tree shape, as in the paper.

Within one shape every node is a function of the position: position t holds ``beta_h[X]`` of the
node of height h that ends at t (if any) and ``alpha_h[X]`` of the node of height h above the next
token. Source: arXiv 2606.17522; docs/theory/grammar.md, section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import final

from ....grammars import BinaryGrammar, BinaryRule, UnaryRule
from ..program.program import LayerDraft, Lookup
from .draft import Draft
from .shape_trees import Node, Shape
from .spans import Root

__all__ = ["ShapeParser"]


@final
@dataclass(frozen=True, eq=False)
class ShapeParser:
    """The parser of one shape, over a draft that all shapes share.

    Args:
        draft: the program under construction.
        grammar: levelled, synchronously binarised.
        shape: the shape.
        roots: start symbols with their weights.
    """

    draft: Draft
    grammar: BinaryGrammar
    shape: Shape
    roots: Sequence[Root]
    _gammas: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)

    # -- coordinates ----------------------------------------------------------------------------

    def beta(self, height: int, symbol: int) -> int:
        """Inside value of the node of this height that ends here; tokens are shared by all."""
        name = self.grammar.symbols[symbol]
        if height == 0:
            return self.draft.inside("beta", name, length=1)
        return self.draft.inside("beta", name, shape=self.shape.index, height=height)

    def alpha(self, height: int, symbol: int) -> int:
        """Context value of the node of this height above the next token; tokens are shared."""
        name = self.grammar.symbols[symbol]
        if height == 0:
            return self.draft.add("alpha", name)
        if height == self.grammar.depth:
            return self.running(dict(self.roots)[symbol])
        return self.draft.add("alpha", name, shape=self.shape.index, height=height)

    def running(self, weight: Fraction) -> int:
        """Context of the root: its weight as long as the sentence is not complete, then 0.

        Without a gauge it carries the token scale; with one, inside values do.
        """
        scales = self.draft.scales
        values = [
            scales.predict(weight * scales.power(t)) if t < self.shape.length else 0.0
            for t in range(self.draft.n_max + 1)
        ]
        return self.draft.clock(values, "running")

    def cell(self, height: int, symbol: int) -> tuple[int, int, int]:
        """Key of an inside value's gauge."""
        return (self.shape.index if height else -1, height, symbol)

    # -- positional gates and fetches -------------------------------------------------------------

    def ends(self, height: int) -> int:
        """Gate: a unary node of this height ends here."""
        at = {node.end for node in self.shape.levels[height] if len(node.tree) == 1}
        return self._indicator([t in at for t in range(self.draft.n_max + 1)], "unary end")

    def above_next(self, height: int, arity: int, first: bool = False) -> int:
        """Gate: the node above the next token has this arity (and it is in the first child)."""
        path = self._paths[height]
        truth = [
            len(path[t].tree) == arity and (not first or t < path[t].children[0].end)
            if t < len(path)
            else False
            for t in range(self.draft.n_max + 1)
        ]
        return self._indicator(truth, "unary above" if arity == 1 else "first child")

    def sibling(self, height: int, right: int) -> int:
        """Gate: weight with which ``right`` derives the sibling still to come.

        It depends on the node, not on the height alone, hence on the position.
        """
        path, scales = self._paths[height], self.draft.scales
        values = [0.0] * (self.draft.n_max + 1)
        for t, node in enumerate(path):
            if len(node.tree) == 2 and t < node.children[0].end:
                weight = self.shape.weights.total(right, node.tree[1])
                values[t] = scales.predict(weight) if weight else 0.0
        return self.draft.gate(values, "right sibling")

    def left_of_end(self, layer: LayerDraft, height: int, left: int) -> int:
        """Inside value of the left child of the binary node of this height that ends here."""
        targets = [0] * (self.draft.n_max + 1)
        for node in self.shape.levels[height]:
            if len(node.children) == 2:
                targets[node.end] = node.children[0].end
        return self._fetch(layer, targets, self.beta(height - 1, left))

    def left_of_next(self, layer: LayerDraft, height: int, left: int) -> int:
        """Inside value of the complete left child of the node above the next token."""
        targets = [0] * (self.draft.n_max + 1)
        for t, node in enumerate(self._paths[height]):
            if len(node.children) == 2 and t >= node.children[0].end:
                targets[t] = node.children[0].end
        return self._fetch(layer, targets, self.beta(height - 1, left))

    def _fetch(self, layer: LayerDraft, targets: list[int], source: int) -> int:
        pattern = Lookup(tuple(targets))
        known = len(self.draft.registry)
        origin = self.draft.registry[source]
        tag = self.draft.pattern_name(pattern)
        target = self.draft.add(
            "fetch", origin.symbol, shape=origin.shape, height=origin.height, tag=tag
        )
        if target >= known:
            layer.move(pattern, source, target)
        return target

    def _indicator(self, truth: list[bool], tag: str) -> int:
        return self.draft.gate([float(flag) for flag in truth], tag)

    @cached_property
    def _paths(self) -> list[list[Node]]:
        return [self.shape.path(height) for height in range(self.grammar.depth + 1)]

    # -- passes ---------------------------------------------------------------------------------

    def rules(self, height: int) -> list[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]:
        """Rules that some node of this height uses in a derivation; unused ones cost nothing."""
        return self._rules[height]

    @cached_property
    def _rules(self) -> list[list[tuple[UnaryRule | BinaryRule, tuple[int, ...]]]]:
        found = []
        for nodes in self.shape.levels:
            used: dict[UnaryRule | BinaryRule, tuple[int, ...]] = {}
            for node in nodes if nodes[0].height else []:
                used.update(self.shape.rules(node))
            found.append(list(used.items()))
        return found

    def bottom_up(self, layer: LayerDraft, height: int) -> None:
        """Inside values of one height."""
        scales, semiring = self.draft.scales, self.draft.semiring
        for rule, children in self.rules(height):
            out, parent = self.beta(height, rule.lhs), self.cell(height, rule.lhs)
            cells = [self.cell(height - 1, child) for child in children]
            weight = scales.inside(rule.weight, parent, *cells)
            last = self.beta(height - 1, children[-1])
            if isinstance(rule, BinaryRule):
                first = self.left_of_end(layer, height, rule.left)
            else:
                first = self.ends(height)
            semiring.both(layer, first, last, out, weight)

    def top_down(self, layer: LayerDraft, height: int) -> None:
        """Context values of the nodes one step below this height."""
        for rule, children in self.rules(height):
            context = self.alpha(height, rule.lhs)
            for child, gate, weight in self.steps(layer, height, rule, children):
                out = self.alpha(height - 1, child)
                self.draft.semiring.gated(layer, context, gate, out, weight)

    def steps(
        self,
        layer: LayerDraft,
        height: int,
        rule: UnaryRule | BinaryRule,
        children: tuple[int, ...],
    ) -> list[tuple[int, int, float]]:
        """Ways down from a node to a child on the path, as (child, gate, weight)."""
        scales = self.draft.scales
        if not isinstance(rule, BinaryRule):
            return [(children[0], self.above_next(height, 1), scales.predict(rule.weight))]
        first = self._first(height, rule)
        complete = self.left_of_next(layer, height, rule.left)
        weight = scales.complete(rule.weight, self.cell(height - 1, rule.left), 0)
        return [first, (rule.right, complete, weight)]

    def _first(self, height: int, rule: BinaryRule) -> tuple[int, int, float]:
        """Into the first child: the gate holds the weight of the sibling to come.

        With bits for gates the weight moves into the neuron; one shape makes it a constant.
        """
        scales = self.draft.scales
        if self.draft.semiring.name != "deterministic":
            return rule.left, self.sibling(height, rule.right), scales.predict(rule.weight)
        weight = rule.weight * self.grammar.mass[rule.right]
        return rule.left, self.above_next(height, 2, first=True), scales.predict(weight)

    def gamma(self, layer: LayerDraft, height: int) -> None:
        """One pass: weights of (node above the next token, next token), from those one step below.

        At height 1 the child is the token itself.
        """
        for rule, children in self.rules(height):
            for child, gate, weight in self.steps(layer, height, rule, children):
                if height == 1:
                    contexts = {child: self.running(Fraction(1))}
                else:
                    contexts = dict(self._gammas.get((height - 1, child), {}))
                mine = self._gammas.setdefault((height, rule.lhs), {})
                for token, context in contexts.items():
                    out = mine.setdefault(token, self._gamma(height, rule.lhs, token))
                    self.draft.semiring.gated(layer, context, gate, out, weight)

    def _gamma(self, height: int, symbol: int, token: int) -> int:
        names = self.grammar.symbols
        shape = self.shape.index
        return self.draft.add(
            "gamma", names[symbol], shape=shape, height=height, token=names[token]
        )

    def read_out(self, *, one_pass: bool) -> None:
        """Scores: EOS is the root's inside value; in one pass tokens are the root's gammas."""
        draft, height = self.draft, self.grammar.depth
        for root, weight in self.roots:
            if root not in self.shape.root.symbols:
                continue
            inside = self.beta(height, root)
            value = draft.scales.complete(weight, self.cell(height, root), self.shape.length)
            if draft.semiring.name == "deterministic":  # a complement: its bit is 1 - n
                draft.readout[-1] += [(draft.one(), value), (inside, -value)]
            else:
                draft.readout[-1].append((inside, value))
            if one_pass:
                for token, coordinate in self._gammas[height, root].items():
                    value = draft.scales.predict(weight)
                    draft.readout[token + 1].append((coordinate, value))
