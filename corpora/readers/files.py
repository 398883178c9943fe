"""Files as lines of text: found, unpacked and decoded, or one clear error."""

import bz2
import gzip
import importlib
import io
import json
import lzma
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path
from typing import Any

from ...core import as_path
from ...core.arguments import shown
from ..errors import CorpusError

__all__ = ["ending", "found_files", "json_lines", "read_text", "unpacked"]

_PACKED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def found_files(given: Any, what: str, example: str) -> list[Path]:
    """Files from a path, a glob pattern, or several of them; matches are sorted.

    Args:
        given: by the user.
        what: the files hold, for messages.
        example: of a pattern.

    Raises:
        CorpusError: nothing matches, or a folder was given.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes | Path)
    several = several and getattr(given, "ndim", 1) > 0
    files: list[Path] = []
    for one in given if several else [given]:
        path = as_path(one)
        if path.is_dir():
            raise CorpusError(
                f"{path} is a folder; files of {what} were expected: give {str(path / example)!r}"
            )
        matches = [path] if path.exists() else [Path(f) for f in sorted(glob(str(one)))]
        if not matches:
            raise CorpusError(
                f"no file matches {str(one)!r}: give a file of {what}, or {example!r}"
            )
        files += matches
    if not files:
        raise CorpusError(f"no file of {what} was given: name at least one, or {example!r}")
    return files


def ending(path: Path) -> str:
    """What a file is by its name, without the packing: ``.csv`` of ``a.csv.gz``.

    >>> ending(Path("statements.CSV.gz")), ending(Path("pairs.jsonl"))
    ('.csv', '.jsonl')
    """
    names = [suffix.lower() for suffix in path.suffixes]
    if names and names[-1] in (*_PACKED, ".zst"):
        names.pop()
    return names[-1] if names else ""


def unpacked(path: Path) -> bytes:
    """The bytes of a file, unpacked where its name says so.

    Raises:
        CorpusError: it cannot be read or unpacked.
    """
    packing = path.suffix.lower()
    try:
        if packing == ".zst":
            try:
                library = importlib.import_module("zstandard")
            except ImportError:
                raise CorpusError(
                    f"{path} is packed by Zstandard: install the package zstandard, or unpack it "
                    f"(zstd -d {path.name})"
                ) from None
            with library.open(path, "rb") as handle:
                return bytes(handle.read())
        with _PACKED.get(packing, open)(path, "rb") as handle:  # type: ignore[operator]
            return bytes(handle.read())
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror or error}") from error
    except (EOFError, lzma.LZMAError) as error:
        raise CorpusError(f"{path} is damaged, or not packed as its name says: {error}") from error


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        CorpusError: it cannot be read, is empty, or is in another encoding.
    """
    data = unpacked(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CorpusError(
            f"{path}, line {line}: byte {data[error.start]:#04x} is no UTF-8, so the file is in "
            "another encoding or damaged: save it in UTF-8 (for one in Latin-1: iconv -f LATIN1 "
            f"-t UTF-8 {path.name})"
        ) from None
    if not text.strip():
        raise CorpusError(f"{path} is empty: give a file with text in it")
    return text


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a file with one JSON object in each line, and their line numbers.

    Raises:
        CorpusError: a line is something else.
    """
    for number, line in enumerate(io.StringIO(read_text(path)), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{path}, line {number}: not JSON ({error}); expected one object in each line, "
                f'such as {{"text": "..."}}; received {line.strip()!r:.60}'
            ) from error
        if not isinstance(record, dict):
            raise CorpusError(
                f'{path}, line {number}: expected an object, such as {{"text": "..."}}; received '
                f"{shown(record)}"
            )
        yield number, record
