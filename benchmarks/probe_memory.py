"""Peak memory and CPU seconds of a probe grid over a store, beside the floor of its work.

    python benchmarks/probe_memory.py                        # 200,000 rows of 1,024 numbers
    python benchmarks/probe_memory.py --rows 1000000 --width 4096 --method ridge
    python benchmarks/probe_memory.py --controls ""          # without anything beside the scores
    python benchmarks/probe_memory.py --method logistic --file
    python benchmarks/probe_memory.py --workers 1 2          # statistics alone, over processes

The probe runs in a process of its own, on one thread. *Added* is what it holds beyond the process
that has loaded the library, the words and the labels. The floor is one read of all rows per pass
(two passes of the training rows for mean and scatter, one for the sums, one of the test rows), and
the product that makes the scatter; ``--method ridge`` adds the rotation that exact leave-one-out
needs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from figures import tell

SITE, SHARD, CLASSES, LENGTH = "blocks.0.hook_resid_post", 8192, 20, 20


def write(folder: Path, rows: int, width: int) -> None:
    """A store of one site: class means in noise, the classes are :func:`labels`."""
    from linrep.hooks.store.manifest import FORMAT
    from linrep.hooks.store.shardfile import write_shard
    from linrep.hooks.store.store import Store

    identity = {
        "format": FORMAT,
        "sites": [SITE],
        "model": {"d_model": width},
        "settings": {"dtype": "float32"},
        "corpus": {"fingerprint": "", "words": rows},
        "words": {"total": rows, "vanished": [], "cut": []},
    }
    bounds = [*range(0, rows, SHARD), rows]
    rng, codes = np.random.default_rng(0), labels(rows)
    means = rng.standard_normal((CLASSES, width), dtype=np.float32) / 8
    store = Store(folder, identity, bounds, dict)
    for i, (begin, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
        block = rng.standard_normal((end - begin, width), dtype=np.float32)
        block += means[codes[begin:end]]
        store.finish(i, write_shard(store.file(i), {SITE: block}, width, "float32"))
    store.close()


def labels(rows: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, CLASSES, rows)


class Corpus:
    """Sentences of twenty words from a vocabulary of a thousand."""

    heights: tuple[int, ...] = ()

    def __init__(self, rows: int) -> None:
        self.words = np.random.default_rng(2).integers(0, 1000, rows).astype(str)
        self.sentence_ids = np.arange(rows) // LENGTH
        self.positions = np.arange(rows) % LENGTH
        self.labels = self.boundary = lambda _height: None


def one(
    folder: Path, rows: int, method: str, controls: list[str], *, file: bool
) -> dict[str, float]:
    """What one probe takes, in this process; the logistic solver's rows in a file, if asked for."""
    from linrep.hooks.store.activations import Activations
    from linrep.probes import probe
    from linrep.probes.solvers import scratch

    if file:
        scratch.SHARE = 0.0
    corpus, targets = Corpus(rows), {"class": labels(rows).astype(str)}
    acts = Activations.open(folder)
    before, began = resident(), time.process_time()
    options = {"permutations": 0, "bootstrap": 0} if not controls else {}
    found = probe(acts, corpus, targets=targets, method=method, controls=controls, **options)
    taken = time.process_time() - began
    high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak": high, "added": high - before, "cpu": taken, "value": found.scores[0].value}


