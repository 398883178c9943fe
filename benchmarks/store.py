"""The store's throughput beside a raw memory-mapped file, and kills, in one run.

    python benchmarks/store.py                   # 2 GiB of activations
    python benchmarks/store.py --gib 0.5 --rounds 6
    python benchmarks/store.py --kills 50        # kill 50 captures at random instants and resume

Rates are medians over rounds in which the methods take turns; writes also take turns at being
first, so that an even number of rounds treats both alike. Writes are flushed to the disk, of both;
the raw file has no digest. From the second round on each is written as its predecessor has just
been removed: memory that a virtual machine has lent back to its host makes a write of either kind
slower, so that neither may find more of it than the other.
``first read`` includes the check of every byte; ``next read`` does not repeat it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from figures import tell

from linrep.hooks.store.activations import Activations
from linrep.hooks.store.manifest import FORMAT
from linrep.hooks.store.shardfile import write_shard
from linrep.hooks.store.store import Store

SITES = tuple(f"blocks.{i}.hook_resid_post" for i in range(12))
WIDTH, SHARD = 768, 8192


def identity(words: int) -> dict:
    """A manifest as a capture would write it."""
    account = {"total": words, "vanished": [], "cut": []}
    return {
        "format": FORMAT,
        "sites": list(SITES),
        "model": {"d_model": WIDTH},
        "settings": {"dtype": "float32"},
        "corpus": {"fingerprint": "", "words": words},
        "words": account,
    }


def write_store(folder: Path, blocks: list[dict[str, np.ndarray]], rows: int) -> None:
    bounds = list(range(0, rows * len(blocks) + 1, rows))
    store = Store(folder, identity(bounds[-1]), bounds, dict)
    for i, block in enumerate(blocks):
        store.finish(i, write_shard(store.file(i), block, WIDTH, "float32"))
    store.close()


def write_raw(file: Path, blocks: list[dict[str, np.ndarray]], rows: int) -> None:
    shape = (len(blocks), len(SITES), rows, WIDTH)
    whole = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
    for i, block in enumerate(blocks):
        for k, site in enumerate(SITES):
            whole[i, k] = block[site]
        whole.flush()


def read_raw(file: Path, count: int, rows: int) -> float:
    """One site after the other, shard by shard, as a probe reads."""
    shape = (count, len(SITES), rows, WIDTH)
    whole = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
    return sum(float(whole[i, k].sum()) for k in range(len(SITES)) for i in range(count))


def read_store(acts: Activations, rows: int) -> float:
    total = 0.0
    for site in acts.sites:
        array = acts[site]
        for begin in range(0, len(array), rows):
            total += float(array[begin : begin + rows].sum())
    return total


def forget(*files: Path) -> None:
    """Ask the system to drop these files from its cache."""
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def remove(place: Path) -> None:
    """A file, or a folder of files."""
    for file in place.iterdir() if place.is_dir() else [place]:
        file.unlink(missing_ok=True)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def measure(folder: Path, gib: float, rounds: int) -> None:
    per_shard = 4 * WIDTH * SHARD * len(SITES)
    count = max(1, round(gib * 2**30 / per_shard))
    random = np.random.default_rng(0)
    block = {s: random.standard_normal((SHARD, WIDTH), dtype=np.float32) for s in SITES}
    blocks = [block] * count
    times: dict[str, list[float]] = {}

    def note(name: str, run: Callable[[], object]) -> None:
        times.setdefault(name, []).append(seconds(run))

    raw, store = folder / "raw", folder / "store"
    for turn in range(rounds):
        writes = [
            ("write raw", raw, lambda: write_raw(raw, blocks, SHARD)),
            ("write store", store, lambda: write_store(store, blocks, SHARD)),
        ]
        for name, place, write in writes[:: -1 if turn % 2 else 1]:
            remove(place)
            note(name, write)
        for state in ("cold", "warm"):
            if state == "cold":
                forget(raw, *store.glob("*.safetensors"))
            note(f"read raw, {state}", lambda: read_raw(raw, count, SHARD))
            if state == "cold":
                forget(raw, *store.glob("*.safetensors"))
            acts = Activations.open(store)
            note(f"first read of store, {state}", lambda a=acts: read_store(a, SHARD))
        note("next read of store, warm", lambda a=acts: read_store(a, SHARD))
        note("verify by SHA-256", lambda: Activations.open(store, verify=True))
        del acts  # what is still mapped keeps its memory when it is removed
    size = per_shard * count / 1e6
    rate = {name: size / statistics.median(values) for name, values in times.items()}
    for name, value in rate.items():
        print(f"  {name:28s} {value:8.0f} MB/s")
    for name, other, least in (
        ("write store", "write raw", 0.8),
        ("first read of store, cold", "read raw, cold", 0.9),
        ("first read of store, warm", "read raw, warm", 0.9),
        ("next read of store, warm", "read raw, warm", 0.9),
    ):
        ratio = rate[name] / rate[other]
        tell("store", name, rate[name], "MB/s", other, rate[other], better="larger", bar=least)
        told = "met" if ratio >= least else "NOT MET"
        print(f"  {name} / {other}: {ratio:.2f} (at least {least:.2f}) {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--kills", type=int)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.kills is None:
            measure(Path(folder), args.gib, args.rounds)
            return
        script = Path(__file__).resolve().parents[1] / "tests" / "hooks" / "kill_store.py"
        subprocess.run(
            [sys.executable, str(script), folder, str(args.kills), "0"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
        )


if __name__ == "__main__":
    main()
