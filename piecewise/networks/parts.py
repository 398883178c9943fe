"""The parts of a network, before it is one."""

from collections.abc import Sequence
from typing import Any, NamedTuple, final

__all__ = ["Parts"]


@final
class Parts(NamedTuple):
    """What :class:`MaxoutNetwork` is built from.

    Args:
        weights: per layer ``[unit, piece, input]``, or a list per unit where ranks differ.
        biases: per layer ``[unit, piece]``, likewise.
        readout: ``[output, unit]``.
        readout_bias: ``[output]``; zero where it is not given.
    """

    weights: Sequence[Any]
    biases: Sequence[Any]
    readout: Any
    readout_bias: Any = None
