"""How many threads NumPy's linear algebra uses: one, unless a product is worth sharing."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["WORTH_SHARING", "threads_for"]

WORTH_SHARING = 2e10
"""Multiplications from which a product is shared among threads: about a quarter of a second of one
core in float32, as ``benchmarks/threads.py`` prints."""


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
    from threadpoolctl import threadpool_info, threadpool_limits

    if multiplications >= WORTH_SHARING:
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        yield max(pools, default=1)
        return
    with threadpool_limits(1, user_api="blas"):
        yield 1
