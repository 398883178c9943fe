"""``spans`` in one pass: what a started symbol may be followed by is carried upwards.

``gamma[A, l, x]`` at t is the weight with which A started l tokens ago, is not complete, and
continues with token x, times the token scale to the power l. It is computed level by level together
with beta, so the depth is that of the grammar plus one layer that keeps what started at token 1.
Source: docs/theory/grammar.md, section 4 (there without that layer, and not worked
out).
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ..program.program import LayerDraft, Shift
from .spans import Spans, by_level

__all__ = ["OnePass"]


@final
@dataclass(frozen=True, eq=False)
class OnePass:
    """The extra coordinates and layers, over the chart of :class:`Spans`."""

    spans: Spans
    _first: dict[int, dict[int, Fraction]] = field(default_factory=dict)
    _cells: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)

    def embed(self) -> None:
        """Tokens write their beta; BOS marks the place where a sentence starts."""
        spans, draft = self.spans, self.spans.draft
        for terminal in range(spans.grammar.n_terminals):
            draft.token(terminal, spans.beta(terminal, 1))
            self._first[terminal] = {terminal: Fraction(1)}
        draft.embedding[0].append((draft.add("bos"), 1.0))
        full = draft.semiring.full - draft.semiring.empty
        draft.embedding[0].append((draft.inside("bos", tag="bit"), full))

    def continue_level(self, layer: LayerDraft, level: int) -> None:
        """``gamma`` of the symbols of one level."""
        for symbol in by_level(self.spans.grammar, level):
            self._first[symbol] = {}
            for one in self.spans.grammar.unary_of[symbol]:
                self._starts(symbol, one.child, one.weight)
                self._inherit(layer, symbol, one.child, one.weight)
            for two in self.spans.grammar.binary_of[symbol]:
                weight = two.weight * self.spans.grammar.mass[two.right]
                self._starts(symbol, two.left, weight)
                self._inherit(layer, symbol, two.left, weight)
                self._after_left(layer, symbol, two.left, two.right, two.weight)
                self._inside_right(layer, symbol, two.left, two.right, two.weight)

    def finish(self, layer: LayerDraft) -> None:
        """Scores: what a start symbol that began at token 1 continues with, or EOS.

        A head reads the mark of BOS l tokens back; where that lies before BOS it reads BOS itself,
        but a gamma or beta over more tokens than there are is 0.
        """
        spans, draft = self.spans, self.spans.draft
        bit, eos = draft.inside("bos", tag="bit"), draft.add("eos")
        names = spans.grammar.symbols
        for root, share in spans.roots:
            for length in range(1, spans.grammar.lengths[root][-1] + 1):
                known = len(draft.registry)
                mark = draft.add("fetch", "<bos>", offset=length)
                if mark >= known:
                    layer.move(Shift(length), bit, mark)
                scale = draft.scales.predict(share)
                for token, gamma in self._cells.get((root, length), {}).items():
                    score = draft.add("score", token=names[token])
                    draft.semiring.gated(layer, gamma, mark, score, scale)
                if length in spans.grammar.lengths[root]:
                    weight = draft.scales.complete(share, (root, length), length)
                    draft.semiring.score(layer, spans.beta(root, length), mark, eos, weight)

    def read_out(self) -> None:
        """Scores of every token and EOS; at BOS the first tokens, a linear readout."""
        draft, names = self.spans.draft, self.spans.grammar.symbols
        bos = draft.add("bos")
        for token in range(self.spans.grammar.n_terminals):
            draft.readout[token + 1].append((draft.add("score", token=names[token]), 1.0))
            share = sum(
                (w * self._first[root].get(token, 0) for root, w in self.spans.roots), Fraction(0)
            )
            if share:
                draft.readout[token + 1].append((bos, draft.scales.predict(share)))
        draft.readout[-1].append((draft.add("eos"), 1.0))

    def _starts(self, symbol: int, child: int, weight: Fraction) -> None:
        mine = self._first[symbol]
        for token, share in self._first[child].items():
            mine[token] = mine.get(token, Fraction(0)) + weight * share

    def _gamma(self, symbol: int, length: int, token: int) -> int:
        names = self.spans.grammar.symbols
        row = self._cells.setdefault((symbol, length), {})
        if token not in row:
            row[token] = self.spans.draft.add(
                "gamma", names[symbol], length=length, token=names[token]
            )
        return row[token]

    def _inherit(self, layer: LayerDraft, symbol: int, child: int, weight: Fraction) -> None:
        """A first (or only) child that is not complete: linear, an offset-0 head."""
        for length in range(1, self.spans.grammar.lengths[child][-1]):
            for token, source in self._cells.get((child, length), {}).items():
                target = self._gamma(symbol, length, token)
                layer.move(Shift(0), source, target, self.spans.draft.scales.predict(weight))

    def _after_left(
        self, layer: LayerDraft, symbol: int, left: int, right: int, weight: Fraction
    ) -> None:
        """The first child is complete and the second begins: one neuron per pair."""
        draft = self.spans.draft
        for length in self.spans.grammar.lengths[left]:
            inside = self.spans.beta(left, length)
            for token, share in self._first[right].items():
                value = draft.scales.complete(weight * share, (left, length), length)
                target = self._gamma(symbol, length, token)
                draft.semiring.lift(layer, inside, target, value)

    def _inside_right(
        self, layer: LayerDraft, symbol: int, left: int, right: int, weight: Fraction
    ) -> None:
        """The first child is complete, the second has begun."""
        draft, spans = self.spans.draft, self.spans
        for seen in range(1, spans.grammar.lengths[right][-1]):
            for token, context in self._cells.get((right, seen), {}).items():
                for length in spans.grammar.lengths[left]:
                    inside = spans.fetch(layer, left, length, seen)
                    value = draft.scales.complete(weight, (left, length), length)
                    target = self._gamma(symbol, length + seen, token)
                    draft.semiring.gated(layer, context, inside, target, value)
