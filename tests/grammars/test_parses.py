"""Parses: their number, each of them, the best one; against enumeration and nltk."""

from collections import Counter, defaultdict
from fractions import Fraction

import nltk
import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import Grammar, Tree, to_nltk

SEEDS = st.integers(0, 10**6)


@settings(max_examples=200)
@given(seed=SEEDS)
def test_parses_equal_enumeration(small_grammar, derivations, seed):
    grammar = small_grammar(seed)
    by_sentence = defaultdict(dict)
    for weight, tree in derivations(grammar):
        by_sentence[tree.leaves()][tree] = weight
    for sentence in sorted(by_sentence)[:12]:
        twin = by_sentence[sentence]
        assert grammar.n_trees(sentence) == len(twin)
        assert Counter(grammar.trees(sentence)) == Counter(dict.fromkeys(twin, 1))
        best = grammar.viterbi(sentence)
        # Two different products of fractions that agree to 1e-12 do not occur at this size.
        assert twin[best] == max(twin.values())
        assert grammar.tree_probability(best) == twin[best]
        first = max(grammar.trees(sentence), key=twin.get)  # of equal ones, max keeps the first
        assert grammar.viterbi(sentence, exact=True) == first


def test_only_exact_comparison_tells_apart_what_rounding_makes_equal():
    low, high = Fraction(1, 2) - Fraction(1, 10**20), Fraction(1, 2) + Fraction(1, 10**20)
    rules = [("S", ["A"], low), ("S", ["B"], high), ("A", ["x"], 1), ("B", ["x"], 1)]
    grammar = Grammar.from_rules(rules, "S")
    assert grammar.viterbi(["x"], exact=True) == Tree("S", (Tree("B", ("x",)),))
    assert grammar.viterbi(["x"]) == Tree("S", (Tree("A", ("x",)),))
    even = Grammar.from_text("S -> A | B\nA -> 'x'\nB -> 'x'")
    assert even.viterbi(["x"], exact=True) == next(even.trees(["x"]))


def test_the_best_parse_of_a_sentence_too_improbable_for_float64():
    tiny = Fraction(1, 10**400)
    grammar = Grammar.from_rules(
        [("S", ["A", "A"], 1), ("A", ["x"], tiny), ("A", ["y"], 1 - tiny)], "S"
    )
    best = Tree("S", (Tree("A", ("x",)), Tree("A", ("x",))))
    assert grammar.viterbi(["x", "x"]) == grammar.viterbi(["x", "x"], exact=True) == best
    assert grammar.tree_probability(best) == tiny**2


def test_sentences_outside_the_language_have_no_parse():
    grammar = Grammar.from_text("S -> 'a' 'b'")
    for sentence in (["b", "a"], ["a"], [], ["a", "b", "a"]):
        assert grammar.n_trees(sentence) == 0
        assert list(grammar.trees(sentence)) == []
        assert grammar.viterbi(sentence) is None
        assert grammar.viterbi(sentence, exact=True) is None


def test_a_tree_of_another_grammar_has_probability_zero():
    grammar = Grammar.from_text("S -> 'a' B\nB -> 'b'")
    assert grammar.tree_probability(Tree("S", ("a", Tree("B", ("b",))))) == 1
    assert grammar.tree_probability(Tree("S", ("a", "b"))) == 0
    assert grammar.tree_probability(Tree("B", ("b",))) == 0


@pytest.mark.parametrize("seed", range(12))
def test_nltk_finds_the_same_parses_and_the_same_best_one(small_grammar, seed):
    grammar = small_grammar(seed * 7919)
    theirs = to_nltk(grammar)
    all_parses = nltk.ChartParser(theirs)
    best_parse = nltk.ViterbiParser(theirs)
    for sentence in grammar.sample(5, seed=seed).sentences:
        assert grammar.n_trees(sentence) == len(list(all_parses.parse(list(sentence))))
        [best] = best_parse.parse(list(sentence))
        mine = grammar.tree_probability(grammar.viterbi(sentence))
        # nltk multiplies floats: a few units of rounding per rule.
        assert best.prob() == pytest.approx(float(mine), rel=1e-12)


def test_parses_of_a_long_ambiguous_sentence_are_counted_exactly():
    """A row of n equal tokens under all binary bracketings of bounded depth."""
    rules = [f"X{h} -> X{h - 1} X{h - 1} | X{h - 1}" for h in range(7, 0, -1)]
    grammar = Grammar.from_text("\n".join([*rules, "X0 -> 'a'"]))
    for n in (1, 2, 5, 36):
        assert grammar.n_trees(["a"] * n) == grammar.derivations_by_length[n]
    assert grammar.n_trees(["a"] * 36) > 2**53
