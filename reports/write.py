"""``report(run, path)``: the format follows the file's name."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core import LinrepError, as_path, checked
from .html import render_html
from .markdown import render_markdown
from .record import Run
from .run_files import MARK, FolderError, read_manifest
from .run_json import dumps, run_json
from .run_reading import read_run

__all__ = ["ReportError", "destination", "refuse_place", "report", "write_whole"]


class ReportError(LinrepError):
    """A report cannot be written as asked."""


@checked(ReportError)
def report(run: Any, path: str | os.PathLike[str]) -> Path:
    """Write the report of a run; no model is needed.

    Args:
        run: a :class:`Run`, or its folder.
        path: where to write; ``.html`` is one self-contained page, ``.md`` and ``.json`` carry
            the same content for readers and for machines. An existing file is replaced whole.

    Returns:
        The file written.

    Raises:
        ReportError: the suffix is none of these, a folder or file stands in the way, the path is a
            file that a run is read from, or what was given is no run.
    """
    out = destination(as_path(path), (".html", ".md", ".json"))
    whole = run if isinstance(run, Run) else _read(run)
    if out.suffix == ".html":
        text = render_html(whole)
    elif out.suffix == ".md":
        text = render_markdown(whole)
    else:
        text = dumps(run_json(whole))
    write_whole(out, text)
    return out


def destination(path: Path, suffixes: Sequence[str]) -> Path:
    """Where a file of one of these kinds is written, as an absolute path.

    Args:
        path: as it was given.
        suffixes: that it may have.

    Raises:
        ReportError: it has another suffix, something stands in the way, or a run is read from it.
    """
    out = path.absolute()
    if out.suffix not in suffixes:
        kinds = " or ".join(filter(None, [", ".join(suffixes[:-1]), suffixes[-1]]))
        raise ReportError(f"a report is {kinds}; received {out.name!r}, name such a file")
    return refuse_place(out)


def refuse_place(path: Path) -> Path:
    """A path at which a file may be written, absolute.

    Args:
        path: as it was given.

    Raises:
        ReportError: something stands in the way, or a run is read from it.
    """
    out = path.absolute()
    _refuse_blocked(out)
    _refuse_data(out)
    return out


def _refuse_blocked(out: Path) -> None:
    """Refuse a path that no file can have.

    Raises:
        ReportError: with what stands there.
    """
    if out.is_dir():
        raise ReportError(
            f"{out} is a folder that exists already; a file was expected: name another path, such "
            f"as {out / f'report{out.suffix}'}"
        )
    above = next(parent for parent in out.parents if parent.exists())
    if not above.is_dir():
        raise ReportError(
            f"{out} cannot be written: {above} is a file that exists already; a folder was "
            "expected: name another path"
        )


def _refuse_data(out: Path) -> None:
    """A run is read from its manifest and the files that it lists: no report replaces one.

    Raises:
        ReportError: the path, links followed, is such a file.
    """
    real = out.resolve()
    for folder in list(real.parents)[:2]:
        if not (folder / MARK).is_file():
            continue
        try:
            own = {MARK, *read_manifest(folder).files}
        except FolderError:
            continue
        if str(real.relative_to(folder)) in own:
            raise ReportError(
                f"{out} is a file of the run in {folder}, which could not be read without it: name "
                f"another, such as {folder / f'report{out.suffix}'}"
            )


def _read(given: object) -> Run:
    if isinstance(given, str | os.PathLike):
        return read_run(given)
    raise ReportError(
        f"a report is written of a run or of its folder; received {type(given).__name__}: the "
        "results of linrep.probe show themselves with .plot() and .to_frame(), and "
        "linrep.experiments.run_experiment makes runs"
    )


def write_whole(out: Path, text: str) -> None:
    """Write beside, then rename: a reader never meets half a file.

    Args:
        out: the file.
        text: all of it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, out)
        except BaseException:
            os.unlink(file.name)
            raise
