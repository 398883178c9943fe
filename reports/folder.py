"""Folders that appear complete or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC, EROFS
from pathlib import Path

from ..core import as_path, checked, refuse_full, writing
from .run_files import MARK, FolderError, members

__all__ = ["FolderError", "fresh_folder", "refuse_occupied"]

LEAST = 2**20  # bytes; reports have this
BESIDE = 24  # characters that a temporary sibling's name may have beyond the folder's own


@checked(FolderError)
def refuse_occupied(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Return ``path`` if a new folder may be put there; call it before any long work.

    Args:
        path: where the folder is to appear; it may exist if it is empty.
        overwrite: allow a folder that holds a run and nothing but the run's own files.

    Returns:
        The path, absolute.

    Raises:
        FolderError: something is there already, it is a link or the folder one stands in, its name
            is too long, or its parent cannot be written.
    """
    out = as_path(path).absolute()
    if out.is_symlink():
        raise FolderError(
            f"{out} is a symbolic link to {os.readlink(out)}; a folder was expected: name the "
            "folder itself"
        )
    if out.is_dir() and out.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise FolderError(
            f"{out} is the folder you stand in, or one above it, which a new folder would replace: "
            f"name one inside, such as {Path.cwd() / 'run'}"
        )
    if out.is_dir() and any(out.iterdir()):
        _refuse_full(out, overwrite)
    elif out.exists() and not out.is_dir():
        raise FolderError(f"{out} is a file; a folder was expected: name another path")
    above = next(parent for parent in out.parents if parent.exists())
    if not (above.is_dir() and _writable(above)):
        raise FolderError(f"{out} cannot be made: {above} is not a folder you may write to")
    _refuse_long(out, above)
    refuse_full(out, LEAST, "what is to be written")
    return out


def _writable(folder: Path) -> bool:
    """Whether a folder can be made in this one: rights alone do not say so (``/proc``)."""
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".linrep-", dir=folder))
    except OSError:
        return False
    return True


def _refuse_full(out: Path, overwrite: bool) -> None:
    """A folder that holds something may be replaced if all of it is a run's.

    Raises:
        FolderError: it may not; what stands in the way is named.
    """
    if not (out / MARK).is_file():
        raise FolderError(
            f"the folder {out} is not empty; nothing was written: name another folder"
        )
    if not overwrite:
        raise FolderError(
            f"the folder {out} already holds a run; nothing was written: name another folder, or "
            "pass --overwrite"
        )
    try:
        own = members(out)
    except FolderError as error:
        raise FolderError(
            f"the folder {out} is not replaced, since it is not known to be a run ({error}); "
            "nothing was written: name another folder"
        ) from None
    found = {str(file.relative_to(out)) for file in out.rglob("*") if not _is_folder(file)}
    if strangers := sorted(found - own):
        more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
        raise FolderError(
            f"the folder {out} holds files that are not the run's: {', '.join(strangers[:3])}"
            f"{more}; nothing was written: move them, or name another folder"
        )


def _is_folder(file: Path) -> bool:
    return file.is_dir() and not file.is_symlink()


def _refuse_long(out: Path, above: Path) -> None:
    """A name to which nothing can be added has no temporary sibling.

    Raises:
        FolderError: a name is too long.
    """
    most = os.pathconf(above, "PC_NAME_MAX") - BESIDE
    for name in out.parts[len(above.parts) :]:
        if len(os.fsencode(name)) > most:
            raise FolderError(
                f"the name {name[:40]}... has {len(os.fsencode(name))} bytes; at most {most} can "
                "be used here: choose a shorter one"
            )


@checked(FolderError)
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

    Raises:
        DiskError: the disk is full, before or in between.

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
        with _on_this_disk(out):
            yield work
        work.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        _take_name(work, refuse_occupied(out, overwrite=overwrite))
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        for parent in made:  # innermost first: leave no empty folders of ours
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise


@contextmanager
def _on_this_disk(out: Path) -> Iterator[None]:
    """A disk that fills up is named; whatever else goes wrong inside is told by others.

    Raises:
        OSError: it is about something else.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT, EFBIG, EROFS):
            raise
        with writing(out.name, out.parent):
            raise


def _take_name(work: Path, out: Path) -> None:
    """Rename ``work`` to ``out``; an old run steps aside first and goes last."""
    if not (out.is_dir() and any(out.iterdir())):
        os.replace(work, out)  # an empty folder at the target is replaced as well
        return
    own = members(out)
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    os.replace(out, old)
    try:
        os.replace(work, out)
    except BaseException:
        os.replace(old, out)
        raise
    _remove(old, own)


def _remove(old: Path, own: frozenset[str]) -> None:
    """Delete a run's own files, then the folders that this leaves empty; never anything else."""
    for name in own:
        (old / name).unlink(missing_ok=True)
    for folder in sorted(filter(_is_folder, old.rglob("*")), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    if not any(old.iterdir()):
        old.rmdir()
