"""What small products cost on one thread and on all, and the size from which threads pay.

    python benchmarks/threads.py            # run it beside other work as well: that is the point

Each round makes the same product twenty times on one number of threads, then on the other.
Printed are the median round and the worst, per product; the worst is where threads wait for one
that does not run.
"""

import argparse
import os
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

SIZES = ((1_000, 64), (11_000, 80), (17_000, 384), (20_000, 768), (20_000, 1_024))
CLASSES = 12
REPEATS = 20


def seconds(rows: np.ndarray, other: np.ndarray, threads: int) -> float:
    """Of one product, when it is made twenty times."""
    with threadpool_limits(threads, user_api="blas"):
        start = time.perf_counter()
        for _ in range(REPEATS):
            other @ rows
        return (time.perf_counter() - start) / REPEATS


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=15)
    rounds = arguments.parse_args().rounds
    most = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
    kernels = {pool.get("architecture") for pool in threadpool_info() if "architecture" in pool}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, kernel {kernels}\n")
    print(f"| rows | width | product | one thread, ms | worst | {most} threads, ms | worst |")
    print("|---|---|---|---|---|---|---|")
    draw = np.random.default_rng(0)
    for n, d in SIZES:
        rows = draw.standard_normal((n, d), dtype=np.float32)
        heads = draw.standard_normal((CLASSES, n), dtype=np.float32)
        for name, other in (("classes", heads), ("scatter", rows.T)):
            found: dict[int, list[float]] = {1: [], most: []}
            for _ in range(rounds):
                for threads in found:
                    found[threads].append(1e3 * seconds(rows, other, threads))
            told = [f"{statistics.median(f):.2f} | {max(f):.2f}" for f in found.values()]
            print(f"| {n:,} | {d} | {name} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
