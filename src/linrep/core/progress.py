"""Progress bars on standard error, silent when nobody watches."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from .arguments import checked
from .errors import LinrepError

__all__ = ["progress"]

Item = TypeVar("Item")


@checked(LinrepError)
def progress(
    items: Iterable[Item], title: str, *, total: int | None = None, unit: str = "it"
) -> Iterator[Item]:
    """Yield ``items``; draw a bar on standard error if that is a terminal.

    >>> list(progress([1, 2], "counting"))
    [1, 2]
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm.auto import tqdm

    yield from tqdm(items, desc=title, total=total, unit=unit, leave=False, file=sys.stderr)
