"""Probabilities of sentences and of next tokens, against explicit enumeration."""

import math
from collections import defaultdict
from fractions import Fraction

import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import Grammar, ImpossiblePrefix, LanguageError, UnknownToken
from linrep.grammars.formats.validation import reachable
from linrep.grammars.inference.chart import make_chart
from linrep.grammars.inference.next_token import next_token_weights

SEEDS = st.integers(0, 10**6)

# Sums of fewer than 10^3 products of fewer than 100 factors, all positive: relative error below
# 10^5 units of rounding.
RTOL = 1e5 * np.finfo(float).eps


def next_token_twin(sentences, prefix):
    """Distribution of what follows a prefix, from the list of all sentences."""
    found = defaultdict(Fraction)
    for sentence, weight in sentences.items():
        if sentence[: len(prefix)] == prefix:
            found[sentence[len(prefix)] if len(sentence) > len(prefix) else "<eos>"] += weight
    total = sum(found.values())
    return {token: weight / total for token, weight in found.items()}


@settings(max_examples=200)
@given(seed=SEEDS)
def test_every_probability_equals_enumeration(small_grammar, language, seed):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    assert set(grammar.all_sentences()) == set(sentences)
    total = Fraction(0)
    for place, sentence in enumerate(grammar.all_sentences()):
        exact = grammar.probability(sentence, exact=True)
        assert exact == sentences[sentence]
        total += exact
        if place < 8:
            assert math.isclose(grammar.probability(sentence), float(exact), rel_tol=RTOL)
    assert total == 1


