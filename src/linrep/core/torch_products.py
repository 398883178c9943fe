"""Products of PyTorch's, in float64 on a named device. Loads PyTorch."""

import math
from collections.abc import Iterable
from typing import Any, final

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .products import Array, Products

__all__ = ["TorchProducts"]

MOVED = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))
DENSE = 2**24  # numbers of sparse columns that are dense on a device at once
SHARE = 0.5  # of the device's free memory that rows and matrices may take


@final
class TorchProducts(Products):
    """Products on one device; ``"cpu"`` runs the same lines without a GPU, as the tests do.

    Args:
        device: PyTorch's name of it.

    >>> there = TorchProducts("cpu")
    >>> there.back(there.put(np.eye(2)) @ there.put(np.ones((2, 1)))).ravel().tolist()
    [1.0, 1.0]
    """

    narrow = False
    full = (torch.OutOfMemoryError,)

    def __init__(self, device: str) -> None:
        self.device = device

    def put(self, array: np.ndarray) -> Tensor:
        """On the device, in its own dtype where PyTorch multiplies that, else in float64."""
        with np.errstate(over="ignore"):  # what float64 does not hold is refused as infinite
            ready = np.ascontiguousarray(array, None if array.dtype in MOVED else np.float64)
        # A tensor cannot promise not to write into what is read only.
        return torch.from_numpy(ready if ready.flags.writeable else ready.copy()).to(self.device)

    def keep(
        self, blocks: Iterable[tuple[slice, np.ndarray]], shape: tuple[int, int]
    ) -> Tensor | None:
        """All rows in their own dtype, if half of the room there holds them."""
        found: Tensor | None = None
        try:
            for here, block in blocks:
                rows = self.put(block)
                if found is None:
                    if rows.element_size() * math.prod(shape) > self.room() / 2:
                        return None
                    found = torch.empty(shape, dtype=rows.dtype, device=self.device)
                found[here] = rows
        except torch.OutOfMemoryError:  # another process was quicker
            return None
        return found

    def edges(self, block: Array) -> tuple[np.ndarray, np.ndarray]:
        """Both in one look at rows that lie there."""
        low, high = torch.aminmax(self._there(block), dim=0)
        return self.back(low.double()), self.back(high.double())

    def total(self, block: Array) -> np.ndarray:
        """Of rows that lie there."""
        return self.back(self._there(block).sum(dim=0, dtype=torch.float64))

    def _there(self, rows: Array) -> Tensor:
        """Rows from memory or from the device, on the device."""
        return rows if isinstance(rows, Tensor) else self.put(rows)

    def back(self, array: Tensor) -> np.ndarray:
        """In memory."""
        found: np.ndarray = array.cpu().numpy()
        return found

    def empty(self, *shape: int, dtype: np.dtype[Any] | None = None) -> Tensor:
        """Room on the device."""
        kind = torch.float32 if dtype == np.float32 else torch.float64
        return torch.empty(shape, dtype=kind, device=self.device)

    def zeros(self, *shape: int) -> Tensor:
        """Zeros on the device."""
        return torch.zeros(shape, dtype=torch.float64, device=self.device)

    def standardise(self, block: Array, mean: Tensor, units: Tensor, out: Tensor) -> Tensor:
        """Rows are moved as they are, and become float64 on the device."""
        return torch.sub(self._there(block), mean, out=out).div_(units)

    def cast(self, rows: Tensor, dtype: np.dtype[Any]) -> Tensor:
        """In float64 or float32."""
        return rows.float() if dtype == np.float32 else rows.double()

    def wide(self, rows: Tensor) -> Tensor:
        """In float64, a copy."""
        return rows.to(torch.float64, copy=True)

    def multiply(self, left: Tensor, right: Tensor, out: np.ndarray) -> np.ndarray:
        """The product is brought back."""
        out[...] = self.back(left @ right)
        return out

    def weighed(self, columns: np.ndarray | sparse.csr_array, rows: Tensor) -> Tensor:
        """Sparse columns are moved as places and values, and are dense on the device.

        Products with sparse tensors differ between runs on a GPU, and PyTorch's releases differ in
        what they warn of.
        """
        if not sparse.issparse(columns):
            return self.wide(self.put(columns)).T @ rows
        total = self.zeros(columns.shape[1], rows.shape[1])
        step = max(1, DENSE // max(columns.shape[1], 1))
        for start in range(0, len(rows), step):
            total += self._dense(columns[start : start + step]).T @ rows[start : start + step]
        return total

    def _dense(self, columns: sparse.csr_array) -> Tensor:
        """Sparse columns on the device; values of one place are added up before."""
        if not columns.has_canonical_format:
            columns = columns.copy()
            columns.sum_duplicates()
        row, column = (self.put(each).long() for each in columns.tocoo().coords)
        found = self.zeros(*columns.shape)
        found[row, column] = self.wide(self.put(columns.data))
        return found

    def eigh(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """On the device; what does not converge there is left to the processor."""
        try:
            values, vectors = torch.linalg.eigh(self.put(matrix))
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            return super().eigh(matrix)
        return self.back(values), self.back(vectors)

    def room(self) -> float:
        """Half of what is free there, or kept by this process for its next tensors."""
        place = torch.device(self.device)
        if place.type != "cuda":
            return math.inf
        free, _ = torch.cuda.mem_get_info(place.index)
        kept = torch.cuda.memory_reserved(place.index) - torch.cuda.memory_allocated(place.index)
        return SHARE * (free + kept)
