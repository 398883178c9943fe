"""Paths that a user gives: the home folder put in, and impossible ones refused in words."""

import os
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Any

from .errors import LinrepError

__all__ = ["PathError", "as_path"]


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
