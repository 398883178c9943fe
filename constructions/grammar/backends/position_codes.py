"""Three ways to make attention look at a given position, each exact.

A head must put weight exactly 1.0 on one position and exactly 0.0 on the others. A softmax does so
when the winning score leads by more than the exponent range of the dtype: 104 in float32, 746 in
float64 (``exp`` of less leaves denormals). Source: docs/theory/grammar.md, section 3.1.
"""

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ..program.program import Pattern, Shift
from ..settings import PositionCode

__all__ = ["AttentionBias", "CircularCode", "OneHotCode", "PositionScheme", "position_scheme"]

LEAD = 1000.0
"""Lead of the winning score: above 104 and 746, so that one value serves both dtypes."""


class PositionScheme(ABC):
    """A position code in the residual stream, and the query that makes a head follow a pattern.

    Args:
        n_max: tokens of the longest sentence; positions 0..n_max are real, ``n_max + 1`` stands
            for every position past the end.
    """

    def __init__(self, n_max: int) -> None:
        self.n_max, self.n_positions = n_max, n_max + 2

    @property
    @abstractmethod
    def code(self) -> Float[Tensor, "position code"]:
        """What each position writes into the stream."""

    @abstractmethod
    def query(self, pattern: Pattern) -> Float[Tensor, "code code"] | None:
        """Matrix M such that ``(code[t] @ M) . code[j]`` is largest, by LEAD, at the j read."""

    def target(self, pattern: Pattern, t: int) -> int:
        """Position that t reads; past the end an offset head reads its own (shared) code."""
        if t == self.n_positions - 1:
            return t if isinstance(pattern, Shift) else 0
        return pattern.target(t)


@final
class OneHotCode(PositionScheme):
    """``code[t]`` is the t-th unit vector: ``n_max + 2`` dimensions, any pattern.

    The query matrix has LEAD at (t, target of t), so scores are LEAD at the target and 0 elsewhere.
    """

    @property
    def code(self) -> Float[Tensor, "position code"]:
        """The identity."""
        return torch.eye(self.n_positions, dtype=torch.float64)

    def query(self, pattern: Pattern) -> Float[Tensor, "code code"]:
        """LEAD at (t, target)."""
        matrix = torch.zeros(self.n_positions, self.n_positions, dtype=torch.float64)
        for t in range(self.n_positions):
            matrix[t, self.target(pattern, t)] = LEAD
        return matrix


@final
class CircularCode(PositionScheme):
    """``code[t] = (cos, sin)(2 pi t / P)``: two dimensions, offset patterns only.

    The query is the code turned back by the offset, so the score at j is ``L cos(2 pi (t - delta -
    j) / P)``: largest at ``j = t - delta``. For ``t < delta`` the nearest j is BOS. Positions past
    the end share the angle of ``3 n + 3``, from which every offset up to n lands nearer to itself
    than to any real position, and ``P = 4 n + 8`` keeps the other way round the circle longer. The
    lead between the best and the second best j is at least ``L (1 - cos(2 pi / P))``; L is twice
    what that needs, which leaves room for rounding of the products.
    """

    @property
    def _step(self) -> float:
        return 2 * math.pi / (4 * self.n_max + 8)

    @property
    def code(self) -> Float[Tensor, "position code"]:
        """Points on the circle."""
        places = torch.arange(self.n_positions, dtype=torch.float64)
        places[-1] = 3 * self.n_max + 3
        angles = places * self._step
        return torch.stack([angles.cos(), angles.sin()], dim=1)

    def query(self, pattern: Pattern) -> Float[Tensor, "code code"]:
        """A rotation by minus the offset, times the amplitude.

        Raises:
            TypeError: the pattern is not an offset (settings exclude it).
        """
        if not isinstance(pattern, Shift):
            raise TypeError(
                "a circular position code serves only heads that read a fixed number of tokens "
                f"back or ahead; received a {type(pattern).__name__}: use position_code='onehot'"
            )
        turn = pattern.delta * self._step
        cos, sin = math.cos(turn), math.sin(turn)
        rotation = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
        return rotation * (2 * LEAD / (1 - math.cos(self._step)))


@final
class AttentionBias(PositionScheme):
    """No code at all: the head's bias table is 0 at the target and ``-inf`` elsewhere."""

    @property
    def code(self) -> Float[Tensor, "position code"]:
        """Nothing."""
        return torch.zeros(self.n_positions, 0, dtype=torch.float64)

    def query(self, pattern: Pattern) -> None:
        """Attention does not look at the stream."""

    def table(self, pattern: Pattern) -> Float[Tensor, "query key"]:
        """The bias of one head."""
        table = torch.full((self.n_positions, self.n_positions), -math.inf, dtype=torch.float64)
        for t in range(self.n_positions):
            table[t, self.target(pattern, t)] = 0.0
        return table


def position_scheme(name: PositionCode, n_max: int) -> PositionScheme:
    """The scheme of this name.

    >>> position_scheme("circular", n_max=8).code.shape
    torch.Size([10, 2])
    """
    schemes: dict[PositionCode, type[PositionScheme]] = {
        "onehot": OneHotCode,
        "circular": CircularCode,
        "bias": AttentionBias,
    }
    return schemes[name](n_max)
