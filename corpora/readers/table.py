"""Tables of labelled texts: a file, a data frame, or a dataset."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core import as_path, checked
from ...core.arguments import shown
from ..corpus import Corpus
from ..errors import CorpusError
from ..targets import TargetKind
from ..texts import At
from .columns_of import from_written, require, target_of
from .files import ending, json_lines, read_text, unpacked

__all__ = ["read_table"]

_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@checked(CorpusError)
def read_table(
    table: Any,
    *,
    text: str = "text",
    targets: Sequence[str] = (),
    groups: str | None = None,
    span: str | tuple[str, str] | None = None,
    at: At | str = "last",
    kinds: Mapping[str, TargetKind] | None = None,
) -> Corpus:
    """A corpus with one row for each row of a table.

    Cells of a file that are empty have no value; in columns of numbers ``nan`` has none either. A
    row without a value of a target is left out of that target, which its note says.

    Args:
        table: a file (.csv, .tsv, .jsonl, .parquet, the first three packed or not: .gz, .bz2, .xz,
            .zst), a pandas data frame, or a ``datasets.Dataset``.
        text: the column of the texts.
        targets: columns to recover; by default none.
        groups: column of what is never divided between training and test: rows about one city.
        span: what of the text is read: a column with its characters, which stand in the text
            once, or two columns with the numbers of its first character and of the one after its
            last. By default the whole text.
        at: which token stands for it: its ``"last"``, its ``"first"``, or the ``"mean"``.
        kinds: ``"class"`` or ``"number"`` of targets whose values do not tell.

    Raises:
        CorpusError: the table cannot be read, lacks a column, a text or a span, or a target has
            fewer than two values.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["Oslo is a city.", "Oslo is a cat."], "true": [True, False]})
    >>> read_table(frame, targets=["true"]).targets["true"].values.tolist()
    ['True', 'False']
    """
    columns, where = _columns(table)
    if not columns or not len(next(iter(columns.values()))):
        raise CorpusError(f"{where} has no rows: give a table with a row for each text")
    if isinstance(targets, str):
        targets = (targets,)
    wanted = [text, *targets, *((groups,) if groups else ())]
    wanted += [span] if isinstance(span, str) else list(span or ())
    for name in wanted:
        require(name, list(columns), "column", where)
    texts = [_filled(value, text, row, where) for row, value in enumerate(columns[text])]
    if groups:
        named = [_filled(str(v), groups, i, where) if _there(v) else _filled(v, groups, i, where)
                 for i, v in enumerate(columns[groups])]  # fmt: skip
    return Corpus.from_texts(
        texts,
        spans=None if span is None else _spans(texts, span, columns, where),
        targets=[target_of(name, columns[name], where, kinds) for name in targets],
        groups=named if groups else None,
        at=at,
        source=where,
    )


def _columns(table: Any) -> tuple[dict[str, list[Any]], str]:
    """Cells by column, and what to call the table.

    Raises:
        CorpusError: it is no table.
    """
    if isinstance(table, str | Path):
        path = as_path(table)
        if path.is_dir() or not path.exists():
            reason = "is a folder" if path.is_dir() else "does not exist"
            raise CorpusError(f"{path} {reason}; a table was expected: a file {_named()}")
        return _from_file(path), str(path)
    if not hasattr(table, "iloc") and callable(getattr(table, "to_pandas", None)):
        table = table.to_pandas()
    if not (hasattr(table, "iloc") and hasattr(table, "columns")):
        raise CorpusError(
            f"a table is a file {_named()}, a pandas data frame or a datasets.Dataset (of a "
            f"DatasetDict one split); received {shown(table)}"
        )
    return {str(name): table[name].tolist() for name in table.columns}, "the data frame"


def _named() -> str:
    return f"({', '.join(_ENDINGS)})"


def _from_file(path: Path) -> dict[str, list[Any]]:
    """Cells by column.

    Raises:
        CorpusError: the file is no table.
    """
    kind = ending(path)
    if kind in (".jsonl", ".ndjson"):
        records = list(json_lines(path))
        names = dict.fromkeys(name for _, record in records for name in record)
        return {name: [record.get(name) for _, record in records] for name in names}
    if kind == ".parquet":
        import pandas as pd

        try:
            frame = pd.read_parquet(io.BytesIO(unpacked(path)))
        except ImportError:
            raise CorpusError(
                f"{path}: Parquet files are read by the package pyarrow, which is not installed: "
                "pip install pyarrow, or save the table as .csv or .jsonl"
            ) from None
        except (ValueError, OSError) as error:
            raise CorpusError(f"{path} is no Parquet file, or damaged: {error!s:.120}") from error
        return {str(name): frame[name].tolist() for name in frame.columns}
    if kind not in (".csv", ".tsv"):
        raise CorpusError(f"{path} ends in {kind or 'nothing'!r}; expected {_named()}")
    return _written(path, "\t" if kind == ".tsv" else ",")


def _written(path: Path, separator: str) -> dict[str, list[Any]]:
    """Cells by column of a table in text.

    Raises:
        CorpusError: a line has another number of fields than the first, or two columns one name.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=separator)
    names: list[str] = []
    rows: list[list[str]] = []
    try:
        for fields in reader:
            if not names:
                names = [name.strip() for name in fields]
            elif fields and len(fields) != len(names):
                raise CorpusError(
                    f"{path}, line {reader.line_num}: {len(fields)} fields; expected {len(names)}, "
                    f"as in the first line ({', '.join(names)!s:.80}): a field that holds the "
                    'separator stands in quotes ("a, b")'
                )
            elif fields:
                rows.append(fields)
    except csv.Error as error:
        raise CorpusError(f"{path}, line {reader.line_num}: no table: {error}") from error
    if len(set(names)) < len(names):
        raise CorpusError(f"{path}, line 1: two columns have one name; received {names}")
    return {name: from_written([row[i] for row in rows]) for i, name in enumerate(names)}


