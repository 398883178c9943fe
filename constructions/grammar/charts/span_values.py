"""Chart values of ``spans`` models: inside, context, started, begun and belief weights.

Everything is read off the exact chart of the compiled normal form
(:mod:`linrep.grammars.inference`) and then brought into the gauge and token scale of the model.
Charts carry powers of two near those of the token scale, so long sentences stay in range.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ....grammars.inference.chart import Chart, make_chart, scale_exponents
from ....grammars.inference.continuations import continuations
from ....grammars.inference.top_down import beginnings, starts
from ..normal import Normal
from ..passes.beliefs import best_beginnings
from ..program.coordinates import Coordinate
from ..scale import token_scale
from ..settings import ConstructionSettings

__all__ = ["SpanValues"]

Values = Float[np.ndarray, "batch read"]


@final
class SpanValues:
    """Values of a batch of sentences, by coordinate, at every number of tokens read.

    Args:
        normal: the normal form that was compiled.
        settings: of the model.
        tokens: ``[batch, position]`` terminals, ``PAD`` behind the end.
    """

    def __init__(
        self,
        normal: Normal,
        settings: ConstructionSettings,
        tokens: Int[np.ndarray, "batch position"],
    ) -> None:
        self.normal, self.settings = normal, settings
        self.grammar = normal.grammar
        self._kappa = token_scale(normal.grammar, normal.roots, settings)
        chart = make_chart(self.grammar, tokens, "float", float(self._kappa))
        self._bits = settings.semiring == "deterministic"
        if self._bits:  # inside weights are common to all hypotheses there, and count 1
            chart = replace(chart, beta=(chart.beta > 0).astype(np.float64))
        self.chart: Chart = chart
        self._gauge = settings.gauge and not self._bits
        powers = scale_exponents(chart.n, float(self._kappa))
        self._powers = np.zeros_like(powers) if self._bits else powers
        self._symbols = {name: s for s, name in enumerate(self.grammar.symbols)}
        self._roots = {root: float(share) for root, share in normal.roots}

    def of(self, coordinate: Coordinate, above: int | None = None) -> Values | None:
        """What a coordinate holds in the end, ``None`` for kinds that are no chart value.

        Args:
            coordinate: of the registry.
            above: context values only from parents of at least this level of the normal form.
        """
        symbol, length = self._symbols.get(coordinate.symbol, -1), coordinate.length or 0
        if coordinate.kind == "beta":
            return self._inside(symbol, length)
        if coordinate.kind == "alpha":
            return self._scaled(self._contexts(above or 0)[symbol])
        if coordinate.kind == "score":
            held = self._scaled(self._contexts(0)[self._symbols[coordinate.token]])
            held[:, 0] = 0.0  # before the first token the readout sees BOS itself
            return held
        if coordinate.kind == "eos":
            return self._scaled(self._ended)
        if coordinate.kind == "gamma":
            return self._started(symbol, length, self._symbols[coordinate.token])
        if coordinate.kind == "pi":
            return self._begun(symbol, length)
        if coordinate.kind in ("belief boundary", "belief prefix"):
            return self._belief(coordinate)
        return None

    # -- the passes, each once ------------------------------------------------------------------

    def _contexts(self, level: int) -> Float[np.ndarray, "symbol batch read"]:
        known: dict[int, np.ndarray] = self.__dict__.setdefault("_alphas", {})
        if level not in known:
            pushes = tuple(own >= level for own in self.grammar.levels)
            known[level] = starts(self.chart, pushes, roots=self._roots)
        return known[level]

    @cached_property
    def _begin(self) -> list[np.ndarray]:
        return beginnings(self.chart)

    @cached_property
    def _continue(self) -> list[Mapping[tuple[int, int], np.ndarray]]:
        return continuations(self.chart)

    @cached_property
    def _best(self) -> dict[tuple[int, int], Fraction]:
        best: dict[tuple[int, int], Fraction] = {}
        for symbol in self.grammar.ascending[self.grammar.n_terminals :]:
            best_beginnings(self.grammar, symbol, best)
        return best

    @cached_property
    def _ended(self) -> Values:
        """Weight of all that was read as a sentence."""
        total = self._none()
        for root, share in self._roots.items():
            for row, length in enumerate(self.chart.lengths[root]):
                total[:, length] += share * self.chart.cells(root)[row, :, length]
        return total

    # -- values in the model's units ------------------------------------------------------------

    def _inside(self, symbol: int, length: int) -> Values:
        cells = self._cell(symbol, length)
        if self._bits:
            complement: np.ndarray = 1.0 - cells
            return complement
        best = self.grammar.viterbi[symbol][length] if self._gauge else Fraction(1)
        return self._rescaled(cells, length, 1 / best)

    def _started(self, symbol: int, length: int, token: int) -> Values:
        held = self._continue[symbol].get((length, token))
        if held is None:
            return self._none()
        return self._rescaled(held, length, self._kappa**length)

    def _begun(self, symbol: int, length: int) -> Values:
        rows = self._begin[symbol]
        if length > len(rows):
            return self._none()
        best = self._best.get((symbol, length), Fraction(1)) if self._gauge else Fraction(1)
        return self._rescaled(rows[length - 1], length, 1 / best)

    def _belief(self, coordinate: Coordinate) -> Values:
        total = self._none()
        for symbol in self.normal.labels[coordinate.height or 0][coordinate.symbol]:
            context = self._contexts(0)[symbol]
            if coordinate.kind == "belief boundary":
                rows = zip(self.chart.lengths[symbol], self.chart.cells(symbol), strict=True)
            else:
                begun = self._begin[symbol]
                rows = zip(range(1, len(begun) + 1), begun, strict=True)
            for length, seen in rows:
                total[:, length:] += context[:, : self.chart.n + 1 - length] * seen[:, length:]
        return self._scaled(total)

    def _cell(self, symbol: int, length: int) -> Values:
        lengths = self.chart.lengths[symbol]
        if length not in lengths:
            return self._none()
        cells: np.ndarray = self.chart.cells(symbol)[lengths.index(length)]
        return cells

    def _none(self) -> Values:
        zeros: np.ndarray = self.chart.zeros(1)[0]
        return zeros

    def _scaled(self, values: Values) -> Values:
        """From the chart's power of two to the token scale's power, over all tokens read."""
        ratios = [
            float(self._kappa**t / Fraction(2) ** int(power))
            for t, power in enumerate(self._powers)
        ]
        scaled: np.ndarray = values * np.array(ratios)
        return scaled

    def _rescaled(self, values: Values, length: int, factor: Fraction) -> Values:
        """The chart's power over the last tokens taken out, times a factor of any size."""
        size = factor.numerator.bit_length() - factor.denominator.bit_length()
        mantissa = float(factor / Fraction(2) ** size)
        spans = np.zeros_like(self._powers)
        spans[length:] = self._powers[length:] - self._powers[: max(len(spans) - length, 0)]
        out: np.ndarray = np.ldexp(values * mantissa, size - spans)
        return out
