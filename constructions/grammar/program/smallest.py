"""Lower bounds on every positive number that a compiled model can hold: a min-product pass."""

import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from .program import Layer, Neuron, Program, Term

__all__ = ["smallest_score", "smallest_values"]


def smallest_values(program: Program) -> Float[np.ndarray, " coordinate"]:
    """Logarithm of a lower bound on the positive values of each coordinate, over every input.

    The operations are run once in the arithmetic (min, times) instead of (plus, times): what is
    written is a sum of nonnegative terms, so if it is positive it is at least the least of its
    positive terms, and a product of positive factors is at least the product of their bounds. The
    bound is reached where one derivation takes every minimum. Inputs cannot make a coordinate with
    ``inf`` positive.

    Holds for the probability and deterministic arithmetics; in the Boolean one every positive value
    is at least 1.
    """
    least = np.full(len(program.registry), math.inf)
    for row in (*program.embedding, *map(_gate, program.gates)):
        _keep_least(least, row)
    for layer in program.layers:
        _run(least, layer)
    return least


def smallest_score(program: Program) -> float:
    r"""Logarithm of a lower bound on the positive scores, whatever was read and comes next.

    >>> from linrep.constructions import GrammarTransformer
    >>> from linrep.grammars import Grammar
    >>> g = Grammar.from_text("S -> A A\nA -> 'a' [0.75] | 'b' [0.25]")
    >>> made = GrammarTransformer.from_grammar(g, token_scale=1.0)
    >>> round(math.exp(smallest_score(made.program)), 12)  # 'b' 'b'
    0.0625
    """
    least = smallest_values(program)
    terms = [term for row in program.readout for term in row if term[1] > 0]
    return min(float(least[coordinate]) + math.log(weight) for coordinate, weight in terms)


def _gate(gate: tuple[int, tuple[float, ...]]) -> list[Term]:
    coordinate, values = gate
    return [(coordinate, value) for value in values]


def _keep_least(least: Float[np.ndarray, " coordinate"], row: Iterable[Term]) -> None:
    for coordinate, value in row:
        if value > 0:
            least[coordinate] = min(least[coordinate], math.log(value))


def _run(least: Float[np.ndarray, " coordinate"], layer: Layer) -> None:
    """One layer: heads read what was there before it, neurons what the heads leave."""
    before = least.copy()
    for head in layer.heads:
        for source, target, weight in head.moves:
            least[target] = min(least[target], before[source] + _log(weight))
    before = least.copy()
    for neuron in layer.neurons:
        value = _product(before, neuron)
        for target, weight in neuron.out:
            # A complement that a neuron takes down (weight -1) is a bit: 0 or 1.
            least[target] = min(least[target], value + _log(abs(weight)))


def _product(least: Float[np.ndarray, " coordinate"], neuron: Neuron) -> float:
    """The bound on what a neuron holds when it is open.

    Terms with negative weight are complements of bits, which an open neuron finds at 0.
    """
    factors = (*neuron.gate, *neuron.value)
    return sum((float(least[c]) + _log(w) for c, w in factors if w >= 0), 0.0)


def _log(weight: float) -> float:
    """A rule's weight that underflowed to 0 loses what passes it."""
    return math.log(weight) if weight else -math.inf
