"""Arrays that users give, read once in one way: numbers, or one clear error."""

from typing import Any

import numpy as np

from .arguments import shown
from .errors import LinrepError
from .hints import Unfit, array_like

__all__ = ["as_mask", "as_numbers"]


def as_numbers(
    given: Any, what: str, error: type[LinrepError], *, ndim: int | None = None
) -> np.ndarray:
    """A new float64 array from lists, arrays or tensors.

    Args:
        given: what is read.
        what: what it should be, for the message.
        error: raised where it is something else.
        ndim: axes it must have.

    >>> as_numbers([1, 2], "rates are a list of numbers", LinrepError).dtype
    dtype('float64')
    """
    try:
        found = np.asarray(array_like(given))
    except Unfit as reason:
        raise error(f"{what}; received {shown(given)} {reason}".rstrip()) from None
    if found.dtype.kind not in "fiub" and found.size:
        raise error(f"{what}; received {shown(given)}")
    if ndim is not None and found.ndim != ndim:
        raise error(f"{what}; received shape {found.shape}")
    with np.errstate(over="ignore"):  # wider numbers than float64 become infinite
        return np.array(found, dtype=np.float64)


def as_mask(given: Any, what: str, error: type[LinrepError], *, ndim: int = 1) -> np.ndarray:
    """A new array of True and False; whole numbers count as such.

    >>> as_mask([1, 0], "kept", LinrepError).tolist()
    [True, False]
    """
    try:
        found = np.asarray(array_like(given))
    except Unfit:
        raise error(f"{what}; received {shown(given)}") from None
    if found.ndim != ndim or (found.dtype.kind not in "biu" and found.size):
        raise error(f"{what}; received {found.dtype} of shape {found.shape}")
    return found.astype(bool)
