"""Features and targets as columns of numbers, checked on the way in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ...core.devices import lies_on_gpu, products_on
from ...core.products import NUMPY, Array, Products
from ..errors import ProbeError
from .labels import encode, one_hot
from .reading import as_array

__all__ = [
    "LARGEST",
    "ROWS",
    "Columns",
    "common_scale",
    "feature_matrix",
    "in_order",
    "placed_features",
    "target_columns",
]

LARGEST = 1e120  # the square of a larger number leaves no room for sums and products of many
ROWS = 8192  # rows per product: bounds the float64 copy of a batch


def feature_matrix(X: npt.ArrayLike) -> np.ndarray:
    """Features as an array.

    Raises:
        ProbeError: they are no numeric matrix.
    """
    x = as_array(X, "features are a numeric matrix [token, feature]")
    if x.ndim != 2 or x.dtype.kind not in "fiub":
        raise ProbeError(
            f"features are a numeric matrix [token, feature]; received {x.dtype} of shape {x.shape}"
        )
    if x.dtype.kind == "f" and x.dtype.itemsize > 8:
        with np.errstate(over="ignore"):  # what float64 does not hold is refused as infinite
            x = x.astype(np.float64)
    return x


def placed_features(X: Any) -> tuple[Array, Products]:
    """Features where they lie, and what makes products there: a tensor on a GPU stays there.

    Raises:
        ProbeError: they are no numeric matrix.
    """
    if not lies_on_gpu(X):
        return feature_matrix(X), NUMPY
    if X.ndim != 2 or X.is_complex():
        raise ProbeError(
            "features on a GPU are a numeric matrix [token, feature]; received "
            f"{X.dtype} of shape {tuple(X.shape)}"
        )
    return X.detach(), products_on(str(X.device))


def common_scale(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Powers of two that bring features to a size of about one, where squares would not do.

    Args:
        x: features.
        axis: 0 for a factor of each column; without it one factor for all.

    Returns:
        Factors, exact to multiply with; 1 where sizes are within 1e-60 .. 1e60, nothing is there,
        or a value is not finite.

    >>> common_scale(np.array([[1e200, 3.0]]), axis=0).tolist()[1], common_scale(np.ones((2, 2)))
    (1.0, array(1.))
    """
    if x.dtype.kind != "f" or not x.size:
        return np.ones(x.shape[1] if axis == 0 else ())
    high, low = (np.asarray(edge(x, axis=axis), dtype=np.float64) for edge in (np.max, np.min))
    size = np.maximum(np.abs(high), np.abs(low))
    odd = np.isfinite(size) & (size > 0) & ((size < 1e-60) | (size > 1e60))
    exponents = np.clip(-np.frexp(np.where(odd, size, 1.0))[1], -1022, 1022)
    factors: np.ndarray = np.where(odd, np.ldexp(1.0, exponents), 1.0)
    return factors


def target_columns(
    y: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None, n: int
) -> tuple[dict[str, tuple[str, ...]], frozenset[str], np.ndarray]:
    """Names of each target's columns, which targets are numbers, and all columns.

    Raises:
        ProbeError: a target has another length, is undefined somewhere or not finite.
    """
    targets = y if isinstance(y, Mapping) else {} if y is None else {"target": y}
    names: dict[str, tuple[str, ...]] = {}
    numeric: set[str] = set()
    blocks = [np.zeros((n, 0))]
    for name, values in targets.items():
        array = as_array(values, f"target {name!r} has one value for each row")
        if array.ndim == 0 or len(array) != n:
            rows = len(array) if array.ndim else "no"
            raise ProbeError(f"target {name!r} has {rows} rows, the features have {n}")
        if array.ndim == 2:
            if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
                raise ProbeError(f"target {name!r} holds NaN, infinite values or no numbers")
            if array.dtype.kind == "f" and np.abs(array).max(initial=0.0) > LARGEST:
                raise ProbeError(f"target {name!r} holds numbers whose squares overflow: divide it")
            names[name] = tuple(str(i) for i in range(array.shape[1]))
            numeric.add(name)
            blocks.append(array.astype(np.float64))
            continue
        codes, classes = encode(array)
        if codes.min(initial=0) < 0:
            raise ProbeError(
                f"target {name!r} is undefined for {(codes < 0).sum()} rows: drop them"
            )
        names[name] = in_order(set(classes))
        if names[name] != classes:
            codes = np.array([names[name].index(label) for label in classes], dtype=int)[codes]
        blocks.append(one_hot(codes, len(classes)))
    return names, frozenset(numeric), np.hstack(blocks)


@final
@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of targets, summed up as far as that needs no features: many sites share them.

    Args:
        classes: per target the name of each of its columns.
        numeric: the targets whose columns are numbers.
        parts: of every :data:`ROWS` rows the means, the deviations from them and their scatter.
    """

    classes: Mapping[str, tuple[str, ...]]
    numeric: frozenset[str]
    parts: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, y: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None, n: int) -> "Columns":
        """Read targets of ``n`` rows.

        Raises:
            ProbeError: a target has another length, is undefined somewhere or not finite.
        """
        classes, numeric, z = target_columns(y, n)
        parts = []
        for start in range(0, max(n, 1), ROWS):
            part = z[start : start + ROWS]
            mean = part.mean(axis=0) if n else np.zeros(part.shape[1])
            part -= mean
            parts.append((mean, part, part.T @ part))
        return cls(classes, numeric, tuple(parts))


def in_order(names: set[str]) -> tuple[str, ...]:
    """Numbers as numbers, then words: a function of the set, so that shards agree with the whole.

    >>> in_order({"10", "9", "b", "a"})
    ('9', '10', 'a', 'b')
    """
    return tuple(sorted(names, key=_number_then_word))


def _number_then_word(name: str) -> tuple[float, str]:
    try:
        value = float(name)
    except ValueError:
        value = math.inf
    return (value if math.isfinite(value) else math.inf), name
