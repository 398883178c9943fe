"""Exact probabilities from text, and fractions as messages show them."""

from collections.abc import Iterable
from fractions import Fraction

__all__ = ["added", "read_fraction", "shown_fraction"]

DIGITS = 4000  # of numerator and denominator; a number with more is no probability that was meant


def read_fraction(text: str) -> Fraction:
    """A number such as ``0.25``, ``1e-3`` or ``1/3``, exact.

    Raises:
        ValueError: no number, or one of more than 4,000 digits: it is not built, which could take
            minutes.

    >>> read_fraction("1e-3"), read_fraction("1/3")
    (Fraction(1, 1000), Fraction(1, 3))
    """
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > DIGITS or (exponent and abs(int(exponent)) > DIGITS):
        raise ValueError(f"a number of more than {DIGITS} digits: {text[:20]}...")
    return Fraction(text)


def added(values: Iterable[Fraction]) -> Fraction:
    """The exact sum; values of one denominator, as most are, add up as integers.

    >>> added([Fraction(1, 3)] * 3 + [Fraction(1, 2)])
    Fraction(3, 2)
    """
    parts: dict[int, int] = {}
    for value in values:
        numerator, denominator = value.as_integer_ratio()
        parts[denominator] = parts.get(denominator, 0) + numerator
    sums = [Fraction(n, d) for d, n in parts.items()]
    return sums[0] if len(sums) == 1 else sum(sums, Fraction(0))


def shown_fraction(value: Fraction) -> str:
    """Six digits of a fraction of any size.

    >>> shown_fraction(Fraction(1, 3)), shown_fraction(Fraction(10**400))
    ('0.333333', 'more than 1e+308')
    """
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return "more than 1e+308" if value > 0 else "less than -1e+308"
