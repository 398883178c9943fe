"""Learned beside predicted on random grammars: every chart value of every mode that fits.

    python benchmarks/random_grammars.py              # 200 grammars, about 20 minutes on two cores
    python benchmarks/random_grammars.py --n 20 --seed 100

Grammars are ambiguous, have several tree shapes, unary chains, rules of one to four symbols, rules
that skip levels, symbols shared between levels, and alphabets of 1 to 200 words. Each is
constructed in a mode (all modes take turns, rotated and not), sentences are run through it, and at
every site every chart value is read by a linear map and its learned pattern laid beside the
predicted directions. Counted are

* written: the target's own coordinates, or values tied to it on the corpus, are written;
* aligned: of these, overlap at least 0.99;
* unwritten: nothing that the values are tied to is written; clean: of these, no pattern is found;
* read: of the cells whose values are all written, R2 at least 1 - 1e-9 on held-out sentences;
* false: patterns called aligned with the prediction of *another* target, moved to other
  coordinates at random (a permutation of the basis), of all such comparisons.
"""

import argparse
import time
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from linrep import capture
from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.core import Subspace
from linrep.experiments.charts import chart_cells, chart_findings
from linrep.grammars import Grammar, LanguageError
from linrep.probes import overlap_null

MODES: list[dict[str, Any]] = [
    {},
    {"rotation": 1},
    {"mode": "shapes"},
    {"passes": 1, "rotation": 2},
    {"beliefs": "boundary"},
    {"mode": "shapes", "passes": 1, "rotation": 3},
    {"merge": "rules", "rotation": 4},
    {"beliefs": "prefix", "rotation": 5},
    {"positions": "circular", "merge": "bodies"},
    {"mode": "shapes", "rotation": 6},
    {"gauge": False, "token_scale": 1.0},
    {"mode": "shapes", "merge": "rules"},
    {"dtype": "float32"},
]
ALIGNED = 0.99
LEVEL = 0.05


def random_grammar(seed: int) -> Grammar:
    """One random grammar, small enough to build densely.

    Raises:
        AssertionError: bad luck a thousand times.
    """
    for attempt in range(1000):
        rng = np.random.default_rng((seed, attempt))
        depth = int(rng.integers(1, 5))
        words = int(rng.choice([1, 2, 3, 5, 10, 50, 200]))
        levels = [[f"w{i}" for i in range(words)]]
        rules: list[tuple[str, list[str], int]] = []
        for level in range(1, depth + 1):
            names = (
                ["S"] if level == depth else [f"N{level}_{i}" for i in range(rng.integers(1, 4))]
            )
            every = [symbol for row in levels for symbol in row]
            for name in names:
                wide = words if level == 1 and words > 5 else 3  # many words need many rules
                for number in range(int(rng.integers(1, wide + 1))):
                    arity = int(rng.choice([1, 2, 2, 3, 4]))
                    body = [str(rng.choice(levels[-1]))] if number == 0 else []
                    while len(body) < arity:
                        body.append(str(rng.choice(every if rng.random() < 0.3 else levels[-1])))
                    rng.shuffle(body)
                    rules.append((name, body, int(rng.integers(1, 8))))
            levels.append(names)
        grammar = _reachable(rules)
        if 2 <= grammar.n_derivations <= 10**6 and max(grammar.lengths) <= 12:
            return grammar
    raise AssertionError(f"no small grammar found from seed {seed}")


def _reachable(rules: list[tuple[str, list[str], int]]) -> Grammar:
    used, frontier = set(), ["S"]
    while frontier:
        name = frontier.pop()
        if name not in used:
            used.add(name)
            frontier += [x for lhs, body, _ in rules if lhs == name for x in body]
    total = {n: sum(w for lhs, _, w in rules if lhs == n) for n in used}
    return Grammar.from_rules(
        [(lhs, body, Fraction(w, total[lhs])) for lhs, body, w in rules if lhs in used], "S"
    )


