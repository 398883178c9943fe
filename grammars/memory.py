"""Refusing what would not fit, before allocating it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.limits import available_memory, refuse_large
from .errors import TooLarge

__all__ = [
    "MOST_RULES",
    "available_memory",
    "nested_calls",
    "require_digits",
    "require_given_rules",
    "require_memory",
    "require_rules",
]

_FEWER = "take fewer or shorter sentences"

_MOST_BITS = 2**24

MOST_RULES = 200_000
"""Rules of a grammar that is made here: to make and check so many takes ten seconds of work."""

_MOST_GIVEN = 2 * MOST_RULES

# A rule with its names, its fractions and its copy in the grammar's table, and each of its symbols.
_RULE_BYTES, _SYMBOL_BYTES = 1500, 150


def require_memory(needed: int | float, what: str, remedy: str = _FEWER) -> None:
    """Refuse, before allocating, what would take more than the machine's memory.

    Args:
        needed: bytes; infinite where they are beyond float64.
        what: what needs them.
        remedy: what to do instead.

    Raises:
        TooLarge: with the memory needed and available.
    """
    refuse_large(TooLarge, needed, available_memory(), what, remedy)


def require_digits(bits: int | float, what: str) -> None:
    """Refuse, before computing them, integers that would take minutes rather than seconds.

    Args:
        bits: binary digits of the largest, from above.
        what: what is counted.

    Raises:
        TooLarge: with the number of digits.
    """
    if bits > _MOST_BITS:
        shown = f"{bits:.3g}" if bits < 2**1000 else "more than 2**1000"
        raise TooLarge(
            f"{what} takes integers of {shown} binary digits; at most {_MOST_BITS} are worked "
            "with; bound the depth of the grammar further"
        )


@contextmanager
def nested_calls(what: str) -> Iterator[None]:
    """Tell what a deep grammar asks of Python, in place of its RecursionError.

    Args:
        what: what calls itself once or more per level of the grammar.

    Raises:
        TooLarge: the calls inside nest deeper than Python allows.
    """
    try:
        yield
    except RecursionError:
        raise TooLarge(
            f"{what} of a grammar this deep nests more than {sys.getrecursionlimit()} calls, "
            "Python's limit; raise it with sys.setrecursionlimit, or bound the depth further"
        ) from None


def require_given_rules(n_rules: int, what: str) -> None:
    """Refuse, before they are looked at, more rules than half a minute's work.

    Args:
        n_rules: how many rules are given.
        what: what has so many.

    Raises:
        TooLarge: with the number of rules and the limit.
    """
    if n_rules > _MOST_GIVEN:
        raise TooLarge(f"{what}; at most {_MOST_GIVEN} are read: write a smaller grammar")


def require_rules(n_rules: int, arity: int) -> None:
    """Refuse, before making them, more rules than fit in memory, or than a minute's work.

    Args:
        n_rules: how many rules.
        arity: symbols on each right-hand side.

    Raises:
        TooLarge: with the number of rules and the limit, or the memory needed and available.
    """
    what = f"a grammar of {n_rules} rules with {arity} symbols each"
    needed = n_rules * (_RULE_BYTES + _SYMBOL_BYTES * arity)
    require_memory(needed, what, "ask for a smaller grammar")
    if n_rules > MOST_RULES:
        raise TooLarge(
            f"{what} is more than can be worked with: at most {MOST_RULES} rules; lower the depth "
            "or the number of symbols or rules"
        )
