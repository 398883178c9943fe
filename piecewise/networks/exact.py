"""Exact arithmetic: floats are dyadic fractions, so a network's weights are integers over 2**k."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, final

import numpy as np

from ..errors import NetworkError
from .layer import MaxoutLayer

__all__ = ["ExactLayer", "as_fraction", "evaluate", "exact_layers", "exact_readout", "fractions_of"]


@final
@dataclass(frozen=True, eq=False)
class ExactLayer:
    """A layer times ``2**shift``: Python integers of any size, per unit ``[piece][input]``."""

    weight: tuple[tuple[tuple[int, ...], ...], ...]
    bias: tuple[tuple[int, ...], ...]
    shift: int


def fractions_of(row: np.ndarray) -> list[Fraction]:
    """The numbers of an array ``[any]`` as fractions, exactly."""
    return [Fraction(float(value)) for value in row]


def as_fraction(value: Any) -> Fraction:
    """A number as it is: integers and fractions of any size, floats of any width.

    Raises:
        ValueError: NaN.
        OverflowError: infinity.
        TypeError: no number.
    """
    if isinstance(value, Rational):
        return Fraction(value)
    wide = isinstance(value, (Decimal, np.floating))
    return Fraction(*value.as_integer_ratio()) if wide else Fraction(float(value))


def exact_layers(layers: Sequence[MaxoutLayer]) -> tuple[ExactLayer, ...]:
    """The layers with integer weights; no rounding.

    >>> from .network import MaxoutNetwork
    >>> net = MaxoutNetwork([[[[0.5], [-0.25]]]], [[[0.0, 1.0]]], [[1.0]])
    >>> exact_layers(net.layers)[0].weight, exact_layers(net.layers)[0].shift
    ((((2,), (-1,)),), 2)
    """
    made = []
    for layer in layers:
        weights = [w[:r] for w, r in zip(layer.weight, layer.ranks, strict=True)]
        biases = [b[:r] for b, r in zip(layer.bias, layer.ranks, strict=True)]
        shift = max(_shift(array) for array in (*weights, *biases))
        made.append(
            ExactLayer(
                tuple(tuple(_integers(row, shift) for row in unit) for unit in weights),
                tuple(_integers(unit, shift) for unit in biases),
                shift,
            )
        )
    return tuple(made)


def exact_readout(
    affine: tuple[np.ndarray, np.ndarray],
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """The read-out ``(V, c)`` as fractions."""
    readout, bias = affine
    return [fractions_of(row) for row in readout], fractions_of(bias)


def evaluate(
    layers: Sequence[MaxoutLayer], affine: tuple[np.ndarray, np.ndarray], x: list[Any]
) -> tuple[Fraction, ...]:
    """Outputs at one input, exactly.

    Raises:
        NetworkError: the input has the wrong length, or is not finite.
    """
    if len(x) != layers[0].n_inputs:
        raise NetworkError(
            f"the network has {layers[0].n_inputs} inputs; received {len(x)} numbers"
        )
    try:
        h = [as_fraction(value) for value in x]
    except (TypeError, ValueError, OverflowError) as error:
        raise NetworkError(
            f"an input is one finite number for each of the {layers[0].n_inputs} inputs; received "
            f"{x!r:.60}"
        ) from error
    for layer in exact_layers(layers):
        scale = 1 << layer.shift
        h = [
            max(
                sum((w * v for w, v in zip(row, h, strict=True)), Fraction(b))
                for row, b in zip(rows, biases, strict=True)
            )
            / scale
            for rows, biases in zip(layer.weight, layer.bias, strict=True)
        ]
    readout, bias = exact_readout(affine)
    return tuple(
        sum((w * v for w, v in zip(row, h, strict=True)), c)
        for row, c in zip(readout, bias, strict=True)
    )


def _shift(array: np.ndarray) -> int:
    """Smallest ``k >= 0`` with ``2**k * array`` integer."""
    return max(
        (float(value).as_integer_ratio()[1].bit_length() - 1 for value in array.flat), default=0
    )


def _integers(row: np.ndarray, shift: int) -> tuple[int, ...]:
    ratios = (float(value).as_integer_ratio() for value in row)
    return tuple(n * ((1 << shift) // d) for n, d in ratios)
