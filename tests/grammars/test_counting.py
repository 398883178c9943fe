"""Counts without enumeration, against enumeration."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import Grammar, TooLarge, Tree
from linrep.grammars.inference import shape_counts as shapes_module

SEEDS = st.integers(0, 10**6)


def shape(grammar, node, height):
    """A levelled tree without labels: every edge padded until heights match (docs/theory, 1.1)."""
    level = grammar.levels[node.label] if isinstance(node, Tree) else 0
    if level < height:
        return (shape(grammar, node, height - 1),)
    if level == 0:
        return ()
    return tuple(shape(grammar, child, height - 1) for child in node.children)


@settings(max_examples=200)
@given(seed=SEEDS)
def test_counts_equal_enumeration(small_grammar, derivations, seed):
    grammar = small_grammar(seed)
    trees = derivations(grammar)
    sizes = Counter(len(tree.leaves()) for _, tree in trees)
    assert grammar.n_derivations == len(trees)
    assert grammar.derivations_by_length == dict(sizes)
    assert grammar.lengths == set(sizes)
    found = {shape(grammar, tree, grammar.depth): len(tree.leaves()) for _, tree in trees}
    assert grammar.n_shapes == len(found)
    assert grammar.shapes_by_length == dict(Counter(found.values()))
    assert grammar.mean_length == sum(weight * len(tree.leaves()) for weight, tree in trees)
    entropy = -math.fsum(float(weight) * math.log(weight) for weight, _ in trees)
    assert math.isclose(grammar.entropy, entropy, rel_tol=1e-9, abs_tol=1e-12)
    assert grammar.n_shapes <= grammar.n_derivations


@settings(max_examples=200)
@given(seed=SEEDS)
def test_all_sentences_come_once_in_order_of_length(small_grammar, language, seed):
    grammar = small_grammar(seed)
    listed = list(grammar.all_sentences())
    assert listed == sorted(language(grammar), key=lambda s: (len(s), s))
    most = sorted(grammar.lengths)[len(grammar.lengths) // 2]
    assert list(grammar.all_sentences(most)) == [s for s in listed if len(s) <= most]


def test_a_generating_function_would_overcount_shapes():
    """Two labellings of one shape are one shape."""
    grammar = Grammar.from_text("S -> A 'x' | B 'x'\nA -> 'a' 'a' | 'a'\nB -> 'b' 'b' | 'b'")
    assert (grammar.n_derivations, grammar.n_shapes) == (4, 2)


def test_published_grammars_have_their_published_sizes(cfg3):
    facts = {
        "b": (138, 276, 432, 32, 6),
        "i": (114, 308, 564, 32, 6),
        "f": (64, 250, 729, 54, 6),
        "j": (128, 544, 2052, 57, 7),
    }
    for letter, (least, mean, most, rules, depth) in facts.items():
        grammar = cfg3(letter)
        assert (min(grammar.lengths), max(grammar.lengths)) == (least, most)
        assert round(grammar.mean_length) == mean
        assert (len(grammar.rules), grammar.depth) == (rules, depth)
    shapes = cfg3("b").n_shapes
    assert len(str(shapes)) == 44
    assert round(math.log10(shapes), 1) == 43.8
    assert round(cfg3("b").token_scale, 3) == 1.531


def test_languages_too_large_to_list_are_refused_with_the_number(cfg3):
    with pytest.raises(TooLarge, match="derivations of sentences of 138 tokens, too many to list"):
        next(cfg3("b").all_sentences(138))


def test_an_automaton_out_of_reach_is_refused(monkeypatch):
    monkeypatch.setattr(shapes_module, "_MOST_STATES", 3)
    rng = np.random.default_rng(0)
    lines = ["S -> " + " | ".join(f"A{i} A{i}" for i in range(8))]
    for i in range(8):
        sizes = rng.choice(np.arange(1, 7), size=3, replace=False)
        lines.append(f"A{i} -> " + " | ".join(" ".join(["'a'"] * n) for n in sizes))
    with pytest.raises(TooLarge, match="more than 3 states"):
        _ = Grammar.from_text("\n".join(lines)).n_shapes
