"""Belief blocks: the posterior of every ancestor label, written into the stream.

On the levelled grammar alpha[(X, h)] holds exactly the contexts in which a label X of height h may
start, so, with K_h[X] = P(prefix, label X, its node ends here) and J_h[X] = P(prefix, label X),

    K_h(t)[X] = sum_l alpha[X](t - l) beta[X, l](t),
    J_h(t)[X] = sum_l alpha[X](t - l) pi[X, l](t),

where pi[X, l] is the weight with which X's yield *starts with* the last l tokens. The argmax over a
block is the Bayes classifier of that height. Source: docs/theory/grammar.md,
section 9.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ....grammars import BinaryGrammar
from ..program.program import LayerDraft, Shift
from ..settings import Beliefs
from .spans import Spans, by_level

__all__ = ["BeliefBlocks", "best_beginnings"]


@final
@dataclass(frozen=True, eq=False)
class BeliefBlocks:
    """The blocks, over the chart of :class:`Spans`.

    Args:
        spans: the passes of a levelled grammar.
        kind: ``boundary`` (K) or ``prefix`` (J).
        labels: for each height and label the symbols that stand for it.
    """

    spans: Spans
    kind: Beliefs
    labels: Mapping[int, Mapping[str, tuple[int, ...]]]
    _best: dict[tuple[int, int], Fraction] = field(default_factory=dict)

    def bottom_up(self, layer: LayerDraft, level: int) -> None:
        """Prefix weights of one level (``prefix`` only)."""
        if self.kind != "prefix":
            return
        grammar, scales = self.spans.grammar, self.spans.draft.scales
        for symbol in by_level(grammar, level):
            self._gauge(symbol)
            steps = [(r.child, r.weight) for r in grammar.unary_of[symbol]]
            steps += [(r.left, r.weight * grammar.mass[r.right]) for r in grammar.binary_of[symbol]]
            for child, weight in steps:
                for n in range(1, grammar.lengths[child][-1] + 1):
                    scaled = weight * self._scale(child, n) / self._scale(symbol, n)
                    target = self.prefix(symbol, n)
                    layer.move(Shift(0), self.prefix(child, n), target, scales.fraction(scaled))
            for two in grammar.binary_of[symbol]:
                for m in range(1, grammar.lengths[two.right][-1] + 1):
                    for n in grammar.lengths[two.left]:
                        left = self.spans.fetch(layer, two.left, n, m)
                        weight = two.weight * scales.gauge.get((two.left, n), Fraction(1))
                        weight *= self._scale(two.right, m) / self._scale(symbol, n + m)
                        right, out = self.prefix(two.right, m), self.prefix(symbol, n + m)
                        value = scales.fraction(weight)
                        self.spans.draft.semiring.both(layer, left, right, out, value)

    def top_down(self, layer: LayerDraft, level: int) -> None:
        """The blocks of the labels whose contexts are final at this level."""
        spans, scales = self.spans, self.spans.draft.scales
        for height, row in self.labels.items():
            for label, symbols in row.items():
                for symbol in symbols:
                    if spans.grammar.levels[symbol] != level:
                        continue
                    block = self.block(height, label)
                    for n, inside, gauge in self._insides(symbol):
                        context = spans.fetch_alpha(layer, symbol, n)
                        weight = scales.fraction(gauge * scales.power(n))
                        spans.draft.semiring.gated(layer, context, inside, block, weight)

    def block(self, height: int, label: str) -> int:
        """Coordinate of one label's belief."""
        return self.spans.draft.add(f"belief {self.kind}", label, height=height)

    def prefix(self, symbol: int, length: int) -> int:
        """Coordinate of ``pi[symbol, length]``; a token's prefix is itself."""
        if symbol < self.spans.grammar.n_terminals:
            return self.spans.beta(symbol, 1)
        return self.spans.draft.add("pi", self.spans.name(symbol), length=length)

    def _insides(self, symbol: int) -> list[tuple[int, int, Fraction]]:
        """(length, coordinate, its gauge) of what may have been seen of a symbol."""
        spans = self.spans
        if self.kind == "boundary":
            gauge = spans.draft.scales.gauge
            return [
                (n, spans.beta(symbol, n), gauge.get((symbol, n), Fraction(1)))
                for n in spans.grammar.lengths[symbol]
            ]
        longest = spans.grammar.lengths[symbol][-1]
        return [(n, self.prefix(symbol, n), self._scale(symbol, n)) for n in range(1, longest + 1)]

    def _scale(self, symbol: int, length: int) -> Fraction:
        """The gauge of a prefix weight; 1 where the gauge is off."""
        if not self.spans.draft.scales.gauge:
            return Fraction(1)
        return self._best.get((symbol, length), Fraction(1))

    def _gauge(self, symbol: int) -> None:
        best_beginnings(self.spans.grammar, symbol, self._best)


def best_beginnings(
    grammar: BinaryGrammar, symbol: int, best: dict[tuple[int, int], Fraction]
) -> None:
    """Add a symbol's largest weights of a single derivation's prefix, by dynamic programming.

    Args:
        grammar: the normal form.
        symbol: whose children are known already; tokens count 1.
        best: (symbol, tokens) -> weight, added to.
    """
    options: list[tuple[int, Fraction]] = []
    steps = [(r.child, r.weight) for r in grammar.unary_of[symbol]]
    steps += [(r.left, r.weight * grammar.mass[r.right]) for r in grammar.binary_of[symbol]]
    for child, weight in steps:
        for n in range(1, grammar.lengths[child][-1] + 1):
            options.append((n, weight * best.get((child, n), Fraction(1))))
    for two in grammar.binary_of[symbol]:
        for n in grammar.lengths[two.left]:
            done = two.weight * grammar.viterbi[two.left][n]
            for m in range(1, grammar.lengths[two.right][-1] + 1):
                options.append((n + m, done * best.get((two.right, m), Fraction(1))))
    for length, value in options:
        if value > best.get((symbol, length), Fraction(0)):
            best[symbol, length] = value
