"""Rescalings of the stream that cost nothing and change no conditional probability.

Gauge: an inside value is stored divided by the weight of its best derivation, so that it is of
order 1 (exactly 1 where the derivation is unique). Token scale kappa: a context value at position t
is stored multiplied by kappa**t; every hypothesis about a prefix has the same number of tokens, so
the factor cancels. Source: docs/theory/grammar.md, section 5.
"""

import math
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, final

from ...grammars import BinaryGrammar
from ..errors import ConstructionError
from .semirings import SemiringName
from .settings import ConstructionSettings

__all__ = ["RANGE", "Scales", "best_token_scale", "log_of", "token_scale"]

_ONE = Fraction(1)

RANGE = {
    "float64": (sys.float_info.min, sys.float_info.max),
    "float32": (2.0**-126, (2 - 2.0**-23) * 2.0**127),
}
"""Smallest and largest normal number: below the first digits are lost, then everything."""


@final
@dataclass(frozen=True, eq=False)
class Scales:
    """Turns exact rule weights into the weights of neurons.

    Args:
        semiring: boolean weights are all 1, deterministic inside weights too.
        gauge: best derivation weight of each inside value; a missing entry counts 1.
        kappa: the token scale.
        dtype: of the weights; none may be too large for it.
        lossy: weights of the grammar that are too small may be lost.
    """

    semiring: SemiringName
    gauge: Mapping[Any, Fraction]
    kappa: Fraction
    dtype: str = "float64"
    lossy: bool = False

    def number(self, above: int, below: int = 1) -> float:
        """A quotient of positive integers as the weight of a neuron or a head.

        Raises:
            ConstructionError: it is too large for the dtype.
        """
        try:
            value = above / below  # rounds correctly and, unlike fractions, never reduces
        except OverflowError:
            value = math.inf
        if value > RANGE[self.dtype][1]:
            raise ConstructionError(self._outside(math.log(above) - math.log(below)))
        return value

    def fraction(self, value: Fraction) -> float:
        """:meth:`number` of a fraction."""
        return self.number(value.numerator, value.denominator)

    def require(self, weight: Fraction) -> None:
        """Refuse a weight of the grammar that is lost before anything is computed with it.

        What only becomes too small by scaling is the matter of the model's guarantee.

        Raises:
            ConstructionError: it is too small for the dtype.
        """
        if not self.lossy and weight < RANGE[self.dtype][0]:
            raise ConstructionError(self._outside(log_of(weight)))

    def _outside(self, logarithm: float) -> str:
        """Why a weight cannot be stored, and what to do."""
        least, largest = RANGE[self.dtype]
        ways = []
        if self.dtype != "float64" and abs(logarithm) < math.log(RANGE["float64"][1]):
            ways.append("dtype='float64'")
        if logarithm > 0:
            what = "a rule's, times the gauge and the token scale of what it passes"
            bound = f"numbers up to {largest:.1e}"
            ways += ["gauge=True"] if not self.gauge else []
            ways += ["a token_scale nearer to 1", "a grammar with shorter sentences"]
        else:
            what = "a rule's, or a product of rules'"
            bound = f"numbers from {least:.1e} on"
            ways.append("larger rule weights")
        ways.append("semiring='boolean' for the support alone")
        allow = "" if logarithm > 0 else "; inexact='allow' builds it without what is lost"
        return (
            f"a weight of the model would be about 10^{logarithm / math.log(10):.1f} ({what}); "
            f"{self.dtype} holds {bound}: use {', or '.join(ways)}{allow}"
        )

    def inside(self, weight: Fraction, parent: Hashable, *children: Hashable) -> float:
        """Weight of a bottom-up neuron."""
        if self.semiring != "probability":
            return 1.0
        self.require(weight)
        above, below = weight.numerator, weight.denominator
        for child in children:
            scale = self.gauge.get(child, _ONE)
            above, below = above * scale.numerator, below * scale.denominator
        scale = self.gauge.get(parent, _ONE)
        return self.number(above * scale.denominator, below * scale.numerator)

    def predict(self, weight: Fraction) -> float:
        """Weight of a context value that moves to a first child."""
        if self.semiring == "boolean":
            return 1.0
        self.require(weight)
        return self.fraction(weight)

    def complete(self, weight: Fraction, inside: Hashable, tokens: int) -> float:
        """Weight of a context value that moves past an inside value over so many tokens."""
        if self.semiring == "boolean":
            return 1.0
        if self.semiring == "deterministic":
            return self.predict(weight)
        self.require(weight)
        scale, power = self.gauge.get(inside, _ONE), self.power(tokens)
        above = weight.numerator * scale.numerator * power.numerator
        return self.number(above, weight.denominator * scale.denominator * power.denominator)

    def power(self, tokens: int) -> Fraction:
        """``kappa ** tokens``."""
        return _power(self.kappa, tokens)


@cache
def _power(kappa: Fraction, tokens: int) -> Fraction:
    return kappa**tokens


def log_of(weight: Fraction) -> float:
    """Natural logarithm; no weight is too small for it.

    >>> round(log_of(Fraction(1, 10**400)) / math.log(10), 9)
    -400.0
    """
    return math.log(weight.numerator) - math.log(weight.denominator)


def token_scale(
    grammar: BinaryGrammar, roots: Sequence[tuple[int, Fraction]], settings: ConstructionSettings
) -> Fraction:
    """The token scale that the settings ask for; only probabilities have one."""
    if settings.semiring != "probability":
        return _ONE
    if settings.token_scale == "auto":
        return best_token_scale(grammar, roots)
    return Fraction(settings.token_scale)


def best_token_scale(grammar: BinaryGrammar, roots: Sequence[tuple[int, Fraction]]) -> Fraction:
    """kappa* = exp(H / E[n]): derivation entropy in nats over expected number of tokens.

    With it the expected logarithm of the scores stays near 0 along a sentence. Rounded to ten
    binary digits, which makes its powers cheap to compute exactly (any value is exact in effect).
    """
    n = len(grammar.symbols)
    mass = [float(m) for m in grammar.mass]
    entropy, tokens = [0.0] * n, [1.0 if s < grammar.n_terminals else 0.0 for s in range(n)]
    for s in grammar.ascending:
        rules: list[tuple[Fraction, tuple[int, ...]]]
        rules = [(r.weight, (r.child,)) for r in grammar.unary_of[s]]
        rules += [(r.weight, (r.left, r.right)) for r in grammar.binary_of[s]]
        for weight, children in rules:
            share = float(weight) * math.prod(mass[c] for c in children) / mass[s]
            below = sum(entropy[c] for c in children)
            entropy[s] += share * below + _surprise(share)
            tokens[s] += share * sum(tokens[c] for c in children)
    total = math.fsum(float(weight) * mass[root] for root, weight in roots)
    shares = [(root, float(weight) * mass[root] / total) for root, weight in roots]
    spread = math.fsum(share * entropy[root] + _surprise(share) for root, share in shares)
    kappa = math.exp(spread / math.fsum(share * tokens[root] for root, share in shares))
    return Fraction(round(kappa * 1024), 1024)


def _surprise(share: float) -> float:
    """``-p log p``; 0 for a share that is too small for a float, as in the limit."""
    return -share * math.log(share) if share else 0.0
