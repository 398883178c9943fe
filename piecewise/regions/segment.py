"""Linear regions along a segment, exactly: breakpoints are fractions, nothing is rounded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np

from ...core import checked
from ..errors import BudgetError, SliceError
from ..networks.exact import ExactLayer, as_fraction, exact_layers, exact_readout
from ..networks.given import AnyNetwork, as_network

__all__ = ["SegmentRegions", "regions_on_segment"]

Number = float | int | Fraction


@final
@dataclass(frozen=True, eq=False)
class SegmentRegions:
    """What a network does along ``x(t) = a + t (b - a)``, ``0 <= t <= 1``.

    Args:
        breakpoints: every ``t`` inside (0, 1) where a unit changes its active piece, ascending.
        patterns: int ``[cell, unit]`` the active piece of every unit, layer after layer.
        slopes: per cell the derivative of each output with respect to ``t``.
        intercepts: per cell each output's affine map at ``t = 0``.
    """

    breakpoints: tuple[Fraction, ...]
    patterns: np.ndarray
    slopes: tuple[tuple[Fraction, ...], ...]
    intercepts: tuple[tuple[Fraction, ...], ...]

    @property
    def n_cells(self) -> int:
        """Activation cells: maximal intervals on which no unit changes its active piece."""
        return len(self.slopes)

    @property
    def n_linear_regions(self) -> int:
        """Maximal intervals on which the outputs are affine: a linear piece of the graph."""
        return len(self.kinks) + 1

    @property
    def n_affine_maps(self) -> int:
        """Distinct affine maps among the cells."""
        return len(set(zip(self.slopes, self.intercepts, strict=True)))

    @property
    def kinks(self) -> tuple[Fraction, ...]:
        """The breakpoints at which an output changes its slope."""
        pairs = zip(self.breakpoints, self.slopes, self.slopes[1:], strict=False)
        return tuple(t for t, left, right in pairs if left != right)

    def __repr__(self) -> str:
        return (
            f"SegmentRegions({self.n_cells} cells, {self.n_linear_regions} linear regions, "
            f"{self.n_affine_maps} affine maps)"
        )


@dataclass(frozen=True, eq=False)
class _Piece:
    """An interval with the affine map of the current layer: integers over one denominator."""

    start: Fraction
    end: Fraction
    pattern: tuple[int, ...]
    slope: np.ndarray  # object [unit]
    value: np.ndarray  # object [unit], at t = 0


@checked(SliceError)
def regions_on_segment(
    net: AnyNetwork,
    a: Number | Sequence[Number] | np.ndarray,
    b: Number | Sequence[Number] | np.ndarray,
    *,
    budget: int = 100_000,
) -> SegmentRegions:
    """Cut the segment from ``a`` to ``b`` where a unit changes its active piece.

    Guarantee: exact, in integers, for the float64 weights as they are. Pieces equal on a whole
    interval tie; the first of them stands.

    Args:
        net: the network, or what holds one (a ``torch.nn.Sequential``, a ``MaxoutTransformer``).
        a: start ``[input]``; a number if the network has one input.
        b: end ``[input]``, another point.
        budget: refuse to go on beyond this many cells.

    Raises:
        NetworkError: no network was given.
        SliceError: the points have the wrong dimension, are not finite or coincide.
        BudgetError: more than ``budget`` cells.

    >>> from ..networks.families import tent
    >>> regions_on_segment(tent(1), 0, 1).breakpoints
    (Fraction(1, 2),)
    """
    net = as_network(net)
    start, end = _point(a, net.n_inputs), _point(b, net.n_inputs)
    if start == end:
        raise SliceError(f"a segment has two different ends; received {a!r} twice")
    scale = math.lcm(*(value.denominator for value in (*start, *end)))
    low = np.array([int(value * scale) for value in start], dtype=object)
    high = np.array([int(value * scale) for value in end], dtype=object)
    pieces = [_Piece(Fraction(0), Fraction(1), (), high - low, low)]
    for number, layer in enumerate(exact_layers(net.layers), 1):
        parts: list[_Piece] = []
        for piece in pieces:
            parts += _through(layer, piece, scale)
            if len(parts) > budget:
                raise BudgetError(
                    f"more cells in layer {number} of {net.depth} than the budget of {budget}; "
                    "shorten the segment or raise the budget"
                )
        pieces, scale = parts, scale << layer.shift
    readout, bias = exact_readout(net.affine)
    slopes, intercepts = [], []
    for piece in pieces:
        slopes.append(tuple(_dot(row, piece.slope) / scale for row in readout))
        values = (_dot(row, piece.value) / scale for row in readout)
        intercepts.append(tuple(v + c for v, c in zip(values, bias, strict=True)))
    return SegmentRegions(
        tuple(piece.start for piece in pieces[1:]),
        np.array([piece.pattern for piece in pieces], dtype=np.int64),
        tuple(slopes),
        tuple(intercepts),
    )


def _point(given: object, n_inputs: int) -> tuple[Fraction, ...]:
    several = isinstance(given, Sequence) or np.ndim(given) > 0  # type: ignore[arg-type]
    row: list[Any] = list(given) if several else [given]  # type: ignore[call-overload]
    if len(row) != n_inputs:
        raise SliceError(
            f"the network has {n_inputs} inputs; an end of the segment has {len(row)} coordinates"
        )
    try:
        return tuple(as_fraction(v) for v in row)
    except (TypeError, ValueError, OverflowError) as error:
        raise SliceError(f"an end of the segment is not a finite point: {given!r}") from error


def _dot(row: list[Fraction], values: np.ndarray) -> Fraction:
    return sum((w * int(v) for w, v in zip(row, values, strict=True)), Fraction(0))


def _through(layer: ExactLayer, piece: _Piece, scale: int) -> list[_Piece]:
    """Cut one interval by every unit of a layer; parts come in order."""
    envelopes = []
    for rows, biases in zip(layer.weight, layer.bias, strict=True):
        lines = [
            (
                sum(w * s for w, s in zip(row, piece.slope, strict=True) if w),
                sum((w * v for w, v in zip(row, piece.value, strict=True) if w), bias * scale),
            )
            for row, bias in zip(rows, biases, strict=True)
        ]
        envelopes.append((lines, upper_envelope(lines, piece.start, piece.end)))
    cuts = sorted({t for _, envelope in envelopes for t, _ in envelope})  # the first is the start
    pointers = [0] * len(envelopes)
    parts = []
    for index, cut in enumerate(cuts):
        for unit, (_, envelope) in enumerate(envelopes):
            following = pointers[unit] + 1
            if following < len(envelope) and envelope[following][0] <= cut:
                pointers[unit] = following
        active = [env[at][1] for (_, env), at in zip(envelopes, pointers, strict=True)]
        chosen = [lines[j] for (lines, _), j in zip(envelopes, active, strict=True)]
        parts.append(
            _Piece(
                cut,
                cuts[index + 1] if index + 1 < len(cuts) else piece.end,
                piece.pattern + tuple(active),
                np.array([slope for slope, _ in chosen], dtype=object),
                np.array([value for _, value in chosen], dtype=object),
            )
        )
    return parts


def upper_envelope(
    lines: Sequence[tuple[int, int]], start: Fraction, end: Fraction
) -> list[tuple[Fraction, int]]:
    """The maximum of lines ``(slope, value at 0)``: ``(from t, line)`` in order, on [start, end).

    >>> upper_envelope([(1, 0), (-1, 1), (0, -5)], Fraction(0), Fraction(1))
    [(Fraction(0, 1), 1), (Fraction(1, 2), 0)]
    """
    num, den = start.numerator, start.denominator
    heights = [slope * num + value * den for slope, value in lines]
    best = max(range(len(lines)), key=lambda j: (heights[j], lines[j][0], -j))
    envelope, at = [(start, best)], start
    while True:
        slope, value = lines[best]
        following = None
        for j, (s, v) in enumerate(lines):
            if s > slope:
                t = Fraction(value - v, s - slope)
                key = (t, -s, j)
                if t < end and (following is None or key < following):
                    following = key
        if following is None:
            return envelope
        at, best = following[0], following[2]
        envelope.append((at, best))
