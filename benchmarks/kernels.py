"""The products of the logistic solver's passes by NumPy and by PyTorch, one thread each.

    python benchmarks/kernels.py
    OPENBLAS_CORETYPE=Sandybridge python benchmarks/kernels.py   # an OpenBLAS kernel without AVX2

Each round makes one product several times by NumPy and by PyTorch, which begin in turn, in
processor time. Printed are the medians
over rounds, and the median of the ratio in each round: below 1, PyTorch is the faster one. A pass
is a product forward (steps with every row) and one back (rows weighted by residuals); closed forms
begin with a scatter (rows with themselves).
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from linrep.core.kernels import describe_linear_algebra

SIZES = ((400, 64, 12), (2_000, 64, 12), (9_000, 80, 12), (9_000, 384, 40), (17_000, 384, 160))
ENOUGH = 5e8  # multiplications of one measurement


def milliseconds(product: Callable[[], object], repeats: int) -> float:
    """Of one product, when it is made several times."""
    start = time.process_time()
    for _ in range(repeats):
        product()
    return 1e3 * (time.process_time() - start) / repeats


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=9)
    rounds = arguments.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{describe_linear_algebra()}; PyTorch: {torch.backends.cpu.get_cpu_capability()}")
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| rows | width | columns | dtype | product | NumPy, ms | PyTorch, ms | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    draw = np.random.default_rng(0)
    for n, d, k in SIZES:
        for kind in (np.float32, np.float64):
            rows, steps, sums = (
                draw.standard_normal(shape).astype(kind) for shape in ((n, d), (k, d), (k, n))
            )
            pairs = {"forward": (steps, rows.T, np.empty_like(sums))}
            pairs["back"] = (sums, rows, np.empty_like(steps))
            pairs["scatter"] = (rows.T, rows, np.empty((d, d), kind))
            for name, arrays in pairs.items():
                left, right, out = map(torch.from_numpy, arrays)
                both = (
                    lambda a=arrays: np.matmul(a[0], a[1], out=a[2]),
                    lambda a=left, b=right, c=out: torch.matmul(a, b, out=c),
                )
                repeats = max(1, int(ENOUGH / (left.numel() * right.shape[1])))
                found = []
                for turn in range(rounds):
                    each = [milliseconds(one, repeats) for one in both[:: (-1) ** turn]]
                    found.append(each[:: (-1) ** turn])
                ours, theirs = (statistics.median(column) for column in zip(*found, strict=True))
                ratio = statistics.median(other / own for own, other in found)
                print(
                    f"| {n:,} | {d} | {k} | {np.dtype(kind)} | {name} "
                    f"| {ours:.3f} | {theirs:.3f} | {ratio:.2f} |"
                )


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main()
