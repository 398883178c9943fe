"""How often an untrained model is told to be as theory predicts, in whatever basis.

    python benchmarks/calibration_invariants.py [--language latin] [--runs 25]

Each page takes six untrained models of one shape on other sentences: one is measured, five stand
beside it. No row may say "as predicted" or "partly" more often than the level, 5 % of pages. The
page of a trained model asks first whether it has learned its language; here nobody asks.
"""

import argparse
from collections import Counter

import torch
from scipy import stats

from linrep import (
    GrammarTransformer,
    capture,
    families,
    measure_invariants,
    probe,
    random_twin,
    train,
)
from linrep.core import progress

LANGUAGES = {
    "latin": families.latin(3, 3, start="one"),
    "hierarchy": families.random_hierarchy(4, 3, 2, 3, seed=0),
}
HEIGHTS = (1, 2)
SENTENCES = 400
SAID = ("as predicted", "partly")


def main() -> None:
    """Print the pages on which something was said, and their share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=LANGUAGES, default="latin")
    parser.add_argument("--runs", type=int, default=25)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    grammar = LANGUAGES[asked.language]
    made = GrammarTransformer.from_grammar(grammar, rotation=1)
    shape = train(grammar, sentences=50, steps=1).model
    states: Counter[str] = Counter()
    pages = 0
    for seed in progress(range(asked.runs), "pages", unit="page"):
        corpus = grammar.sample(SENTENCES, seed=seed)
        own, *twins = (
            capture(random_twin(shape, seed=100 * seed + i), corpus, progress=False, check=())
            for i in range(6)
        )
        results = probe(
            own, corpus, heights=HEIGHTS, positions="boundary", random_weights=twins,
            controls=("random_weights",), permutations=0, bootstrap=50, C=10.0, jackknife=0,
            ceilings={f"height {h}": corpus.max_posterior(h, "boundary") for h in HEIGHTS},
            seed=seed,
        )  # fmt: skip
        found = measure_invariants(
            results, own, corpus, made.predictions, random_weights=twins, seed=seed
        )
        said = [(row.name, row.target, row.state) for row in found.rows if row.state in SAID]
        pages += bool(said)
        states.update(row.state for row in found.rows)
        if said:
            print(seed, said, flush=True)
    low, high = stats.binomtest(pages, asked.runs).proportion_ci(method="exact")
    print(
        f"{asked.language}: {pages} of {asked.runs} pages ({low:.3f} to {high:.3f}); rows: "
        + ", ".join(f"{state} {n}" for state, n in states.most_common())
    )


if __name__ == "__main__":
    main()
