"""Reads the sizes, widths and ranks a caller gives: whole numbers of any kind, nothing else."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import NetworkError

__all__ = ["Whole", "Wholes", "is_list", "is_whole", "read_ranks", "read_size", "read_widths"]

MOST = 10**8  # units of one layer

Whole = Any
"""A whole number: not ``int``, under which run-time checkers refuse NumPy's integers."""

Wholes = Any
"""Whole numbers, or rows of them."""


def is_whole(value: Any) -> bool:
    """A Python or NumPy integer (or an array of no axes that holds one); a truth value is none."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    return isinstance(value, Integral) and not isinstance(value, bool)


def read_size(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least ``least``, as a Python integer.

    Raises:
        NetworkError: no whole number, or below.

    >>> read_size("rank", np.int64(3))
    3
    """
    if not is_whole(value):
        raise NetworkError(
            f"{name} is a whole number; received {value!r} ({type(value).__name__}), give an int"
        )
    if value < least:
        raise NetworkError(f"{name} is at least {least}; received {value}")
    return int(value)


def is_list(given: Any) -> bool:
    """Several values: no text, and no array or tensor without axes."""
    text = isinstance(given, str | bytes)
    return isinstance(given, Iterable) and not text and getattr(given, "ndim", 1) > 0


def read_widths(widths: Any, least: int = 1) -> list[int]:
    """Units per layer, from any sequence or array of whole numbers.

    Raises:
        NetworkError: no sequence, or an entry that is no width.
    """
    if not is_list(widths):
        raise NetworkError(f"widths is a list, units per layer; received {widths!r}, give [8, 8]")
    return [read_size("a width", width, least) for width in widths]


def read_ranks(ranks: Any, widths: list[int]) -> list[list[int]]:
    """Pieces of each unit of each layer, from one rank, one per layer, or one per unit of each.

    Raises:
        NetworkError: ranks that are no whole numbers from 1, or do not fit the widths.

    >>> read_ranks([2, [3, 1]], [1, 2])
    [[2], [3, 1]]
    """
    of_layers = _each("ranks", ranks, len(widths))
    if len(of_layers) != len(widths):
        raise NetworkError(
            f"received ranks for {len(of_layers)} layers and widths of {len(widths)}; "
            "give one rank, or one per layer"
        )
    read = []
    for width, of_layer in zip(widths, of_layers, strict=True):
        of_units = _each("ranks of a layer", of_layer, width)
        if len(of_units) != width:
            raise NetworkError(
                f"received {len(of_units)} ranks for a layer of {width} units; "
                "give one rank, or one per unit"
            )
        read.append([read_size("a rank", rank) for rank in of_units])
    return read


def _each(name: str, given: Any, count: int) -> list[Any]:
    if count > MOST:
        raise NetworkError(f"a layer of {count} units does not fit in memory: take fewer")
    if is_whole(given):
        return [given] * count
    if not is_list(given):
        raise NetworkError(
            f"{name} are whole numbers, one or a list; received {given!r}, give an int"
        )
    return list(given)
