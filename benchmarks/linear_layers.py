"""A model's linear layers by PyTorch's own choice and as a capture makes them, one thread.

    python benchmarks/linear_layers.py

Each round passes the same rows through a few layers of one size, in the two ways in turn; printed
is the median over rounds of the ratio in each: below 1, a capture's products take less time. Where
they are the same (no processor of AMD with AVX-512, or products below the bound of
``hooks/paths/linear.py``) the ratio is what looking at a layer's call costs.
"""

import argparse
import statistics
import time

import torch
from figures import tell
from torch import nn

from linrep.hooks.paths.arithmetic import FasterLayers
from linrep.hooks.paths.linear import ENOUGH, has_faster_linear

SIZES = ((64, 64), (64, 256), (384, 384), (384, 1536), (768, 2304), (768, 3072), (3072, 768))
TOKENS = (1, 8, 32, 128, 1024)
WEIGHTS = 2e7
"""Bytes of all layers together: more than a core's caches hold, as in a whole model."""


def main() -> None:
    """Print a table, and tell the largest products to ``run.py``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        f"oneDNN instead of PyTorch's own choice: {has_faster_linear()}; from {ENOUGH:,} products"
    )
    print(f"| layer | {' | '.join(f'{n:,} tokens' for n in TOKENS)} |")
    print("|---" * (1 + len(TOKENS)) + "|")
    for inputs, outputs in SIZES:
        count = max(1, min(50, int(WEIGHTS / (4 * inputs * outputs))))
        layers = nn.ModuleList(nn.Linear(inputs, outputs) for _ in range(count))
        ratios = []
        for tokens in TOKENS:
            own, ours = timings(layers, torch.randn(tokens, inputs), rounds)
            each = [a / b for a, b in zip(ours, own, strict=True)]
            ratios.append(statistics.median(each))
            if tokens == TOKENS[-1]:
                tell(
                    "linear layers, float32", f"{inputs} to {outputs}, {tokens:,} tokens",
                    1e3 * statistics.median(ours), "ms", "PyTorch's choice",
                    1e3 * statistics.median(own), ratio=ratios[-1], better="smaller",
                )  # fmt: skip
        print(f"| {inputs} to {outputs} | {' | '.join(f'{r:.2f}' for r in ratios)} |")


@torch.inference_mode()
def timings(layers: nn.ModuleList, rows: torch.Tensor, rounds: int) -> tuple[list[float], ...]:
    """Seconds of a pass through every layer: as PyTorch would, and as a capture does."""
    faster, found = FasterLayers(layers), ([], [])
    repeats = max(1, int(2e8 / (rows.numel() * sum(len(layer.weight) for layer in layers))))

    def passes() -> float:
        start = time.process_time()
        for _ in range(repeats):
            for layer in layers:
                layer(rows)
        return (time.process_time() - start) / repeats

    for _ in range(rounds + 1):
        found[0].append(passes())
        with faster.running():
            found[1].append(passes())
    return found[0][1:], found[1][1:]  # the first round warms caches up


if __name__ == "__main__":
    main()
