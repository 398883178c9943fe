"""Labelled pieces of text: spans by their characters, and columns of words with tags."""

from collections.abc import Mapping
from typing import Any

from ...core import checked
from ...core.arguments import shown
from ..corpus import Corpus
from ..errors import CorpusError
from ..targets import TargetKind
from ..texts import At
from .columns_of import target_of
from .files import found_files, json_lines, read_text

__all__ = ["read_columns", "read_spans"]


@checked(CorpusError)
def read_spans(
    paths: Any,
    *,
    target: str = "label",
    kind: TargetKind | None = None,
    at: At | str = "last",
) -> Corpus:
    """Texts with labelled spans, one JSON object in each line.

    A line is ``{"text": "...", "spans": [{"start": 0, "end": 5, "label": "city"}, ...]}``, where
    ``end`` is one past the last character, and ``"group"`` beside them names what is never divided.

    Args:
        paths: a file, a glob pattern, or several of them.
        target: the name under which a span's value stands, and that of the target.
        kind: ``"class"`` or ``"number"`` where the values do not tell.
        at: which token stands for a span: its ``"last"``, its ``"first"``, or the ``"mean"``.

    Raises:
        CorpusError: a line is something else, or a span lies outside its text.
    """
    files = found_files(paths, "spans", "*.jsonl")
    texts: list[str] = []
    spans: list[tuple[int, int, int]] = []
    values: list[Any] = []
    groups: list[Any] = []
    for path in files:
        for line, record in json_lines(path):
            where = f"{path}, line {line}"
            text, listed = record.get("text"), record.get("spans")
            if not isinstance(text, str) or not isinstance(listed, list):
                raise CorpusError(
                    f'{where}: expected {{"text": "...", "spans": [...]}}; received {shown(record)}'
                )
            for one in sorted((_span(one, text, where) for one in listed), key=lambda s: s[:2]):
                spans.append((len(texts), one[0], one[1]))
                values.append(one[2].get(target))
            texts.append(text)
            groups.append(record.get("group"))
    where = str(files[0]) if len(files) == 1 else f"{len(files)} files of spans"
    if not spans:
        raise CorpusError(
            f"{where}: no text has a span, so there is nothing to probe: expected at least one "
            'object with "spans" that are not empty'
        )
    kinds: dict[str, TargetKind] = {} if kind is None else {target: kind}
    known = any(group is not None for group in groups)
    return Corpus.from_texts(
        texts,
        spans=spans,
        targets=[target_of(target, values, where, kinds)],
        groups=[groups[text] for text, _, _ in spans] if known else None,
        at=at,
        source=where,
    )


def _span(one: Any, text: str, where: str) -> tuple[int, int, Mapping[str, Any]]:
    """The bounds of a span.

    Raises:
        CorpusError: it has none, or they lie outside the text.
    """
    bounds = (one.get("start"), one.get("end")) if isinstance(one, dict) else (None, None)
    if not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds):
        raise CorpusError(
            f'{where}: a span is {{"start": 0, "end": 5, "label": "..."}}; received {shown(one)}'
        )
    start, end = int(bounds[0] or 0), int(bounds[1] or 0)
    if not 0 <= start < end <= len(text):
        raise CorpusError(
            f"{where}: the span from {start} to {end} is not in its text of {len(text)} characters "
            f"({text!r:.60}); end is one past the last character"
        )
    return start, end, one


@checked(CorpusError)
def read_columns(
    paths: Any, *, columns: Mapping[str, int] | None = None, at: At | str = "last"
) -> Corpus:
    """Words with tags, one word in each line and blanks between columns, as CoNLL-2003 has them.

    The first column is the word; empty lines stand between sentences, lines of ``-DOCSTART-``
    before documents, which are groups. Such files do not say how the text was written: words are
    joined by single blanks.

    Args:
        paths: a file, a glob pattern, or several of them.
        columns: target -> number of its column, from 0, or from the end with -1; by default
            ``{"tag": -1}``.
        at: which token stands for a word: its ``"last"``, its ``"first"``, or the ``"mean"``.

    Raises:
        CorpusError: nothing matches, or a line lacks a column.
    """
    wanted = dict(columns or {"tag": -1})
    files = found_files(paths, "columns", "*.txt")
    texts: list[list[str]] = [[]]
    documents: list[str] = []
    values: dict[str, list[str]] = {name: [] for name in wanted}
    marked = len(files) > 1
    for path in files:
        document = str(path)
        for line, written in enumerate(read_text(path).split("\n"), start=1):
            fields = written.split()
            if not fields or fields[0] == "-DOCSTART-":
                document = f"{path}, line {line}" if fields else document
                marked = marked or bool(fields)
                texts.append([])
                continue
            for name, column in wanted.items():
                values[name].append(_cell(fields, column, name, f"{path}, line {line}"))
            if not texts[-1]:
                documents.append(document)
            texts[-1].append(fields[0])
        texts.append([])
    sentences = [words for words in texts if words]
    where = str(files[0]) if len(files) == 1 else f"{len(files)} files of columns"
    if not sentences:
        raise CorpusError(
            f"{where}: no word in any line; expected a word and its labels in each, and an empty "
            "line between sentences"
        )
    spans = []
    for number, words in enumerate(sentences):
        start = 0
        for word in words:
            spans.append((number, start, start + len(word)))
            start += len(word) + 1
    return Corpus.from_texts(
        [" ".join(words) for words in sentences],
        spans=spans,
        targets=[target_of(name, found, where, {name: "class"}) for name, found in values.items()],
        groups=[documents[number] for number, _, _ in spans] if marked or len(files) > 1 else None,
        at=at,
        source=f"{where} (words joined by blanks)",
    )


def _cell(fields: list[str], column: int, name: str, where: str) -> str:
    """A column of a line.

    Raises:
        CorpusError: the line has no such column.
    """
    if len(fields) >= 2 and -len(fields) <= column < len(fields):
        return fields[column]
    raise CorpusError(
        f"{where}: {len(fields)} columns ({' '.join(fields)!r:.60}); expected a word and, for "
        f"target {name!r}, column {column}"
    )
