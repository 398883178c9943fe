"""Which formulas hold for which variant of ``spans``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from ..normal import Normal
from ..settings import ConstructionSettings
from .formulas import span_heads, span_neurons, span_width
from .formulas_beliefs import belief_heads, belief_neurons, belief_width
from .formulas_one_pass import one_pass_heads, one_pass_neurons, one_pass_width

__all__ = ["SpanSizes", "span_sizes"]


@final
@dataclass(frozen=True)
class SpanSizes:
    """Sizes by the formulas.

    Args:
        neurons: without the log block.
        formula: of the neurons, in words.
        width: coordinates by kind, without the position code and the log block.
        heads: of all layers.
    """

    neurons: int
    formula: str
    width: Mapping[str, int]
    heads: int


def span_sizes(normal: Normal, settings: ConstructionSettings) -> SpanSizes | None:
    """Exact sizes of ``spans``; ``None`` for ``shapes``, whose sizes have bounds."""
    if settings.mode != "spans":
        return None
    if settings.passes == 1:
        formula = (
            "sum |L(B)|(|L(C)|+|P(C)|) + sum |L(B)| + |P(S),k>0| + |L(S)|, formulas_one_pass.py"
        )
        neurons, width = one_pass_neurons(normal, settings), one_pass_width(normal)
        return SpanSizes(neurons, formula, width, one_pass_heads(normal))
    if settings.beliefs:
        boundary = "chart + sum |L(X)| of labels, see formulas_beliefs.py"
        prefix = "chart + sum Lmax(X) of labels + sum |L(B)| Lmax(C), see formulas_beliefs.py"
        formula = boundary if settings.beliefs == "boundary" else prefix
        neurons, width = belief_neurons(normal, settings), belief_width(normal, settings)
        return SpanSizes(neurons, formula, width, belief_heads(normal, settings))
    formula = "sum |L(B)||L(C)| + 2 sum |L(B)| + |L(S)|, see formulas.py"
    return SpanSizes(
        span_neurons(normal, settings), formula, span_width(normal), span_heads(normal)
    )
