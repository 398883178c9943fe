"""What coordinates hold, against written-out derivations and against the models' own streams."""

import itertools
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.constructions.grammar.backends.sparse import SparseModel
from linrep.grammars import Grammar, families

MODES = [
    {},
    {"gauge": False},
    {"gauge": False, "token_scale": 1.7},
    {"passes": 1},
    {"merge": "rules"},
    {"merge": "bodies"},
    {"passes": 1, "merge": "rules"},
    {"beliefs": "boundary"},
    {"beliefs": "prefix"},
    {"beliefs": "prefix", "gauge": False},
    {"mode": "shapes"},
    {"mode": "shapes", "passes": 1},
    {"mode": "shapes", "gauge": False, "token_scale": 1.3},
    {"mode": "shapes", "passes": 1, "gauge": False},
    {"mode": "shapes", "merge": "rules"},
    {"head": "log"},
]
BITS = [{"semiring": "deterministic"} | how for how in ({}, {"passes": 1}, {"mode": "shapes"})]
# Sums of a few dozen products of order 1 in float64, added in another order.
ROUNDING = 1e-13


def streams(made, sentences):
    """{blocks done: [token, coordinate]} of the model itself, BOS left out."""
    encoded = [made.encode(sentence) for sentence in sentences]
    longest = max(map(len, encoded))
    ids = np.zeros((len(encoded), longest), dtype=np.int64)
    for row, one in zip(ids, encoded, strict=True):
        row[: len(one)] = one
    words = np.arange(longest) < np.array([len(one) for one in encoded])[:, None]
    words[:, 0] = False
    found = {}

    def watch(blocks, stream):
        rows = stream.rows[stream.slots].T
        found[blocks] = rows.reshape(len(encoded), longest, -1)[words]

    SparseModel(made.program).forward(ids, watch)
    return found


