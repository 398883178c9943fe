"""Folders that appear complete or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core import LinrepError

__all__ = ["FolderError", "fresh_folder", "refuse_occupied"]

MARK = "manifest.json"
"""The file that makes a folder a run."""


class FolderError(LinrepError):
    """A folder cannot be written to, or does not hold what it should."""


def refuse_occupied(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Return ``path`` if a new folder may be put there; call it before any long work.

    Args:
        path: where the folder is to appear; it may exist if it is empty.
        overwrite: allow a folder that holds a run (never any other folder).

    Returns:
        The path, absolute.

    Raises:
        FolderError: something is there already, or its parent cannot be written.
    """
    out = Path(path).expanduser().absolute()
    if out.is_dir() and any(out.iterdir()):
        holds_run = (out / MARK).is_file()
        if not (overwrite and holds_run):
            what = "already holds a run" if holds_run else "is not empty"
            remedy = "name another folder" + (", or pass --overwrite" if holds_run else "")
            raise FolderError(f"the folder {out} {what}; nothing was written: {remedy}")
    elif out.exists() and not out.is_dir():
        raise FolderError(f"{out} is a file; a folder was expected: name another path")
    above = next(parent for parent in out.parents if parent.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise FolderError(f"{out} cannot be made: {above} is not a folder you may write to")
    return out


@contextmanager
def fresh_folder(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that takes its name when the block succeeds.

    If the block raises (Ctrl-C included) nothing is left behind and what stood at ``path``
    is untouched.

    Args:
        path: where the folder is to appear.
        overwrite: replace a run that stands there, once the new one is complete.

    Yields:
        An empty folder on the same file system.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as here:
    ...     with fresh_folder(Path(here) / "out") as folder:
    ...         _ = (folder / "a.txt").write_text("whole")
    ...     sorted(p.name for p in Path(here).rglob("*"))
    ['a.txt', 'out']
    """
    out = refuse_occupied(path, overwrite=overwrite)
    made = [parent for parent in out.parents if not parent.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.partial-", dir=out.parent))
    try:
        yield work
        work.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        _take_name(work, refuse_occupied(out, overwrite=overwrite))
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        for parent in made:  # innermost first: leave no empty folders of ours
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def _take_name(work: Path, out: Path) -> None:
    """Rename ``work`` to ``out``; an old run steps aside first and goes last."""
    if not (out.is_dir() and any(out.iterdir())):
        os.replace(work, out)  # an empty folder at the target is replaced as well
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    os.replace(out, old)
    try:
        os.replace(work, out)
    except BaseException:
        os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)
