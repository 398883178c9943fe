"""Where large products are made: by NumPy, or by PyTorch on a GPU.

The same lines of arithmetic run in both places, because NumPy's arrays and PyTorch's tensors share
``+``, ``@``, slices and ``.T``. What they do not share stands here, once for each: how numbers get
there and back, new arrays, and the eigenvalues of a symmetric matrix.

NumPy multiplies rotated float32 rows in float32. PyTorch makes every product in float64, so that a
program that allows its GPU less exact ones (TF32) gets the same answers.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from .decompositions import eigh

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scipy import sparse

__all__ = ["NUMPY", "Array", "Products"]

CACHED = 2**16  # numbers that stay in the processor's cache from one operation to the next

Array = Any
"""An array of NumPy's, or a tensor on the device."""


class Products:
    """NumPy's products: arrays stay where they are. The base of those on a device."""

    device = "cpu"
    narrow = True  # products of float32 rows are made in float32
    full: tuple[type[Exception], ...] = ()  # errors that say that the device's memory is full

    def precision(self, dtype: "np.dtype[Any]") -> "np.dtype[Any]":
        """Of products of rotated rows that are held in ``dtype``."""
        return dtype if self.narrow else np.dtype(np.float64)

    def put(self, array: np.ndarray) -> Array:
        """An array, on the device."""
        return array

    def keep(
        self,
        blocks: "Iterable[tuple[slice, np.ndarray]]",  # noqa: ARG002 - NumPy has them already
        shape: tuple[int, int],  # noqa: ARG002
    ) -> Array | None:
        """All rows on the device, for many passes over them; ``None`` where they stay in memory.

        Args:
            blocks: places of rows, and the rows.
            shape: rows and columns of all of them.
        """
        return None

    def edges(self, block: Array) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest value of each column, in float64; NaN where there is one."""
        low, high = (edge(block, axis=0).astype(np.float64) for edge in (np.min, np.max))
        return low, high

    def total(self, block: Array) -> np.ndarray:
        """Sum of each column, in float64."""
        found: np.ndarray = block.sum(axis=0, dtype=np.float64)
        return found

    def back(self, array: Array) -> np.ndarray:
        """What lies on the device, as NumPy's array."""
        found: np.ndarray = array
        return found

    def empty(self, *shape: int, dtype: "np.dtype[Any] | None" = None) -> Array:
        """Room for numbers, of float64 unless another dtype is named."""
        return np.empty(shape, dtype or np.float64)

    def zeros(self, *shape: int) -> Array:
        """Zeros in float64."""
        return np.zeros(shape)

    def standardise(self, block: Array, mean: Array, units: Array, out: Array) -> Array:
        """Rows from either place less a mean, over units, into ``out``: all three on the device."""
        widened = block.dtype.itemsize < out.dtype.itemsize
        step = max(1, CACHED // max(block.shape[1], 1))
        for start in range(0, len(block), step):
            here = slice(start, start + step)
            rows, part = block[here], out[here]
            if widened:  # exact; NumPy subtracts numbers of one kind in half the time
                part[...] = rows
                rows = part
            np.subtract(rows, mean, out=part)
            part /= units
        return out

    def cast(self, rows: Array, dtype: "np.dtype[Any]") -> Array:
        """Rows in the precision that a product asks for."""
        return rows.astype(dtype, copy=False)

    def wide(self, rows: Array) -> Array:
        """Rows in float64, a copy."""
        return rows.astype(np.float64)

    def multiply(self, left: Array, right: Array, out: np.ndarray) -> np.ndarray:
        """A product, into an array in memory."""
        return np.matmul(left, right, out=out)

    def weighed(self, columns: "np.ndarray | sparse.csr_array", rows: Array) -> Array:
        """``columns.T @ rows``: sums of rows, weighted by each column."""
        return columns.T @ rows

    def eigh(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of a symmetric matrix, ascending, and their vectors as columns."""
        return eigh(matrix)

    def room(self) -> float:
        """Bytes that may lie on the device between products; none where it is the processor."""
        return 0.0


NUMPY = Products()
"""Products on the processor."""
