"""Rotated rows that are made when they are asked for, and products with them that need none.

A product of columns with rotated rows is the product with the standardised ones, rotated: it costs
a pass over the activations, and no second matrix of their size. Only what squares single rotated
values (leverages of rows) or passes over them again and again (the logistic solver) makes them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ...core.products import NUMPY, Array, Products
from ..inputs.blocks import Blocks, Matrix
from .moments import Moments, standardised
from .rotation import Rotation
from .scratch import PlacedRows, Scratch, SolverRows, fits

__all__ = ["Columns", "Features", "KnownMoments"]

Columns = Callable[[slice], "np.ndarray | sparse.csr_array"]
"""Columns of some rows: ``[row, column]`` of those in the slice."""

ROOM = 2**28  # bytes of the sums of one pass; wider ones take several
FEWEST, SCORES = 64, 2**23  # rows that are scored together, and how many scores at most
CACHED = 1024  # a block of rows and its indicators stay in the processor's cache


@final
@dataclass(frozen=True, eq=False)
class Features:
    """Rows of one site in the coordinates of a rotation, a block at a time.

    Args:
        rotation: how they are made.
        blocks: the activations.
        checked: they are known to be finite: the rotation was learned from them.
        place: where products with them are made; blocks of rows that are handed out lie there.
    """

    rotation: Rotation
    blocks: Blocks
    checked: bool = False
    place: Products = NUMPY

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of rotated rows that are held."""
        return self.rotation.kind(self.blocks.dtype)

    @property
    def precision(self) -> np.dtype[Any]:
        """Of products with rotated rows."""
        return self.place.precision(self.dtype)

    @cached_property
    def axes(self) -> Array:
        """Axes of the rotation, there where the products are made."""
        return self.place.put(self.rotation.axes)

    @cached_property
    def held(self) -> Float[np.ndarray, "token feature"]:
        """All of them, in memory."""
        return self.rotation(self.blocks, self.place)

    @cached_property
    def rows(self) -> SolverRows:
        """All of them: on the device if it has room, in memory if they fit, else in a file."""
        width = len(self.rotation.variances)
        if len(self) * width * self.dtype.itemsize < self.place.room():
            placed = PlacedRows(len(self), width, self.dtype, self.place)
            for here, part in self.rotated(self.blocks.height):
                placed.write(here, part)
            return placed
        if fits(len(self), width, self.dtype):
            return self.held
        scratch = Scratch(len(self), width, self.dtype)
        for here, part in self.rotated(self.blocks.height):
            scratch.write(here, self.place.back(part))
        return scratch

    def standardised(self) -> Iterator[tuple[slice, Array]]:
        """Centred and scaled rows in float64; each block is overwritten by the next."""
        return standardised(
            self.blocks, self.rotation.mean, self.rotation.scale, self.place, checked=self.checked
        )

    def rotated(self, most: int) -> Iterator[tuple[slice, Array]]:
        """Rotated rows in the precision of products, at most so many at a time."""
        axes = self.place.cast(self.axes, self.precision)
        for here, rows in self.standardised():
            turned = self.place.cast(rows, self.precision) @ axes
            for start in range(0, len(turned), most):
                part = turned[start : start + most]
                yield slice(here.start + start, here.start + start + len(part)), part

    def scored(
        self, weights: Float[np.ndarray, "column feature"], kind: np.dtype[Any] | None = None
    ) -> Iterator[tuple[slice, Float[np.ndarray, "token column"]]]:
        """Products of rotated rows with weights, in float64, a block at a time.

        Args:
            weights: on rotated rows.
            kind: precision of the product; by default that of the rows.
        """
        kind = kind or self.precision
        readers = self.place.cast(self.axes @ self.place.put(weights.T), kind)
        most = max(FEWEST, SCORES // max(len(weights), 1))
        for block, rows in self.standardised():
            for start in range(0, len(rows), most):
                here = self.place.cast(rows[start : start + most], kind)
                first = block.start + start
                found = self.place.back(here @ readers).astype(np.float64, copy=False)
                yield slice(first, first + len(here)), found

    def products(
        self, columns: Sequence[tuple[int, Columns]]
    ) -> Iterator[Float[np.ndarray, "column feature"]]:
        """Sums of rotated rows weighted by columns, in float64.

        Args:
            columns: for each sum its width and what gives the columns of a block.
        """
        wide = 8 * self.blocks.width
        start = 0
        while start < len(columns):
            end, room = start + 1, wide * columns[start][0]
            while end < len(columns) and room + wide * columns[end][0] <= ROOM:
                room += wide * columns[end][0]
                end += 1
            for total in self._sums(columns[start:end]):
                yield self.place.back(total @ self.axes)
            start = end

    def _sums(self, columns: Sequence[tuple[int, Columns]]) -> list[Array]:
        """Sums of standardised rows in one pass; its block is let go before they are handed out."""
        totals = [self.place.zeros(width, self.blocks.width) for width, _ in columns]
        for here, rows in self.standardised():
            for total, (_, give) in zip(totals, columns, strict=True):
                total += self.place.weighed(give(here), rows)
        return totals

    def scatter(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the rotated rows, and their scatter around it."""
        d, axes = self.blocks.width, self.axes
        total, squares = self.place.zeros(d), self.place.zeros(d, d)
        for _, rows in self.standardised():
            total += rows.sum(axis=0)
            squares += rows.T @ rows
        mean = total / max(len(self), 1)
        squares -= mean[:, None] * total
        return self.place.back(mean @ axes), self.place.back(axes.T @ squares @ axes)

    def class_sums(
        self, problems: Sequence[tuple[Int[np.ndarray, " token"], int]]
    ) -> list[Float[np.ndarray, "class feature"]]:
        """Sum of the features in each class of each problem: one pass, all columns together.

        Codes lie in ``0..n_classes - 1``: every row has a class.
        """
        if not problems:
            return []
        ends = np.cumsum([n for _, n in problems])
        starts = ends - [n for _, n in problems]
        total = self.place.zeros(int(ends[-1]), self.blocks.width)
        most = CACHED if self.place is NUMPY else max(1, SCORES // max(int(ends[-1]), 1))
        step = min(most, self.blocks.height, len(self))
        indicators = np.zeros((step, ends[-1]), self.precision)
        for block, rows in self.standardised():
            for start in range(0, len(rows), max(step, 1)):
                here = self.place.cast(rows[start : start + step], self.precision)
                first = block.start + start
                places = [
                    codes[first : first + len(here)] + begin
                    for (codes, _), begin in zip(problems, starts, strict=True)
                ]
                marked = np.arange(len(here)), np.stack(places)
                indicators[marked] = 1.0
                total += self.place.weighed(indicators[: len(here)], here)
                indicators[marked] = 0.0
        return np.split(self.place.back(total @ self.axes), ends[:-1])


@final
class KnownMoments:
    """Moments of sets of rows of one site: the latest set, and the one that is asked for again.

    Args:
        matrix: rows of the site.
        again: the set whose moments are kept.
        size: rows of a block (:class:`linrep.probes.inputs.blocks.Blocks`).
        place: where products with the rows are made.
    """

    def __init__(
        self,
        matrix: Matrix,
        again: np.ndarray | None = None,
        size: int | None = None,
        place: Products = NUMPY,
    ) -> None:
        self.matrix, self.size, self.place = matrix, size, place
        self._again = _key(again) if again is not None else b""
        self._found: dict[bytes, Moments] = {}

    def of(self, rows: Int[np.ndarray, " row"]) -> Moments:
        """Of these rows, in whatever order."""
        key = _key(rows)
        if key not in self._found:
            self._found = {old: each for old, each in self._found.items() if old == self._again}
            self._found[key] = Moments.of(self.blocks(rows), self.place)
        return self._found[key]

    def blocks(self, rows: Int[np.ndarray, " row"]) -> Blocks:
        """These rows, in their order."""
        return Blocks(self.matrix, rows, self.size, self._there)

    @cached_property
    def _there(self) -> Array | None:
        """All rows where products are made, if there is room: every pass would move them anew."""
        whole = Blocks(self.matrix, size=self.size)
        return self.place.keep(whole, (len(whole), whole.width)) if len(whole) else None

    def rotation(self, rows: Int[np.ndarray, " row"], *, standardize: bool = True) -> Rotation:
        """Learned from these rows."""
        return Rotation.of(self.of(rows), standardize=standardize, products=self.place)

    def features(
        self, rotation: Rotation, rows: Int[np.ndarray, " row"], *, checked: bool = False
    ) -> Features:
        """These rows in the coordinates of a rotation."""
        return Features(rotation, self.blocks(rows), checked, self.place)


def _key(rows: np.ndarray) -> bytes:
    return np.sort(rows).astype(np.int64).tobytes()
