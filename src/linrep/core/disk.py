"""Disks that are full or closed: looked at before the work, and told in one sentence after it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .arguments import checked
from .errors import LinrepError
from .paths import as_path

__all__ = ["DiskError", "refuse_full", "writing"]

_REMEDY = "make room there, or name a folder on another disk"


class DiskError(LinrepError):
    """Something cannot be written where it was to go."""


@checked(DiskError)
def refuse_full(folder: str | Path, needed: int, what: str) -> None:
    """Look whether there is room, before the work; a disk that does not tell counts as large.

    Args:
        folder: where something is to go; it need not exist yet.
        needed: bytes, at least.
        what: what is to go there, for the message.

    Raises:
        DiskError: too little room.

    >>> refuse_full(".", 1, "a byte")
    """
    out = as_path(folder).absolute()
    try:
        usage = shutil.disk_usage(next(path for path in (out, *out.parents) if path.exists()))
    except OSError:
        return
    if usage.total and usage.free < needed:
        raise DiskError(
            f"{what} needs {_size(needed)}, and the disk of {folder} has {_size(usage.free)} left; "
            f"nothing was written: {_REMEDY}"
        )


@contextmanager
def writing(
    what: str, folder: object, *errors: type[Exception], remedy: str = _REMEDY
) -> Iterator[None]:
    """Turn what a system or a library raises over a full or closed disk into one sentence.

    Args:
        what: what is being written.
        folder: where.
        *errors: what a library raises instead of an OSError.
        remedy: what to do.

    Raises:
        DiskError: it could not be written.
    """
    expected: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except expected as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise DiskError(
            f"{what} cannot be written in {folder} ({reason:.200}): {remedy}, and repeat"
        ) from error


def _size(count: int) -> str:
    """Bytes as people say them.

    >>> _size(999), _size(12_345_678)
    ('999 bytes', '12.3 MB')
    """
    if count < 10**6:
        return f"{count} bytes"
    return f"{count / 10**6:.1f} MB"
