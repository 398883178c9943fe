"""How many threads NumPy's linear algebra uses: one, unless a product is worth sharing."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["WORTH_SHARING", "threads_for"]

WORTH_SHARING = 2e10
"""Multiplications from which a product is shared among threads: about half a second of one core."""


@contextmanager
def threads_for(multiplications: float) -> Iterator[int]:
    """Linear algebra inside the block runs on one thread where its products are small.

    Threads of OpenBLAS wait for each other by spinning. On a machine with other work they spin
    while the one they wait for does not run, and thousands of products of a millisecond then take
    a tenth of a second each (docs/decisions/091-threads.md).

    Args:
        multiplications: of the largest product inside, ``n * d * d`` for the scatter of ``n`` rows.

    Yields:
        Threads that are used inside: one, or as many as outside.

    >>> with threads_for(1000.0) as threads:
    ...     threads
    1
    """
    from threadpoolctl import threadpool_info, threadpool_limits

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    threads = max(pools, default=1) if multiplications >= WORTH_SHARING else 1
    with threadpool_limits(threads, user_api="blas"):
        yield threads
