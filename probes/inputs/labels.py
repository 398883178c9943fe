"""Labels become class codes: once, in one way."""

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from ..errors import ProbeError
from .reading import as_array

__all__ = ["encode", "one_hot"]


def encode(labels: npt.ArrayLike) -> tuple[Int[np.ndarray, " token"], tuple[str, ...]]:
    """Class code of each label, and the classes as sorted names.

    The empty string, ``None`` and NaN mean "undefined" and get the code -1. Numbers sort as
    numbers.

    Raises:
        ProbeError: labels are not a vector, or one is infinite.

    >>> codes, classes = encode(["NP", "", "VP", "NP"])
    >>> codes.tolist(), classes
    ([0, -1, 1, 0], ('NP', 'VP'))
    """
    array = as_array(labels, "labels are a vector [token]")
    if array.ndim != 1:
        raise ProbeError(f"labels are a vector [token]; received shape {array.shape}")
    if array.dtype.kind == "O":
        array = np.array(["" if _undefined(value) else str(value) for value in array], dtype=str)
    if array.dtype.kind == "U":
        return _texts(array.tolist())
    if array.dtype.kind == "S":
        defined = array != np.zeros((), array.dtype)
    elif array.dtype.kind == "f":
        if np.isinf(array).any():
            raise ProbeError("labels hold infinite values: NaN means undefined, infinity no class")
        defined = ~np.isnan(array)
    elif array.dtype.kind in "mM":
        defined = ~np.isnat(array)
    else:
        defined = np.ones(len(array), dtype=bool)
    codes = np.full(len(array), -1, dtype=np.int64)
    values, codes[defined] = np.unique(array[defined], return_inverse=True)
    return codes, tuple(str(value) for value in values.tolist())


def _texts(labels: list[str]) -> tuple[Int[np.ndarray, " token"], tuple[str, ...]]:
    """Codes and sorted classes, by one look at each label: sorting texts costs ten times that."""
    classes = tuple(sorted(set(labels) - {""}))
    code = {name: index for index, name in enumerate(classes)} | {"": -1}
    return np.fromiter(map(code.__getitem__, labels), dtype=np.int64, count=len(labels)), classes


def one_hot(codes: Int[np.ndarray, " token"], n_classes: int) -> Float[np.ndarray, "token class"]:
    """Indicator columns; the code -1 gives a row of zeros."""
    columns = np.zeros((len(codes), n_classes))
    seen = codes >= 0
    columns[np.flatnonzero(seen), codes[seen]] = 1.0
    return columns


def _undefined(value: object) -> bool:
    try:
        if value is None or value == "":
            return True
        return bool(value != value)  # NaN of any kind
    except TypeError:  # pandas' NA is neither equal nor unequal
        return True
