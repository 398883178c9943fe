"""A rule of a context-free grammar with its exact probability."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ...core import checked
from ...corpora.quoting import write_terminal
from ..errors import LanguageError

__all__ = ["BOS", "EOS", "RESERVED", "Rule", "Spot"]

BOS = "<bos>"
EOS = "<eos>"
RESERVED = (BOS, EOS)

Spot = tuple[int, int]
"""(line, column) in a text, both counted from 1."""


@final
@dataclass(frozen=True)
class Rule:
    """``lhs -> rhs`` with its probability, exact.

    A name alone does not say whether it is a terminal (``'a'`` and ``a`` may both occur), so
    each right-hand symbol carries a flag.

    Args:
        lhs: the nonterminal that is rewritten.
        rhs: names of what replaces it, left to right; empty for an epsilon rule.
        weight: probability given ``lhs``; ``None`` until it is made uniform.
        terminal: one flag per right-hand symbol, true for terminals.
        spots: where the left-hand side and each right-hand symbol stood in the text; not compared.

    >>> print(Rule("S", ("a", "B"), Fraction(1, 2), (True, False)))
    S -> 'a' B
    """

    lhs: str
    rhs: tuple[str, ...]
    weight: Fraction | None
    terminal: tuple[bool, ...]
    spots: tuple[Spot, ...] = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> tuple[str, tuple[str, ...], tuple[bool, ...]]:
        """What makes two rules the same, whatever their probabilities."""
        return (self.lhs, self.rhs, self.terminal)

    @property
    def probability(self) -> Fraction:
        """The weight of a rule in a validated grammar, where it is always set."""
        return self.weight if self.weight is not None else Fraction(0)

    @checked(LanguageError)
    def spot(self, index: int = 0) -> Spot | None:
        """Where the left-hand side (0) or right-hand symbol ``index`` (from 1) stood, if known."""
        return self.spots[index] if 0 <= index < len(self.spots) else None

    def __str__(self) -> str:
        return " ".join([write_name(self.lhs), "->", *self.written()])

    def written(self) -> list[str]:
        """The right-hand side in the text format."""
        return [
            write_terminal(name) if flag else write_name(name)
            for name, flag in zip(self.rhs, self.terminal, strict=True)
        ]


def write_name(name: str) -> str:
    """A nonterminal in the text format; characters with a meaning of their own are escaped."""
    escaped = "".join(
        "\\" + char if char in "'\"|[]\\" or char.isspace() else char for char in name
    )
    escaped = escaped.replace("->", "-\\>")
    return "\\" + escaped if escaped[:1] in ("#", "%", "\ufeff") else escaped
