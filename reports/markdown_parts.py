"""Pieces of Markdown in which text from a run stays text: tables, lists, whole pages."""

import re
from collections.abc import Iterable, Sequence

__all__ = ["as_bullets", "as_table", "as_text"]


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table in GitHub's dialect; bars and line ends in cells make no new ones.

    Args:
        head: of the columns.
        rows: cells of each line.

    >>> print(as_table(["a", "b"], [["1", "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [[" ".join(c.split()).replace("|", "\\|") for c in line] for line in (head, *rows)]
    shown = [f"|{'|'.join(f' {cell} ' for cell in line)}|" for line in lines]
    return "\n".join([shown[0], "|" + "---|" * len(head), *shown[1:]])


def as_bullets(items: Iterable[str]) -> str:
    """A list.

    Args:
        items: one line each.

    >>> print(as_bullets(["a", "b"]))
    - a
    - b
    """
    return "\n".join(f"- {' '.join(item.split())}" for item in items)


def as_text(parts: Iterable[str]) -> str:
    r"""Paragraphs as one text, without tags and links that a title or a label would make.

    Args:
        parts: paragraphs, lists, tables; empty ones are left out.

    >>> print(as_text(["# <b>x</b>", "", "[a](javascript:b)"]), end="")
    # &lt;b>x&lt;/b>
    <BLANKLINE>
    [a]\(javascript:b)
    """
    text = "\n\n".join(part for part in parts if part) + "\n"
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    return text.replace("](", "]\\(").replace("][", "]\\[")
