"""The sparse back end: a program executed by gathers and sparse products."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from ..program.program import Layer, Pattern, Program, Shift, Term

__all__ = ["SparseModel", "Stream"]

Matrix = Any
"""A scipy sparse matrix (its stubs tell matrices from arrays where scipy does not)."""

_CHUNK = 16_384  # neurons computed at once: bounds the memory of a layer


@final
@dataclass(frozen=True, eq=False)
class SparseModel:
    """Runs a program on batches of token ids, without a dense weight anywhere.

    The stream keeps only the coordinates that are not zero everywhere in the batch (a parser's
    hypotheses are sparse), as rows ``[row, batch * position]``. A head copies rows with shifted
    columns; a layer's neurons are three sparse matrices, restricted to neurons that can be
    non-zero. Equal to the dense model up to the order of additions (tested); the cost grows with
    what the sentences contain, not with the square of the width.

    Args:
        program: what to run.
        dtype: ``float64`` or ``float32``.
    """

    program: Program
    dtype: str = "float64"

    @cached_property
    def _layers(self) -> list["_SparseLayer"]:
        width = len(self.program.registry)
        return [_assemble(layer, width, self.dtype) for layer in self.program.layers]

    def prepare(self) -> "SparseModel":
        """Assemble the matrices now rather than at the first call."""
        _ = self._layers
        return self

    def forward(
        self,
        ids: Int[np.ndarray, "batch position"],
        watch: Callable[[int, "Stream"], None] | None = None,
    ) -> Float[np.ndarray, "batch position vocab"]:
        """Outputs (scores, or logits with a log head) after each position.

        Args:
            ids: token ids, BOS first; shorter sentences may be followed by any id (causal).
            watch: called with the number of blocks done so far and the stream.
        """
        batch, length = ids.shape
        stream = self._embed(ids)
        if watch:
            watch(0, stream)
        for number, layer in enumerate(self._layers, start=1):
            layer.run(stream, batch, length, self.program.n_max)
            if watch:
                watch(number, stream)
        readout = _matrix(self.program.readout, len(self.program.registry)).astype(self.dtype)
        out = stream.times(readout)
        return np.ascontiguousarray(out.reshape(-1, batch, length).transpose(1, 2, 0))

    def _embed(self, ids: Int[np.ndarray, "batch position"]) -> "Stream":
        width = len(self.program.registry)
        stream = Stream(width, ids.size, self.dtype)
        table = _matrix(self.program.embedding, width).astype(self.dtype).T.tocsr()
        used = np.flatnonzero(np.diff(table.indptr))
        stream.add(used, table[used].toarray()[:, ids.ravel()])
        for coordinate, values in self.program.gates:
            places = np.minimum(np.arange(ids.shape[1]), len(values) - 1)
            row = np.tile(np.array(values, self.dtype)[places], len(ids))
            stream.add(np.array([coordinate]), row[None])
        return stream


@final
class Stream:
    """Rows of the residual stream that are not zero, by coordinate (mutable).

    Args:
        width: number of coordinates.
        columns: positions of the whole batch.
        dtype: of the values.
    """

    def __init__(self, width: int, columns: int, dtype: str) -> None:
        self.slots = np.zeros(width, dtype=np.int64)  # slot 0 is a row of zeros
        self._data = np.zeros((1024, columns), dtype)
        self._used = 1

    @property
    def rows(self) -> Float[np.ndarray, "row column"]:
        """The rows in use; row 0 is zero."""
        return self._data[: self._used]

    def row(self, coordinate: int) -> Float[np.ndarray, " column"]:
        """Values of one coordinate at every position of the batch."""
        values: np.ndarray = self._data[self.slots[coordinate]]
        return values

    def add(
        self, coordinates: Int[np.ndarray, " row"], values: Float[np.ndarray, "row column"]
    ) -> None:
        """Add to distinct coordinates; rows that are zero everywhere take no space."""
        keep = values.any(axis=1)
        coordinates, values = coordinates[keep], values[keep]
        fresh = coordinates[self.slots[coordinates] == 0]
        needed = self._used + len(fresh)
        if needed > len(self._data):
            grown = np.zeros((max(needed, 2 * len(self._data)), self._data.shape[1]), values.dtype)
            grown[: self._used] = self._data[: self._used]
            self._data = grown
        self.slots[fresh] = np.arange(self._used, needed)
        self._used = needed
        self._data[self.slots[coordinates]] += values

    def times(self, matrix: Matrix) -> Float[np.ndarray, "output column"]:
        """Product of a matrix over all coordinates with the stream."""
        compact = sp.csr_matrix(
            (matrix.data, self.slots[matrix.indices], matrix.indptr),
            shape=(matrix.shape[0], self._used),
        )
        product: np.ndarray = compact @ self.rows
        return product

    def alive(self, matrix: Matrix, bias: np.ndarray) -> Bool[np.ndarray, " output"]:
        """Outputs that are not forced to 0: a bias, or a term whose row is not zero."""
        counts = np.concatenate([[0], np.cumsum(self.slots[matrix.indices] > 0)])
        alive: np.ndarray = (counts[matrix.indptr[1:]] > counts[matrix.indptr[:-1]]) | (bias != 0)
        return alive


@final
@dataclass(frozen=True, eq=False)
class _SparseLayer:
    """Matrices of one layer."""

    heads: list[tuple[Pattern, np.ndarray, np.ndarray, Matrix]]
    gate: Matrix
    gate_bias: np.ndarray
    value: Matrix
    value_bias: np.ndarray
    out: Matrix
    constants: Sequence[Term]

    def run(self, stream: Stream, batch: int, length: int, n_max: int) -> None:
        """Add this layer's heads, then its neurons, to the stream in place."""
        additions = []
        for pattern, sources, targets, weights in self.heads:
            known = np.flatnonzero(stream.slots[sources])
            if len(known):
                columns = _columns(pattern, batch, length, n_max)
                read = stream.rows[stream.slots[sources[known]]][:, columns]
                block = weights[:, known]
                touched = np.flatnonzero(np.diff(block.indptr))
                additions.append((targets[touched], block[touched] @ read))
        for targets, added in additions:
            stream.add(targets, added)
        if self.gate.shape[0]:
            self._neurons(stream)
        for coordinate, constant in self.constants:
            value = np.full((1, stream.rows.shape[1]), constant, stream.rows.dtype)
            stream.add(np.array([coordinate]), value)

    def _neurons(self, stream: Stream) -> None:
        alive = stream.alive(self.gate, self.gate_bias) & stream.alive(self.value, self.value_bias)
        chosen = np.flatnonzero(alive)
        pending = []
        for start in range(0, len(chosen), _CHUNK):
            rows = chosen[start : start + _CHUNK]
            hidden = stream.times(self.gate[rows]) + self.gate_bias[rows, None]
            np.maximum(hidden, 0, out=hidden)
            hidden *= stream.times(self.value[rows]) + self.value_bias[rows, None]
            block = self.out[:, rows].tocsr()
            touched = np.flatnonzero(np.diff(block.indptr))
            pending.append((touched, block[touched] @ hidden))
        for touched, added in pending:
            stream.add(touched, added)


