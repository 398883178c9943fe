"""The normal form that a construction compiles, with its start symbols and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from ...grammars import BinaryGrammar, Grammar, binarise, level_and_binarise
from .rule_states import rule_states
from .settings import ConstructionSettings

__all__ = ["Normal", "normal_form"]


@final
@dataclass(frozen=True, eq=False)
class Normal:
    """What the compiler works on.

    Args:
        grammar: binary grammar.
        roots: start symbols with their weights (several where rules are the states).
        labels: for each height and label of the original grammar, the symbols that stand for it.
        levelled: whether every child sits exactly one level below its parent.
    """

    grammar: BinaryGrammar
    roots: list[tuple[int, Fraction]]
    labels: Mapping[int, Mapping[str, tuple[int, ...]]]
    levelled: bool

    @property
    def depth(self) -> int:
        """Levels, d'."""
        return self.grammar.depth

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of sentences, ascending."""
        found = {n for root, _ in self.roots for n in self.grammar.lengths[root]}
        return tuple(sorted(found))


def normal_form(grammar: Grammar, settings: ConstructionSettings) -> Normal:
    """Binarise; level first where shapes or labels of every height must survive.

    Binarising before levelling would change the number of shapes, and helper symbols shared
    between heights would spoil beliefs, so those modes pad first (the order matters).
    """
    levelled = settings.mode == "shapes" or settings.beliefs is not None
    binary = level_and_binarise(grammar) if levelled else binarise(grammar)
    labels = _levelled_labels(binary) if levelled else _plain_labels(grammar)
    roots = [(binary.start, Fraction(1))]
    if settings.merge == "rules":
        binary, roots, stands_for = rule_states(binary)
        labels = {
            height: {
                label: tuple(i for i, s in enumerate(stands_for) if s in symbols)
                for label, symbols in row.items()
            }
            for height, row in labels.items()
        }
    return Normal(binary, roots, labels, levelled)


def _plain_labels(grammar: Grammar) -> dict[int, dict[str, tuple[int, ...]]]:
    names, at_height = grammar.table.names, grammar.table.at_height
    return {
        height: {names[s]: (s,) for s in at_height[height]}
        for height in range(1, grammar.depth + 1)
    }


def _levelled_labels(binary: BinaryGrammar) -> dict[int, dict[str, tuple[int, ...]]]:
    labels: dict[int, dict[str, tuple[int, ...]]] = {}
    for symbol, (label, height) in enumerate(zip(binary.origin, binary.heights, strict=True)):
        if label is not None and height:
            labels.setdefault(height, {})[label] = (symbol,)
    return labels
