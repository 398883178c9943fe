"""What a trained model uses: pattern, readout, random subspaces, whole state, at every site.

    python benchmarks/causal_trained.py [--steps 2500] [--pairs 1000] [--keep FOLDER]

Trains the plain transformer on a random hierarchy (two to three minutes on one thread; ``--keep``
saves the model, and takes it from there the next time), estimates pattern and readout of every
height at the last tokens of spans, and exchanges them. Divergences are in nats from the exact
counterfactual, means over pairs whose labels differ.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from linrep import (
    Corpus,
    Subspace,
    capture,
    families,
    interchange,
    load_model,
    pattern_subspace,
    readout_subspace,
)
from linrep.core import height_target
from linrep.models import train

SITES = (0, 1, 3)
Spaces = dict[tuple[str, str], Subspace]


def spaces_of(model: Any, corpus: Corpus, heights: tuple[int, ...]) -> tuple[Spaces, Spaces]:
    """Patterns and readouts, the position as covariate."""
    acts = capture(model, corpus, progress=False)
    patterns: Spaces = {}
    readouts: Spaces = {}
    for height in heights:
        ends = corpus.boundary(height)
        labels, places = corpus.labels(height)[ends], corpus.positions[ends]
        for block in SITES:
            site = f"blocks.{block}.hook_resid_post"
            rows = np.asarray(acts[site])[ends]
            cell = site, height_target(height)
            patterns[cell] = pattern_subspace(rows, labels, others={"position": places})
            readouts[cell] = readout_subspace(rows, labels, others={"position": places})
    return patterns, readouts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    grammar = families.random_hierarchy(4, 2, 2, 3, seed=0)
    if asked.keep and asked.keep.exists():
        model = load_model(asked.keep).model
    else:
        model = train(grammar, sentences=20_000, steps=asked.steps, learning_rate=2e-3).model
        if asked.keep:
            model.save_pretrained(asked.keep)
    patterns, readouts = spaces_of(model, grammar.sample(1500, seed=9), (1, 2))
    for protocol in ("last token", "whole span"):
        found = interchange(
            model, grammar.sample(3000, seed=7), patterns, readouts=readouts,
            n=asked.pairs, draws=asked.draws, protocol=protocol,
        )  # fmt: skip
        frame = found.to_frame().set_index(["target", "site"])
        print(f"\n{protocol}")
        names = ["dim", "kl_base", "kl_edit", "kl_readout", "kl_random", "kl_placebo", "kl_drawn",
                 "kl_whole", "kl_twin", "kl_source", "kl_equal_base", "kl_equal_edit"]  # fmt: skip
        print(frame[names].sort_index().round(4).to_string())
        more = ["share", "share_low", "share_high", "share_whole", "share_readout",
                "share_drawn_high", "completeness", "selectivity", "reliability", "p"]  # fmt: skip
        print(frame[more].sort_index().round(4).to_string())


if __name__ == "__main__":
    main()
