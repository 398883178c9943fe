"""Pairs: what is replaced, and what the language says must follow."""

import numpy as np
import pytest

from linrep import Tree, corpus_of_trees
from linrep.causal import CausalError, Pairs, interchange_pairs, pairs_of
from linrep.causal.counterfactual import next_tokens
from linrep.grammars import Grammar, ImpossiblePrefix, families

GRAMMAR = families.random_hierarchy(4, 2, 2, 3, seed=0)
CORPUS = GRAMMAR.sample(200, seed=3)


def test_batched_next_tokens_are_those_of_the_grammar():
    language = families.random_grammar(depth=3, ambiguity=0.4, uniform=False, seed=4)
    sentences = [s[:n] for s, n in zip(language.sample(30).sentences, range(1, 31), strict=True)]
    sentences.append((*sentences[0], *sentences[0]))
    for sentence, rows in zip(sentences, next_tokens(language, sentences), strict=True):
        for t, row in enumerate(rows):
            try:
                exact = language.next_token_probabilities(sentence[:t])[-1]
            except ImpossiblePrefix:
                exact = np.zeros_like(row)
            assert row == pytest.approx(exact, abs=1e-14)


@pytest.mark.parametrize("height", [1, 2])
def test_a_source_differs_in_one_span_of_the_same_level(height):
    pairs = interchange_pairs(CORPUS, height, 80, seed=1)
    assert len(pairs) == 80
    assert pairs.moved.sum() == 40
    for i in range(len(pairs)):
        at, base, source = pairs.base_at[i], pairs.base[i], pairs.source[i]
        assert at == pairs.source_at[i]
        assert len(at) == 2**height
        assert base != source
        assert base[: at[0]] == source[: at[0]]
        assert base[at[-1] + 1 :] == source[at[-1] + 1 :]
        here, there = (x[at[0] : at[-1] + 1] for x in (base, source))
        for label, span in ((pairs.before[i], here), (pairs.after[i], there)):
            assert GRAMMAR.inside(label, span) > 0


def test_what_is_expected_is_the_grammars_next_token_after_the_sources_prefix():
    pairs = interchange_pairs(CORPUS, 1, 30, seed=2)
    for i in range(len(pairs)):
        assert pairs.read[i][0] == pairs.base_at[i][-1]
        for t, row in zip(pairs.read[i], pairs.expected[i], strict=True):
            exact = GRAMMAR.next_token_probabilities(pairs.source[i][: t + 1])[-1]
            assert row == pytest.approx(exact, abs=1e-14)
        after = pairs.read[i][-1] + 1  # the last position read is the last possible one
        if after < len(pairs.source[i]):
            with pytest.raises(ImpossiblePrefix):
                GRAMMAR.next_token_probabilities(pairs.source[i][: after + 1])


def test_the_seed_chooses():
    first, again, other = (interchange_pairs(CORPUS, 1, 20, seed=s) for s in (5, 5, 6))
    assert first.source == again.source
    assert first.source != other.source


def test_given_pairs_may_have_spans_of_other_lengths():
    language = Grammar.from_text("S -> A 'c' | B 'd'\nA -> 'x' 'a'\nB -> 'b'")
    given = {"target": "height 1", "before": ["A"], "after": ["B"]}
    pairs = pairs_of(language, [["x", "a", "c"]], [["b", "d"]], [[0, 1]], [[0, 0]], **given)
    assert pairs.asked == (("b", "c"),)
    assert pairs.read == ((1,),)  # after "b c" nothing is possible
    assert pairs.asked_read == ((0,),)
    names = dict(zip(pairs.choices, pairs.expected[0][0].tolist(), strict=True))
    assert names == {"a": 0, "b": 0, "c": 0, "d": 1, "x": 0, "<eos>": 0}


def test_pairs_that_do_not_fit_are_refused():
    pairs = interchange_pairs(CORPUS, 1, 4)
    with pytest.raises(CausalError, match="positions 0 to 7"):
        Pairs("t", *[[pairs.base[0]]] * 2, [(9,)], [(0,)], ["a"], ["b"], np.array([0]), [(0,)],
              [pairs.base[0]], [(0,)], answers=(("a0", "a1"),))  # fmt: skip
    treebank = corpus_of_trees([Tree("S", ("a", "b"))], source="here")
    with pytest.raises(CausalError, match="no such grammar"):
        interchange_pairs(treebank, 1)
    with pytest.raises(CausalError, match="nothing can be exchanged"):
        interchange_pairs(Grammar.from_text("S -> A\nA -> 'a'").sample(5), 1)
    with pytest.raises(CausalError, match="nothing is expected"):
        pairs_of(Grammar.from_text("S -> 'a' 'b'"), [["a", "b"]], [["b", "b"]], [[0]], [[0]],
                 target="t", before=["A"], after=["B"])  # fmt: skip


def test_pairs_are_chosen_by_index():
    pairs = interchange_pairs(CORPUS, 1, 10)
    some = pairs.select([3, -1])
    assert some.base == (pairs.base[3], pairs.base[9])
    assert some.groups.tolist() == [pairs.groups[3], pairs.groups[9]]
    with pytest.raises(CausalError, match="indices"):
        pairs.select(pairs.moved)
    assert "moved" in repr(pairs)
    assert "<table>" in pairs._repr_html_()
