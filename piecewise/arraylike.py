"""What may be given where numbers are read: anything NumPy turns into an array."""

from typing import Any

import numpy as np

__all__ = ["ArrayLike", "as_real"]

ArrayLike = Any
"""Not ``numpy.typing.ArrayLike``: run-time checkers reject plain numbers under that one. Entrances
that take it validate what they get, with a message of their own."""


def as_real(given: Any) -> np.ndarray:
    """A new float64 array; what NumPy would turn into numbers, though it is none, is refused.

    NumPy drops what is imaginary, reads digits out of text, and counts the days of dates.

    Raises:
        TypeError: complex, text, dates, or no numbers at all.
        ValueError: rows of unequal length.

    >>> as_real([1, 2]).dtype
    dtype('float64')
    """
    array = np.asarray(given)
    if array.dtype.kind in "cUSMmV":
        raise TypeError(f"{array.dtype}, no real numbers")
    return np.array(array, dtype=np.float64)
