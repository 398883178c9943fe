"""How often the fourth rung is reached where nothing is to be found.

    python benchmarks/causal_false.py [--runs 200] [--kinds random shuffled permuted]

Each run is one page: a small language, a model, a grid of probes, exchanges of every learned
pattern, and the verdicts, at the level of 5 % for the page. Of three kinds in turn: a model with
random weights; a trained model whose labels are shuffled among tokens of equal position; a
constructed model whose predictions are interchanged between heights. Printed are the pages on
which any cell reaches the fourth rung, and, more strictly, those on which any cell's fourth
question alone is answered yes although the first says no.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from linrep import (
    Comparison,
    Corpus,
    Grammar,
    GrammarTransformer,
    capture,
    compare,
    families,
    interchange,
    probe,
    random_twin,
)
from linrep.core import Prediction
from linrep.models import PlainConfig, PlainTransformer, initialise, train, word_ids

LEVEL = 0.05
KINDS = ("random", "shuffled", "permuted")
WIDTH, BLOCKS = 24, 2


def language(seed: int) -> Grammar:
    """A small hierarchy."""
    return families.random_hierarchy(4, 2, 2, 3, seed=seed % 7)


def shuffled(corpus: Corpus, seed: int) -> Corpus:
    """The corpus with each height's labels shuffled among the ends of spans at equal positions."""
    rng = np.random.default_rng(seed)
    layers = {}
    for height, layer in corpus.layers.items():
        symbols = layer.symbols.copy()
        for place in np.unique(corpus.positions):
            rows = np.flatnonzero(layer.boundary & (corpus.positions == place))
            symbols[rows] = symbols[rng.permutation(rows)]
        layers[height] = replace(layer, symbols=symbols)
    return replace(corpus, layers=layers)


def page(kind: str, seed: int, trained: Callable[[int], Any]) -> Comparison:
    """The comparison of one page."""
    grammar = language(seed)
    corpus = grammar.sample(150, seed=seed)
    predictions: list[Prediction] = []
    if kind == "permuted":
        built = GrammarTransformer.from_grammar(grammar, rotation=seed)
        model, truth = built.model, {(p.site, p.target): p for p in built.predictions}
        other = {"height 1": "height 2", "height 2": "height 1"}
        predictions = [
            replace(p, subspace=truth[p.site, other[p.target]].subspace,
                    rank=truth[p.site, other[p.target]].rank)
            for p in built.predictions
        ]  # fmt: skip
    elif kind == "random":
        words = word_ids(list(grammar.terminals))
        config = PlainConfig(vocabulary=words, hidden_size=WIDTH, num_hidden_layers=BLOCKS,
                             num_attention_heads=2)  # fmt: skip
        model = initialise(PlainTransformer(config), seed=10_000 + seed)
    else:
        model, corpus = trained(seed % 7), shuffled(corpus, seed)
    acts = capture(model, corpus, progress=False, check=False)
    twins = [
        capture(random_twin(model, seed=20_000 + 3 * seed + i), corpus, progress=False, check=False)
        for i in range(3)
    ]
    found = probe(
        acts, corpus, heights=[1, 2], positions="boundary", C=1.0, random_weights=twins,
        controls=("shuffled", "random_weights"), permutations=60, bootstrap=0, seed=seed,
    )  # fmt: skip
    done = None
    if found.patterns:
        done = interchange(model, corpus, found.patterns, n=60, draws=6, bootstrap=0, seed=seed)
    return compare(found, predictions, exchanges=done, level=LEVEL, draws=100, seed=seed)


def main() -> None:
    """Print the counts."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--steps", type=int, default=400)
    asked = parser.parse_args()
    models: dict[int, Any] = {}

    def trained(seed: int) -> Any:
        if seed not in models:
            models[seed] = train(language(seed), steps=asked.steps, hidden_size=WIDTH,
                                 num_hidden_layers=BLOCKS, num_attention_heads=2,
                                 learning_rate=4e-3, seed=seed).model  # fmt: skip
        return models[seed]

    started = time.monotonic()
    counts = {kind: [0, 0, 0, 0] for kind in asked.kinds}
    for run in range(asked.runs):
        kind = asked.kinds[run % len(asked.kinds)]
        rows = page(kind, run, trained).rows
        tally = counts[kind]
        tally[0] += 1
        tally[1] += any(row.verdicts.rung == 4 for row in rows)
        tally[2] += any(row.verdicts.causal.state == "yes" for row in rows)
        tally[3] += any(row.verdicts.causal.state != "not tested" for row in rows)
        if (run + 1) % 20 == 0:
            print(f"{run + 1} pages, {time.monotonic() - started:.0f} s: {counts}", flush=True)
    for kind, (pages, reached, alone, tested) in counts.items():
        low, high = stats.binomtest(reached, pages).proportion_ci(method="exact")
        print(
            f"{kind}: rung 4 on {reached} of {pages} pages ({low:.3f} to {high:.3f}; stated: at "
            f"most {LEVEL}); the fourth question alone said yes on {alone}, was answered on "
            f"{tested}"
        )
    reached, pages = (sum(c[i] for c in counts.values()) for i in (1, 0))
    print(f"together: rung 4 on {reached} of {pages} pages")


if __name__ == "__main__":
    main()
