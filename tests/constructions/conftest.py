"""Slow twins and small grammars for the tests of constructions."""

import itertools
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from linrep.grammars import Grammar


def language(grammar):
    """{sentence: exact probability}, by writing out every derivation."""
    table = grammar.table
    known = {}

    def derive(symbol):
        if symbol < table.n_terminals:
            return {(table.terminals[symbol],): Fraction(1)}
        if symbol not in known:
            total = defaultdict(Fraction)
            for rule in table.of[symbol]:
                for parts in itertools.product(*(derive(child).items() for child in rule.rhs)):
                    sentence = tuple(word for words, _ in parts for word in words)
                    weight = rule.weight
                    for _, p in parts:
                        weight *= p
                    total[sentence] += weight
            known[symbol] = dict(total)
        return known[symbol]

    return derive(table.start)


def next_tokens(sentences):
    """{prefix: {token or <eos>: exact conditional probability}} of every possible prefix."""
    joint = defaultdict(lambda: defaultdict(Fraction))
    for sentence, p in sentences.items():
        for t in range(len(sentence) + 1):
            following = sentence[t] if t < len(sentence) else "<eos>"
            joint[sentence[:t]][following] += p
    return {
        prefix: {token: p / sum(row.values()) for token, p in row.items()}
        for prefix, row in joint.items()
    }


def random_grammar(seed, max_sentences=400):
    """A small random grammar: ambiguity, unary and skip-level rules, lengths that vary.

    Raises:
        AssertionError: bad luck a thousand times.
    """
    for attempt in range(1000):
        rng = np.random.default_rng((seed, attempt))
        depth, words = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        terminals = [f"t{i}" for i in range(words)]
        levels = [terminals]
        rules = []
        for level in range(1, depth + 1):
            names = (
                ["S"] if level == depth else [f"N{level}_{i}" for i in range(rng.integers(1, 4))]
            )
            below = [x for symbols in levels[:-1] for x in symbols]
            for name in names:
                for number in range(rng.integers(1, 4)):
                    body = [str(rng.choice(levels[-1]))] if number == 0 else []
                    while len(body) < rng.integers(1, 4):
                        skip = below and rng.random() < 0.3
                        body.append(str(rng.choice(below if skip else levels[-1])))
                    rng.shuffle(body)
                    rules.append((name, body, int(rng.integers(1, 8))))
            levels.append(names)
        used, frontier = set(), ["S"]
        while frontier:
            name = frontier.pop()
            if name not in used:
                used.add(name)
                frontier += [x for lhs, body, _ in rules if lhs == name for x in body]
        total = {n: sum(w for lhs, _, w in rules if lhs == n) for n in used}
        kept = [(lhs, b, Fraction(w, total[lhs])) for lhs, b, w in rules if lhs in used]
        grammar = Grammar.from_rules(kept, "S")
        if grammar.n_derivations <= max_sentences:
            return grammar
    raise AssertionError("no small grammar found")


@pytest.fixture(scope="session")
def twin():
    """The slow functions, by name."""

    class Twin:
        pass

    Twin.language = staticmethod(language)
    Twin.next_tokens = staticmethod(next_tokens)
    Twin.random_grammar = staticmethod(random_grammar)
    return Twin
