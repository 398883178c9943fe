"""Grammars: sampling, next-token distributions, ceilings and parses, beside nltk in one run.

Run: ``python benchmarks/grammars.py [--cfg3 FOLDER]``. FOLDER holds cfg3b.json and cfg3f.json of
the published family; where it is missing, random grammars of the same form stand in.
Times are CPU seconds of this process, the best of three where one run is short; set
OMP_NUM_THREADS=1 for one core.
"""

import argparse
import random
import sys
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import nltk
from figures import least_seconds, tell

from linrep.grammars import Grammar, families, to_nltk


def nltk_sample(grammar: Any, rng: random.Random) -> list[str]:
    """One sentence by nltk's rules and probabilities; nltk itself has no sampler."""
    stack, tokens = [grammar.start()], []
    while stack:
        symbol = stack.pop()
        if isinstance(symbol, str):
            tokens.append(symbol)
            continue
        rules = grammar.productions(lhs=symbol)
        [rule] = rng.choices(rules, [r.prob() for r in rules])
        stack.extend(reversed(rule.rhs()))
    return tokens


def _draw(grammar: Any) -> list[list[str]]:
    rng = random.Random(0)
    return [nltk_sample(grammar, rng) for _ in range(40)]


def show(what: str, value: str, goal: str = "") -> None:
    print(f"{what:<66}{value:>22}   {goal}")


def sampling(name: str, grammar: Grammar) -> None:
    corpus = grammar.sample(4000)
    seconds = least_seconds(lambda: grammar.sample(4000))
    ours = corpus.n_tokens / seconds
    theirs_grammar = to_nltk(grammar)
    theirs = _draw(theirs_grammar)
    seconds = least_seconds(lambda: _draw(theirs_grammar))
    rate = sum(map(len, theirs)) / seconds
    show(f"{name}: sampled with labels of all heights", f"{ours:,.0f} tokens/s", ">= 100,000")
    show(f"{name}: nltk's productions, one sentence at a time", f"{rate:,.0f} tokens/s")
    tell(
        "grammars", f"{name}: sampling with labels", ours, "tokens/s", "nltk's rules", rate,
        better="larger", bar=20.0,
    )  # fmt: skip
    show(f"{name}: ratio", f"{ours / rate:,.0f} x", ">= 20")
    trees = 400
    seconds = least_seconds(lambda: list(grammar.sample(trees).trees), 1)
    show(
        f"{name}: sampled, every tree built",
        f"{trees * float(grammar.mean_length) / seconds:,.0f} tokens/s",
    )


def memory(grammar: Grammar) -> None:
    tracemalloc.start()
    small = grammar.sample(1000)
    _, peak_small = tracemalloc.get_traced_memory()
    del small
    tracemalloc.reset_peak()
    large = grammar.sample(4000)
    _, peak_large = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    show("peak memory of a sample, per token", f"{peak_large / large.n_tokens:,.0f} bytes")
    show("peak memory of 4 x as many sentences", f"{peak_large / peak_small:.2f} x", "<= 4.5")


def next_tokens(name: str, grammar: Grammar) -> None:
    sentence = grammar.sample(1, length=250).sentences[0]
    seconds = least_seconds(lambda: grammar.next_token_probabilities(sentence))
    show(
        f"{name}: next-token distributions at all positions of 250 tokens",
        f"{seconds:.3f} s",
        "< 0.5",
    )


def ceilings() -> None:
    grammar = families.random_hierarchy(depth=5)
    corpus = grammar.sample(1000)
    for given in ("prefix", "boundary", "sentence", "position"):
        ask = partial(grammar.ceiling, corpus, given=given)
        seconds = least_seconds(lambda ask=ask: [ask(height) for height in range(1, 6)], 1)
        show(
            f"hierarchy(depth=5), 1,000 sentences: {given} ceilings, 5 heights",
            f"{seconds:.2f} s",
            "< 10",
        )
    seconds = least_seconds(lambda: grammar.ceiling(corpus, 3, "window", window=8), 1)
    show("hierarchy(depth=5), 1,000 sentences: window ceiling, 8 tokens", f"{seconds:.2f} s")


def counting(name: str, grammar: Grammar) -> None:
    def fresh() -> int:
        return Grammar(grammar.start, grammar.rules).n_shapes

    show(f"{name}: number of shapes, digits", str(len(str(grammar.n_shapes))), "44")
    show(
        f"{name}: the grammar validated and its shapes counted",
        f"{least_seconds(fresh) * 1e3:.1f} ms",
    )


def parsing() -> None:
    grammar = families.random_hierarchy(depth=4)
    sentence = list(grammar.sample(1).sentences[0])
    theirs = nltk.InsideChartParser(to_nltk(grammar))
    viterbi = nltk.ViterbiParser(to_nltk(grammar))
    own = least_seconds(lambda: grammar.viterbi(sentence))
    show("hierarchy(depth=4), 16 tokens: Viterbi parse", f"{own * 1e3:.1f} ms")
    seconds = least_seconds(lambda: list(viterbi.parse(sentence)), 1)
    show("hierarchy(depth=4), 16 tokens: nltk.ViterbiParser", f"{seconds * 1e3:.1f} ms")
    tell(
        "grammars", "Viterbi parse of 16 tokens", own * 1e3, "ms", "nltk.ViterbiParser",
        seconds * 1e3, ratio=seconds / own, better="larger",
    )  # fmt: skip
    seconds = least_seconds(lambda: list(theirs.parse(sentence)), 1)
    show("hierarchy(depth=4), 16 tokens: nltk.InsideChartParser", f"{seconds * 1e3:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cfg3", type=Path, default=Path("cfg3"))
    folder = parser.parse_args().cfg3
    if (folder / "cfg3b.json").exists():
        b, f = (Grammar.from_file(folder / f"cfg3{x}.json") for x in "bf")
        names = ("cfg3b", "cfg3f")
    else:
        print(f"no cfg3 grammars in {folder}; random ones stand in", file=sys.stderr)
        b = families.random_grammar(6, n_symbols=3, n_rules=2, seed=0)
        f = families.random_grammar(6, n_symbols=3, n_rules=3, seed=0)
        names = ("random, 2 rules", "random, 3 rules")
    sampling(names[0], b)
    memory(b)
    next_tokens(names[1], f)
    ceilings()
    counting(names[0], b)
    parsing()


if __name__ == "__main__":
    main()
