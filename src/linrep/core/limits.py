"""What is too large is refused before the work: draws by number, arrays by the memory they take."""

import os
from contextlib import suppress
from pathlib import Path

from .errors import LinrepError

__all__ = ["MOST_DRAWS", "available_memory", "does_not_fit", "refuse_large"]

MOST_DRAWS = 1_000_000
"""Random draws of one kind: finer p-values and intervals than so many give, no data have."""

_CONTAINER = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)

# What NumPy, PyTorch and Python say, beside a MemoryError, of arrays that no memory holds.
_TOO_LARGE = (
    "can't allocate memory",
    "Storage size calculation overflowed",
    "array is too big",
    "Maximum allowed dimension exceeded",
    "Maximum allowed size exceeded",
    "array size defined by dims is larger",
    "index-sized integer",
    "too large to convert to C",
)


def available_memory() -> int | None:
    """Bytes of memory of this machine, or of the share that a container leaves this process.

    ``None`` where the system does not tell.
    """
    known = []
    with suppress(ValueError, OSError, AttributeError):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for file in _CONTAINER:
        with suppress(ValueError, OSError):  # "max" is no number: there is no limit
            known.append(int(Path(file).read_text(encoding="ascii")))
    return min(known, default=None)


def refuse_large(
    error: type[LinrepError], needed: int | float, available: int | None, what: str, remedy: str
) -> None:
    """Refuse, before allocating, what would take more than the machine's memory.

    Args:
        error: what is raised.
        needed: bytes; infinite where they are beyond float64.
        available: bytes, from :func:`available_memory`; ``None`` where nobody knows.
        what: what needs them.
        remedy: what to do instead.

    Raises:
        LinrepError: ``error``, with the memory needed and available.

    >>> refuse_large(LinrepError, 2**40, 2**33, "a table of 2**37 rows", "take fewer rows")
    Traceback (most recent call last):
        ...
    linrep.core.errors.LinrepError: a table of 2**37 rows needs 1.02e+03 GiB; this machine has 8 \
GiB; take fewer rows
    """
    if available is not None and needed > available:
        raise error(
            f"{what} needs {_gib(needed)} GiB; this machine has {_gib(available)} GiB; {remedy}"
        )


def does_not_fit(error: Exception) -> bool:
    """Whether Python, NumPy or PyTorch says that no memory holds what was asked for.

    >>> does_not_fit(MemoryError()), does_not_fit(ValueError("negative"))
    (True, False)
    """
    if isinstance(error, LinrepError):  # told already
        return False
    return isinstance(error, MemoryError) or any(words in str(error) for words in _TOO_LARGE)


def _gib(size: int | float) -> str:
    # Integers may be too large to be divided as floats.
    if size < 2**1000:
        return f"{size / 2**30:.3g}"
    return f"2**{size.bit_length() - 31}" if isinstance(size, int) else "more than 2**990"
