"""What may be given where numbers are read: anything NumPy turns into an array."""

from typing import Any

import numpy as np

from ...core import LinrepError
from ...core.hints import Unfit, array_like
from ..errors import NetworkError

__all__ = ["ArrayLike", "as_real", "read_array", "within_floats"]

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
    try:
        array = np.asarray(array_like(given))
    except Unfit as reason:
        raise TypeError(str(reason) or "no numbers") from None
    if array.dtype.kind not in "fiubO" and array.size:  # fractions come as objects
        raise TypeError("no real numbers")
    try:
        with np.errstate(over="ignore"):  # wider numbers than float64 become infinite
            return np.array(array, dtype=np.float64)
    except (OverflowError, RuntimeError) as error:
        raise ValueError(str(error)) from None


def read_array(given: Any, what: str, error: type[LinrepError]) -> np.ndarray:
    """As :func:`as_real`, with an error of the package.

    >>> read_array([1], "points", LinrepError).tolist()
    [1.0]
    """
    try:
        return as_real(given)
    except (TypeError, ValueError) as reason:
        raise error(f"{what} are not numbers in rows of equal length: {reason}") from None


def within_floats(values: np.ndarray, what: str) -> np.ndarray:
    """The values, of points in rows, if float64 can hold them.

    Raises:
        NetworkError: one is infinite, or not defined.
    """
    held = np.isfinite(values).all(axis=1)
    if not held.all():
        raise NetworkError(
            f"{what} is beyond float64 (1.8e308) at the point of row {int((~held).argmax())}: "
            "scale the weights or the point down, or ask net.exact for that point"
        )
    return values
