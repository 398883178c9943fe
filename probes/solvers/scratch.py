"""Rows of the logistic solver, which reads them often: in a file where memory is too small."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from jaxtyping import Float

from ...core.disk import refuse_full
from ...core.limits import available_memory

__all__ = ["Scratch", "SolverRows", "fits", "moved", "weighted"]

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


SolverRows = np.ndarray | Scratch
"""Rows in memory, or in a file."""


def moved(steps: Float[np.ndarray, "class feature"], rows: SolverRows, out: np.ndarray) -> None:
    """Products of steps with every row, into ``out``: ``[class, token]``."""
    if isinstance(rows, np.ndarray):
        np.matmul(steps, rows.T, out=out)
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
    total = np.zeros((len(residuals), rows.shape[1]))
    for here, block in rows:
        total += residuals[:, here] @ block
    return total
