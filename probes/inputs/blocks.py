"""Rows of a matrix, a block at a time: from memory, or read from where they are stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from threading import current_thread, main_thread
from typing import Any, final

import numpy as np
from jaxtyping import Int

from ...core import progress
from ...core.products import Array
from ...core.stored import StoredRows
from .reading import as_array

__all__ = ["Blocks", "Matrix", "as_matrix"]

ROWS, NUMBERS = 4096, 2**24  # of a block, at most
LONG = 64  # blocks from which a pass shows how far it is
FEWEST = 256  # rows: below, a product costs more than its share

Matrix = np.ndarray | StoredRows
"""Rows in memory, or rows that are read when they are asked for."""


def as_matrix(values: Any, what: str) -> Matrix:
    """Stored rows as they are, anything else as an array.

    Raises:
        ProbeError: NumPy reads no array from it.
    """
    return values if isinstance(values, StoredRows) else as_array(values, what)


@final
@dataclass(frozen=True, eq=False)
class Blocks:
    """Some rows of a matrix in the order asked for, of which one block at a time is in memory.

    Args:
        matrix: ``[row, d]``.
        rows: which of them; all without.
        size: rows of a block; by default 4,096, fewer where they are wide. Sums over other blocks
            are added in another order, and differ by rounding.
        there: the matrix on a device, if it lies there as well.

    >>> blocks = Blocks(np.arange(6.0).reshape(3, 2), np.array([2, 0]), size=1)
    >>> [(here.start, block.tolist()) for here, block in blocks]
    [(0, [[4.0, 5.0]]), (1, [[0.0, 1.0]])]
    """

    matrix: Matrix
    rows: Int[np.ndarray, " row"] | None = None
    size: int | None = None
    there: Array | None = None

    def __len__(self) -> int:
        return len(self.matrix) if self.rows is None else len(self.rows)

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray]]:
        starts: Iterable[int] = range(0, len(self), self.height)
        total = -(-len(self) // self.height)
        if total >= LONG and _has_screen():
            starts = progress(starts, "rows", total=total, unit="block")
        for start in starts:
            here = slice(start, min(start + self.height, len(self)))
            yield here, self._read(here)

    def placed(self) -> Iterator[tuple[slice, Array]]:
        """Blocks as iteration gives them: of the device where the matrix lies there."""
        if self.there is None:
            yield from self
            return
        for start in range(0, len(self), self.height):
            here = slice(start, min(start + self.height, len(self)))
            # PyTorch warns of an index that it may not write into, so it gets a copy.
            yield here, self.there[here if self.rows is None else self.rows[here].copy()]

    @property
    def width(self) -> int:
        """Columns."""
        return int(np.prod(self.matrix.shape[1:]))

    @property
    def height(self) -> int:
        """Rows of a block at most."""
        usual = max(FEWEST, min(ROWS, NUMBERS // max(self.width, 1)))
        return min(self.size or usual, max(len(self), 1))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return self.matrix.dtype

    def part(self, index: Int[np.ndarray, " part"]) -> "Blocks":
        """Some of these rows."""
        return replace(self, rows=index if self.rows is None else self.rows[index])

    def _read(self, here: slice) -> np.ndarray:
        if isinstance(self.matrix, np.ndarray):
            found: np.ndarray = self.matrix[here if self.rows is None else self.rows[here]]
            return found
        index = np.arange(here.start, here.stop) if self.rows is None else self.rows[here]
        return self.matrix.read(index)


def _has_screen() -> bool:
    """Workers have none of their own, and threads of one process would draw over each other."""
    return parent_process() is None and current_thread() is main_thread()
