"""Paths that a user gives: the home folder put in, and impossible ones refused in words."""

import os
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Any

from .errors import LinrepError

__all__ = ["PathError", "as_path", "folder_name"]

GENERAL = {"model", "models", "checkpoint", "weights", "final", "best", "main", "output", "export"}
"""Names that say nothing of what is in a folder."""


class PathError(LinrepError):
    """A path is none that the system can have."""


def as_path(given: Any) -> Path:
    """A path, with ``~`` replaced by the home folder.

    Args:
        given: text or a path object.

    Raises:
        PathError: no path, a home folder of nobody, a zero byte, or a name that is too long.

    >>> as_path("a/b").parts
    ('a', 'b')
    """
    try:
        path = Path(given).expanduser()
    except TypeError:
        raise PathError(
            f"a path is text or a path object; received {type(given).__name__} {given!r:.60}"
        ) from None
    except RuntimeError as error:  # pathlib's word for a user whom the system does not know
        raise PathError(f"the path {str(given)!r:.200}: {error}; write the whole path") from None
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise PathError(f"no file can be called {str(path)!r:.200}: {error}") from None
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            raise PathError(
                f"the path {str(path)[:80]}... of {len(str(path))} characters is too long for this "
                "system: choose a shorter one"
            ) from None
        # Whatever else stands in the way is named by those who open the file.
    return path


def folder_name(path: Path) -> str:
    """What a folder is called where people read of it: with the one around it, if it says little.

    Args:
        path: of a folder or a file.

    >>> folder_name(Path("runs/smollm2")), folder_name(Path("a/all_minilm/model"))
    ('smollm2', 'all_minilm/model')
    """
    whole = path.resolve()
    few = whole.name.lower() in GENERAL and whole.parent.name
    return f"{whole.parent.name}/{whole.name}" if few else whole.name
