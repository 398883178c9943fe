"""What exchanges cost beside the passes that they need at least, on SmolLM2's number agreement.

    python benchmarks/causal_cost.py --blimp FOLDER                  # 1,000 pairs x 30 sites
    OMP_NUM_THREADS=1 python benchmarks/causal_cost.py --blimp FOLDER --pairs 200

Model and data are those of causal_agreement.py; all beginnings of two words or more are exchanged,
at every block, with the readout, two draws of each control and the whole state. "Needed" are base
and source once and, for each site and arm, the one edited token in the blocks behind the site.
Their processor time is that of the model's own passes over one token of many inputs, behind a
cache, measured before and after the exchanges, for a machine that others use.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import torch
from causal_agreement import estimates, read_blimp
from figures import tell
from pretrained import smollm2

from linrep import interchange, load_model, minimal_pairs

DRAWS = 2


@dataclass(frozen=True)
class Cost:
    """What exchanges cost, and the least that they can."""

    block_tokens: int
    least_block_tokens: int
    seconds: float
    least_seconds: float

    def __str__(self) -> str:
        return (
            f"blocks times tokens run {self.block_tokens:,}, needed {self.least_block_tokens:,}: "
            f"ratio {self.block_tokens / self.least_block_tokens:.2f}; CPU {self.seconds:.0f} s, "
            f"the passes alone {self.least_seconds:.0f} s: ratio "
            f"{self.seconds / self.least_seconds:.2f}"
        )


def least(inner: Any, lengths: list[tuple[int, int]], sites: list[str], arms: int) -> int:
    """Blocks times tokens that are needed.

    The base up to its edited token, which is the last, and the source, whole; and per site and arm
    the one edited token in the blocks behind the site.
    """
    n = inner.config.num_hidden_layers
    behind = sum(n - (int(site.split(".")[1]) + site.endswith("post")) for site in sites)
    return sum(n * (base + source) + arms * behind for base, source in lengths)


def rate_of(inner: Any, before: int, rows: int = 1024) -> float:
    """CPU seconds of one block and token, by the model's own passes.

    Each is one token of many inputs, behind the keys and values of as many tokens as stand before
    the edited one in the mean; the median of five passes.
    """
    size = int(inner.config.vocab_size)
    draw = torch.Generator().manual_seed(0)
    first, one = (torch.randint(10, size, (rows, n), generator=draw) for n in (before, 1))
    spent = []
    with torch.inference_mode():
        cache = inner.base_model(first, use_cache=True).past_key_values
        for _ in range(6):
            begun = time.process_time()
            inner.base_model(one, past_key_values=cache, use_cache=True)
            spent.append(time.process_time() - begun)
            cache.crop(-1)
    return float(np.median(spent[1:])) / (rows * inner.config.num_hidden_layers)


def main() -> None:
    """Print the cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=None)
    parser.add_argument("--blimp", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=1000)
    asked = parser.parse_args()
    model = load_model(asked.model or str(smollm2(Path(gettempdir()) / "linrep-smollm2")))
    inner = model.model.float()
    rows = [row for row in read_blimp(asked.blimp) if len(row[0]) > 1]
    made = estimates(model, rows, list(range(inner.config.num_hidden_layers)))
    prefixes, answers, numbers = zip(*rows, strict=True)
    pairs = minimal_pairs(prefixes, answers, numbers, n=asked.pairs)
    lengths = [
        tuple(len(model.tokenizer(" ".join(words))["input_ids"]) for words in both)
        for both in zip(pairs.base, pairs.source, strict=True)
    ]
    sites, arms = [site for site, _ in made.ordinary], 3 + 3 * DRAWS
    needed = least(inner, lengths, sites, arms)
    before = max(1, round(float(np.mean([base for base, _ in lengths]))) - 1)
    rates = [rate_of(inner, before)]
    begun = time.process_time()
    found = interchange(
        model, None, made.ordinary, readouts=made.readouts, pairs=pairs, draws=DRAWS, twin=False
    )
    spent = time.process_time() - begun
    rates.append(rate_of(inner, before))
    cost = Cost(found.cost["number"], needed, spent, float(np.mean(rates)) * needed)
    n = torch.get_num_threads()
    print(
        f"{len(pairs)} pairs x {len(sites)} sites x {arms} arms, {n} thread{'s' * (n > 1)}: {cost}"
    )
    tell(
        "exchanges", f"SmolLM2, {len(pairs)} pairs x {len(sites)} sites x {arms} arms",
        cost.seconds, "CPU s", "the passes alone", cost.least_seconds, better="smaller", bar=1.2,
    )  # fmt: skip


if __name__ == "__main__":
    main()
