"""How many threads NumPy's linear algebra uses: one, unless a product is worth sharing."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["WORTH_SHARING", "allowed_threads", "threads_for"]

WORTH_SHARING = 2e10
"""Multiplications from which a product is shared among threads: about a quarter of a second of one
core in float32, as ``benchmarks/threads.py`` prints."""

_allowed: ContextVar[int] = ContextVar("allowed_threads")
"""Set inside :func:`threads_for` alone: how many there were outside."""


@contextmanager
def threads_for(multiplications: float) -> Iterator[int]:
    """Linear algebra inside the block runs on one thread where its products are small.

    Threads of OpenBLAS wait for each other by spinning. On a machine with other work they may spin
    while the one they wait for does not run: a product of less than a millisecond then takes a
    tenth of a second and more (docs/decisions/091-threads.md). Large products keep the threads that
    the caller allows.

    Args:
        multiplications: of the largest product inside, ``n * d * d`` for the scatter of ``n`` rows.

    Yields:
        Threads that are used inside: one, or as many as outside.

    >>> with threads_for(1000.0) as threads:
    ...     threads
    1
    """
    from threadpoolctl import threadpool_limits

    allowed = allowed_threads()
    import scipy.linalg  # noqa: F401 - loaded inside, it would begin with threads of its own

    if multiplications >= WORTH_SHARING:
        with threadpool_limits(allowed if _allowed.get(0) else None, user_api="blas"):
            yield allowed
        return
    token = _allowed.set(allowed)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield 1
    finally:
        _allowed.reset(token)


def allowed_threads() -> int:
    """The most threads that a BLAS library has here; inside :func:`threads_for`, those outside.

    >>> with threads_for(1000.0):
    ...     inside = allowed_threads()
    >>> inside == allowed_threads()
    True
    """
    from threadpoolctl import threadpool_info

    if known := _allowed.get(0):
        return known
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max(pools, default=1)
