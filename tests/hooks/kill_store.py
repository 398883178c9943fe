"""Kill captures at random instants and resume them; run as a script: FOLDER KILLS SEED.

Every second kill falls at a random instant, every other one as soon as a random number of shards is
there, so that kills between shards occur on a machine of any speed.

Children are forked from a process that has imported everything, so that a kill costs no import.
Needs OMP_NUM_THREADS=1: a thread pool does not survive a fork.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

WORDS = ["<bos>", "a", "b", "c", "<eos>"]
SHARDS = 12


def main(folder: Path, kills: int, seed: int) -> None:
    import numpy as np

    from linrep.hooks import Activations, capture
    from linrep.models import PlainConfig, PlainTransformer, initialise

    config = PlainConfig(vocabulary=WORDS, hidden_size=64, max_position_embeddings=32)
    model = initialise(PlainTransformer(config), seed=0)
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 30, size=10 * SHARDS)
    corpus = [list(random.choice(WORDS[1:4], size=n)) for n in lengths]
    words = int(lengths.sum())

    def run(store: Path) -> None:
        capture(model, corpus, store=store, check=False, shard_words=words // SHARDS)

    def child(store: Path) -> int:
        pid = os.fork()
        if pid == 0:
            run(store)
            os._exit(0)
        return pid

    whole = folder / "whole"
    run(whole)
    began = time.perf_counter()
    os.waitpid(child(folder / "timed"), 0)
    duration = time.perf_counter() - began
    expected = read(whole)
    partial = 0
    for i in range(kills):
        store = folder / f"killed-{i}"
        instant, shards = float(random.uniform(0, duration)), int(random.integers(1, SHARDS))
        pid = child(store)
        if i % 2:
            time.sleep(instant)
        else:
            wait_for(shards, store, pid)
        os.kill(pid, signal.SIGKILL)  # one that has ended is there until it is waited for
        os.waitpid(pid, 0)
        if (store / "manifest.json").exists():
            acts = Activations.open(store, corpus)
            known = len(acts.manifest["shards"]) - len(acts.manifest.get("missing_shards", []))
            partial += 0 < known < len(acts.manifest["shards"])
            if known:
                np.asarray(acts[acts.sites[0]][acts.kept])
        run(store)
        if read(store) != expected:
            sys.exit(f"store {i} differs from the uninterrupted one")
    print(json.dumps({"kills": kills, "partial": partial, "shards": len(expected) - 1}))


def wait_for(shards: int, store: Path, pid: int) -> None:
    """Until a child's store holds so many shards, or the child has ended."""
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, pid, ended) is None:
        if len(list(store.glob("shard-*.safetensors"))) >= shards:
            return
        time.sleep(1e-4)


def read(store: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(store.iterdir())}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