def _columns(pattern: Pattern, batch: int, length: int, n_max: int) -> Int[np.ndarray, " column"]:
    """Column that each (sentence, position) reads."""
    targets = np.array([pattern.target(t) for t in range(length)])
    if isinstance(pattern, Shift):  # past the longest sentence each position reads itself
        past = np.arange(length) > n_max
        targets[past] = np.flatnonzero(past)
    else:
        targets[n_max + 1 :] = 0
    offsets = np.arange(batch)[:, None] * length
    columns: np.ndarray = (offsets + targets[None]).ravel()
    return columns


def _matrix(rows: Sequence[Sequence[Term]], width: int) -> Matrix:
    """``[row, width]`` matrix of term lists."""
    counts = [len(row) for row in rows]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    indices = np.fromiter((c for row in rows for c, _ in row), dtype=np.int64, count=indptr[-1])
    data = np.fromiter((w for row in rows for _, w in row), dtype=np.float64, count=indptr[-1])
    return sp.csr_matrix((data, indices, indptr), shape=(len(rows), width))


def _assemble(layer: Layer, width: int, dtype: str) -> _SparseLayer:
    heads = []
    for head in layer.heads:
        source, target, weight = (np.array(column) for column in zip(*head.moves, strict=True))
        sources, s = np.unique(source, return_inverse=True)
        targets, t = np.unique(target, return_inverse=True)
        shape = len(targets), len(sources)
        matrix = sp.csr_matrix((weight.astype(dtype), (t, s)), shape=shape)
        heads.append((head.pattern, sources, targets, matrix))
    neurons = layer.neurons
    return _SparseLayer(
        heads,
        _matrix([n.gate for n in neurons], width).astype(dtype),
        np.array([n.gate_bias for n in neurons], dtype),
        _matrix([n.value for n in neurons], width).astype(dtype),
        np.array([n.value_bias for n in neurons], dtype),
        _matrix([n.out for n in neurons], width).astype(dtype).T.tocsc(),
        layer.constants,
    )