def agree(grammar, how, sentences):
    made = GrammarTransformer.from_grammar(grammar, backend="sparse", max_shapes=20, **how)
    for blocks, stream in streams(made, sentences).items():
        values = made.chart.values.of(sentences, blocks=blocks)
        np.testing.assert_allclose(values, stream, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("how", MODES, ids=str)
def test_every_coordinate_is_its_value_after_every_block(how, twin):
    met = 0
    for seed in itertools.count():
        grammar = twin.random_grammar(seed, 24)
        if how.get("mode") != "shapes" or grammar.n_shapes <= 20:
            agree(grammar, how, grammar.sample(8, seed=seed).sentences)
            met += 1
        if met == 2:
            return


@pytest.mark.parametrize("how", BITS, ids=str)
def test_bits_are_values_too(how):
    grammar = families.random_hierarchy(n_symbols=3, n_rules=2, depth=2, seed=1)
    agree(grammar, how, grammar.sample(12, seed=0).sentences)


def test_long_sentences_stay_in_range():
    grammar = families.latin(order=2, depth=9)
    made = GrammarTransformer.from_grammar(grammar, backend="sparse")
    sentence = grammar.sample(1, seed=0).sentences
    top = made.chart.groups["inside height 9"]
    values = made.chart.values.of(sentence, [c for c in top if made.registry[c].length == 512])
    assert values.max() == 1.0  # one derivation; its weight is about 1e-150


def trees(grammar):
    """[(weight, leaves, {(symbol, start, stop)})] of every derivation."""
    table = grammar.table

    def derive(symbol):
        if symbol < table.n_terminals:
            return [(Fraction(1), (symbol,), frozenset({(symbol, 0, 1)}))]
        found = []
        for rule in table.of[symbol]:
            for parts in itertools.product(*(derive(child) for child in rule.rhs)):
                weight, leaves, nodes = rule.weight, (), set()
                for p, below, inside in parts:
                    weight *= p
                    nodes |= {(s, a + len(leaves), b + len(leaves)) for s, a, b in inside}
                    leaves += below
                found.append((weight, leaves, frozenset({*nodes, (symbol, 0, len(leaves))})))
        return found

    return derive(table.start), [derive(s) for s in range(table.n_symbols)]


@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_written_out_derivations(seed, twin):
    grammar = twin.random_grammar(seed, 40)
    whole, below = trees(grammar)
    made = GrammarTransformer.from_grammar(grammar, token_scale=1.5, backend="sparse")
    sentences = grammar.sample(5, seed=seed).sentences
    place = {name: s for s, name in enumerate(grammar.table.names)}
    values = made.chart.values.of(sentences)
    rows = [(s, t) for s in sentences for t in range(1, len(s) + 1)]
    for index, coordinate in enumerate(made.registry):
        if coordinate.kind not in ("beta", "alpha") or coordinate.symbol not in place:
            continue
        symbol, length = place[coordinate.symbol], coordinate.length
        for (sentence, t), held in zip(rows, values[:, index], strict=True):
            read = tuple(grammar.encode(sentence)[:t])
            if coordinate.kind == "beta":
                mine = [w for w, leaves, _ in below[symbol] if len(leaves) == length]
                seen = [w for w, leaves, _ in below[symbol] if leaves == read[t - length :]]
                # The best derivation is that of the normal form, which derives the same trees.
                wanted = sum(seen) / max(mine) if t >= length else 0
            else:
                wanted = sum(
                    w
                    for w, leaves, nodes in whole
                    if leaves[:t] == read
                    for node, start, _ in nodes
                    if (node, start) == (symbol, t)
                )
                wanted *= Fraction(3, 2) ** t
            assert held == pytest.approx(float(wanted), rel=1e-12, abs=1e-15), str(coordinate)


def test_beliefs_are_joint_weights_of_prefix_and_ancestor(twin):
    grammar = twin.random_grammar(3, 40)
    corpus = grammar.sample(6, seed=0)
    how = {"beliefs": "prefix", "token_scale": 1.0, "backend": "sparse"}
    made = GrammarTransformer.from_grammar(grammar, **how)
    targets = {target.name: target for target in made.chart.targets(corpus)}
    whole, _ = trees(grammar)
    starts = defaultdict(Fraction)
    for weight, leaves, _ in whole:
        for t in range(1, len(leaves) + 1):
            starts[leaves[:t]] += weight
    read = [tuple(grammar.encode(s)[:t]) for s in corpus.sentences for t in range(1, len(s) + 1)]
    for height in corpus.heights:
        values = targets[f"belief height {height}"].values
        asked = corpus.posterior(height, given="prefix")
        total = np.array([float(starts[prefix]) for prefix in read])
        np.testing.assert_allclose(values.sum(axis=1), total, rtol=1e-12)
        np.testing.assert_allclose(
            np.sort(values / total[:, None]), np.sort(asked.probabilities), atol=1e-12
        )


def test_every_chart_value_belongs_to_one_target():
    grammar = Grammar.from_text("S -> A B | B A\nA -> 'a'\nB -> 'b'")
    chart = GrammarTransformer.from_grammar(grammar).chart
    assert list(chart.groups) == [
        f"{kind} height {height}" for kind in ("inside", "context") for height in (0, 1, 2)
    ]
    members = [c for group in chart.groups.values() for c in group]
    assert len(members) == len(set(members))
    target = chart.targets(grammar.sample(3, seed=0))[1]
    assert (target.name, target.kind, target.columns) == (
        "inside height 1", "number", ("A over 1 token", "B over 1 token"),
    )  # fmt: skip


def test_counts_are_no_chart_values():
    made = GrammarTransformer.from_grammar(families.latin(order=2, depth=2), semiring="boolean")
    with pytest.raises(ConstructionError, match="semiring='probability'"):
        _ = made.chart.values


def test_predictions_name_the_directions_that_are_written():
    grammar = families.latin(order=2, depth=2)
    made = GrammarTransformer.from_grammar(grammar, rotation=3)
    claims = {(p.site, p.target): p for p in made.chart.predictions}
    before = claims["blocks.0.hook_resid_pre", "inside height 1"]
    after = claims["blocks.0.hook_resid_post", "inside height 1"]
    assert (before.written, after.written, after.used) == (False, True, True)
    assert after.subspace.overlap(before.subspace) == pytest.approx(1.0)
    assert after.positions == "all"
    assert after.accuracy == 1.0
