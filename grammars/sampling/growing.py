"""Vectorised sampling: all sentences grow together, one height at a time.

A sample is a stack of frontiers. The frontier at height h holds, for every sentence, the nodes of
height h of its levelled tree; expanding those whose level is h gives the frontier at h - 1.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...corpora.token_layers import TokenLayer
from ..errors import TooLarge
from ..forms.table import Table

__all__ = ["Frontier", "Grower", "Sample", "read_off", "sample_table"]

_MOST_NODES = 2**31 - 1


@final
@dataclass(frozen=True, eq=False)
class Sample:
    """Sentences and the ancestors of their tokens.

    Args:
        tokens: ``[token]`` symbols of the table (its terminals).
        offsets: ``[sentence + 1]`` where each sentence begins.
        layers: for each height ``1..depth`` what every token's ancestor is.
    """

    tokens: Int[np.ndarray, " token"]
    offsets: Int[np.ndarray, " bound"]
    layers: dict[int, TokenLayer]


@final
@dataclass(frozen=True, eq=False)
class Frontier:
    """Nodes of one height.

    Args:
        symbols: ``[node]`` symbol of each node.
        counts: ``[parent]`` how many children each node of the frontier above has.
        index: ``[node]`` its place among its parent's children; -1 for a root.
        rules: ``[node]`` the rule that expands it; -1 for a node of lower level.
    """

    symbols: Int[np.ndarray, " node"]
    counts: Int[np.ndarray, " parent"]
    index: Int[np.ndarray, " node"]
    rules: Int[np.ndarray, " node"]

    @classmethod
    def roots(cls, start: int, n: int) -> "Frontier":
        """``n`` nodes without parents."""
        none = np.full(n, -1)
        return cls(np.full(n, start), np.ones(n, dtype=np.int64), none, none)

    @property
    def parent(self) -> Int[np.ndarray, " node"]:
        """``[node]`` its parent in the frontier above."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def sample_table(
    table: Table, weights: Float[np.ndarray, " rule"], n: int, rng: np.random.Generator
) -> Sample:
    """``n`` independent derivations, each rule chosen with its weight given its symbol.

    Args:
        table: the grammar.
        weights: ``[rule]`` probability of each production given its left-hand side.
        n: number of sentences.
        rng: source of randomness; the only one.

    Returns:
        Sentences in the order they were started, with the layers of all heights.
    """
    grower = Grower(table, weights)
    frontiers = [Frontier.roots(table.start, n)]
    for height in range(table.depth, 0, -1):
        rules = grower.choose(frontiers[-1].symbols, height, rng)
        top = frontiers[-1]
        frontiers[-1] = Frontier(top.symbols, top.counts, top.index, rules)
        frontiers.append(grower.expand(frontiers[-1]))
    return read_off(table, frontiers)


class Grower:
    """The rules of a grammar as flat arrays, to draw and to apply for many nodes at once.

    Args:
        table: the grammar.
        weights: ``[rule]`` weight of each production; they are normalised per symbol.
    """

    def __init__(self, table: Table, weights: Float[np.ndarray, " rule"]) -> None:
        n_rules = len(table.productions)
        self.levels = np.array(table.levels)
        # Heights whose symbols all grow there: nothing passes through, nothing to look for.
        self.uniform = [
            all(table.levels[symbol] == height for symbol in symbols)
            for height, symbols in enumerate(table.at_height)
        ]
        # A symbol that stays is a rule of its own, behind the real ones: it becomes itself.
        self.stay = n_rules
        sizes = [len(p.rhs) for p in table.productions] + [1] * table.n_symbols
        self.arity = np.array(sizes)
        self.starts = np.cumsum(self.arity) - self.arity
        below = [child for p in table.productions for child in p.rhs]
        self.children = np.array([*below, *range(table.n_symbols)], dtype=np.int32)
        places = [place for p in table.productions for place in range(len(p.rhs))]
        self.places = np.array([*places, *([-1] * table.n_symbols)], dtype=np.int32)
        self.last = np.zeros(table.n_symbols, dtype=np.int64)
        # Productions are sorted by symbol, so one search in symbol + u finds symbol and rule.
        self.cumulative = np.zeros(n_rules)
        for symbol, group in enumerate(table.of):
            rows = [p.index for p in group]
            if rows:
                share = weights[rows] / weights[rows].sum()
                self.cumulative[rows] = symbol + np.cumsum(share)
                self.cumulative[rows[-1]] = symbol + 1
                self.last[symbol] = rows[-1]

    def choose(
        self, symbols: Int[np.ndarray, " node"], height: int, rng: np.random.Generator
    ) -> Int[np.ndarray, " node"]:
        """For each node of this height a rule; -1 for those of lower level."""
        every = self.uniform[height]
        grows = slice(None) if every else self.levels[symbols] == height
        heads = symbols[grows]
        drawn = np.searchsorted(self.cumulative, heads + rng.random(len(heads)), side="right")
        # Rounding of symbol + u may pass the symbol's own last rule by one.
        chosen: Int[np.ndarray, " drawn"] = np.minimum(drawn, self.last[heads])
        if every:
            return chosen
        rules = np.full(len(symbols), -1)
        rules[grows] = chosen
        return rules

    def expand(self, above: Frontier) -> Frontier:
        """The next frontier: nodes with a rule become their children, others stay.

        Raises:
            TooLarge: it has more nodes than 32-bit integers count.
        """
        grows = above.rules >= 0
        every = bool(grows.all())
        rules = above.rules if every else np.where(grows, above.rules, self.stay + above.symbols)
        counts = self.arity[rules]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        if total > _MOST_NODES:
            raise TooLarge(
                f"the sample has {total} nodes at one height; at most {_MOST_NODES} can be drawn "
                "at once; draw fewer sentences, several times with different seeds"
            )
        # Half-size integers: the work is moving memory.
        flat = np.repeat((self.starts[rules] - (ends - counts)).astype(np.int32), counts)
        flat += np.arange(total, dtype=np.int32)
        index = self.places[flat]
        if not every:
            index = np.where(index < 0, np.repeat(above.index, counts), index)
        return Frontier(self.children[flat], counts, index, np.broadcast_to(np.int32(-1), total))


def read_off(table: Table, frontiers: list[Frontier]) -> Sample:
    """Layers of all heights: what holds for a node holds for every token of its span."""
    rule_names = tuple(table.show(i) for i in range(len(table.productions)))
    tokens = frontiers[-1].symbols
    ends = np.arange(1, len(tokens) + 1)  # after its last token, for each node of a frontier
    layers: dict[int, TokenLayer] = {}
    for height in range(1, table.depth + 1):
        below, front = frontiers[-height], frontiers[-height - 1]
        ends = ends[np.cumsum(below.counts) - 1] if len(ends) else ends
        sizes = np.diff(ends, prepend=0)
        boundary = np.zeros(len(tokens), dtype=bool)
        boundary[ends - 1] = True
        layers[height] = TokenLayer(
            table.names,
            np.repeat(front.symbols.astype(np.int32, copy=False), sizes),
            boundary,
            rule_names,
            np.repeat(front.rules.astype(np.int32), sizes),
            np.repeat(front.index.astype(np.int32, copy=False), sizes),
        )
    return Sample(tokens.astype(np.int32, copy=False), np.concatenate([[0], ends]), layers)
