"""LEACE against the concept-erasure package: the derivation, from the same statistics.

    python benchmarks/erasure.py                        # d = 768 and 2,048
    python benchmarks/erasure.py --d 768 --repeats 5

Both sides have streamed the same batch before the clock starts; what is timed is the step from
statistics to projection. Medians of ``--repeats``; both are float64 and agree to the figure shown.
"""

import argparse
import json
import time
import warnings

import numpy as np
import torch
from figures import tell
from threadpoolctl import threadpool_limits

from linrep.probes import Eraser, Statistics

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from concept_erasure import LeaceFitter

CLASSES = 10


def compare(d: int, rows: int, repeats: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, rows)
    X = rng.standard_normal((rows, d)) * np.arange(1, d + 1) ** -0.25
    X += rng.standard_normal((CLASSES, d))[y] * 0.3
    statistics = Statistics.from_arrays(X, y)
    fitter = LeaceFitter(
        d, CLASSES, dtype=torch.float64, shrinkage=False, constrain_cov_trace=False
    )
    fitter.update(torch.from_numpy(X), torch.nn.functional.one_hot(torch.from_numpy(y)).double())
    ours, theirs = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        eraser = Eraser.fit(statistics)
        ours.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        fitter.__dict__.pop("_cached_eraser", None)
        start = time.perf_counter(), time.process_time()
        other = fitter.eraser
        theirs.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    (wall, cpu), (slow, slow_cpu) = (np.median(times, axis=0) for times in (ours, theirs))
    tell(
        "erasure", f"LEACE of {d} dimensions", float(wall), "s", "concept-erasure", float(slow),
        ratio=float(slow / wall), better="larger",
    )  # fmt: skip
    mine = np.eye(d) - eraser.left @ eraser.right
    return {
        "d": d,
        "rows": rows,
        "seconds": round(float(wall), 4),
        "concept_erasure_seconds": round(float(slow), 4),
        "ratio_wall": round(float(slow / wall), 1),
        "ratio_cpu": round(float(slow_cpu / cpu), 1),
        "largest_difference": float(np.abs(mine - other.P.numpy()).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--d", type=int, nargs="+", default=[768, 2048])
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with threadpool_limits(args.threads):
        print(json.dumps({"threads": args.threads}))
        for d in args.d:
            print(json.dumps(compare(d, args.rows, args.repeats)), flush=True)


if __name__ == "__main__":
    main()
