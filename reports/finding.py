"""A sentence about cells, and sentences of which the same is true said as one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from .values import and_list, number

__all__ = ["Answer", "Detail", "Finding", "filled", "grouped", "sentence_case"]


@final
@dataclass(frozen=True)
class Detail:
    """The numbers of one target in a sentence about several.

    Args:
        text: name and numbers.
        site: of the cell that has them.
        target: of that cell.
    """

    text: str
    site: str
    target: str


@final
@dataclass(frozen=True)
class Finding:
    """One sentence of a page.

    Args:
        text: without its last point.
        details: numbers of each target, if it is about several.
        cell: site and target, if it is about one.
        good: whether it is as it has to be; ``None`` where nothing has to be.

    >>> str(Finding("Both are read", (Detail("a: 0.9", "s", "a"), Detail("b: 0.8", "s", "b"))))
    'Both are read. a: 0.9; b: 0.8.'
    """

    text: str
    details: tuple[Detail, ...] = ()
    cell: tuple[str, str] | None = None
    good: bool | None = None

    def __str__(self) -> str:
        numbers = "; ".join(detail.text for detail in self.details)
        return f"{self.text}. {numbers}." if numbers else f"{self.text}."


@final
@dataclass(frozen=True)
class Answer:
    """What is said of one target.

    Args:
        order: answers of a lower order stand first.
        lead: the sentence for several targets, with ``{names}`` or ``{Names}``, ``{it}``, ``{is}``.
        name: of the target.
        single: the sentence for this target alone.
        detail: its numbers beside those of others; ``None`` where there are none.
        asks: whether the numbers hold a p-value.
    """

    order: int
    lead: str
    name: str
    single: Finding
    detail: Detail | None
    asks: bool = False


def grouped(answers: Iterable[Answer], level: object = None) -> list[Finding]:
    """Answers of one lead as one sentence; what was found stands first.

    Args:
        answers: in the order of the targets.
        level: what a p-value may be at most, if known.
    """
    groups: dict[tuple[int, str], list[Answer]] = {}
    for answer in answers:
        groups.setdefault((answer.order, answer.lead), []).append(answer)
    told = sorted(groups.items(), key=lambda item: item[0][0])
    return [_together(group, level) for _, group in told]


def _together(group: Sequence[Answer], level: object) -> Finding:
    if len(group) == 1:
        return group[0].single
    names = and_list([answer.name for answer in group])
    words = {"names": names, "Names": sentence_case(names), "it": "them", "is": "are"}
    said = filled(group[0].lead, **words)
    if any(answer.asks for answer in group) and isinstance(level, float):
        said += (
            f" (p is how likely as much is by chance, over all cells together; {number(level)} or "
            "less is required)"
        )
    return Finding(said, tuple(answer.detail for answer in group if answer.detail is not None))


def filled(text: str, **words: str) -> str:
    """A text with words in its named gaps; other braces, which names may have, stay.

    Args:
        text: with gaps such as ``{names}``.
        words: gap -> what stands there.

    >>> filled("{names} of {each}", names="{each}")
    '{each} of {each}'
    """
    return re.sub(r"\{(\w+)\}", lambda gap: words.get(gap[1], gap[0]), text)


def sentence_case(text: str) -> str:
    """A text with a capital in front.

    >>> sentence_case("it is")
    'It is'
    """
    return text[:1].upper() + text[1:]
