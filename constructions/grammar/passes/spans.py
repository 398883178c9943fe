"""Construction ``spans``: a chart at the right end of each span, then a top-down pass.

Position t (BOS is 0) holds ``beta[X, l]``, the weight with which X derives the last l tokens, and
``alpha[X]``, the weight of the contexts in which X starts at t + 1.
Source: docs/theory/grammar.md, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ....grammars import BinaryGrammar
from ..program.program import LayerDraft, Shift
from .draft import Draft

__all__ = ["Spans", "by_level"]

Root = tuple[int, Fraction]


@final
@dataclass(frozen=True, eq=False)
class Spans:
    """The passes of the construction, over one draft.

    Args:
        draft: the program under construction.
        grammar: binary normal form.
        roots: start symbols with their weights.
    """

    draft: Draft
    grammar: BinaryGrammar
    roots: Sequence[Root]
    _betas: dict[tuple[int, int], int] = field(default_factory=dict)
    _fetches: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def name(self, symbol: int) -> str:
        """Name of a symbol."""
        return self.grammar.symbols[symbol]

    def beta(self, symbol: int, length: int) -> int:
        """Coordinate of ``beta[symbol, length]``."""
        index = self._betas.get((symbol, length))
        if index is None:
            index = self.draft.inside("beta", self.name(symbol), length=length)
            self._betas[symbol, length] = index
        return index

    def alpha(self, symbol: int) -> int:
        """Coordinate of ``alpha[symbol]``."""
        return self.draft.add("alpha", self.name(symbol))

    def fetch(self, layer: LayerDraft, symbol: int, length: int, offset: int) -> int:
        """Coordinate of ``beta[symbol, length]`` at ``t - offset``, fetched now if it is new.

        Before BOS there is nothing: the head reads BOS, which derives no token, so the value is
        that of "does not derive".
        """
        target = self._fetches.get((symbol, length, offset))
        if target is None:
            target = self.draft.add("fetch", self.name(symbol), length=length, offset=offset)
            self._fetches[symbol, length, offset] = target
            layer.move(Shift(offset), self.beta(symbol, length), target)
        return target

    def fetch_alpha(self, layer: LayerDraft, symbol: int, offset: int) -> int:
        """Coordinate of ``alpha[symbol]`` at ``t - offset``, fetched now if it is new.

        Where ``t - offset`` lies before BOS the head reads BOS, whose alpha is not 0; every product
        with it has an inside value over ``offset > t`` tokens as its other factor, which is 0.
        """
        known = len(self.draft.registry)
        target = self.draft.add("fetched alpha", self.name(symbol), offset=offset)
        if target >= known:
            layer.move(Shift(offset), self.alpha(symbol), target)
        return target

    def embed(self) -> None:
        """Tokens write their own beta, BOS the alpha of the start symbols."""
        for terminal in range(self.grammar.n_terminals):
            self.draft.token(terminal, self.beta(terminal, 1))
        for symbol, weight in self.roots:
            self.draft.embedding[0].append((self.alpha(symbol), self.draft.scales.predict(weight)))

    def bottom_up(self, layer: LayerDraft, level: int) -> None:
        """``beta`` of the symbols of one level from those of their children."""
        draft, grammar, scales = self.draft, self.grammar, self.draft.scales
        for symbol in by_level(grammar, level):
            for one in grammar.unary_of[symbol]:
                for n in grammar.lengths[one.child]:
                    weight = scales.inside(one.weight, (symbol, n), (one.child, n))
                    draft.semiring.copy(
                        layer, self.beta(one.child, n), self.beta(symbol, n), weight
                    )
            for two in grammar.binary_of[symbol]:
                for n in grammar.lengths[two.left]:
                    for m in grammar.lengths[two.right]:
                        left = self.fetch(layer, two.left, n, m)
                        cells = (symbol, n + m), (two.left, n), (two.right, m)
                        weight = scales.inside(two.weight, *cells)
                        right, out = self.beta(two.right, m), self.beta(symbol, n + m)
                        draft.semiring.both(layer, left, right, out, weight)

    def predict(self, layer: LayerDraft, level: int) -> None:
        """``alpha`` of first children: an offset-0 head, linear."""
        for symbol in by_level(self.grammar, level):
            source = self.alpha(symbol)
            for one in self.grammar.unary_of[symbol]:
                weight = self.draft.scales.predict(one.weight)
                layer.move(Shift(0), source, self.alpha(one.child), weight)
            for two in self.grammar.binary_of[symbol]:
                weight = self.draft.scales.predict(two.weight * self.grammar.mass[two.right])
                layer.move(Shift(0), source, self.alpha(two.left), weight)

    def complete(self, layer: LayerDraft, level: int) -> None:
        """``alpha`` of second children: a context passes a completed first child."""
        for symbol in by_level(self.grammar, level):
            for two in self.grammar.binary_of[symbol]:
                for n in self.grammar.lengths[two.left]:
                    context = self.fetch_alpha(layer, symbol, n)
                    weight = self.draft.scales.complete(two.weight, (two.left, n), n)
                    inside, out = self.beta(two.left, n), self.alpha(two.right)
                    self.draft.semiring.gated(layer, context, inside, out, weight)

    def end(self, layer: LayerDraft, root: int) -> None:
        """The score of EOS: a start symbol that began at token 1 is complete."""
        eos = self.draft.add("eos")
        for n in self.grammar.lengths[root]:
            context = self.fetch_alpha(layer, root, n)
            weight = self.draft.scales.complete(Fraction(1), (root, n), n)
            self.draft.semiring.gated(layer, context, self.beta(root, n), eos, weight)

    def read_out(self) -> None:
        """Scores: alpha of terminals, and EOS."""
        for terminal in range(self.grammar.n_terminals):
            self.draft.readout[terminal + 1].append((self.alpha(terminal), 1.0))
        self.draft.readout[-1].append((self.draft.add("eos"), 1.0))

    def top_down(self, layer: LayerDraft, level: int) -> None:
        """One level of the top-down pass; the first one also scores EOS."""
        self.predict(layer, level)
        self.complete(layer, level)
        if level == self.grammar.depth:
            for root, _ in self.roots:
                self.end(layer, root)


def by_level(grammar: BinaryGrammar, level: int) -> list[int]:
    """Symbols of one level of the normal form."""
    return [symbol for symbol in grammar.ascending if grammar.levels[symbol] == level]
