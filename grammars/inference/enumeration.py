"""Every sentence of a small language, shortest first."""

from collections.abc import Iterator
from functools import cache

from ..errors import TooLarge
from ..forms.table import Table
from ..memory import nested_calls, require_memory
from .counting import derivations_by_length, derivations_up_to

__all__ = ["enumerate_sentences"]

_MOST = 1_000_000

Ids = tuple[int, ...]


def enumerate_sentences(table: Table, max_length: int | None) -> Iterator[Ids]:
    """Distinct sentences as terminals, by length, then in the order of the terminals.

    Args:
        table: a grammar.
        max_length: the longest sentences to list; ``None`` for all.

    Raises:
        TooLarge: there are more derivations than can be listed (the number is named), or more
            levels than Python's calls can nest.
    """
    if max_length is None:
        counts = derivations_by_length(table)
    else:
        counts = derivations_up_to(table, max_length)
    by_length = counts[table.start]
    for length, count in by_length.items():
        if count > _MOST:
            raise TooLarge(
                f"there are {count} derivations of sentences of {length} tokens, too many to list "
                f"(at most {_MOST}); give a smaller max_length, or sample"
            )
    # A tuple with its place in a set, and 8 bytes per token.
    needed = sum(count * (120 + 8 * length) for length, count in by_length.items())
    what = f"listing {sum(by_length.values())} derivations"
    require_memory(needed, what, "give a smaller max_length, or sample")

    @cache
    def yields(symbol: int, length: int) -> frozenset[Ids]:
        if symbol < table.n_terminals:
            return frozenset([(symbol,)]) if length == 1 else frozenset()
        return frozenset(string for p in table.of[symbol] for string in sequences(p.rhs, length))

    @cache
    def sequences(rhs: Ids, length: int) -> frozenset[Ids]:
        if len(rhs) == 1:
            return yields(rhs[0], length)
        return frozenset(
            left + right
            for part in counts[rhs[0]]
            if part < length
            for right in sequences(rhs[1:], length - part)
            for left in yields(rhs[0], part)
        )

    for length in by_length:
        with nested_calls("listing sentences"):
            found = yields(table.start, length)
        yield from sorted(found)
