"""What a file of labelled text is, by its name and its first lines."""

import re
from pathlib import Path
from typing import Literal

from ..errors import CorpusError
from .files import ending, json_lines, read_text

__all__ = ["FileKind", "file_kind"]

FileKind = Literal["table", "universal", "columns", "spans", "pairs", "chats"]
"""A table, CoNLL-U, words with tags in columns, spans, minimal pairs, chats."""

_TABLES = (".csv", ".tsv", ".parquet")
_RECORDS = (".jsonl", ".ndjson")
_WORDS = (".conllu", ".conll", ".conllup", ".txt", ".bio", ".iob", ".iob2", ".tags", ".iobes")
_NUMBER = re.compile(r"\d+([-.]\d+)?")


def file_kind(
    path: Path, *, pair: tuple[str, str] = ("sentence_good", "sentence_bad"), chat: str = "messages"
) -> FileKind:
    """What a file holds.

    Tables and records are told by their names; of records (JSON lines) the first one says whether
    it has ``spans``, the two texts of a ``pair``, or the messages of a ``chat``. Files of words in
    lines are CoNLL-U where the first line of words has ten fields with tabs between and begins
    with a number, else columns.

    Args:
        path: the file.
        pair: keys of the two texts of a minimal pair.
        chat: key of the messages of a chat.

    Raises:
        CorpusError: its name tells nothing.
    """
    kind = ending(path)
    if kind in _TABLES:
        return "table"
    if kind in _RECORDS:
        _, first = next(iter(json_lines(path)))
        if isinstance(first.get("spans"), list):
            return "spans"
        if all(isinstance(first.get(key), str) for key in pair):
            return "pairs"
        return "chats" if isinstance(first.get(chat), list) else "table"
    if kind in _WORDS:
        return "universal" if kind == ".conllu" or _numbered(read_text(path)) else "columns"
    raise CorpusError(
        f"{path} ends in {kind or 'nothing'!r}, which tells no kind of labelled text: "
        f"expected a table ({', '.join((*_TABLES, *_RECORDS))}) or words in lines "
        f"({', '.join(_WORDS)})"
    )


def _numbered(text: str) -> bool:
    """The first line of words is one of CoNLL-U."""
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            fields = line.rstrip("\r").split("\t")
            return len(fields) == 10 and bool(_NUMBER.fullmatch(fields[0]))
    return False
