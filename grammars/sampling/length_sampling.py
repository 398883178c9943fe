"""Sampling sentences of one given length, exactly and vectorised.

A node knows its symbol and the length it must have. Its rule is drawn in proportion to the rule's
weight times the probability that the children reach that length together; then lengths are dealt
to the children from left to right, each in proportion to what the remaining ones can complete.
"""

import numpy as np
from jaxtyping import Float, Int

from ..errors import LanguageError
from ..forms.table import Table
from ..memory import require_memory
from .growing import Frontier, Grower, Sample, read_off

__all__ = ["sample_of_length"]

Vector = Float[np.ndarray, " length"]


def sample_of_length(
    table: Table,
    weights: Float[np.ndarray, " rule"],
    n: int,
    length: int,
    rng: np.random.Generator,
) -> Sample:
    """``n`` independent derivations, conditioned on sentences of ``length`` tokens.

    Args:
        table: the grammar.
        weights: ``[rule]`` probability of each production given its left-hand side.
        n: number of sentences.
        length: tokens per sentence.
        rng: source of randomness.

    Raises:
        LanguageError: no sentence has that length, or its probability is below float64's range.
        TooLarge: the distributions of lengths would not fit in memory.
    """
    dealer = _Dealer(table, weights, length)
    if dealer.of_symbol[table.start][length] <= 0:
        raise LanguageError(
            f"no sentence of {length} tokens can be sampled: the language has none, or their "
            "probability is below what float64 holds"
        )
    grower = Grower(table, weights)
    frontiers = [Frontier.roots(table.start, n)]
    lengths = np.full(n, length)
    for height in range(table.depth, 0, -1):
        top = frontiers[-1]
        rules = dealer.choose(top.symbols, lengths, height, rng)
        frontiers[-1] = Frontier(top.symbols, top.counts, top.index, rules)
        frontiers.append(grower.expand(frontiers[-1]))
        lengths = dealer.deal(rules, lengths, frontiers[-1], rng)
    return read_off(table, frontiers)


class _Dealer:
    """Length distributions of symbols and of tails of rules, up to one length."""

    def __init__(self, table: Table, weights: Float[np.ndarray, " rule"], most: int) -> None:
        self.table = table
        self.weights = weights
        self.most = most
        vectors = table.n_symbols + sum(len(p.rhs) for p in table.productions)
        require_memory(8 * vectors * (most + 1), f"distributions of lengths up to {most}")
        one = np.zeros(most + 1)
        if most >= 1:
            one[1] = 1.0
        self.of_symbol: list[Vector] = [one] * table.n_terminals
        self.tails: list[list[Vector]] = [[]] * len(table.productions)
        for symbol in range(table.n_terminals, table.n_symbols):
            total = np.zeros(most + 1)
            for p in table.of[symbol]:
                self.tails[p.index] = self._tails(p.rhs)
                total = total + weights[p.index] * self.tails[p.index][0]
            self.of_symbol.append(total)

    def _tails(self, rhs: tuple[int, ...]) -> list[Vector]:
        """For each place the length distribution of the children from there on."""
        tails = [self.of_symbol[rhs[-1]]]
        for child in reversed(rhs[:-1]):
            tails.append(np.convolve(self.of_symbol[child], tails[-1])[: self.most + 1])
        return tails[::-1]

    def choose(
        self,
        symbols: Int[np.ndarray, " node"],
        lengths: Int[np.ndarray, " node"],
        height: int,
        rng: np.random.Generator,
    ) -> Int[np.ndarray, " node"]:
        rules = np.full(len(symbols), -1)
        for symbol in np.unique(symbols).tolist():
            if self.table.levels[symbol] != height:
                continue
            nodes = np.flatnonzero(symbols == symbol)
            group = self.table.of[symbol]
            scores = np.stack([self.weights[p.index] * self.tails[p.index][0] for p in group])
            rules[nodes] = group[0].index + _draw(scores.T, lengths[nodes], rng)
        return rules

    def deal(
        self,
        rules: Int[np.ndarray, " node"],
        lengths: Int[np.ndarray, " node"],
        below: Frontier,
        rng: np.random.Generator,
    ) -> Int[np.ndarray, " child"]:
        """Lengths of the frontier below."""
        firsts = np.cumsum(below.counts) - below.counts
        dealt = np.repeat(lengths, below.counts)  # right for nodes that only pass through
        for rule in np.unique(rules[rules >= 0]).tolist():
            nodes = np.flatnonzero(rules == rule)
            rest = lengths[nodes]
            rhs = self.table.productions[rule].rhs
            for place, child in enumerate(rhs[:-1]):
                tail = self.tails[rule][place + 1]
                totals, rows = np.unique(rest, return_inverse=True)
                part = _draw(self._shares(self.of_symbol[child], tail, totals), rows, rng)
                dealt[firsts[nodes] + place] = part
                rest = rest - part
            dealt[firsts[nodes] + len(rhs) - 1] = rest
        return np.asarray(dealt)

    def _shares(
        self, first: Vector, tail: Vector, totals: Int[np.ndarray, " total"]
    ) -> Float[np.ndarray, "total part"]:
        """Weight of the first child having ``part`` of each total number of tokens.

        Raises:
            TooLarge: they would not fit in memory.
        """
        # Five arrays of this shape live at once, here and while one choice per row is drawn.
        what = f"dealing {len(totals)} different lengths up to {self.most}"
        require_memory(5 * 8 * len(totals) * (self.most + 1), what)
        rest = totals[:, None] - np.arange(self.most + 1)
        shares: Float[np.ndarray, "total part"]
        shares = np.where(rest >= 0, first * tail[np.maximum(rest, 0)], 0.0)
        return shares


def _draw(
    scores: Float[np.ndarray, "row choice"],
    rows: Int[np.ndarray, " node"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " node"]:
    """For each node one choice, in proportion to the scores of its row."""
    cumulative = np.cumsum(scores, axis=1)
    used, place = np.unique(rows, return_inverse=True)
    chosen = cumulative[used]
    chosen = chosen / chosen[:, -1:] + np.arange(len(used))[:, None]
    # Rows one above the other are sorted as a whole: one search serves all nodes.
    drawn = np.searchsorted(chosen.ravel(), place + rng.random(len(rows)), side="right")
    picked: Int[np.ndarray, " node"] = drawn - place * scores.shape[1]
    # Rounding may pass the last choice of positive score; step back to it.
    last = scores.shape[1] - 1 - np.argmax(scores[used][:, ::-1] > 0, axis=1)
    return np.asarray(np.minimum(picked, last[place]))
