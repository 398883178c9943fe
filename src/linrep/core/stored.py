"""Rows that lie elsewhere and are read when they are asked for."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

__all__ = ["StoredRows", "save_rows"]

ROWS = 4096  # written at once


@runtime_checkable
class StoredRows(Protocol):
    """``[row, column]`` numbers that lie elsewhere, on a disk say: rows are read by index."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what is read."""

    def __len__(self) -> int:
        """Rows."""

    def read(self, index: np.ndarray) -> np.ndarray:
        """A copy of rows ``[index]``, in that order; nothing else stays in memory."""


def save_rows(file: Path, rows: StoredRows) -> None:
    """Write them as one file of NumPy's, a block at a time."""
    about = {"descr": rows.dtype.str, "fortran_order": False, "shape": tuple(rows.shape)}
    with file.open("wb") as handle:
        np.lib.format.write_array_header_2_0(handle, about)
        for start in range(0, len(rows), ROWS):
            block = rows.read(np.arange(start, min(start + ROWS, len(rows))))
            handle.write(np.ascontiguousarray(block, dtype=rows.dtype).data)
