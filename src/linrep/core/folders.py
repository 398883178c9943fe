"""A folder to write into, made if it does not exist."""

import os
from pathlib import Path

from .errors import LinrepError
from .paths import as_path

__all__ = ["named_folder", "new_folder"]


def new_folder(given: str | os.PathLike[str], error: type[LinrepError]) -> Path:
    """The folder of that name, with all above it.

    Args:
        given: its path.
        error: raised where it cannot be made.
    """
    path = named_folder(given, error)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise error(f"no folder can be made at {path}: {reason.strerror or reason}") from reason
    return path


def named_folder(given: str | os.PathLike[str], error: type[LinrepError]) -> Path:
    """The path of a folder, which need not exist.

    Args:
        given: its path.
        error: raised where it has no name.
    """
    if not str(given):
        raise error("a folder needs a name; received ''")
    return as_path(given)