def construct(seed: int, grammar: Grammar) -> GrammarTransformer:
    """The first mode, from the seed's on, that fits the grammar.

    Raises:
        AssertionError: none does.
    """
    refused = []
    for turn in range(len(MODES)):
        how = MODES[(seed + turn) % len(MODES)]
        try:
            return GrammarTransformer.from_grammar(
                grammar, max_shapes=12, max_parameters=60_000_000, **how
            )
        except ConstructionError as error:
            refused.append(f"{how}: {error}")
    raise AssertionError("no mode fits: " + "; ".join(refused))


def study(seed: int, sentences: int = 150) -> tuple[Counter[str], list[str]]:
    """Counts of one grammar, and what was not as predicted."""
    grammar = random_grammar(seed)
    made = construct(seed, grammar)
    corpus = grammar.sample(sentences, seed=seed)
    blocks = len(made.program.layers)
    sites = ["blocks.0.hook_resid_pre", *(f"blocks.{b}.hook_resid_post" for b in range(blocks))]
    acts = capture(made.model, corpus, sites=sites)
    told = f"seed {seed}, {made.settings.mode}, passes {made.settings.passes}"
    count, wrong = Counter[str](grammars=1), []
    for cell in chart_cells(acts, corpus, made, seed=seed):
        where = f"{told}: {cell.target} at {cell.site}"
        kind = "written" if cell.written else "unwritten"
        count[kind] += 1
        if not cell.written:
            count["clean"] += cell.learned == 0
            if cell.learned:
                wrong.append(f"{where}: a pattern of {cell.learned} dimensions where nothing is")
            continue
        count["aligned"] += cell.overlap >= ALIGNED
        if cell.overlap < ALIGNED:
            wrong.append(f"{where}: overlap {cell.overlap:.3f}")
        if cell.complete and not np.isnan(cell.r2):
            count["complete"] += 1
            count["read"] += cell.r2 >= 1 - 1e-9
            if cell.r2 < 1 - 1e-9:
                wrong.append(f"{where}: R2 {cell.r2:.12f} ({cell.reason})")
    count.update(false_alignments(acts, corpus, made, seed))
    return count, wrong


def false_alignments(acts: Any, corpus: Any, made: GrammarTransformer, seed: int) -> Counter[str]:
    """Learned patterns against predictions whose directions are permuted at random.

    A page calls a cell aligned only beyond the null of all its cells together, so the stated rate
    is that of pages with any false one.
    """
    found = chart_findings(acts, corpus, made)
    rng = np.random.default_rng(seed)
    order = rng.permutation(made.chart.basis.width)
    met = [p for p in found.predictions if p.written and (p.site, p.target) in found.patterns]
    false = 0
    for claim in met:
        learned = found.patterns[claim.site, claim.target]
        moved = Subspace(claim.subspace.basis[order], "pattern", "permuted")
        null = overlap_null(learned.dim, moved.dim, fixed=moved, n=200, seed=seed)
        overlap = learned.overlap(moved)
        false += overlap >= 0.9 and overlap > null.upper(LEVEL / max(len(met), 1))
    return Counter(false=false, permuted=len(met), pages=1, false_pages=int(false > 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sentences", type=int, default=150)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    total: Counter[str] = Counter()
    crashed = []
    begun = time.time()
    for seed in range(asked.seed, asked.seed + asked.n):
        try:
            count, wrong = study(seed, asked.sentences)
        except (LanguageError, ConstructionError, ValueError, ArithmeticError) as error:
            crashed.append(seed)
            wrong, count = [f"seed {seed}: {type(error).__name__}: {error}"], Counter(grammars=1)
        total.update(count)
        for line in wrong:
            print(line, flush=True)
    print(f"{total['grammars']} grammars, {len(crashed)} crashes, {time.time() - begun:.0f} s")
    print(f"written: {total['aligned']} of {total['written']} aligned from {ALIGNED} on")
    print(f"unwritten: {total['clean']} of {total['unwritten']} without a pattern")
    print(f"complete: {total['read']} of {total['complete']} with R2 of 1 to 1e-9")
    print(
        f"permuted predictions: {total['false']} of {total['permuted']} cells called aligned, on "
        f"{total['false_pages']} of {total['pages']} pages (stated: at most {LEVEL:.0%} of pages)"
    )


if __name__ == "__main__":
    main()
