"""Peak memory of streaming statistics: many batches against few, each in its own process.

    python benchmarks/capture_memory.py            # 10 and 1,000 batches of a small GPT-2
    python benchmarks/capture_memory.py --one 50   # peak of one run, in MiB

Beside the peak of the whole process stands what the run added to the process that had loaded
everything, and what keeping the activations would have added.
"""

import argparse
import json
import resource
import subprocess
import sys

import numpy as np

LINES, LENGTH, TARGETS = 8, 32, 4


def one(batches: int, small: bool) -> dict[str, float]:
    """Peak of the process and what streaming ``batches`` batches added to it, in MiB."""
    from linrep.hooks import stream
    from linrep.models import PlainConfig, PlainTransformer, initialise
    from linrep.probes import Statistics

    words = ["<bos>", *(f"w{i}" for i in range(50)), "<eos>"]
    width = 128 if small else 256
    config = PlainConfig(
        vocabulary=words,
        hidden_size=width,
        num_hidden_layers=4,
        intermediate_size=4 * width,
        max_position_embeddings=LENGTH + 1,
        layer_norm=True,
    )
    model = initialise(PlainTransformer(config), seed=0)
    random = np.random.default_rng(0)
    picked = random.integers(1, 51, size=(batches * LINES, LENGTH))
    corpus = [[words[i] for i in line] for line in picked]
    labels = np.array([words[i] for i in picked.reshape(-1)])
    targets = {f"target {i}": labels for i in range(TARGETS)}
    inputs = resident()
    stream(
        model,
        corpus,
        Statistics.from_arrays,
        targets,
        batch_size=LINES,
        progress=False,
        shard_words=8 * LINES * LENGTH,
    )
    return {
        "peak": peak(),
        "added": peak() - inputs,
        "words": len(labels),
        "bytes_per_word": 4 * width * (config.num_hidden_layers + 1),
    }


def peak() -> float:
    """Highest resident size so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident() -> float:
    """Resident size now, MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int)
    parser.add_argument("--small", action="store_true")
    args = parser.parse_args()
    if args.one is not None:
        print(json.dumps(one(args.one, args.small)))
        return
    peaks = {}
    for batches in (10, 1000):
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(batches)],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)
        peaks[batches] = told["peak"]
        kept = told["words"] * told["bytes_per_word"] / 2**20
        print(
            f"{batches:5d} batches: peak {told['peak']:7.1f} MiB, of which the run added "
            f"{told['added']:6.1f} MiB (keeping the activations: {kept:7.1f} MiB)"
        )
    print(f"peak ratio {peaks[1000] / peaks[10]:.3f} (at most 1.20 is asked)")


if __name__ == "__main__":
    main()
