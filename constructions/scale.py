"""Rescalings of the stream that cost nothing and change no conditional probability.

Gauge: an inside value is stored divided by the weight of its best derivation, so that it is of
order 1 (exactly 1 where the derivation is unique). Token scale kappa: a context value at position t
is stored multiplied by kappa**t; every hypothesis about a prefix has the same number of tokens, so
the factor cancels. Source: theory of exact grammar transformers, section 5.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, final

from ..grammars import BinaryGrammar
from .semirings import SemiringName
from .settings import Settings

__all__ = ["Scales", "best_token_scale", "log_of", "token_scale"]

_ONE = Fraction(1)


@final
@dataclass(frozen=True, eq=False)
class Scales:
    """Turns exact rule weights into the weights of neurons.

    Args:
        semiring: boolean weights are all 1, deterministic inside weights too.
        gauge: best derivation weight of each inside value; a missing entry counts 1.
        kappa: the token scale.
    """

    semiring: SemiringName
    gauge: Mapping[Any, Fraction]
    kappa: Fraction

    def inside(self, weight: Fraction, parent: Hashable, *children: Hashable) -> float:
        """Weight of a bottom-up neuron."""
        if self.semiring != "probability":
            return 1.0
        above = weight.numerator
        below = weight.denominator
        for child in children:
            scale = self.gauge.get(child, _ONE)
            above, below = above * scale.numerator, below * scale.denominator
        scale = self.gauge.get(parent, _ONE)
        # Division of integers rounds correctly and, unlike fractions, never reduces them.
        return (above * scale.denominator) / (below * scale.numerator)

    def predict(self, weight: Fraction) -> float:
        """Weight of a context value that moves to a first child."""
        return 1.0 if self.semiring == "boolean" else float(weight)

    def complete(self, weight: Fraction, inside: Hashable, tokens: int) -> float:
        """Weight of a context value that moves past an inside value over so many tokens."""
        if self.semiring == "boolean":
            return 1.0
        if self.semiring == "deterministic":
            return float(weight)
        scale, power = self.gauge.get(inside, _ONE), self.power(tokens)
        above = weight.numerator * scale.numerator * power.numerator
        return above / (weight.denominator * scale.denominator * power.denominator)

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
    grammar: BinaryGrammar, roots: Sequence[tuple[int, Fraction]], settings: Settings
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
            entropy[s] += share * (below - math.log(share))
            tokens[s] += share * sum(tokens[c] for c in children)
    total = math.fsum(float(weight) * mass[root] for root, weight in roots)
    shares = [(root, float(weight) * mass[root] / total) for root, weight in roots]
    spread = math.fsum(share * (entropy[root] - math.log(share)) for root, share in shares)
    kappa = math.exp(spread / math.fsum(share * tokens[root] for root, share in shares))
    return Fraction(round(kappa * 1024), 1024)
