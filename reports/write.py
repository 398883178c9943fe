"""``report(run, path)``: the format follows the file's name."""

import os
import tempfile
from pathlib import Path

from ..core import LinrepError
from .html import render_html
from .markdown import render_markdown
from .record import Run
from .run import dumps, read_run, run_json

__all__ = ["ReportError", "report"]


class ReportError(LinrepError):
    """A report cannot be written as asked."""


def report(run: Run | str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Write the report of a run; no model is needed.

    Args:
        run: a run, or its folder.
        path: where to write; ``.html`` is one self-contained page, ``.md`` and ``.json`` carry
            the same content for readers and for machines. An existing file is replaced whole.

    Returns:
        The file written.

    Raises:
        ReportError: the suffix is none of these, or a folder or file stands in the way.
    """
    out = Path(path).expanduser().absolute()
    if out.suffix not in (".html", ".md", ".json"):
        raise ReportError(
            f"a report is .html, .md or .json; received {out.name!r}, name such a file"
        )
    _refuse_blocked(out)
    whole = run if isinstance(run, Run) else read_run(run)
    if out.suffix == ".html":
        text = render_html(whole)
    elif out.suffix == ".md":
        text = render_markdown(whole)
    else:
        text = dumps(run_json(whole))
    _write_whole(out, text)
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


def _write_whole(out: Path, text: str) -> None:
    """Write beside, then rename: a reader never meets half a file."""
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
