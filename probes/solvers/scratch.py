"""Rows of the logistic solver, which reads them often: in memory, on a GPU, or in a file."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from jaxtyping import Float

from ...core.disk import refuse_full
from ...core.limits import available_memory
from ...core.products import Array, Products

__all__ = ["PlacedRows", "Scratch", "SolverRows", "fits", "moved", "weighted"]

SHARE = 0.25  # of the machine's memory that the rows of one site may take; more go to a file
NUMBERS = 2**23  # of a block


def fits(rows: int, width: int, dtype: np.dtype[Any]) -> bool:
    """Whether rows are held in memory.

    Args:
        rows: how many.
        width: numbers of each.
        dtype: of the numbers.
    """
    memory = available_memory()
    return memory is None or rows * width * dtype.itemsize <= SHARE * memory


@final
class Scratch:
    """``[token, feature]`` in a temporary file, read a block at a time; gone with this object.

    Args:
        rows: how many.
        width: numbers of each.
        dtype: of the numbers.

    Raises:
        DiskError: the folder for temporary files has too little room.

    >>> rows = Scratch(3, 2, np.dtype(np.float64))
    >>> rows.write(slice(0, 3), np.arange(6.0).reshape(3, 2))
    >>> (rows @ np.array([[1.0], [1.0]])).ravel().tolist()
    [1.0, 5.0, 9.0]
    """

    def __init__(self, rows: int, width: int, dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = (rows, width), dtype
        refuse_full(
            tempfile.gettempdir(), rows * width * dtype.itemsize,
            f"{rows:,} rotated rows of {width:,} numbers, which memory does not hold",
        )  # fmt: skip
        self._file = tempfile.TemporaryFile(prefix="linrep-rows-", buffering=0)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._room = np.empty((max(1, min(rows, NUMBERS // max(width, 1))), width), dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def write(self, here: slice, rows: Float[np.ndarray, "row feature"]) -> None:
        """Put rows into their place."""
        data = np.ascontiguousarray(rows, self.dtype).data.cast("B")
        self._file.seek(here.start * self.shape[1] * self.dtype.itemsize)
        while data.nbytes:
            data = data[self._file.write(data) :]

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All rows in order; each block is overwritten by the next."""
        size = self.shape[1] * self.dtype.itemsize
        for start in range(0, len(self), len(self._room)):
            here = slice(start, min(start + len(self._room), len(self)))
            block = self._room[: here.stop - start]
            data, at = block.reshape(-1).view(np.uint8).data, start * size
            while data.nbytes:
                got = os.preadv(self._file.fileno(), [data], at)
                data, at = data[got:], at + got
            yield here, block

    def __matmul__(self, weights: Float[np.ndarray, "feature column"]) -> np.ndarray:
        """Products of all rows with weights."""
        out = np.empty((len(self), weights.shape[1]), np.result_type(self.dtype, weights.dtype))
        for here, block in self:
            np.matmul(block, weights, out=out[here])
        return out


@final
class PlacedRows:
    """``[token, feature]`` on a device, where products with them are made.

    Rows are kept in their own dtype, and become float64 a block at a time for each product.

    Args:
        rows: how many.
        width: numbers of each.
        dtype: of the numbers, float32 or float64.
        place: where they lie.

    >>> from linrep.core.products import NUMPY
    >>> rows = PlacedRows(3, 2, np.dtype(np.float64), NUMPY)
    >>> rows.write(slice(0, 3), np.arange(6.0).reshape(3, 2))
    >>> (rows @ np.array([[1.0], [1.0]])).ravel().tolist()
    [1.0, 5.0, 9.0]
    """

    def __init__(self, rows: int, width: int, dtype: np.dtype[Any], place: Products) -> None:
        self.shape, self.dtype, self.place = (rows, width), dtype, place
        self._held = place.empty(rows, width, dtype=dtype)
        self._step = max(1, NUMBERS // max(width, 1))

    def __len__(self) -> int:
        return self.shape[0]

    def write(self, here: slice, rows: Array) -> None:
        """Put rows, which lie on the device, into their place."""
        self._held[here] = rows

    def __iter__(self) -> Iterator[tuple[slice, Array]]:
        """All rows in order, in float64 and on the device."""
        for start in range(0, len(self), self._step):
            here = slice(start, min(start + self._step, len(self)))
            yield here, self.place.wide(self._held[here])

    def __matmul__(self, weights: Float[np.ndarray, "feature column"]) -> np.ndarray:
        """Products of all rows with weights."""
        out = np.empty((len(self), weights.shape[1]), np.result_type(self.dtype, weights.dtype))
        self.moved(weights.T, out.T)
        return out

    def moved(self, steps: Float[np.ndarray, "class feature"], out: np.ndarray) -> None:
        """Products of steps with every row, into ``out``: ``[class, token]``."""
        there = self.place.put(steps.astype(np.float64))
        for here, block in self:
            out[:, here] = self.place.back(there @ block.T)

    def weighted(self, residuals: Float[np.ndarray, "class token"]) -> np.ndarray:
        """Sums of all rows, weighted by the residuals of each class."""
        total = self.place.zeros(len(residuals), self.shape[1])
        for here, block in self:
            total += self.place.wide(self.place.put(residuals[:, here])) @ block
        return self.place.back(total)


SolverRows = np.ndarray | Scratch | PlacedRows
"""Rows in memory, in a file, or on a device."""


def moved(steps: Float[np.ndarray, "class feature"], rows: SolverRows, out: np.ndarray) -> None:
    """Products of steps with every row, into ``out``: ``[class, token]``."""
    if isinstance(rows, np.ndarray):
        np.matmul(steps, rows.T, out=out)
        return
    if isinstance(rows, PlacedRows):
        rows.moved(steps, out)
        return
    for here, block in rows:
        out[:, here] = steps @ block.T


def weighted(
    residuals: Float[np.ndarray, "class token"], rows: SolverRows
) -> Float[np.ndarray, "class feature"]:
    """Sums of all rows, weighted by the residuals of each class; of blocks in float64."""
    if isinstance(rows, np.ndarray):
        whole: np.ndarray = residuals @ rows
        return whole
    if isinstance(rows, PlacedRows):
        return rows.weighted(residuals)
    total = np.zeros((len(residuals), rows.shape[1]))
    for here, block in rows:
        total += residuals[:, here] @ block
    return total
