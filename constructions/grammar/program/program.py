"""The compiler's output: one list of operations over named coordinates.

A program is what both back ends run: the dense one pours it into the weights of a standard
transformer, the sparse one executes it by gathers. Per layer: heads first (positional attention
with a linear map), then one hidden layer of neurons.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, final

from .coordinates import Registry

__all__ = [
    "AttentionHead",
    "Layer",
    "LayerDraft",
    "Lookup",
    "Neuron",
    "Pattern",
    "Program",
    "Shift",
    "Term",
]

Term = tuple[int, float]
"""(coordinate, weight)"""


@final
@dataclass(frozen=True, slots=True)
class Shift:
    """Position t reads position ``t - delta``; BOS (position 0) where that lies before it.

    Positions past the longest sentence read themselves (all of them share one code): no
    hypothesis about the sentence reaches them, so every score there is exactly 0.
    """

    delta: int

    def target(self, t: int) -> int:
        """The position that t reads."""
        return max(t - self.delta, 0)


@final
@dataclass(frozen=True, slots=True)
class Lookup:
    """Position t reads position ``targets[t]``, which is never after t; BOS past the end."""

    targets: tuple[int, ...]

    def target(self, t: int) -> int:
        """The position that t reads."""
        return self.targets[t] if t < len(self.targets) else 0


Pattern = Shift | Lookup


@final
@dataclass(frozen=True, slots=True)
class AttentionHead:
    """One positional head: for each move (source, target, weight) ``target += weight * source``.

    The source is taken at the position the pattern names, the target at the reading position.
    """

    pattern: Pattern
    moves: tuple[tuple[int, int, float], ...]


@final
@dataclass(frozen=True, slots=True)
class Neuron:
    """``out += w * relu(gate . x + gate_bias) * (value . x + value_bias)``.

    A plain ReLU neuron has no value terms and value bias 1.
    """

    gate: tuple[Term, ...]
    gate_bias: float
    value: tuple[Term, ...]
    value_bias: float
    out: tuple[Term, ...]


@final
@dataclass(frozen=True)
class Layer:
    """One block: heads read the stream as it comes in, neurons as the heads leave it.

    Args:
        name: what it does (``bottom-up 2``).
        heads: one per distinct pattern.
        neurons: the hidden layer.
        constants: added by the MLP's output bias.
    """

    name: str
    heads: tuple[AttentionHead, ...]
    neurons: tuple[Neuron, ...]
    constants: tuple[Term, ...]


@final
@dataclass
class LayerDraft:
    """A layer under construction (mutable; :meth:`freeze` ends it).

    Args:
        name: of the layer.
        merge: neurons with equal inputs become one with several outputs.
    """

    name: str
    merge: bool = False
    _moves: dict[Pattern, dict[tuple[int, int], float]] = field(default_factory=dict)
    _neurons: list[tuple[tuple[Term, ...], float, tuple[Term, ...], float, list[Term]]] = field(
        default_factory=list
    )
    _known: dict[tuple[object, ...], int] = field(default_factory=dict)
    _constants: dict[int, float] = field(default_factory=dict)

    def move(self, pattern: Pattern, source: int, target: int, weight: float = 1.0) -> None:
        """Let the head of this pattern add ``weight * source`` to ``target``."""
        moves = self._moves.setdefault(pattern, {})
        moves[source, target] = moves.get((source, target), 0.0) + weight

    def neuron(
        self,
        gate: Iterable[Term],
        gate_bias: float,
        value: Iterable[Term],
        value_bias: float,
        out: Iterable[Term],
        share: bool = False,
    ) -> None:
        """Add a neuron; with ``share`` (or merging) an equal one only gets further outputs."""
        gate, value = tuple(gate), tuple(value)
        key = (gate, gate_bias, value, value_bias)
        if self.merge or share:
            known = self._known.get(key)
            if known is not None:
                self._neurons[known][4].extend(out)
                return
            self._known[key] = len(self._neurons)
        self._neurons.append((gate, gate_bias, value, value_bias, list(out)))

    def constant(self, target: int, value: float) -> None:
        """Add a constant to a coordinate at every position."""
        self._constants[target] = self._constants.get(target, 0.0) + value

    def freeze(self) -> Layer:
        """The finished layer."""
        heads = tuple(
            AttentionHead(pattern, tuple((s, t, w) for (s, t), w in moves.items()))
            for pattern, moves in self._moves.items()
        )
        neurons = tuple(Neuron(g, gb, v, vb, _sum(o)) for g, gb, v, vb, o in self._neurons)
        return Layer(self.name, heads, neurons, tuple(self._constants.items()))


def _sum(terms: list[Term]) -> tuple[Term, ...]:
    """Terms with equal coordinates added up."""
    if len(terms) < 2:
        return tuple(terms)
    total: dict[int, float] = {}
    for coordinate, weight in terms:
        total[coordinate] = total.get(coordinate, 0.0) + weight
    return tuple(total.items())


@final
@dataclass(frozen=True)
class Program:
    """A compiled model: coordinates, tables, layers, readout.

    Args:
        registry: the coordinates.
        vocabulary: token of each id; BOS first, EOS last.
        n_max: tokens of the longest sentence.
        mlp: ``reglu`` or ``relu`` (plain neurons only).
        embedding: for each token id what it writes at its position.
        gates: what each position 0..n_max writes, by coordinate, and one value for all beyond.
        layers: the blocks.
        readout: for each token id the terms of its output.
        states: for each height and label of it, the coordinates that hold its inside values.
        beliefs: for each height and label of it, the coordinate that holds its posterior weight.
        output: whether outputs are nonnegative ``scores`` or ``logits``.
    """

    registry: Registry
    vocabulary: tuple[str, ...]
    n_max: int
    mlp: Literal["reglu", "relu"]
    embedding: tuple[tuple[Term, ...], ...]
    gates: tuple[tuple[int, tuple[float, ...]], ...]
    layers: tuple[Layer, ...]
    readout: tuple[tuple[Term, ...], ...]
    states: Mapping[int, Mapping[str, tuple[int, ...]]]
    beliefs: Mapping[int, Mapping[str, int]]
    output: Literal["scores", "logits"] = "scores"

    @property
    def n_neurons(self) -> int:
        """Hidden neurons of all layers."""
        return sum(len(layer.neurons) for layer in self.layers)

    def written_after(self) -> dict[int, int]:
        """For each coordinate the number of blocks after which its last write has happened."""
        last: dict[int, int] = {}
        for number, layer in enumerate(self.layers, start=1):
            for head in layer.heads:
                last.update((target, number) for _, target, _ in head.moves)
            for neuron in layer.neurons:
                last.update((target, number) for target, _ in neuron.out)
        return {i: last.get(i, 0) for i in range(len(self.registry))}

    def used_after(self) -> list[frozenset[int]]:
        """For each number of blocks done, the coordinates from which the output can be changed.

        Walked backwards: what the readout reads is used, and what an operation reads whose result
        is used later. The stream only ever adds, so what is used later is used before as well.
        """
        used = {coordinate for row in self.readout for coordinate, _ in row}
        found = [frozenset(used)]
        for layer in reversed(self.layers):
            matter = [n for n in layer.neurons if any(target in used for target, _ in n.out)]
            used.update(c for neuron in matter for c, _ in (*neuron.gate, *neuron.value))
            moves = [move for head in layer.heads for move in head.moves]
            used.update([source for source, target, _ in moves if target in used])
            found.append(frozenset(used))
        return found[::-1]

    def first_read(self) -> dict[int, int]:
        """For each coordinate the number of the first block that reads it for the output's sake.

        Blocks count from 1; what no block reads has one more than there are. Until that block, an
        interchange of the coordinate is seen by everything that depends on it.
        """
        used = self.used_after()
        first = dict.fromkeys(range(len(self.registry)), len(self.layers) + 1)
        for number, layer in reversed(list(enumerate(self.layers, start=1))):
            after = used[number]
            within = set(after)  # what the block's own neurons read, its heads must bring
            for neuron in layer.neurons:
                if any(target in after for target, _ in neuron.out):
                    read = {c for c, _ in (*neuron.gate, *neuron.value)}
                    first.update(dict.fromkeys(read, number))
                    within |= read
            moves = [move for head in layer.heads for move in head.moves]
            first.update({source: number for source, target, _ in moves if target in within})
        return first

    @property
    def patterns(self) -> set[Pattern]:
        """Every attention pattern in use."""
        return {head.pattern for layer in self.layers for head in layer.heads}