def _there(value: Any) -> bool:
    try:
        return value is not None and value != "" and bool(value == value)
    except (TypeError, ValueError):  # pandas' NA
        return False


def _filled(value: Any, column: str, row: int, where: str) -> str:
    """A cell that has to hold text.

    Raises:
        CorpusError: it does not.
    """
    if isinstance(value, str) and value.strip():
        return value
    received = shown(value) if _there(value) else "an empty cell"
    raise CorpusError(
        f"{where}, row {row + 1}: column {column!r} holds {received}; expected text: leave out the "
        "row, or name another column"
    )


def _spans(
    texts: Sequence[str],
    span: str | tuple[str, str],
    columns: Mapping[str, list[Any]],
    where: str,
) -> list[tuple[int, int, int]]:
    """The span of each row.

    Raises:
        CorpusError: it is not in the text, or not in one place.
    """
    if isinstance(span, str):
        return [
            (row, *_place(text, _filled(columns[span][row], span, row, where), span, row, where))
            for row, text in enumerate(texts)
        ]
    found = []
    for row, (start, stop) in enumerate(zip(columns[span[0]], columns[span[1]], strict=True)):
        try:
            bounds = int(start), int(stop)
            whole = bounds == (start, stop)
        except (TypeError, ValueError, OverflowError):
            whole = False
        if not whole or not 0 <= bounds[0] < bounds[1] <= len(texts[row]):
            raise CorpusError(
                f"{where}, row {row + 1}: the span from {start!r} to {stop!r} ({span[0]}, "
                f"{span[1]}) is not in its text of {len(texts[row])} characters "
                f"({texts[row]!r:.60}); expected whole numbers, first character and one past the "
                "last"
            )
        found.append((row, *bounds))
    return found


def _place(text: str, piece: str, column: str, row: int, where: str) -> tuple[int, int]:
    """Where a piece stands in a text: its one place, or its one place as whole words.

    Raises:
        CorpusError: nowhere, or in several places.
    """
    places = [found.span() for found in re.finditer(re.escape(piece), text)]
    if len(places) > 1:
        words = list(re.finditer(rf"(?<!\w){re.escape(piece)}(?!\w)", text))
        places = [found.span() for found in words] if len(words) == 1 else places
    if len(places) == 1:
        return places[0]
    raise CorpusError(
        f"{where}, row {row + 1}: {piece!r} (column {column!r}) stands {len(places)} times in its "
        f"text {text!r:.80}; expected once: say where, with two columns span=(start, stop)"
    )
