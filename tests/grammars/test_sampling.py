"""Samples: frequencies, labels, conditioning, selection."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import chi2_contingency, chisquare

from linrep.grammars import Grammar, LanguageError, TooLarge, families, to_nltk
from linrep.grammars.sampling.sampled_trees import SampledTrees

SEEDS = st.integers(0, 10**6)

# Chance that a correct sampler fails one of these tests; seeds are fixed, so it is decided once.
LEVEL = 1e-4


def fits(observed, expected):
    """Chi-square p-value of counts against probabilities; rare outcomes are pooled."""
    total = sum(observed.values())
    assert set(observed) <= set(expected)
    common = [key for key, p in expected.items() if p * total >= 5]
    counts = [observed[key] for key in common]
    shares = [float(expected[key]) * total for key in common]
    rare = total - sum(shares)
    if rare > 1:
        counts.append(total - sum(counts))
        shares.append(rare)
    else:
        shares = [s * sum(counts) / sum(shares) for s in shares]
    return chisquare(counts, shares).pvalue if len(counts) > 1 else 1.0


@pytest.fixture(scope="module")
def varied():
    """222 derivations, 196 sentences of 2..15 tokens, uneven weights, unary and skipping rules."""
    grammar = families.random_grammar(
        depth=3, n_rules=2, arity=(1, 3), ambiguity=0.4, unary=0.2, skip=0.3, uniform=False, seed=44
    )
    assert (grammar.n_derivations, len(grammar.lengths)) == (222, 14)
    return grammar


def test_trees_come_with_their_probabilities(varied, derivations):
    expected = {tree: weight for weight, tree in derivations(varied)}
    corpus = varied.sample(8_000, seed=1)
    assert len(expected) > 50
    assert fits(Counter(corpus.trees), expected) > LEVEL


def test_uniform_over_derivations(varied, derivations):
    trees = derivations(varied)
    expected = {tree: 1 / len(trees) for _, tree in trees}
    drawn = Counter(varied.sample(8_000, seed=2, by="derivations").trees)
    assert fits(drawn, expected) > LEVEL
    # The opposite: by probability the same test must see the difference.
    assert fits(Counter(varied.sample(8_000, seed=2).trees), expected) < 1e-12


@pytest.mark.parametrize("by", ["probability", "derivations"])
def test_conditioned_on_length(varied, derivations, by):
    length = sorted(varied.lengths)[len(varied.lengths) // 2]
    trees = [(w, t) for w, t in derivations(varied) if len(t.leaves()) == length]
    total = sum(w for w, _ in trees)
    expected = {t: w / total if by == "probability" else 1 / len(trees) for w, t in trees}
    corpus = varied.sample(8_000, seed=3, by=by, length=length)
    assert set(np.diff(corpus.offsets)) == {length}
    assert fits(Counter(corpus.trees), expected) > LEVEL


def test_nltk_productions_drawn_one_by_one_give_the_same_frequencies(varied):
    theirs, rng = to_nltk(varied), random.Random(5)

    def draw():
        stack, tokens = [theirs.start()], []
        while stack:
            symbol = stack.pop()
            if isinstance(symbol, str):
                tokens.append(symbol)
                continue
            rules = theirs.productions(lhs=symbol)
            [rule] = rng.choices(rules, [rule.prob() for rule in rules])
            stack.extend(reversed(rule.rhs()))
        return tuple(tokens)

    one, two = Counter(draw() for _ in range(4000)), Counter(varied.sample(4000, seed=6).sentences)
    common = [s for s in one | two if one[s] + two[s] >= 20]
    assert len(common) > 5
    table = [[one[s] for s in common], [two[s] for s in common]]
    assert chi2_contingency(table).pvalue > LEVEL


@settings(max_examples=100)
@given(seed=SEEDS)
def test_labels_are_those_of_the_trees(small_grammar, paths, seed):
    grammar = small_grammar(seed)
    length = max(grammar.lengths) if seed % 2 else None
    corpus = grammar.sample(4, seed=seed, length=length)
    rows = [row for tree in corpus.trees for row in paths(grammar, tree)]
    assert tuple(t.leaves() for t in corpus.trees) == corpus.sentences
    for height in corpus.heights:
        assert corpus.labels(height).tolist() == [row[height - 1][0] for row in rows]
        assert corpus.boundary(height).tolist() == [row[height - 1][1] for row in rows]
    assert corpus.heights == tuple(range(1, grammar.depth + 1))
    assert all(grammar.tree_probability(tree) > 0 for tree in corpus.trees)


def test_rules_and_places_of_ancestors():
    grammar = Grammar.from_text("S -> A 'c' B\nA -> 'a' 'a'\nB -> A 'b'")
    corpus = grammar.sample(1, seed=0)
    assert corpus.sentences[0] == ("a", "a", "c", "a", "a", "b")
    assert corpus.labels(1).tolist() == ["A", "A", "c", "A", "A", "b"]
    rule = "A -> 'a' 'a'"
    assert corpus.labels(1, "rule").tolist() == [rule, rule, "", rule, rule, ""]
    assert corpus.labels(1, "index").tolist() == ["0", "0", "1", "0", "0", "1"]
    assert corpus.labels(2).tolist() == ["A", "A", "c", "B", "B", "B"]
    assert corpus.labels(2, "rule").tolist() == ["", "", "", *["B -> A 'b'"] * 3]
    assert corpus.labels(2, "index").tolist() == ["0", "0", "1", "2", "2", "2"]
    assert corpus.labels(3, "index").tolist() == [""] * 6
    with pytest.raises(LanguageError, match="'ancestor', 'rule' or 'index'"):
        corpus.labels(1, "parent")
    with pytest.raises(LanguageError, match="height 4 is outside this corpus: it has heights 1..3"):
        corpus.labels(4)


def test_a_seed_decides_everything_and_the_global_state_is_left_alone():
    grammar = families.random_hierarchy(seed=3)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, again, other = (grammar.sample(50, seed=s) for s in (7, 7, 8))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert first.sentences == again.sentences


def test_the_order_in_which_rules_are_written_does_not_matter():
    one = Grammar.from_text("S -> A B | B A\nA -> 'a' | 'b'\nB -> 'c' | 'd'")
    two = Grammar.from_text("%start S\nB -> 'd' | 'c'\nA -> 'b' | 'a'\nS -> B A | A B")
    assert one == two
    assert hash(one) == hash(two)
    assert one.sample(30, seed=1).sentences == two.sample(30, seed=1).sentences


def test_selecting_sentences_selects_everything():
    grammar = families.random_grammar(depth=3, seed=4)
    corpus = grammar.sample(10, seed=1)
    part = corpus.select([7, 2, -1])
    assert part.sentences == tuple(corpus.sentences[i] for i in (7, 2, 9))
    assert part.trees[1] == corpus.trees[2]
    assert list(part.trees[1:]) == [corpus.trees[2], corpus.trees[9]]
    assert part.sentence_ids.max() == 2
    assert part.positions[part.offsets[:-1]].tolist() == [0, 0, 0]
    for height in corpus.heights:
        for row, i in enumerate((7, 2, 9)):
            mine = part.labels(height)[part.sentence_ids == row]
            assert mine.tolist() == corpus.labels(height)[corpus.sentence_ids == i].tolist()
    assert part.grammar == grammar
    with pytest.raises(LanguageError, match="sentence indices lie in 0..9"):
        corpus.select([10])
    with pytest.raises(LanguageError, match="turn a mask into indices"):
        corpus.select(np.ones(10, dtype=bool))
    assert len(corpus.select([])) == 0
    assert corpus.select(np.arange(3)).sentences == corpus.sentences[:3]


def test_trees_are_built_only_when_they_are_asked_for(monkeypatch):
    grammar = families.random_grammar(depth=3, seed=4)
    expected = grammar.sample(30, seed=1).trees[7]
    built, make = [], SampledTrees.__getitem__

    def counted(self, index):
        built.append(index)
        return make(self, index)

    monkeypatch.setattr(SampledTrees, "__getitem__", counted)
    corpus = grammar.sample(30, seed=1)
    part = corpus.select(range(5, 10))
    assert len(built) <= 4  # the shape checker of the tests looks at some part of a sequence
    before = len(built)
    assert part.trees[2] == expected
    assert built[before:] == [7]


def test_an_empty_sample():
    corpus = families.latin(2, 2).sample(0)
    assert (len(corpus), corpus.n_tokens, corpus.sentences) == (0, 0, ())
    assert corpus.max_posterior(1).shape == (0,)


def test_samples_that_cannot_be_are_refused():
    grammar = families.latin(2, 2)
    with pytest.raises(LanguageError, match="received n = -1"):
        grammar.sample(-1)
    with pytest.raises(LanguageError, match="a seed is an integer from 0; received -1"):
        grammar.sample(1, seed=-1)
    with pytest.raises(LanguageError, match="seed is a whole number of at least 0"):
        families.random_grammar(seed=-1)
    with pytest.raises(LanguageError, match="no sentence of 5 tokens can be sampled"):
        grammar.sample(1, length=5)
    with pytest.raises(LanguageError, match="1 or more tokens; received length = 0"):
        grammar.sample(1, length=0)
    with pytest.raises(LanguageError, match="'probability' or 'derivations'; received 'chance'"):
        grammar.sample(1, by="chance")
    with pytest.raises(TooLarge, match="a sample of 1000000000000 sentences needs .* GiB"):
        grammar.sample(10**12)
