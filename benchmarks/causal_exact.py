"""Exchanges in constructed models of random grammars: exact inside the window, nothing outside.

    python benchmarks/causal_exact.py [--grammars 24] [--pairs 60]

For each grammar and each way to build its model: the largest error against the exact
counterfactual at the sites where theory promises exactness, the same without an edit, the largest
change at the sites that nothing uses, and completeness, selectivity, reliability at the former.
"""

import argparse
import math
import time
from typing import Any

import numpy as np

from linrep import Grammar, GrammarTransformer, families, interchange
from linrep.core import LinrepError

WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"rotation": 1},
    {"passes": 1},
    {"passes": 1, "rotation": 2},
    {"mode": "shapes"},
    {"mode": "shapes", "rotation": 3},
    {"semiring": "deterministic", "passes": 1},
)


def grammar_of(seed: int) -> Grammar:
    """A hierarchy whose sizes are drawn, or the Latin variant whose last token answers."""
    rng = np.random.default_rng(seed)
    if seed % 6 == 5:
        return families.latin(int(rng.integers(2, 5)), int(rng.integers(2, 4)), start="one")
    arity = int(rng.integers(2, 4))
    symbols = int(rng.integers(3, 6))
    depth = int(rng.integers(2, 4)) if arity == 2 else 2
    rules = int(rng.integers(2, symbols + 1))
    return families.random_hierarchy(symbols, rules, arity, depth, seed=seed)


def measured(grammar: Grammar, way: dict[str, Any], pairs: int, seed: int) -> dict[str, Any]:
    """The worst of every number over a model's cells."""
    built = GrammarTransformer.from_grammar(grammar, **way)
    claims = {(p.site, p.target): p for p in built.predictions if p.exact or p.used is False}
    spaces = {cell: claim.subspace for cell, claim in claims.items()}
    found = interchange(
        built, grammar.sample(8 * pairs, seed=seed), spaces,
        n=pairs, draws=2, bootstrap=0, twin=False, seed=seed,
    )  # fmt: skip
    exact = [row for cell, row in found.cells.items() if claims[cell].exact]
    idle = [row for cell, row in found.cells.items() if not claims[cell].exact]
    return {
        "cells": (len(exact), len(idle)),
        "error": max((row.error for row in exact), default=math.nan),
        "unedited": max((row.error_base for row in exact), default=math.nan),
        "change": max((row.change for row in idle), default=math.nan),
        "complete": min((row.completeness for row in exact), default=math.nan),
        "selective": np.nanmin([row.selectivity for row in exact] or [math.nan]),
        "reliable": np.nanmin([row.reliability for row in exact] or [math.nan]),
        "identity": all(row.identity for row in found.rows),
    }


def main() -> None:
    """Print one line per model, and the worst of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grammars", type=int, default=24)
    parser.add_argument("--pairs", type=int, default=60)
    asked = parser.parse_args()
    started, rows = time.monotonic(), []
    for seed in range(asked.grammars):
        grammar = grammar_of(seed)
        for way in WAYS:
            try:
                row = measured(grammar, way, asked.pairs, seed)
            except LinrepError as error:
                print(f"grammar {seed} {way}: not built or not exchanged: {str(error)[:110]}")
                continue
            rows.append(row)
            print(
                f"grammar {seed} {way}: {row['cells'][0]} exact cells, error {row['error']:.1e} "
                f"(unedited {row['unedited']:.2f}); {row['cells'][1]} idle cells, change "
                f"{row['change']:.1e}; completeness {row['complete']:.6f}, selectivity "
                f"{row['selective']:.6f}, reliability {row['reliable']:.6f}",
                flush=True,
            )
    print(
        f"{len(rows)} models of {asked.grammars} grammars in {time.monotonic() - started:.0f} s: "
        f"largest error {np.nanmax([r['error'] for r in rows]):.1e}, largest change outside "
        f"{np.nanmax([r['change'] for r in rows]):.1e}, smallest reliability "
        f"{np.nanmin([r['reliable'] for r in rows]):.9f}, "
        f"identity to the bit everywhere: {all(r['identity'] for r in rows)}"
    )


if __name__ == "__main__":
    main()
