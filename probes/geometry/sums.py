"""Centred sums of features and of columns beside them, added up where the features lie."""

from dataclasses import dataclass
from typing import final

import numpy as np

from ...core.products import Array, Products
from ..errors import ProbeError
from ..inputs.columns import LARGEST, ROWS, Columns

__all__ = ["CentredSums", "summed"]


@final
@dataclass(frozen=True, eq=False)
class CentredSums:
    """What rows add up to; every array lies where the products were made.

    Args:
        n: rows.
        mean_x: ``[feature]``.
        mean_z: ``[column]``.
        xx: ``[feature, feature]`` sum of ``(x - mean)(x - mean)^T``.
        xz: ``[feature, column]``.
        zz: ``[column, column]``.
    """

    n: int
    mean_x: Array
    mean_z: Array
    xx: Array
    xz: Array
    zz: Array

    def __add__(self, other: "CentredSums") -> "CentredSums":
        """Chan's pairwise update."""
        n = self.n + other.n
        weight = self.n * other.n / n if n else 0.0
        share = other.n / n if n else 0.0
        dx, dz = other.mean_x - self.mean_x, other.mean_z - self.mean_z
        return CentredSums(
            n=n,
            mean_x=self.mean_x + share * dx,
            mean_z=self.mean_z + share * dz,
            xx=self.xx + other.xx + weight * (dx[:, None] * dx),
            xz=self.xz + other.xz + weight * (dx[:, None] * dz),
            zz=self.zz + other.zz + weight * (dz[:, None] * dz),
        )

    def back(self, place: Products) -> "CentredSums":
        """The same in memory."""
        arrays = (self.mean_x, self.mean_z, self.xx, self.xz, self.zz)
        return CentredSums(self.n, *map(place.back, arrays))


def summed(x: Array, columns: Columns, place: Products) -> CentredSums:
    """Centred sums of all rows, a few thousand at a time, brought back at the end.

    Args:
        x: ``[row, feature]``: an array, or a tensor that lies where products are made.
        columns: of the same rows.
        place: where products are made.

    Raises:
        ProbeError: a value is not finite, or its square would not be.
    """
    total = _part(x[:ROWS], columns.parts[0], place)
    for index in range(1, len(columns.parts)):
        rows = slice(index * ROWS, (index + 1) * ROWS)
        total = total + _part(x[rows], columns.parts[index], place)
    return total.back(place)


def _part(
    x: Array, columns: tuple[np.ndarray, np.ndarray, np.ndarray], place: Products
) -> CentredSums:
    """Of a few rows; what is shared with other sites is copied: statistics may be written to."""
    there = place.put(x) if isinstance(x, np.ndarray) else x
    _refuse_unfit(there)
    rows = place.wide(there)
    mean_x = rows.mean(axis=0) if len(rows) else rows.sum(axis=0)  # of no rows: zeros
    rows -= mean_x
    mean_z, z, zz = map(place.put, columns)
    return CentredSums(
        len(rows), mean_x, place.wide(mean_z), rows.T @ rows, rows.T @ z, place.wide(zz)
    )


def _refuse_unfit(x: Array) -> None:
    """Refuse features that sums cannot hold.

    Raises:
        ProbeError: one is not finite, or its square would not be.
    """
    # NaN stays NaN.
    largest = 0.0 if 0 in x.shape else max(float(x.max()), -float(x.min()))
    if not np.isfinite(largest):
        raise ProbeError(
            "features hold NaN or infinite values: drop those rows, or mend what made them"
        )
    if largest > LARGEST:
        raise ProbeError(
            f"features reach {largest:.3g}, whose square is more than a float64 holds: divide them"
        )
