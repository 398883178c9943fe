"""Learned beside predicted on random grammars: every chart value, in every mode that fits.

    python benchmarks/random_grammars.py --saved answers.jsonl --page docs/random_grammars.md
    python benchmarks/random_grammars.py --n 20 --seed 100

Grammars are ambiguous, have several tree shapes, unary chains, rules of one to four symbols, rules
that skip levels, symbols shared between levels, and alphabets of 1 to 200 words; the first three
are written out below. Each is constructed in every way whose dense model has no more parameters
than --parameters says, and goes the whole way for each: sentences, capture, probes, comparison, the
page written. One study in eight is probed by logistic regression with all controls (few
permutations, three twins), the others by ridge regression with none. One line of answers a grammar
is kept in --saved as it comes, and a second call goes on where the first was cut off.

Counted are, of all (site, kind and height of chart values),

* written: the target's own values, or values tied to it on the corpus, are written;
* aligned: of these, overlap at least 0.99;
* unwritten: nothing that the values are tied to is written; clean: of these, no pattern is found;
* read: of the cells whose values are all written, R2 at least 1 - 1e-9 on held-out sentences
  (1 - 1e-6 of models in float32, whose rounding is a billion times larger);
* untested: cells of the page about which the third question is not answered although theory speaks
  of the tokens probed and the values vary;
* false: patterns called aligned with a prediction moved to other coordinates at random (a
  permutation of the basis), and pages with any.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from linrep import capture
from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.core import Subspace
from linrep.experiments.charts import ChartCell, ChartFindings, chart_cells, chart_findings
from linrep.experiments.pipeline import run_study
from linrep.experiments.settings import (
    Causal,
    Constructed,
    GrammarText,
    Probes,
    ReadingSettings,
    StudySettings,
)
from linrep.grammars import Grammar
from linrep.probes import overlap_null
from linrep.reports import Run, Study, write_run
from linrep.reports.meeting import NO_PATTERN

WAYS: dict[str, dict[str, Any]] = {
    "spans": {},
    "shapes": {"mode": "shapes"},
    "one pass": {"passes": 1},
    "shapes in one pass": {"mode": "shapes", "passes": 1},
    "boundary beliefs": {"beliefs": "boundary"},
    "prefix beliefs": {"beliefs": "prefix"},
    "merged rules": {"merge": "rules"},
    "merged bodies": {"merge": "bodies"},
}
TURNS: list[dict[str, Any]] = [
    {"rotation": 1},
    {"rotation": None},
    {"rotation": 2, "position_code": "circular"},
    {"rotation": None, "gauge": False, "token_scale": 1.0},
    {"rotation": 3, "dtype": "float32"},
]
"""Choices that go with every way, in turn."""
FIRST = {
    "README's": """
        S -> NP V [0.6] | NP V NP [0.4]
        NP -> "the" N | "the" A N
        N -> "dog" | "cat" | "bird"
        A -> "big" | "small"
        V -> "sees" | "hears"
    """,
    "two orders": "S -> A B | B A\nA -> 'a'\nB -> 'b'",
    "200 words": "S -> A B | B A\n"
    + "\n".join(
        f"{name} -> " + " | ".join(f"'w{i}'" for i in range(*ends))
        for name, ends in {"A": (0, 120), "B": (80, 200)}.items()
    ),
}
ALIGNED = 0.99
READ = {"float64": 1 - 1e-9, "float32": 1 - 1e-6}
LEVEL = 0.05
START, END = "<!-- counts -->", "<!-- end of counts -->"
BARE = Probes(
    twins=1, permutations=0, bootstrap=20, controls=(), method="ridge", causal=Causal(run="no")
)
FULL = Probes(twins=3, permutations=19, bootstrap=20, causal=Causal(run="no"))
FITS = 4_000_000  # parameters
COUNTS = (
    "pages", "written", "aligned", "unwritten", "clean", "complete", "read", "untested", "failed",
    "permuted", "false", "false_pages",
)  # fmt: skip


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
            for name in names:
                rules += _rules(rng, name, levels)
            levels.append(names)
        grammar = _reachable(rules)
        if 2 <= grammar.n_derivations <= 10**6 and max(grammar.lengths) <= 12:
            return grammar
    raise AssertionError(f"no small grammar found from seed {seed}")


def _rules(
    rng: np.random.Generator, name: str, levels: list[list[str]]
) -> list[tuple[str, list[str], int]]:
    """Rules of one symbol: of its own, and the same as those of another, so that trees differ."""
    below, every = levels[-1], [symbol for row in levels for symbol in row]
    if len(levels) == 1 and len(below) > 5:  # a lexicon: most words, each by itself
        own = [[word] for word in below if rng.random() < 0.7] or [[below[0]]]
        return [(name, body, int(rng.integers(1, 8))) for body in own]
    bodies: list[list[str]] = []
    for number in range(int(rng.integers(1, 4))):
        arity = int(rng.choice([1, 2, 2, 3, 4]))
        body = [str(rng.choice(below))] if number == 0 else []
        while len(body) < arity:
            body.append(str(rng.choice(every if rng.random() < 0.3 else below)))
        rng.shuffle(body)
        bodies.append(body)
    if len(levels) > 1 and rng.random() < 0.5:  # a word for the symbol above it, say
        bodies.append([str(rng.choice(levels[-2])) if s in below else s for s in bodies[0]])
    return [(name, body, int(rng.integers(1, 8))) for body in bodies]


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


def grammars(first: int, n: int) -> Iterator[tuple[str, int, Grammar]]:
    """Name, seed and grammar of each."""
    for seed in range(first, first + n):
        named = list(FIRST)
        if seed < len(named):
            yield named[seed], seed, Grammar.from_text(FIRST[named[seed]])
        else:
            yield f"random {seed}", seed, random_grammar(seed)


def kinds_of(grammar: Grammar) -> list[str]:
    """Which of the kinds that the benchmark is about this grammar is of."""
    table, rules = grammar.table, grammar.rules
    heads = slice(table.n_terminals, None)
    level = dict(zip(table.names[heads], table.levels[heads], strict=True))
    rows = [
        (rule, [0 if leaf else level[c] for c, leaf in zip(rule.rhs, rule.terminal, strict=True)])
        for rule in rules
    ]
    above = Counter(key for key, _ in {
        ((c, leaf), level[rule.lhs])
        for rule in rules for c, leaf in zip(rule.rhs, rule.terminal, strict=True)
    })  # fmt: skip
    told = {
        "ambiguous": any(grammar.n_trees(s) > 1 for s in set(grammar.sample(40, seed=0).sentences)),
        "several shapes": grammar.n_shapes > 1,
        "unary chains": any(len(rule.rhs) == 1 and not rule.terminal[0] for rule in rules),
        "rules of 3 or 4 symbols": any(len(rule.rhs) > 2 for rule in rules),
        "levels skipped": any(level[rule.lhs] - min(below) > 1 for rule, below in rows),
        "symbols shared between levels": any(count > 1 for count in above.values()),
        "one word": len(grammar.terminals) == 1,
        "50 words or more": len(grammar.terminals) >= 50,
    }
    return [name for name, has in told.items() if has]


def study(name: str, seed: int, grammar: Grammar, number: int, asked: Any) -> tuple[Study, Any]:
    """A page's study of one grammar in one way, and what its model says.

    Raises:
        ConstructionError: the model does not fit.
    """
    way = list(WAYS)[number]
    how = TURNS[(seed + number) % len(TURNS)] | WAYS[way]
    made = GrammarTransformer.from_grammar(
        grammar, max_shapes=12, max_parameters=asked.parameters, **how
    )
    full = (seed + number) % 8 == 0
    probes = (FULL if full else BARE).model_copy(
        update={"positions": "boundary" if (seed + number) % 2 else "all"}
    )
    found, _ = run_study(
        StudySettings(
            name=way,
            question=f"{name}: {how}",
            language=GrammarText(text=str(grammar)),
            model=Constructed(**how),
            sentences=asked.sentences,
            probes=probes,
            reading=ReadingSettings() if full else ReadingSettings(check=()),
            seed=seed,
        )
    )
    return found, made


def counted(seed: int, grammar: Grammar, page: Study, made: Any, sentences: int) -> dict[str, Any]:
    """Counts of one way, and what was not as predicted."""
    corpus = grammar.sample(sentences, seed=seed)
    blocks = len(made.program.layers)
    sites = ["blocks.0.hook_resid_pre", *(f"blocks.{b}.hook_resid_post" for b in range(blocks))]
    acts = capture(made.model, corpus, sites=sites, check=(), dtype=made.settings.dtype)
    count, wrong = Counter[str](pages=1), []
    found = chart_findings(acts, corpus, made)
    for cell in chart_cells(acts, corpus, made, found=found, seed=seed):
        _count(cell, READ[made.settings.dtype], count, wrong)
    for row in page.comparison.rows:
        if row.verdicts.aligned.reason == NO_PATTERN:
            count["untested"] += 1
            wrong.append(f"{row.target} at {row.site}: {row.verdicts.aligned}")
    for check in page.checks:
        if not check.passed:
            count["failed"] += 1
            wrong.append(str(check))
    count.update(false_alignments(found, made, seed))
    return {**{name: count[name] for name in COUNTS}, "wrong": wrong}


def _count(cell: ChartCell, bar: float, count: Counter[str], wrong: list[str]) -> None:
    where = f"{cell.target} at {cell.site}"
    count["written" if cell.written else "unwritten"] += 1
    if not cell.written:
        count["clean"] += cell.learned == 0
        if cell.learned:
            wrong.append(f"{where}: a pattern of {cell.learned} dimensions where nothing is")
        return
    count["aligned"] += cell.overlap >= ALIGNED
    if cell.overlap < ALIGNED:
        wrong.append(f"{where}: overlap {cell.overlap:.3f}")
    if cell.complete and not np.isnan(cell.r2):
        count["complete"] += 1
        count["read"] += cell.r2 >= bar
        if cell.r2 < bar:
            wrong.append(f"{where}: R2 {cell.r2:.12f} ({cell.reason})")


def false_alignments(found: ChartFindings, made: GrammarTransformer, seed: int) -> Counter[str]:
    """Learned patterns against predictions whose directions are permuted at random.

    A page calls a cell aligned only beyond the null of all its cells together, so the stated rate
    is that of pages with any false one.
    """
    order = np.random.default_rng(seed).permutation(made.chart.basis.width)
    met = [p for p in found.predictions if p.written and (p.site, p.target) in found.patterns]
    nulls: dict[tuple[int, int], float] = {}
    false = 0
    for claim in met:
        learned = found.patterns[claim.site, claim.target]
        moved = Subspace(claim.subspace.basis[order], "pattern", "permuted")
        size = learned.dim, moved.dim
        if size not in nulls:
            null = overlap_null(*size, moved.d_model, n=200, seed=seed)
            nulls[size] = null.upper(LEVEL / max(len(met), 1))
        overlap = learned.overlap(moved)
        false += overlap >= 0.9 and overlap > nulls[size]
    return Counter(false=false, permuted=len(met), false_pages=int(false > 0))


def answer(name: str, seed: int, grammar: Grammar, asked: Any) -> dict[str, Any]:
    """One grammar in every way that fits, and its page written."""
    begun = time.process_time()
    ways: dict[str, Any] = {}
    pages = []
    for number, way in enumerate(WAYS):
        try:
            page, made = study(name, seed, grammar, number, asked)
            pages.append(page)
            ways[way] = counted(seed, grammar, page, made, asked.sentences)
        except ConstructionError as error:
            ways[way] = {"refused": str(error)}
        except Exception as error:  # what the benchmark looks for
            ways[way] = {"crash": f"{type(error).__name__}: {error}"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            write_run(Run(name, "", {}, {}, tuple(pages)), Path(folder) / "run")
        written = ""
    except Exception as error:
        written = f"{type(error).__name__}: {error}"
    return {
        "seed": seed, "name": name, "kinds": kinds_of(grammar), "words": len(grammar.terminals),
        "ways": ways, "page": written, "seconds": round(time.process_time() - begun, 2),
    }  # fmt: skip


def lines(answers: list[dict[str, Any]]) -> list[str]:
    """What was counted, as Markdown."""
    kinds = Counter(kind for a in answers for kind in a["kinds"])
    words = [a["words"] for a in answers]
    seconds = sum(a["seconds"] for a in answers)
    unwritten = [a["seed"] for a in answers if a["page"]]
    out = [
        f"{len(answers)} grammars of {min(words)} to {max(words)} words, {seconds / 60:.0f} "
        f"minutes of one core; {len(answers) - len(unwritten)} of {len(answers)} pages written.",
        "",
        "| kind of grammar | grammars |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in sorted(kinds.items())),
        "",
        "| way | fits | crashes | aligned of written | clean of unwritten | read of complete | "
        "cells untested | checks failed | false alignments, permuted | pages with any |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for way in (*WAYS, "all"):
        rows = [a["ways"][w] for a in answers for w in WAYS if way in (w, "all")]
        done = [row for row in rows if "pages" in row]
        c = Counter({name: sum(row[name] for row in done) for name in COUNTS})
        out.append(
            f"| {way} | {sum('refused' not in row for row in rows)} of {len(rows)} | "
            f"{sum('crash' in row for row in rows)} | {c['aligned']} of {c['written']} | "
            f"{c['clean']} of {c['unwritten']} | {c['read']} of {c['complete']} | {c['untested']} "
            f"| {c['failed']} | {c['false']} of {c['permuted']} | "
            f"{c['false_pages']} of {c['pages']} |"
        )
    return out


def wrong(answers: list[dict[str, Any]]) -> list[str]:
    """Everything that was not as predicted, one line each."""
    out = []
    for a in answers:
        out += [f"{a['name']}: page: {a['page']}"] if a["page"] else []
        for way, row in a["ways"].items():
            out += [f"{a['name']}, {way}: {what}" for what in row.get("wrong", ())]
            out += [f"{a['name']}, {way}: {row['crash']}"] if "crash" in row else []
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--parameters", type=int, default=FITS)
    parser.add_argument("--saved", type=Path, help="lines of answers, kept as they come")
    parser.add_argument("--page", type=Path, help="Markdown to write the counts into")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    answers = []
    if asked.saved and asked.saved.exists():
        answers = [json.loads(line) for line in asked.saved.read_text("utf-8").splitlines()]
    known = {a["seed"] for a in answers}
    for name, seed, grammar in grammars(asked.seed, asked.n):
        if seed in known:
            continue
        answers.append(answer(name, seed, grammar, asked))
        for line in wrong(answers[-1:]):
            print(line, flush=True)
        if asked.saved:
            with asked.saved.open("a", encoding="utf-8") as file:
                file.write(json.dumps(answers[-1]) + "\n")
    print("\n".join(lines(answers)))
    if asked.page:
        text = asked.page.read_text("utf-8") if asked.page.exists() else f"{START}\n{END}\n"
        before, after = text.split(START)[0], text.split(END)[1]
        table = "\n".join(lines(answers))
        asked.page.write_text(f"{before}{START}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
