"""Means and scatter of rows that need not fit into memory: two passes, one block at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float

from ...core.products import NUMPY, Array, Products
from ..errors import ProbeError
from ..inputs.blocks import Blocks

__all__ = ["Moments", "edges", "looks", "standardised"]

LARGEST = 1e290  # sums of larger numbers do not fit float64


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """What a rotation is learned from.

    Args:
        n: rows.
        low: ``[d_model]`` least value of each feature.
        high: ``[d_model]`` greatest value.
        mean: ``[d_model]``.
        unit: ``[d_model]`` range of each feature, 1 where it does not vary.
        scatter: ``[d_model, d_model]`` covariance (over ``n``) in these units: its numbers neither
            overflow nor vanish, whatever the size of the features.
        dtype: of the rows.
    """

    n: int
    low: Float[np.ndarray, " d_model"]
    high: Float[np.ndarray, " d_model"]
    mean: Float[np.ndarray, " d_model"]
    unit: Float[np.ndarray, " d_model"]
    scatter: Float[np.ndarray, "d_model d_model"]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, blocks: Blocks, products: Products = NUMPY) -> "Moments":
        """Read all rows twice: for means and ranges, and for the products.

        Args:
            blocks: the rows.
            products: where the scatter is added up. Means and ranges are taken where the rows lie.

        Raises:
            ProbeError: no rows, no dimensions, or a value is not finite.
        """
        n, d = len(blocks), blocks.width
        if n == 0:
            raise ProbeError(
                "there are no training rows, so nothing can be learned: give more rows with a label"
            )
        if d == 0:
            raise ProbeError(
                "activations have no dimensions: shape [token, 0]; at least one is needed"
            )
        low, high, mean = np.full(d, np.inf), np.full(d, -np.inf), np.zeros(d)
        looking = looks(blocks, products)
        for _, block in blocks.placed():
            least, most = edges(block, looking)
            np.minimum(low, least, out=low)
            np.maximum(high, most, out=high)
            mean += looking.total(block) / n
        unit = np.where(high > low, high - low, 1.0)
        squares, total = products.zeros(d, d), products.zeros(d)
        for _, rows in standardised(blocks, mean, unit, products):
            squares += rows.T @ rows
            total += rows.sum(axis=0)
        scatter, drift = products.back(squares), products.back(total)
        # The mean was off by rounding, which beside a large mean is no small spread.
        drift /= n
        mean += unit * drift
        scatter /= n
        scatter -= np.outer(drift, drift)
        return cls(n, low, high, mean, unit, scatter, blocks.dtype)

    @property
    def covariance(self) -> Float[np.ndarray, "d_model d_model"]:
        """Covariance of the rows, over ``n - 1``; NaN of a single row."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            spread = self.scatter * (np.float64(self.n) / (self.n - 1))
            spread *= self.unit
            spread *= self.unit[:, None]
        return spread


def standardised(
    blocks: Blocks,
    mean: Float[np.ndarray, " d_model"],
    scale: Float[np.ndarray, " d_model"],
    products: Products = NUMPY,
    *,
    checked: bool = True,
) -> Iterator[tuple[slice, Array]]:
    """Centred and scaled rows in float64, a block at a time; each is overwritten by the next.

    Args:
        blocks: of the activations.
        mean: what is subtracted.
        scale: what is divided by.
        products: where the rows are made.
        checked: it is known that all of their values are finite.

    Raises:
        ProbeError: a value is not finite.
    """
    room = products.empty(blocks.height, blocks.width)
    centre, units = products.put(mean), products.put(scale)
    looking = looks(blocks, products)
    for here, block in blocks.placed():
        if not checked:
            edges(block, looking)
        yield here, products.standardise(block, centre, units, out=room[: len(block)])


def looks(blocks: Blocks, products: Products) -> Products:
    """What looks at rows where they lie: products on their device, or NumPy in memory."""
    return NUMPY if blocks.there is None else products


def edges(X: Array, place: Products = NUMPY) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value of each feature, in float64, refused where a value is not finite.

    This comes before any arithmetic: whether a product with an infinite value warns depends on
    the processor. A minimum and a maximum need no copy of the rows, and carry NaN along.

    Args:
        X: the rows.
        place: what looks at them, where they lie.

    Raises:
        ProbeError: a value is not finite, or sums of such values would not be.
    """
    with np.errstate(over="ignore"):  # wider numbers that float64 does not hold are refused below
        low, high = place.edges(X)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ProbeError(
            "activations hold NaN or infinite values: drop those tokens, or capture again in "
            "a wider dtype"
        )
    if max(high.max(initial=0.0), -low.min(initial=0.0)) > LARGEST:
        raise ProbeError(f"activations beyond {LARGEST:g}: their sums overflow, divide them")
    return low, high
