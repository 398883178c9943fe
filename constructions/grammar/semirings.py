"""Three arithmetics of a parser, each as gadgets made of neurons.

Every gadget combines weights that the stream already holds. Two kinds of values meet: *inside*
values (a symbol derives the last tokens) and *context* values (a symbol may start next). The proofs
are in the docstrings; sources: docs/theory/grammar.md, sections 3 and 7.
"""

from abc import ABC, abstractmethod
from typing import Literal, final

from .program.program import LayerDraft

__all__ = ["Boolean", "Deterministic", "Probability", "Semiring", "SemiringName", "semiring"]

SemiringName = Literal["probability", "boolean", "deterministic"]


class Semiring(ABC):
    """How products are computed, and how an inside value is stored."""

    name: SemiringName
    mlp: Literal["reglu", "relu"]
    empty: float
    """Stored inside value of "does not derive"."""
    full: float
    """Stored inside value of a token by itself."""

    @abstractmethod
    def both(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """Inside value from two inside values: ``out += weight * left * right``."""

    @abstractmethod
    def copy(self, layer: LayerDraft, child: int, out: int, weight: float) -> None:
        """Inside value from one inside value: ``out += weight * child``."""

    @abstractmethod
    def gated(self, layer: LayerDraft, context: int, inside: int, out: int, weight: float) -> None:
        """Context value from a context and an inside value: ``out += w * context * inside``."""

    def score(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """Context value from two inside values."""
        self.both(layer, left, right, out, weight)

    def lift(self, layer: LayerDraft, inside: int, out: int, weight: float) -> None:
        """Context value from one inside value."""
        self.copy(layer, inside, out, weight)

    def bit(self, value: float) -> float:
        """How a value in [0, 1] that the position alone decides is stored as an inside value."""
        return self.empty + (self.full - self.empty) * value


@final
class Probability(Semiring):
    """Weights, multiplied by ReGLU neurons.

    ``relu(a) * b = a * b`` for ``a >= 0``: one neuron, exact. All weights are nonnegative.
    """

    name = "probability"
    mlp = "reglu"
    empty = 0.0
    full = 1.0

    def both(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """One neuron."""
        layer.neuron(((left, 1.0),), 0.0, ((right, 1.0),), 0.0, ((out, weight),))

    def copy(self, layer: LayerDraft, child: int, out: int, weight: float) -> None:
        """One neuron with an open gate: ``relu(1) * b = b``."""
        layer.neuron((), 1.0, ((child, 1.0),), 0.0, ((out, weight),))

    def gated(self, layer: LayerDraft, context: int, inside: int, out: int, weight: float) -> None:
        """One neuron."""
        self.both(layer, context, inside, out, weight)


@final
class Boolean(Semiring):
    """Support only, with plain ReLU, on nonnegative integers (counts that are never clamped).

    For integers a, b >= 0, ``[a > 0] = 1 - relu(1 - a)`` and ``[a > 0 and b > 0] = 1 - relu(1 - a)
    - relu(1 - b) + relu(1 - a - b)``: if both are positive the three terms are 0; if one is 0 its
    term and the last are equal, or all are 1. (``relu(a + b - 1)`` would be wrong for a = 2, b = 0,
    which ambiguous grammars produce.) A sum of such terms is again a count, at most the number of
    its summands. Weights are ignored: every possible rule counts 1.
    """

    name = "boolean"
    mlp = "relu"
    empty = 0.0
    full = 1.0

    def both(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """One neuron for the pair, and one shared neuron for each single."""
        del weight
        layer.constant(out, 1.0)
        for single in (left, right):
            layer.neuron(((single, -1.0),), 1.0, (), 1.0, ((out, -1.0),), share=True)
        layer.neuron(((left, -1.0), (right, -1.0)), 1.0, (), 1.0, ((out, 1.0),))

    def copy(self, layer: LayerDraft, child: int, out: int, weight: float) -> None:
        """One neuron, a zero test."""
        del weight
        layer.constant(out, 1.0)
        layer.neuron(((child, -1.0),), 1.0, (), 1.0, ((out, -1.0),))

    def gated(self, layer: LayerDraft, context: int, inside: int, out: int, weight: float) -> None:
        """As :meth:`both`."""
        self.both(layer, context, inside, out, weight)


@final
class Deterministic(Semiring):
    """Exact probabilities with plain ReLU, where every completed span has at most one label.

    Inside values are bits stored as complements n = 1 - bit; their weights are common to all
    hypotheses and cancel. ``1 - bit_A`` falls by ``relu(1 - n_B - n_C)``, which is 1 iff both bits
    are set; at most one rule and split does so, hence n_A stays a bit. A context value a in [0, 1]
    passes a bit as ``relu(a - 2 n)``: a if n = 0, else ``relu(a - 2) = 0`` (the factor 2 instead of
    1 keeps the zero exact when rounding lifts a sum of probabilities above 1).
    """

    name = "deterministic"
    mlp = "relu"
    empty = 1.0
    full = 0.0

    def both(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """One neuron."""
        del weight
        layer.neuron(((left, -1.0), (right, -1.0)), 1.0, (), 1.0, ((out, -1.0),))

    def copy(self, layer: LayerDraft, child: int, out: int, weight: float) -> None:
        """One neuron."""
        del weight
        layer.neuron(((child, -1.0),), 1.0, (), 1.0, ((out, -1.0),))

    def gated(self, layer: LayerDraft, context: int, inside: int, out: int, weight: float) -> None:
        """One neuron."""
        layer.neuron(((context, 1.0), (inside, -2.0)), 0.0, (), 1.0, ((out, weight),))

    def score(self, layer: LayerDraft, left: int, right: int, out: int, weight: float) -> None:
        """``relu(1 - n_left - n_right)``, 1 iff both bits are set."""
        layer.neuron(((left, -1.0), (right, -1.0)), 1.0, (), 1.0, ((out, weight),))

    def lift(self, layer: LayerDraft, inside: int, out: int, weight: float) -> None:
        """``relu(1 - n)``, the bit."""
        layer.neuron(((inside, -1.0),), 1.0, (), 1.0, ((out, weight),))


def semiring(name: SemiringName) -> Semiring:
    """The semiring of this name.

    >>> semiring("boolean").mlp
    'relu'
    """
    table: dict[SemiringName, Semiring] = {
        "probability": Probability(),
        "boolean": Boolean(),
        "deterministic": Deterministic(),
    }
    return table[name]
