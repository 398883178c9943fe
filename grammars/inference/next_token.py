"""Sentence and next-token probabilities, exact up to the arithmetic asked for."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from ..errors import ImpossiblePrefix
from ..forms.normal_form import BinaryGrammar
from .chart import Numbers, make_chart, scale_exponents
from .top_down import starts

__all__ = [
    "exact_prefix_weight",
    "exact_weight",
    "next_token_weights",
    "normalised",
    "scaled_weight",
]


def scaled_weight(
    grammar: BinaryGrammar, tokens: Int[np.ndarray, " position"], scale: float
) -> tuple[float, int]:
    """Probability of a sentence as ``(m, e)``, standing for ``m * 2**-e``; m is 0 outside.

    Args:
        grammar: a binary grammar.
        tokens: the sentence.
        scale: token scale of the chart; it decides ``e``.
    """
    weight = float(_weight(grammar, tokens, "float", scale))
    return weight, int(scale_exponents(len(tokens), scale)[-1])


def exact_weight(
    grammar: BinaryGrammar, tokens: Int[np.ndarray, " position"], symbol: int | None = None
) -> Fraction:
    """Probability that a symbol, by default the start, derives the tokens; as a fraction."""
    return Fraction(_weight(grammar, tokens, "exact", 1.0, symbol))


def exact_prefix_weight(grammar: BinaryGrammar, prefix: Int[np.ndarray, " position"]) -> Fraction:
    """Probability that a sentence starts with the tokens; as a fraction."""
    return Fraction(next_token_weights(grammar, prefix[None, :], "exact")[0, -1].sum())


def _weight(
    grammar: BinaryGrammar,
    tokens: Int[np.ndarray, " position"],
    numbers: Numbers,
    scale: float,
    symbol: int | None = None,
) -> Any:
    n, root = len(tokens), grammar.start if symbol is None else symbol
    if n not in grammar.lengths_up_to(n)[root]:
        return 0
    chart = make_chart(grammar, tokens[None, :], numbers, scale)
    return chart.cells(root)[chart.lengths[root].index(n), 0, n]


def next_token_weights(
    grammar: BinaryGrammar,
    tokens: Int[np.ndarray, "batch position"],
    numbers: Numbers = "float",
    scale: float = 1.0,
) -> Shaped[np.ndarray, "batch read choice"]:
    """Joint weight of the first ``read`` tokens and each continuation; the last one is the end.

    Guarantee (telescoping): the weights after ``read`` tokens sum to the weight, after ``read - 1``
    tokens, of the token that was read, in units of the scale.

    Args:
        grammar: a binary grammar.
        tokens: prefixes, or sentences; every prefix of each is answered at once.
        numbers: the arithmetic.
        scale: token scale; rows are in units of it, see :func:`scale_exponents`.
    """
    batch, n = tokens.shape
    chart = make_chart(grammar, tokens, numbers, scale)
    alpha = starts(chart)
    joint = np.zeros((batch, n + 1, grammar.n_terminals + 1), dtype=chart.beta.dtype)
    joint[:, :, :-1] = np.moveaxis(alpha[: grammar.n_terminals], 0, -1)
    for row, length in enumerate(chart.lengths[grammar.start]):
        joint[:, length, -1] = chart.cells(grammar.start)[row, :, length]
    return joint


def normalised(
    weights: Shaped[np.ndarray, "read choice"], prefix: Sequence[str]
) -> Shaped[np.ndarray, "read choice"]:
    """Conditional distributions from joint weights.

    Args:
        weights: after each part of the prefix.
        prefix: for messages.

    Raises:
        ImpossiblePrefix: a row has weight 0; the first impossible token is named.
    """
    total = weights.sum(axis=1, keepdims=True)
    possible: Float[np.ndarray, " read"] | Any = total[:, 0] > 0
    if not possible.all():
        at = int(np.argmin(possible)) - 1
        before = " ".join(prefix[max(0, at - 8) : at]) or "nothing"
        raise ImpossiblePrefix(
            f"no sentence of the grammar goes on with {prefix[at]!r} at position {at} (after "
            f"{'... ' if at > 8 else ''}{before})"
        )
    conditional: Shaped[np.ndarray, "read choice"] = weights / total
    return conditional