def gathered(folder: Path, rows: int, workers: list[int]) -> None:
    """Seconds of a clock for the statistics of all rows, over so many processes."""
    from linrep import gather_statistics
    from linrep.core import make_engine
    from linrep.hooks.store.activations import Activations

    matrix, codes = Activations.open(folder)[SITE], labels(rows).astype(str)
    found = {}
    for count in workers:
        engine = make_engine(f"processes:{count}")
        dict(engine.map(abs, range(count)))  # workers spend seconds on their imports
        gather_statistics(matrix[: SHARD // 4], codes[: SHARD // 4], engine=engine)
        began = time.perf_counter()
        found[count] = gather_statistics(matrix, codes, engine=engine)
        taken = time.perf_counter() - began
        engine.close()
        same = np.array_equal(found[count].scatter_xx, found[workers[0]].scatter_xx)
        print(
            f"statistics of {rows:,} x {matrix.shape[1]:,} over {count} processes: {taken:.1f} s"
            f"{', equal to the byte' if same else ', NOT equal'}"
        )


def floor(folder: Path, rows: int, width: int, method: str) -> dict[str, float]:
    """CPU seconds of reading, and of the products that cannot be left out."""
    from linrep.hooks.store.activations import Activations

    array = Activations.open(folder)[SITE]
    array[:1]
    began = time.process_time()
    for start in range(0, rows, SHARD):
        array[np.arange(start, min(start + SHARD, rows))]
    read = time.process_time() - began
    block = array[:4096].astype(np.float64)
    began = time.process_time()
    for _ in range(4):
        block.T @ block
    product = (time.process_time() - began) / 4 * (0.7 * rows / len(block))
    rotation = 0.0
    if method == "ridge":
        narrow, axes = block.astype(np.float32), np.eye(width, dtype=np.float32)
        began = time.process_time()
        for _ in range(4):
            narrow @ axes
        rotation = (time.process_time() - began) / 4 * (0.7 * rows / len(block))
    passes = 3 * 0.7 + 0.3 + (0.7 if method == "ridge" else 0.0)
    return {"read": passes * read, "product": product, "rotation": rotation}


def resident() -> float:
    """Resident size now, MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--method", default="lda")
    parser.add_argument("--controls", default="shuffled,control_task,position,word_identity")
    parser.add_argument("--store", type=Path, help="where the rows lie, or are to be written")
    parser.add_argument("--file", action="store_true", help="the solver's rows lie in a file")
    parser.add_argument("--workers", type=int, nargs="+", help="processes, one after another")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        controls = [name for name in args.controls.split(",") if name]
        print(json.dumps(one(args.store, args.rows, args.method, controls, file=args.file)))
        return
    if args.floor:
        print(json.dumps(floor(args.store, args.rows, args.width, args.method)))
        return
    with tempfile.TemporaryDirectory(prefix="linrep-probe-memory-") as scratch:
        store = args.store or Path(scratch) / "store"
        if not (store / "manifest.json").exists():
            write(store, args.rows, args.width)
        if args.workers:
            gathered(store, args.rows, args.workers)
            return
        told: dict[str, float] = {}
        for step in ("--one", "--floor"):
            command = [sys.executable, __file__, *sys.argv[1:], step, "--store", str(store)]
            one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=os.environ | one_thread
            )
            told |= json.loads(done.stdout.splitlines()[-1])
    rows = args.rows * args.width * 4 / 2**20
    bound = told["read"] + told["product"] + told["rotation"]
    what = f"{args.method} grid of {args.rows:,} x {args.width:,}"
    # The logistic solver reads its rows in every pass: closed forms are no floor of its work.
    beside, bar = ("closed forms' floor", None) if args.method == "logistic" else ("floor", 1.5)
    tell("store grid", what, told["cpu"], "CPU s", beside, bound, better="smaller", bar=bar)
    tell("store grid", what, told["added"], "MiB", "all rows", rows, better="smaller")
    print(
        f"{args.rows:,} x {args.width:,}, {args.method}: rows {rows:,.0f} MiB; peak "
        f"{told['peak']:,.0f} MiB, added {told['added']:,.0f} MiB; {told['cpu']:.1f} CPU s "
        f"(floor {bound:.1f}: reading {told['read']:.1f}, scatter {told['product']:.1f}, rotation "
        f"{told['rotation']:.1f}); ratio {told['cpu'] / bound:.2f}; value {told['value']:.6f}"
    )


if __name__ == "__main__":
    main()
