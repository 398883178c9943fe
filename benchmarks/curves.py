"""How the cost of probing and capturing grows: tokens, width, classes, sites, targets, layers.

    python benchmarks/curves.py
    python benchmarks/curves.py --quick

Each line is one quantity, doubled from row to row with all others fixed. The exponent is that of
the last doubling: 1 is proportional. Below 1 a fixed cost is shared; a scatter matrix grows with
the square of the width, so that its exponent goes to 2. Times are CPU seconds of one thread, the
least of three runs.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from figures import least_seconds, tell
from threadpoolctl import threadpool_limits

from linrep import capture, probe
from linrep.models import BOS, EOS, PlainConfig, PlainTransformer, initialise

QUIET = {"controls": ("shuffled",), "permutations": 20, "bootstrap": 0}


WHY = {
    ("probe, lda", "tokens"): "proportional: every pass reads each row once; what is below 1 is "
    "the eigenvectors, which do not grow with rows",
    ("probe, lda", "width"): "between 1 (reading rows) and 2 (their scatter); 3 (eigenvectors) "
    "once the width nears the rows",
    ("probe, lda", "classes"): "near 0: class sums and scores cost a column a class, beside the "
    "scatter's column a feature",
    ("probe, lda", "sites"): "proportional, less the splits and shuffles that all sites share",
    ("probe, lda", "targets"): "below 1: targets share a site's rotation and sums",
    ("probe, logistic", "tokens"): "proportional: a step reads each row once, and the number of "
    "steps does not grow with rows",
    ("probe, logistic", "width"): "from 1 (products of steps) to 2 (the rotation)",
    ("probe, logistic", "classes"): "below 1: a step costs its columns beside a read of all rows",
    ("probe, logistic", "sites"): "proportional, less what all sites share",
    ("probe, logistic", "targets"): "below 1: targets share the rotation and the rows of a step",
    ("capture", "sentences"): "proportional, less the one set-up of hooks",
    ("capture", "layers"): "proportional, less the embedding",
    ("capture", "width"): "from 1 (hooks, norms, attention) to 2 (products of width times width)",
}
"""What each curve follows, and where it leaves the straight line."""


def grid(
    tokens: int, width: int, classes: int, sites: int, targets: int, method: str
) -> Callable[[], Any]:
    """A grid of planted classes."""
    draw = np.random.default_rng(0)
    labels = {f"target {t}": draw.integers(0, classes, tokens) for t in range(targets)}
    means = draw.standard_normal((classes, width), dtype=np.float32)
    rows = draw.standard_normal((tokens, width), dtype=np.float32)
    acts = {f"site {s}": rows + 0.2 * means[labels["target 0"]] for s in range(sites)}
    names = {name: values.astype(str) for name, values in labels.items()}
    return lambda: probe(acts, targets=names, method=method, seed=0, **QUIET)


def reading(layers: int, width: int, sentences: int) -> Callable[[], Any]:
    """A capture of a model with random weights."""
    words = [f"w{i}" for i in range(64)]
    config = PlainConfig(
        vocabulary=[BOS, *words, EOS], hidden_size=width, num_hidden_layers=layers,
        num_attention_heads=4, intermediate_size=4 * width, max_position_embeddings=32, mlp="gelu",
        layer_norm=True,
    )  # fmt: skip
    model = initialise(PlainTransformer(config), seed=0)
    draw = np.random.default_rng(0)
    texts = [[words[i] for i in line] for line in draw.integers(0, 64, (sentences, 24))]
    return lambda: capture(model, texts)


def line(name: str, unit: str, sizes: Sequence[int], make: Callable[[int], Callable]) -> None:
    """One quantity doubled."""
    spent = [least_seconds(make(size)) for size in sizes]
    steps = [math.log2(b / a) for a, b in zip(spent, spent[1:], strict=False)]
    print(f"\n{name}\n\n| {unit} | CPU s | exponent |\n|---|---|---|")
    for size, second, step in zip(sizes, spent, [math.nan, *steps], strict=True):
        print(
            f"| {size:,} | {second:.3f} | {'' if math.isnan(step) else f'{step:.2f}'} |", flush=True
        )
    for i in range(1, len(sizes)):
        what = f"{name}: {unit} from {sizes[i - 1]:,} to {sizes[i]:,}"
        tell(
            "curves", what, spent[i], "CPU s", "half the size", spent[i - 1], better="smaller",
            why=WHY[name, unit],
        )  # fmt: skip


def main() -> None:
    """Print the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    small = parser.parse_args().quick
    torch.set_num_threads(1)
    at = {"tokens": 2000, "width": 64} if small else {"tokens": 16_000, "width": 256}
    doubled = (1, 2) if small else (1, 2, 4, 8)
    with threadpool_limits(1):
        for method in ("lda", "logistic"):
            one = {**at, "classes": 4, "sites": 1, "targets": 1, "method": method}
            for name, sizes in {
                "tokens": [at["tokens"] // 4 * k for k in doubled],
                "width": [at["width"] // 4 * k for k in doubled],
                "classes": [4 * k for k in doubled],
                "sites": doubled,
                "targets": doubled,
            }.items():
                unit = name
                line(f"probe, {method}", unit, sizes, lambda k, n=unit, o=one: grid(**{**o, n: k}))
        many = 64 if small else 512
        line("capture", "sentences", [many // 4 * k for k in doubled], lambda k: reading(4, 64, k))
        line("capture", "layers", [2 * k for k in doubled], lambda k: reading(k, 64, many))
        line("capture", "width", [32 * k for k in doubled], lambda k: reading(4, k, many))


if __name__ == "__main__":
    main()