@settings(max_examples=200)
@given(seed=SEEDS)
def test_next_tokens_equal_enumeration(small_grammar, language, seed):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    prefixes = {sentence[:t] for sentence in sentences for t in range(len(sentence) + 1)}
    chosen = sorted(prefixes)[:: max(1, len(prefixes) // 8)]
    for prefix in chosen:
        twin = next_token_twin(sentences, prefix)
        exact = grammar.next_token(prefix, exact=True)
        assert {token: p for token, p in exact.items() if p} == twin
        fast = grammar.next_token(prefix)
        assert math.isclose(sum(fast.values()), 1.0, rel_tol=RTOL)
        for token, p in fast.items():
            assert math.isclose(p, float(twin.get(token, 0)), rel_tol=RTOL)


@settings(max_examples=100)
@given(seed=SEEDS)
def test_prefix_weights_telescope(small_grammar, seed):
    grammar = small_grammar(seed)
    sentence = grammar.encode(grammar.sample(1, seed=seed).sentences[0])
    weights = next_token_weights(grammar.binary, sentence[None, :], "exact")[0]
    assert weights[0].sum() == 1
    for t, token in enumerate(sentence):
        assert weights[t + 1].sum() == weights[t, token]
    assert weights[len(sentence), -1] == grammar.probability(
        [grammar.terminals[i] for i in sentence], exact=True
    )


@settings(max_examples=100)
@given(seed=SEEDS, data=st.data())
def test_corrupted_sentences_have_probability_zero(small_grammar, language, seed, data):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    sentence = list(data.draw(st.sampled_from(sorted(sentences))))
    at = data.draw(st.integers(0, len(sentence) - 1))
    sentence[at] = data.draw(st.sampled_from(grammar.terminals))
    expected = float(sentences.get(tuple(sentence), 0))
    assert math.isclose(grammar.probability(sentence), expected, rel_tol=RTOL)
    assert (grammar.probability(sentence) == 0.0) == (tuple(sentence) not in sentences)
    possible = {s[: at + 1] for s in sentences}
    if tuple(sentence[: at + 1]) not in possible:
        with pytest.raises(ImpossiblePrefix, match="position"):
            grammar.next_token(sentence[: at + 1])


@settings(max_examples=200)
@given(seed=SEEDS)
def test_prefixes_and_single_symbols_equal_enumeration(small_grammar, derivations, language, seed):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    prefix = max(sentences)[: 1 + seed % 3]
    twin = sum(p for s, p in sentences.items() if s[: len(prefix)] == prefix)
    assert math.isclose(grammar.prefix_probability(prefix), float(twin), rel_tol=RTOL)
    assert math.isclose(grammar.prefix_probability([]), 1.0, rel_tol=RTOL)
    head = sorted(grammar.nonterminals)[seed % len(grammar.nonterminals)]
    below = reachable(head, grammar.rules)
    part = Grammar(head, tuple(rule for rule in grammar.rules if rule.lhs in below))
    for sentence, p in language(part).items():
        assert grammar.inside(head, sentence) == p
    other = [token for sentence in language(part) for token in sentence[::-1]][:4]
    assert grammar.inside(head, other) == language(part).get(tuple(other), 0)
    with pytest.raises(LanguageError, match="'no symbol' is no nonterminal"):
        grammar.inside("no symbol", prefix)


@settings(max_examples=200)
@given(seed=SEEDS, pick=st.randoms())
def test_exact_prefix_probabilities_equal_enumeration(small_grammar, language, seed, pick):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    prefixes = {sentence[:t] for sentence in sentences for t in range(len(sentence) + 1)}
    for prefix in pick.sample(sorted(prefixes), 1):
        twin = sum(p for s, p in sentences.items() if s[: len(prefix)] == prefix)
        exact = grammar.prefix_probability(prefix, exact=True)
        assert isinstance(exact, Fraction)
        assert exact == twin
        wrong = (*prefix, pick.choice(grammar.terminals))
        exact = grammar.prefix_probability(wrong, exact=True)
        assert exact == sum(p for s, p in sentences.items() if s[: len(wrong)] == wrong)


def test_impossible_prefixes_have_probability_zero():
    assert Grammar.from_text("S -> 'a' 'b'").prefix_probability(["b"]) == 0.0
    assert Grammar.from_text("S -> 'a' 'b'").prefix_probability(["a", "b", "b"]) == 0.0
    for prefix in (["b"], ["a", "b", "b"]):
        assert Grammar.from_text("S -> 'a' 'b'").prefix_probability(prefix, exact=True) == 0


def test_counts_in_the_chart_are_exact_beyond_float64():
    grammar = Grammar.from_text(
        "S -> A A\nA -> B B | C C\n"
        + "\n".join(f"{x} -> 'a' 'a' | D D" for x in "BC")
        + "\nD -> 'a' [1.0]"
    )
    n = 8
    tokens = np.zeros((1, n), dtype=np.int64)
    chart = make_chart(grammar.binary, tokens, "count")
    assert chart.cells(grammar.table.start)[0, 0, n] == grammar.n_derivations == 64


def test_long_sentences_do_not_underflow():
    """256 tokens of 64 equally probable kinds: ln P = -256 ln 64 = -1065."""
    doubling = [f"X{i} -> X{i - 1} X{i - 1}" for i in range(8, 0, -1)]
    words = " | ".join(f"'t{i}'" for i in range(64))
    grammar = Grammar.from_text("\n".join([*doubling, f"X0 -> {words}"]))
    sentence = grammar.sample(1, seed=3).sentences[0]
    probabilities = grammar.next_token_probabilities(sentence)
    assert probabilities.shape == (257, 65)
    # A row is divided by the sum of its 65 terms: at most 65 roundings.
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=65 * np.finfo(float).eps)
    # Without its token scale the chart could not hold this weight.
    assert math.isclose(grammar.log_probability(sentence), -256 * math.log(64), rel_tol=1e-12)
    assert grammar.log_probability(sentence) < math.log(np.finfo(float).tiny)
    assert grammar.probability(sentence) == 0.0
    assert grammar.probability(sentence, exact=True) == Fraction(1, 64**256)


def test_the_telescoped_next_tokens_give_the_sentence(cfg3):
    grammar = cfg3("f")
    sentence = grammar.sample(1, seed=11, length=150).sentences[0]
    table = grammar.next_token_probabilities(sentence)
    ids = [*grammar.encode(sentence), len(grammar.terminals)]
    steps = np.log(table[np.arange(len(ids)), ids])
    # One rounding per step of size at most |log p| <= 1000 nats in total.
    assert math.isclose(steps.sum(), grammar.log_probability(sentence), rel_tol=1e-12)


def test_an_unknown_token_is_named_with_its_position(small_grammar):
    grammar = Grammar.from_text("S -> 'a' 'b'")
    for ask in (grammar.probability, grammar.next_token, grammar.n_trees, grammar.viterbi):
        with pytest.raises(UnknownToken, match="'z' at position 1 .* terminals are a, b"):
            ask(["a", "z"])
    with pytest.raises(UnknownToken, match="split it first"):
        grammar.probability("a b")


def test_an_impossible_prefix_names_the_first_impossible_token():
    grammar = Grammar.from_text("S -> 'a' 'b'")
    with pytest.raises(ImpossiblePrefix, match="goes on with 'a' at position 1 .after a."):
        grammar.next_token(["a", "a", "b"])
    with pytest.raises(ImpossiblePrefix, match="goes on with 'b' at position 2"):
        grammar.next_token(["a", "b", "b"])
    with pytest.raises(ImpossiblePrefix, match="'b' at position 0 .after nothing."):
        grammar.next_token(["b"])


def test_sentences_may_be_anything_that_is_gone_through_once():
    grammar = Grammar.from_text("S -> 'a' 'b' [0.25] | 'a' [0.75]")
    assert grammar.probability(iter(["a", "b"])) == 0.25
    assert grammar.prefix_probability(iter(["a"]), exact=True) == 1
    assert grammar.next_token(iter(["a"])) == grammar.next_token(["a"])
    assert grammar.n_trees(word for word in "ab") == 1
    assert grammar.corpus(iter([iter(["a"])])).sentences == (("a",),)
    with pytest.raises(ImpossiblePrefix, match="'b' at position 0"):
        grammar.next_token(iter(["b"]))


@pytest.fixture
def untyped():
    """Annotations are not enforced: what a user sees who runs without them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("given_", [None, 5, 0.5, "ab"])
@pytest.mark.parametrize(
    "ask", ["probability", "log_probability", "prefix_probability", "next_token", "n_trees",
            "trees", "viterbi", "next_token_probabilities", "encode"]
)  # fmt: skip
def test_what_is_no_sequence_of_tokens_is_refused(ask, given_):
    grammar = Grammar.from_text("S -> 'a'")
    with pytest.raises(UnknownToken, match="a sentence is a sequence of tokens"):
        getattr(grammar, ask)(given_)
    with pytest.raises(UnknownToken, match="token .* at position 0 is no terminal"):
        getattr(grammar, ask)([None])
