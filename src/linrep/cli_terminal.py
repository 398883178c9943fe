"""Text that fits the terminal it is read in: folded lines, tables as lists, help in one column."""

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from typer.core import TyperCommand

__all__ = ["PlainHelp", "columns", "folded", "for_stream"]

TABLE_OF_HELP: Final = 100  # columns from which names, types and meanings fit side by side
LEAST: Final = 20
GAP = re.compile(r"(?<=\S) {3,}(?=\S)")


def columns() -> int:
    """Characters in a line of this terminal; 80 where nobody says (``COLUMNS`` does)."""
    return max(shutil.get_terminal_size().columns, LEAST)


def for_stream(text: str, stream: Any) -> str:
    """Text as a stream takes it: folded for a terminal, as it is for a file or another program.

    Args:
        text: lines.
        stream: where it goes; whether it is a terminal is asked of it.
    """
    return folded(text, columns()) if stream.isatty() else text


def folded(text: str, width: int) -> str:
    r"""Lines of at most this width; a word that is longer, such as a path, stays whole.

    What belongs to a line is indented below it. A table that is too wide becomes a list: one block
    for each row, with the heads in front of its cells.

    Args:
        text: lines; tables are Markdown's.
        width: characters in a line.

    >>> print(folded("ok: the largest error of all: 0.1", 20))
    ok: the largest
      error of all: 0.1
    >>> print(folded("| name | what |\n|---|---|\n| one | a first thing |", 20))
    name: one
    what: a first thing
    """
    parts = []
    for table, lines in groupby(text.split("\n"), key=lambda line: line.startswith("| ") or
                                line.startswith("|--")):  # fmt: skip
        block = list(lines)
        if table and max(map(len, block)) > width:
            block = list(_records(block))
        parts += [piece for line in block for piece in _folded(line, width)]
    return "\n".join(parts)


def _folded(line: str, width: int) -> Sequence[str]:
    if len(line) <= width:
        return [line]
    line = GAP.sub("  ", line)  # columns of a table that does not fit
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line, width, subsequent_indent=f"{indent}  ", break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    ) or [line]  # fmt: skip


def _records(lines: Sequence[str]) -> Iterator[str]:
    """A Markdown table as a list of its rows."""
    rows = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines]  # fmt: skip
    heads, *body = rows
    for number, row in enumerate(line for line in body if set("".join(line)) - {"-", ":"}):
        if number:
            yield ""
        yield from (f"{head}: {cell}" if head else cell
                    for head, cell in zip(heads, row, strict=False))  # fmt: skip


class PlainHelp(TyperCommand):
    """A command whose help, where the terminal is narrow, has each meaning below its option."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; names are never cut off.

        Args:
            ctx: of the command.
            formatter: that takes the text.
        """
        width = columns()
        if width >= TABLE_OF_HELP:
            super().format_help(ctx, formatter)
            return
        parts = [folded(f"Usage: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}",
                        width), textwrap.fill(self.help or "", width)]  # fmt: skip
        for kind, head in (("argument", "Arguments"), ("option", "Options")):
            records = [record for param in self.get_params(ctx) if param.param_type_name == kind
                       and (record := param.get_help_record(ctx))]  # fmt: skip
            if records:
                entries = [_entry(name, about, width) for name, about in records]
                parts.append("\n".join([f"{head}:", *entries]))
        formatter.write("\n\n".join([*parts, folded(self.epilog or "", width)]) + "\n")


def _entry(name: str, about: str, width: int) -> str:
    """One option: its names, and below them what it does."""
    told = textwrap.wrap(
        " ".join(about.split()), max(width - 6, LEAST), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join([folded(f"  {name}", width), *(f"      {line}" for line in told)])
