"""Slow, obvious twins of the algorithms, and strategies for random grammars."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from linrep.grammars import Grammar, Tree

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def all_derivations(grammar: Grammar) -> list[tuple[Fraction, Tree]]:
    """Every derivation with its probability, by expanding rules one by one."""

    def expand(symbol: str) -> Iterator[tuple[Fraction, Tree]]:
        for rule in grammar.rules:
            if rule.lhs != symbol:
                continue
            options = [
                [(Fraction(1), name)] if is_terminal else list(expand(name))
                for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True)
            ]
            for children in product(*options):
                weight = rule.probability
                for part, _ in children:
                    weight *= part
                yield weight, Tree(symbol, tuple(child for _, child in children))

    return list(expand(grammar.start))


def label_paths(grammar: Grammar, tree: Tree) -> list[list[tuple[str, bool]]]:
    """[token][height] -> (label, the token ends the label's span), heights 1..depth.

    Straight from the definition: the first symbol on the way down with level at most the height.
    """
    levels = {rule.lhs: 0 for rule in grammar.rules}
    for _ in range(len(levels) + 1):
        for rule in grammar.rules:
            below = [
                0 if is_terminal else levels[name]
                for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True)
            ]
            levels[rule.lhs] = max(levels[rule.lhs], 1 + max(below))
    found: list[list[tuple[str, bool]]] = []

    def walk(node: Tree | str, above: list[tuple[str, int, int]], begin: int) -> int:
        """``above``: (label, level, index of the last token) of the nodes above, root first."""
        if isinstance(node, str):
            path = [*above, (node, 0, begin)]
            row = []
            for height in range(1, levels[grammar.start] + 1):
                label, _, last = next(entry for entry in path if entry[1] <= height)
                row.append((label, last == begin))
            found.append(row)
            return begin + 1
        last = begin + len(node.leaves()) - 1
        for child in node.children:
            begin = walk(child, [*above, (node.label, levels[node.label], last)], begin)
        return begin

    walk(tree, [], 0)
    return found


@pytest.fixture(scope="session")
def derivations() -> Callable[[Grammar], list[tuple[Fraction, Tree]]]:
    return all_derivations


@pytest.fixture(scope="session")
def language() -> Callable[[Grammar], dict[tuple[str, ...], Fraction]]:
    """Sentence -> probability, by enumeration."""

    def enumerate_language(grammar: Grammar) -> dict[tuple[str, ...], Fraction]:
        sentences: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
        for weight, tree in all_derivations(grammar):
            sentences[tree.leaves()] += weight
        return dict(sentences)

    return enumerate_language


@pytest.fixture(scope="session")
def paths() -> Callable[[Grammar, Tree], list[list[tuple[str, bool]]]]:
    return label_paths


@pytest.fixture(scope="session")
def cfg3() -> Callable[[str], Grammar]:
    """The published grammars by letter; skips where they are not at hand."""

    def load(letter: str) -> Grammar:
        path = DATA / "cfg3" / f"cfg3{letter}.json"
        if not path.exists():
            pytest.skip("the published cfg3 grammars are not beside this checkout")
        return Grammar.from_file(path)

    return load


@pytest.fixture(scope="session")
def gum() -> Path:
    """Folder of the GUM treebank; skips where it is not at hand."""
    if not (DATA / "gum").exists():
        pytest.skip("the GUM treebank is not beside this checkout")
    return DATA / "gum"


@pytest.fixture(scope="session")
def small_grammar() -> Callable[[int], Grammar]:
    """A small random grammar per seed: ambiguity, unary chains, skipped levels, uneven weights."""

    def make(seed: int) -> Grammar:
        from linrep.grammars.derived.families import random_grammar

        # Again until explicit enumeration is cheap and, but for one seed in eight, there is
        # something to enumerate; the parameters vary with the seed.
        least = 1 if seed % 8 == 0 else 4
        for attempt in range(100):
            mixed = seed + 100_003 * attempt
            grammar = random_grammar(
                depth=1 + mixed % 4,
                n_symbols=1 + mixed // 4 % 2,
                n_terminals=1 + mixed // 8 % 3,
                n_rules=1 + mixed // 24 % 3,
                arity=(1, 2 + mixed // 72 % 2),
                ambiguity=0.5 * (mixed // 144 % 3) / 2,
                unary=0.25 * (mixed // 432 % 3),
                skip=0.4 * (mixed // 1296 % 2),
                uniform=mixed % 5 == 0,
                seed=mixed,
            )
            if least <= grammar.n_derivations <= 48 and max(grammar.lengths) <= 12:
                return grammar
        raise AssertionError("no small grammar found; the parameters are too rich")

    return make
