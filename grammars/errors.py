"""What can go wrong with a grammar, a sentence or a treebank, as errors a user can act on."""

from dataclasses import dataclass
from typing import final

from ..core import LinrepError
from ..corpora.errors import LanguageError, TreebankError

__all__ = [
    "GrammarError",
    "ImpossiblePrefix",
    "LanguageError",
    "Problem",
    "TooLarge",
    "TreebankError",
    "UnknownToken",
]


_SHOWN, _WIDTH = 10, 300  # problems of one grammar that its message lists, and letters of each


@final
@dataclass(frozen=True)
class Problem:
    """One fault of a grammar: what is wrong and, where text was read, at which line and column.

    Args:
        text: what is wrong, and the remedy.
        line: of the text, from 1.
        column: of the line, from 1.
        kind: faults alike have one kind: of many faults, some of each kind are shown.

    >>> str(Problem("B is used but has no rule", line=2, column=6))
    'line 2, column 6: B is used but has no rule'
    """

    text: str
    line: int | None = None
    column: int | None = None
    kind: str = ""

    def __str__(self) -> str:
        if self.line is None:
            return self.text
        return f"line {self.line}, column {self.column}: {self.text}"


class GrammarError(LinrepError):
    """The rules do not make a grammar. Every fault found is in ``problems``, the first in the text.

    Args:
        problems: the faults, in the order of the text.
        source: name of the file, or ``""``.
    """

    def __init__(self, problems: tuple[Problem, ...], source: str = "") -> None:
        self.problems = problems
        self.source = source
        head = f"{source}: " if source else ""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"  {problem!s:.{_WIDTH}}" for problem in _chosen(problems)]
        if len(problems) > _SHOWN:
            lines.append(f"  and {len(problems) - _SHOWN} more")
        super().__init__("\n".join([f"{head}not a usable grammar ({count}):", *lines]))


def _chosen(problems: tuple[Problem, ...]) -> list[Problem]:
    """As many as are listed: the first of each kind, then the others in the order of the text."""
    kinds: dict[str, int] = {}
    for index, problem in enumerate(problems):
        kinds.setdefault(problem.kind, index)
    firsts = set(kinds.values())
    order = sorted(range(len(problems)), key=lambda index: (index not in firsts, index))
    return [problems[index] for index in sorted(order[:_SHOWN])]


class ImpossiblePrefix(LinrepError):
    """No sentence of the language starts with these tokens."""


class UnknownToken(ImpossiblePrefix):
    """A token that is no terminal of the grammar."""


class TooLarge(LinrepError):
    """The answer, or what is needed to compute it, would not fit; the number is in the message."""
