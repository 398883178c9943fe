"""``report(run, path)``: the format follows the file's name."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from ..core import LinrepError, as_path, checked
from .browser import find_browser, printed
from .card import render_card
from .html import render_html
from .markdown import render_markdown
from .record import Run
from .report_json import run_json
from .run_files import MARK, FolderError, read_manifest
from .run_json import dumps
from .run_reading import read_run

__all__ = [
    "ReportError",
    "ReportFormat",
    "default_name",
    "destination",
    "known_format",
    "refuse_place",
    "report",
    "write_whole",
]


ReportFormat = Literal["html", "md", "json", "card", "pdf", "png"]
ENDINGS: Final[Mapping[ReportFormat, str]] = {
    "html": ".html", "md": ".md", "json": ".json", "card": ".md", "pdf": ".pdf", "png": ".png",
}  # fmt: skip
PRINTED: Final = ("pdf", "png")


class ReportError(LinrepError):
    """A report cannot be written as asked."""


@checked(ReportError)
def report(run: Any, path: str | os.PathLike[str], *, format: ReportFormat | None = None) -> Path:
    """Write the report of a run; no model is needed.

    Args:
        run: a :class:`Run`, or its folder.
        path: where to write. An existing file is replaced whole.
        format: what to write, by default what the name's ending says: ``html`` is one
            self-contained page; ``md`` and ``json`` carry the same content for readers and for
            machines (:func:`linrep.report_schema`); ``card`` is a Markdown card for a model hub
            (also of the name ``card.md``); ``pdf`` and ``png`` are the page printed by a browser,
            where one is installed.

    Returns:
        The file written.

    Raises:
        ReportError: the suffix is none of these, a folder or file stands in the way, the path is a
            file that a run is read from, or what was given is no run.
        BrowserError: no browser is installed that could print the page.
    """
    given = as_path(path)
    kind = _format(given, format)
    out = destination(given, (ENDINGS[kind],))
    if kind in PRINTED:
        find_browser()  # before any work
    whole = run if isinstance(run, Run) else _read(run)
    if kind in PRINTED:
        write_whole(out, printed(render_html(whole), kind))
    else:
        write_whole(out, RENDERERS[kind](whole))
    return out


def _format(path: Path, asked: ReportFormat | None) -> ReportFormat:
    """What is written to a path.

    Raises:
        ReportError: its ending says nothing.
    """
    if asked is not None:
        return asked
    if path.name == "card.md":
        return "card"
    for kind, ending in ENDINGS.items():
        if path.suffix == ending:
            return kind
    raise ReportError(
        f"a report is .html, .md, .json, .pdf or .png; received {path.name!r}, name such a file"
    )


def known_format(asked: str | None) -> ReportFormat | None:
    """A format by its name.

    Args:
        asked: ``html``, ``md``, ``json``, ``card``, ``pdf`` or ``png``.

    Raises:
        ReportError: there is no such format.
    """
    for kind in ENDINGS:
        if asked == kind:
            return kind
    if asked is None:
        return None
    raise ReportError(f"a report's format is one of {', '.join(ENDINGS)}; received {asked!r:.60}")


def default_name(kind: ReportFormat | None) -> str:
    """The file of a run's folder in which a report of this format stands.

    Args:
        kind: the format; ``None`` is the page.

    >>> default_name("card"), default_name(None)
    ('card.md', 'report.html')
    """
    return "card.md" if kind == "card" else f"report{ENDINGS[kind or 'html']}"


def _json(run: Run) -> str:
    return dumps(run_json(run))


RENDERERS: Final[Mapping[str, Callable[[Run], str]]] = {
    "html": render_html, "md": render_markdown, "json": _json, "card": render_card,
}  # fmt: skip


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


def write_whole(out: Path, content: str | bytes) -> None:
    """Write beside, then rename: a reader never meets half a file.

    Args:
        out: the file.
        content: all of it, text or bytes.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, out)
        except BaseException:
            os.unlink(file.name)
            raise
