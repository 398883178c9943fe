"""Every coordinate of a constructed model, as a number that the grammar alone determines.

Chart values come from exact inference in the grammar; what attention copies is the chart value at
the position that it reads; gates are functions of the position. The model's own arithmetic is not
used, except for the logarithms of a log head, which are its definition.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from ....grammars import Grammar
from ....grammars.inference.chart import PAD
from ....grammars.memory import require_memory
from ...errors import ConstructionError
from ..compiler import shapes_of
from ..normal import Normal, normal_form
from ..program.coordinates import Coordinate
from ..program.program import Neuron, Pattern, Program, Term
from ..settings import ConstructionSettings
from .shape_values import ShapeValues
from .span_values import SpanValues

__all__ = ["CoordinateValues"]

BATCH_BYTES = 64 * 2**20  # of the values of one batch of sentences
COPIES = ("fetch", "fetched alpha")
FROM_THE_TABLES = ("gate", "bos")


@final
@dataclass(frozen=True, eq=False)
class CoordinateValues:
    """What the coordinates hold at every token, from the grammar.

    Args:
        grammar: of the model.
        settings: of the model.
        program: of the model: which coordinates there are, and which positions attention reads.

    Raises:
        ConstructionError: the Boolean semiring, whose counts are no chart values.
    """

    grammar: Grammar
    settings: ConstructionSettings
    program: Program

    def __post_init__(self) -> None:
        if self.settings.semiring == "boolean":
            raise ConstructionError(
                "chart values are weights; a model with semiring='boolean' holds counts: build it "
                "with semiring='probability'"
            )

    @cached_property
    def normal(self) -> Normal:
        """The normal form that was compiled."""
        return normal_form(self.grammar, self.settings)

    def of(
        self,
        sentences: Sequence[Sequence[str]],
        coordinates: Sequence[int] | None = None,
        blocks: int | None = None,
    ) -> Float[np.ndarray, "token coordinate"]:
        """Values at every token, sentence after sentence.

        Args:
            sentences: of the grammar.
            coordinates: which; all of the registry by default.
            blocks: after so many blocks, where a coordinate may be written in part, or not yet;
                by default after the last write.

        Raises:
            UnknownToken: a token is no terminal.
            TooLarge: the values would not fit in memory.
        """
        wanted = range(len(self.program.registry)) if coordinates is None else coordinates
        tokens = sum(map(len, sentences))
        require_memory(
            8 * tokens * len(wanted), f"values of {len(wanted)} coordinates at {tokens} tokens"
        )
        out = np.zeros((tokens, len(wanted)))
        start = 0
        for group in _groups(sentences, len(self.program.registry)):
            ids, mask = self._padded(group)
            batch = _Batch(self, ids)
            stop = start + int(mask.sum())
            for place, coordinate in enumerate(wanted):
                out[start:stop, place] = batch.held(coordinate, blocks)[:, 1:][mask]
            start = stop
        return out

    def blocks(
        self, sentences: Sequence[Sequence[str]], size: int = 4096
    ) -> Iterator[Float[np.ndarray, "token coordinate"]]:
        """Values of all coordinates, so many at a time, each computed and forgotten.

        Args:
            sentences: of the grammar, or the first tokens of such.
            size: coordinates of one block.

        Raises:
            UnknownToken: a token is no terminal.
            TooLarge: one block would not fit in memory.
        """
        ids, mask = self._padded(sentences)
        require_memory(8 * int(mask.sum()) * size, f"values of {size} coordinates")
        batch = _Batch(self, ids)
        for start in range(0, len(self.program.registry), size):
            chosen = range(start, min(start + size, len(self.program.registry)))
            held = np.empty((int(mask.sum()), len(chosen)))
            for place, coordinate in enumerate(chosen):
                held[:, place] = batch.held(coordinate, None)[:, 1:][mask]
            batch.forget()
            yield held

    def _padded(
        self, sentences: Sequence[Sequence[str]]
    ) -> tuple[Int[np.ndarray, "batch position"], Bool[np.ndarray, "batch position"]]:
        """Tokens of sentences, and where there is one."""
        ids = np.full((len(sentences), max(map(len, sentences), default=0)), PAD, dtype=np.int64)
        for row, sentence in zip(ids, sentences, strict=True):
            row[: len(sentence)] = self.grammar.encode(sentence)
        return ids, np.arange(ids.shape[1]) < np.array([len(s) for s in sentences])[:, None]

    # -- where things come from -----------------------------------------------------------------

    @cached_property
    def shapes(self) -> list:  # type: ignore[type-arg]
        """The tree shapes that were compiled."""
        return shapes_of(self.normal)

    @cached_property
    def copies(self) -> dict[int, tuple[Pattern, int]]:
        """Copied coordinate -> the pattern that reads, and what it reads."""
        found = {}
        registry = self.program.registry
        for layer in self.program.layers:
            for head in layer.heads:
                for source, target, _ in head.moves:
                    if registry[target].kind in COPIES:
                        found[target] = head.pattern, source
        return found

    @cached_property
    def writes(self) -> dict[int, tuple[int, int]]:
        """Coordinate -> numbers of blocks after its first and its last write."""
        found: dict[int, tuple[int, int]] = {}
        for number, layer in enumerate(self.program.layers, start=1):
            targets = {target for head in layer.heads for _, target, _ in head.moves}
            targets |= {target for neuron in layer.neurons for target, _ in neuron.out}
            targets |= {target for target, _ in layer.constants}
            for target in targets:
                found[target] = found.get(target, (number, number))[0], number
        return found

    @cached_property
    def initial(self) -> dict[int, float]:
        """Coordinate -> what the embedding of every word writes there, 0 left out."""
        rows = [dict(row) for row in self.program.embedding[1:-1]]
        return {c: v for c, v in rows[0].items() if all(row.get(c) == v for row in rows)}

    @cached_property
    def neurons_of(self) -> dict[int, list[tuple[Neuron, float]]]:
        """Logit -> the neurons of the log block that write it, with their weights."""
        found: dict[int, list[tuple[Neuron, float]]] = {}
        for layer in self.program.layers:
            for neuron in layer.neurons:
                for target, weight in neuron.out:
                    if self.program.registry[target].kind == "logit":
                        found.setdefault(target, []).append((neuron, weight))
        return found

    @cached_property
    def constants(self) -> dict[int, float]:
        """Logit -> the constant added to it."""
        return {
            target: value
            for layer in self.program.layers
            for target, value in layer.constants
            if self.program.registry[target].kind == "logit"
        }

    def partly(self, coordinate: int, blocks: int) -> bool:
        """Whether a coordinate has been written by some, not all of its layers."""
        first, last = self.writes.get(coordinate, (0, 0))
        return first <= blocks < last

    def level_done(self, blocks: int) -> int:
        """Lowest level of the normal form whose contexts have been handed down."""
        return 2 * self.normal.depth - blocks + 1


@final
class _Batch:
    """Values of one batch of sentences; each coordinate is computed once."""

    def __init__(self, values: CoordinateValues, ids: Int[np.ndarray, "batch position"]) -> None:
        self._all, self._ids = values, ids
        self._known: dict[tuple[int, int | None], np.ndarray] = {}
        self._chart: SpanValues | ShapeValues
        if values.settings.mode == "shapes":
            self._chart = ShapeValues(values.normal, values.settings, ids, values.shapes)
        else:
            self._chart = SpanValues(values.normal, values.settings, ids)
        self._gates = dict(values.program.gates)

    def forget(self) -> None:
        """Let go of what was computed of coordinates; the chart stays."""
        self._known.clear()

    def held(self, coordinate: int, blocks: int | None) -> Float[np.ndarray, "batch read"]:
        """What a coordinate holds after so many blocks, at BOS and every token."""
        own = self._all
        if blocks is not None:
            first, last = own.writes.get(coordinate, (0, 0))
            if blocks < first:
                return self._full(own.initial.get(coordinate, 0.0))
            if blocks < last:
                return self._final(coordinate, own.level_done(blocks))
        return self._final(coordinate, None)

    def _final(self, coordinate: int, above: int | None) -> Float[np.ndarray, "batch read"]:
        key = coordinate, above
        if key not in self._known:
            self._known[key] = self._compute(self._all.program.registry[coordinate], *key)
        return self._known[key]

    def _compute(
        self, named: Coordinate, coordinate: int, above: int | None
    ) -> Float[np.ndarray, "batch read"]:
        program = self._all.program
        if coordinate in self._all.copies:
            pattern, source = self._all.copies[coordinate]
            targets = [pattern.target(t) for t in range(self._ids.shape[1] + 1)]
            copied: np.ndarray = self._final(source, None)[:, targets]
            return copied
        if coordinate in self._gates and named.kind == "gate":
            values = np.array(self._gates[coordinate])
            places = np.minimum(np.arange(self._ids.shape[1] + 1), len(values) - 1)
            return np.tile(values[places], (len(self._ids), 1))
        if named.kind == "bos":
            held = self._full(self._all.initial.get(coordinate, 0.0))
            held[:, 0] = dict(program.embedding[0]).get(coordinate, 0.0)
            return held
        if named.kind == "logit":
            return self._logit(coordinate)
        found = self._chart.of(named, above)
        if found is None:
            raise ConstructionError(f"no chart value is known for the coordinate {str(named)!r}")
        return found

    def _logit(self, coordinate: int) -> Float[np.ndarray, "batch read"]:
        total = self._full(self._all.constants.get(coordinate, 0.0))
        for neuron, weight in self._all.neurons_of.get(coordinate, []):
            gate = self._sum(neuron.gate, neuron.gate_bias)
            value = self._sum(neuron.value, neuron.value_bias)
            total += weight * np.maximum(gate, 0.0) * value
        return total

    def _sum(self, terms: Sequence[Term], bias: float) -> Float[np.ndarray, "batch read"]:
        total = self._full(bias)
        for coordinate, weight in terms:
            total += weight * self._final(coordinate, None)
        return total

    def _full(self, value: float) -> Float[np.ndarray, "batch read"]:
        return np.full((len(self._ids), self._ids.shape[1] + 1), value)


def _groups(sentences: Sequence[Sequence[str]], width: int) -> list[Sequence[Sequence[str]]]:
    """Sentences in their order, as many at once as the budget allows."""
    longest = max(map(len, sentences), default=0)
    size = max(1, BATCH_BYTES // (8 * max(width, 1) * (longest + 1)))
    return [sentences[start : start + size] for start in range(0, len(sentences), size)]
