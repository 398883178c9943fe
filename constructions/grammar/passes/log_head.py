"""The log block: logarithms of the scores by one plain hidden layer, with a proven error bound."""

import math
from dataclasses import dataclass
from typing import final

from ....grammars import BinaryGrammar
from ..normal import Normal
from ..scale import log_of
from .draft import Draft

__all__ = ["DEAD", "LogRange", "append_log_block", "interpolation_error", "score_range"]

_IMPOSSIBLE = 1e4
"""Extra nats taken from a score of exactly 0: its softmax is exactly 0 in any dtype."""

DEAD = -_IMPOSSIBLE / 2
"""A largest logit below this means that no token is possible."""


@final
@dataclass(frozen=True)
class LogRange:
    """The scores that the block must tell apart, and the knots between.

    Args:
        smallest: lower bound on every positive score.
        largest: upper bound on every score, natural logarithms both.
        error: bound on the error between them, in nats.
    """

    smallest: float
    largest: float
    error: float

    @property
    def knots(self) -> int:
        """Number of intervals, K."""
        wide = _ratio_for(self.error)
        return max(1, math.ceil((self.largest - self.smallest) / wide))

    @property
    def step(self) -> float:
        """``ln rho``, the distance of neighbouring knots."""
        return max((self.largest - self.smallest) / self.knots, 1e-6)


def interpolation_error(step: float) -> float:
    """Largest error of a chord of the logarithm over a factor ``exp(step)``, in nats.

    ``E = m - 1 - ln m`` with ``m = step / (exp(step) - 1)``; about ``step ** 2 / 8``.

    >>> round(interpolation_error(0.1) / (0.1**2 / 8), 2)
    1.0
    """
    m = step / math.expm1(step)
    return m - 1 - math.log(m)


def score_range(normal: Normal, kappa: float, n_max: int, error: float) -> LogRange:
    """Rigorous bounds on the scores, by dynamic programming over the grammar.

    The smallest positive score is at least the weight of the worst derivation cut at its worst
    token, with what is unseen summed out; the largest is at most the grammar's total weight times
    kappa to the longest sentence. Source: docs/theory/grammar.md, section 8.
    """
    grammar = normal.grammar
    full, cut = _worst(grammar, math.log(kappa))
    shares = [(root, log_of(weight)) for root, weight in normal.roots]
    # Scores at position t carry kappa**t; the recursion counts the next token as well.
    smallest = min(
        min(share + cut[root] - math.log(kappa), share + full[root]) for root, share in shares
    )
    total = sum(float(weight * grammar.mass[root]) for root, weight in normal.roots)
    largest = math.log(total) + max(0.0, n_max * math.log(kappa))
    return LogRange(smallest, largest, error)


def _worst(grammar: BinaryGrammar, kappa: float) -> tuple[list[float], list[float]]:
    """Logarithm of the least weight of a complete, and of a cut derivation of each symbol."""
    full, cut = [kappa] * len(grammar.symbols), [kappa] * len(grammar.symbols)
    mass = [log_of(m) for m in grammar.mass]
    for s in grammar.ascending[grammar.n_terminals :]:
        full[s] = cut[s] = math.inf
        for one in grammar.unary_of[s]:
            weight = log_of(one.weight)
            full[s] = min(full[s], weight + full[one.child])
            cut[s] = min(cut[s], weight + cut[one.child])
        for two in grammar.binary_of[s]:
            weight, left, right = log_of(two.weight), two.left, two.right
            full[s] = min(full[s], weight + full[left] + full[right])
            cut[s] = min(cut[s], weight + cut[left] + mass[right], weight + full[left] + cut[right])
    return full, cut


def append_log_block(draft: Draft, bounds: LogRange) -> None:
    """Replace the readout z by piecewise-linear logarithms, one hidden layer.

    With knots ``k_j = z_min rho^j`` up to ``k_K = z_max``,

        f(z) = ln z_max - sum_{j<K} ln(rho) relu(1 - z/k_j)
               - ln(rho) rho / (rho - 1) relu(1 - z/z_max) - F relu(1 - z/k_0)

    interpolates the logarithm at every knot: ``0 <= ln z - f(z) <= E(rho)`` in between. A score of
    0 lies F nats below. The hinges are relative, so no large numbers cancel (the form with
    ``relu(z - k_j)`` would lose all digits). Impossible prefixes have all logits equal, hence a
    uniform softmax; :meth:`GrammarTransformer.next_tokens` returns zeros for them.
    Source: docs/theory/grammar.md, section 8.
    """
    layer = draft.layer("logarithm")
    step, knots = bounds.step, bounds.knots
    readout: list[list[tuple[int, float]]] = []
    for token, row in enumerate(draft.readout):
        logit = draft.add("logit", token=draft.vocabulary[token])
        readout.append([(logit, 1.0)])
        if not row:  # BOS never follows: below everything that is merely impossible here
            layer.constant(logit, bounds.smallest - 3 * _IMPOSSIBLE)
            continue
        layer.constant(logit, bounds.smallest + knots * step)
        for j in range(knots + 1):
            inverse = math.exp(-(bounds.smallest + j * step))
            height = step if j < knots else step / -math.expm1(-step)
            height += _IMPOSSIBLE if j == 0 else 0.0
            gate = [(coordinate, -weight * inverse) for coordinate, weight in row]
            layer.neuron(gate, 1.0, (), 1.0, ((logit, -height),))
    draft.close(layer)
    draft.readout[:] = readout


def _ratio_for(error: float) -> float:
    """The step whose interpolation error is ``error``, by bisection."""
    low, high = 0.0, 1.0
    while interpolation_error(high) < error:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if interpolation_error(middle) < error else (low, middle)
    return low
