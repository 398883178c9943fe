"""Counting without enumeration: derivations by length, entropy and mean length."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from ..forms.table import Table
from ..memory import require_digits

__all__ = [
    "derivations",
    "derivations_by_length",
    "derivations_up_to",
    "entropies",
    "exact_mean_length",
    "longest",
    "mean_lengths",
]


def derivations(table: Table) -> list[int]:
    """For each symbol the number of its derivation trees, exact.

    Raises:
        TooLarge: the number has too many digits to be held.
    """
    _require_digits(table)
    counts = [1] * table.n_terminals + [0] * (table.n_symbols - table.n_terminals)
    for symbol in range(table.n_terminals, table.n_symbols):
        counts[symbol] = sum(
            math.prod(counts[child] for child in production.rhs) for production in table.of[symbol]
        )
    return counts


def derivations_by_length(table: Table) -> list[dict[int, int]]:
    """For each symbol, length of the yield -> number of derivation trees, exact.

    A generating function per symbol. Its coefficients are packed side by side into one big
    integer (Kronecker substitution), so a product of polynomials is one product of integers.

    Raises:
        TooLarge: the lengths reach so far that their counts have too many digits.
    """
    width = max(derivations(table)).bit_length() + 1
    most = longest(table)[table.start]
    require_digits(width * most, f"counting derivations of each length up to {most}")
    packed = [1 << width] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        packed.append(sum(math.prod(packed[c] for c in p.rhs) for p in table.of[symbol]))
    return [unpack(number, width) for number in packed]


def derivations_up_to(table: Table, most: int) -> list[dict[int, int]]:
    """:func:`derivations_by_length` of yields of at most ``most`` tokens, however long others are.

    Lengths are added one by one: for small ``most``.
    """
    counts: list[dict[int, int]] = [{1: 1}] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        total: Counter[int] = Counter()
        for production in table.of[symbol]:
            row: Counter[int] = Counter({0: 1})
            for child in production.rhs:
                longer: Counter[int] = Counter()
                for before, ways in row.items():
                    for length, count in counts[child].items():
                        if before + length <= most:
                            longer[before + length] += ways * count
                row = longer
            total.update(row)
        counts.append(dict(sorted(total.items())))
    return counts


def longest(table: Table) -> list[int]:
    """For each symbol the greatest number of tokens that it derives."""
    most = [1] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        most.append(max(sum(most[c] for c in p.rhs) for p in table.of[symbol]))
    return most


def _require_digits(table: Table) -> None:
    bits = [1.0] * table.n_terminals  # binary digits, from above; infinite beyond float64
    for symbol in range(table.n_terminals, table.n_symbols):
        group = table.of[symbol]
        bits.append(math.log2(len(group)) + max(sum(bits[c] for c in p.rhs) for p in group))
    require_digits(bits[table.start], "counting derivations")


def unpack(number: int, width: int) -> dict[int, int]:
    """Coefficients of ``width`` bits each, as exponent -> coefficient, zeros left out."""
    mask = (1 << width) - 1
    found: dict[int, int] = {}
    for exponent in range(number.bit_length() // width + 1):
        coefficient = (number >> (exponent * width)) & mask
        if coefficient:
            found[exponent] = coefficient
    return found


def mean_lengths(table: Table, weights: Sequence[float] | None = None) -> list[float]:
    """For each symbol the expected number of tokens, in float64; infinite beyond its range.

    Args:
        table: a grammar.
        weights: probability of each production given its left-hand side, where it is not its own.
    """
    share = weights or [float(production.weight) for production in table.productions]
    means = [1.0] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        means.append(sum(share[p.index] * sum(means[c] for c in p.rhs) for p in table.of[symbol]))
    return means


def exact_mean_length(table: Table) -> Fraction:
    """Expected number of tokens of a sentence; its digits multiply with every level."""
    means = [Fraction(1)] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        means.append(
            sum((p.weight * sum(means[c] for c in p.rhs) for p in table.of[symbol]), Fraction(0))
        )
    return means[table.start]


def entropies(table: Table) -> list[float]:
    """For each symbol the entropy of its derivations, in nats."""
    entropy = [0.0] * table.n_terminals
    for symbol in range(table.n_terminals, table.n_symbols):
        entropy.append(
            sum(
                float(p.weight) * (-_log(p.weight) + sum(entropy[c] for c in p.rhs))
                for p in table.of[symbol]
            )
        )
    return entropy


def _log(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)
