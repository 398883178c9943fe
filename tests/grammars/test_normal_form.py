"""Binary normal forms keep the weighted trees; the levelled one keeps the shapes."""

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import Grammar, Rule, binarise, level_and_binarise

SEEDS = st.integers(0, 10**6)


def as_grammar(normal):
    """The normal form as an ordinary grammar, through its public fields only."""

    def rule(lhs, children, weight):
        names = tuple(f"t{c}" if c < normal.n_terminals else f"N{c}" for c in children)
        flags = tuple(c < normal.n_terminals for c in children)
        return Rule(f"N{lhs}", names, weight, flags)

    rules = [rule(r.lhs, (r.child,), r.weight) for r in normal.unary]
    rules += [rule(r.lhs, (r.left, r.right), r.weight) for r in normal.binary]
    return Grammar(f"N{normal.start}", tuple(rules))


@settings(max_examples=100)
@given(seed=SEEDS, make=st.sampled_from([binarise, level_and_binarise]))
def test_sentences_keep_their_probabilities(small_grammar, language, seed, make):
    grammar = small_grammar(seed)
    normal = make(grammar)
    assert normal.terminals == grammar.terminals
    renamed = language(as_grammar(normal))
    names = {f"t{i}": token for i, token in enumerate(grammar.terminals)}
    original = {tuple(names[t] for t in s): p for s, p in renamed.items()}
    assert original == language(grammar)


@settings(max_examples=100)
@given(seed=SEEDS)
def test_lengths_masses_and_best_weights_equal_enumeration(small_grammar, derivations, seed):
    grammar = small_grammar(seed)
    for make in (binarise, level_and_binarise):
        normal = make(grammar)
        best: dict[int, Fraction] = defaultdict(Fraction)
        for weight, tree in derivations(grammar):
            size = len(tree.leaves())
            best[size] = max(best[size], weight)
        assert normal.viterbi[normal.start] == dict(best)
        assert normal.lengths[normal.start] == tuple(sorted(best))
        assert set(normal.mass) == {Fraction(1)}
        for rule in normal.unary:
            assert normal.levels[rule.child] < normal.levels[rule.lhs]


@settings(max_examples=100)
@given(seed=SEEDS)
def test_levelling_first_keeps_the_number_of_shapes(small_grammar, seed):
    grammar = small_grammar(seed)
    normal = level_and_binarise(grammar)
    assert as_grammar(normal).n_shapes == grammar.n_shapes
    widest = defaultdict(lambda: 1)
    for rule in grammar.rules:
        level = grammar.levels[rule.lhs]
        widest[level] = max(widest[level], len(rule.rhs))
    expected = sum(max(1, (widest[h] - 1).bit_length()) for h in range(1, grammar.depth + 1))
    assert normal.depth == expected
    for rule in normal.binary:
        assert normal.levels[rule.left] == normal.levels[rule.right] == normal.levels[rule.lhs] - 1
    for rule in normal.unary:
        assert normal.levels[rule.child] == normal.levels[rule.lhs] - 1


def test_binarising_before_levelling_changes_the_number_of_shapes():
    """The opposite: why the order matters."""
    grammar = Grammar.from_text("S -> 'a' 'a' A | A A\nA -> 'a' 'a'")
    assert grammar.n_shapes == as_grammar(level_and_binarise(grammar)).n_shapes == 2
    assert as_grammar(binarise(grammar)).n_shapes == 1


def test_substrings_share_one_helper_and_depth_grows_logarithmically():
    grammar = Grammar.from_text("S -> 'a' 'b' 'a' 'b' 'a' 'b' 'a' 'b'")
    normal = binarise(grammar)
    assert normal.symbols == ("a", "b", "S", "a b a b", "a b")
    assert normal.depth == 3
    assert normal.origin == ("a", "b", "S", None, None)


@pytest.mark.parametrize("arity", [1, 2, 3, 4, 5, 9])
def test_depth_of_a_wide_rule(arity):
    grammar = Grammar.from_text("S -> " + " ".join(["'a'"] * arity))
    assert binarise(grammar).depth == max(1, (arity - 1).bit_length())
