"""What every compiled program shares: vocabulary, tables, readout; a mutable draft of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, final

from ....models import BOS, EOS
from ..program.coordinates import Coordinate, Registry
from ..program.program import Layer, LayerDraft, Pattern, Program, Term
from ..scale import Scales
from ..semirings import Semiring

__all__ = ["Draft"]


@final
@dataclass
class Draft:
    """A program under construction (mutable; :meth:`freeze` ends it).

    Args:
        terminals: the words.
        n_max: tokens of the longest sentence.
        semiring: arithmetic of the gadgets.
        scales: gauge and token scale.
        merge: neurons with equal inputs are shared within a layer.
    """

    terminals: Sequence[str]
    n_max: int
    semiring: Semiring
    scales: Scales
    merge: bool = False
    registry: Registry = field(default_factory=Registry)
    layers: list[Layer] = field(default_factory=list)
    gates: dict[int, tuple[float, ...]] = field(default_factory=dict)
    states: dict[int, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    beliefs: dict[int, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.vocabulary = (BOS, *self.terminals, EOS)
        self.embedding: list[list[Term]] = [[] for _ in self.vocabulary]
        self.readout: list[list[Term]] = [[] for _ in self.vocabulary]
        self._inside: set[int] = set()
        self._patterns: dict[Pattern, str] = {}
        self._gate_of: dict[tuple[float, ...], int] = {}

    def add(self, kind: str, symbol: str = "", **fields: int | str | None) -> int:
        """Register a coordinate."""
        return self.registry.add(Coordinate(kind, symbol, **fields))  # type: ignore[arg-type]

    def inside(self, kind: str, symbol: str = "", **fields: int | str | None) -> int:
        """Register a coordinate that holds an inside value; it starts as "does not derive"."""
        index = self.add(kind, symbol, **fields)
        if index not in self._inside:
            self._inside.add(index)
            if self.semiring.empty:
                for row in self.embedding:
                    row.append((index, self.semiring.empty))
        return index

    def token(self, terminal: int, coordinate: int) -> None:
        """Let a terminal write its own inside value.

        Past the longest sentence no token derives anything. Offset heads there read an average over
        all those positions, whose n parts of 1 / n may add up to a little less than 1: a complement
        that ought to be 1 would let that little through. Hence the last child of every rule, read
        at its own place, says "does not derive" there by more than rounding.
        """
        value = self.semiring.full - self.semiring.empty
        self.embedding[terminal + 1].append((coordinate, value))
        if self.semiring.empty:
            self.gates[coordinate] = (*(0.0,) * (self.n_max + 1), self.semiring.empty)

    def layer(self, name: str) -> LayerDraft:
        """A new layer; hand it to :meth:`close` when it is complete."""
        return LayerDraft(name, self.merge)

    def close(self, layer: LayerDraft) -> None:
        """Append a finished layer."""
        self.layers.append(layer.freeze())

    def gate(self, values: Sequence[float], tag: str) -> int:
        """A coordinate that the position alone decides; equal value lists share one.

        Args:
            values: for positions 0..n_max; past the end the coordinate holds what an inside value
                that derives nothing holds (a context: 0, see :meth:`clock`).
            tag: what it is for.
        """
        return self._gate((*map(self.semiring.bit, values), self.semiring.empty), tag)

    def clock(self, values: Sequence[float], tag: str) -> int:
        """A context value that the position alone decides; 0 past the end."""
        return self._gate((*values, 0.0), tag)

    def one(self) -> int:
        """A coordinate that holds 1 at every position."""
        return self._gate((1.0,) * (self.n_max + 2), "one")

    def _gate(self, values: tuple[float, ...], tag: str) -> int:
        known = self._gate_of.get(values)
        if known is None:
            known = self.add("gate", tag=f"{tag} #{len(self.gates)}")
            self.gates[known] = values
            self._gate_of[values] = known
        return known

    def pattern_name(self, pattern: Pattern) -> str:
        """A short name for an attention pattern, the same each time."""
        return self._patterns.setdefault(pattern, f"pattern {len(self._patterns)}")

    def freeze(self, output: Literal["scores", "logits"] = "scores") -> Program:
        """The finished program."""
        return Program(
            registry=self.registry,
            vocabulary=self.vocabulary,
            n_max=self.n_max,
            mlp=self.semiring.mlp,
            embedding=tuple(_add_up(row) for row in self.embedding),
            gates=tuple(self.gates.items()),
            layers=tuple(self.layers),
            readout=tuple(tuple(row) for row in self.readout),
            states=self.states,
            beliefs=self.beliefs,
            output=output,
        )


def _add_up(row: list[Term]) -> tuple[Term, ...]:
    total: dict[int, float] = {}
    for coordinate, value in row:
        total[coordinate] = total.get(coordinate, 0.0) + value
    return tuple((c, v) for c, v in total.items() if v)
