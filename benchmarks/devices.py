"""Statistics and probes whose products are made on a GPU, beside the processor and the floor.

    python benchmarks/devices.py                 # needs a GPU
    python benchmarks/devices.py --device cpu    # whether all of it runs

Seconds on the clock, processor and GPU in turn; the processor has all its threads. The floor of a
grid of four sites on the GPU is one move of their rows there and the products that the method
cannot leave out, at the rates measured in the same run: the scatter, and for ``ridge`` the
rotation and the fitted values of every penalty.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from figures import tell
from probe_memory import Corpus

from linrep import gather_statistics, probe
from linrep.probes.solvers.methods import ALPHAS

CLASSES, SITES = 20, 4


def planted(rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Class means in noise."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, CLASSES, rows)
    X = draw.standard_normal((rows, width), dtype=np.float32)
    X += draw.standard_normal((CLASSES, width), dtype=np.float32)[labels] / 8
    return X, labels.astype(str)


def seconds(work: Callable[[], Any]) -> float:
    """On the clock; what is asked of a GPU is done by then."""
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def in_turn(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each in every round, after one that is not counted."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            spent[name].append(seconds(work))
    return spent


def moves(X: np.ndarray, device: str) -> float:
    """Seconds of moving all rows to the device once."""
    rows = torch.from_numpy(X)
    return min(seconds(lambda: rows.to(device)) for _ in range(3))


def rate(device: str, width: int) -> float:
    """Operations a second of float64 products there."""
    a = torch.ones(16384, width, dtype=torch.float64, device=device)
    a.T @ a
    return 10 * 2 * 16384 * width**2 / seconds(lambda: [a.T @ a for _ in range(10)])


def floor(X: np.ndarray, method: str, device: str) -> float:
    """One move of each site's rows, and the products of one target there."""
    n, d = X.shape
    products = 2.0 * n * d * d
    if method == "ridge":
        products += 2.0 * n * d * d + 2.0 * n * d * CLASSES * len(ALPHAS)
    sites = 1 if method == "statistics" else SITES
    return sites * (moves(X, device) + products / rate(device, d))


def compared(
    what: str, spent: dict[str, list[float]], bound: float, device: str, threads: int
) -> None:
    """Print and tell one line: beside the processor, and beside the floor."""
    here, there = (median(spent[name]) for name in ("processor", "gpu"))
    ratio = median(a / b for a, b in zip(spent["processor"], spent["gpu"], strict=True))
    print(
        f"{what}: {there:.3f} s on {device}, {here:.3f} s on {threads} threads ({ratio:.1f} x); "
        f"floor {bound:.3f} s ({there / bound:.2f} of it)",
        flush=True,
    )
    name = f"{what} on {device}"
    tell("devices", name, there, "s", f"processor, {threads} threads", here, ratio=ratio,
         better="larger")  # fmt: skip
    tell("devices", name, there, "s", "floor: one move and the products", bound, better="smaller")


def statistics_of(X: np.ndarray, y: np.ndarray) -> Callable[[str], Any]:
    """Sums of all rows, on a device."""
    return lambda device: gather_statistics(X, {"class": y}, device=device)


def grid_of(X: np.ndarray, y: np.ndarray, method: str) -> Callable[[str], Any]:
    """A grid of one target at one site, with all its controls, on a device."""
    corpus = Corpus(len(X))
    sites = {f"site {number}": X for number in range(SITES)}
    return lambda device: probe(
        sites, corpus, targets={"class": y}, method=method, device=device, seed=0
    )


def main() -> None:
    """Print all lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sizes", nargs="+", default=["20000x768", "100000x1024"])
    parser.add_argument("--methods", nargs="+", default=["lda", "logistic"])
    args = parser.parse_args()
    threads = os.cpu_count() or 1
    places = {"processor": "cpu", "gpu": args.device}
    for size in args.sizes:
        X, y = planted(*map(int, size.split("x")))
        for method in ("statistics", *args.methods):
            work = statistics_of(X, y) if method == "statistics" else grid_of(X, y, method)
            spent = in_turn({name: partial(work, at) for name, at in places.items()}, args.rounds)
            kind = "statistics" if method == "statistics" else f"{method} grid of {SITES} sites"
            what = f"{kind} of {X.shape[0]:,} x {X.shape[1]:,}"
            compared(what, spent, floor(X, method, args.device), args.device, threads)


if __name__ == "__main__":
    main()
