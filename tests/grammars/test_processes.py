"""Beliefs of hidden Markov processes against sums over all hidden paths, and known laws."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import HiddenMarkov, ImpossiblePrefix, LanguageError, TooLarge, families
from linrep.grammars.errors import UnknownToken

EVEN = ([[[0.5, 0], [0, 0]], [[0, 0.5], [1, 0]]], ("0", "1"), ("even", "odd"))


def drawn(seed, symbols=2, states=3):
    """A process with random probabilities, a fifth of which are 0."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, (states, symbols, states)) * (
        rng.random((states, symbols, states)) > 0.2
    )
    weights[:, 0, 0] += 1
    rows = weights / weights.sum(axis=(1, 2), keepdims=True)
    names = tuple("abcd"[:symbols]), tuple(map(str, range(states)))
    return HiddenMarkov(np.moveaxis(rows, 1, 0), *names, length=4)


def by_paths(process, tokens):
    """Probability of tokens and of the state after them: the sum over all hidden paths, exact."""
    index = {word: i for i, word in enumerate(process.terminals)}
    found = [Fraction(0)] * len(process.states)
    for path in product(range(len(process.states)), repeat=len(tokens) + 1):
        weight = Fraction(float(process.start[path[0]]))
        for token, before, after in zip(tokens, path, path[1:], strict=False):
            weight *= Fraction(float(process.transitions[index[token], before, after]))
        found[path[-1]] += weight
    return found


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_beliefs_and_probabilities_are_sums_over_hidden_paths(seed, symbols, states):
    process = drawn(seed, symbols, states)
    for sentence in process.sample(2, seed=seed).sentences:
        beliefs = process.beliefs(sentence)
        for read in range(len(sentence) + 1):
            joint = by_paths(process, sentence[:read])
            exact = [float(share / sum(joint)) for share in joint]
            assert beliefs[read] == pytest.approx(exact, abs=1e-12)
        assert process.probability(sentence) == pytest.approx(float(sum(joint)), rel=1e-12)


@pytest.mark.parametrize("process", [families.mess3(length=5), families.rrxor(length=5), drawn(3)])
def test_the_next_token_is_the_belief_times_the_emissions(process):
    corpus = process.sample(4, seed=1)
    belief, following = corpus.targets["belief"].values, corpus.targets["next token"].values
    assert belief.sum(axis=1) == pytest.approx(1)
    assert following == pytest.approx(belief @ process.transitions.sum(axis=2).T)
    for number, sentence in enumerate(corpus.sentences):
        table = process.next_token_probabilities(sentence)
        assert table.shape == (process.length + 1, len(process.terminals) + 1)
        rows = slice(number * process.length, (number + 1) * process.length)
        assert table[1:-1, :-1] == pytest.approx(following[rows][:-1])
        assert table[-1].tolist() == [0.0] * len(process.terminals) + [1.0]
        assert (table[:-1, -1] == 0).all()
        product_ = np.prod([table[i, process.terminals.index(w)] for i, w in enumerate(sentence)])
        assert process.probability(sentence) == pytest.approx(product_)


def test_sentences_are_drawn_with_their_probabilities_and_states_with_the_beliefs():
    process = HiddenMarkov(*EVEN, length=3)
    n = 20_000
    corpus = process.sample(n, seed=0)
    assert corpus.fingerprint == process.sample(n, seed=0).fingerprint
    assert corpus.fingerprint != process.sample(n, seed=1).fingerprint
    sentences, counts = np.unique([" ".join(s) for s in corpus.sentences], return_counts=True)
    for sentence, count in zip(sentences, counts, strict=True):
        p = process.probability(sentence.split())
        assert abs(count / n - p) < 5 * np.sqrt(p * (1 - p) / n)
    assert sum(process.probability(s.split()) for s in sentences) == pytest.approx(1)
    known = corpus.targets["belief"].values
    states = corpus.targets["state"].values
    for place in range(3):
        here = corpus.positions == place
        share = (states[here] == "odd").mean()
        assert share == pytest.approx(known[here, 1].mean(), abs=5 * 0.5 / np.sqrt(n))
    for belief in np.unique(known.round(6), axis=0):
        rows = (known.round(6) == belief).all(axis=1)
        assert (states[rows] == "odd").mean() == pytest.approx(
            belief[1], abs=3 / np.sqrt(rows.sum())
        )


def test_a_length_of_its_own_and_given_sentences():
    process = families.rrxor(length=4)
    assert {len(s) for s in process.sample(5, length=7).sentences} == {7}
    given_ = process.corpus([("0", "1", "1"), ("1", "1", "0")])
    assert len(given_) == 2
    assert given_.targets["belief"].values[2] == pytest.approx(process.beliefs(("0", "1", "1"))[3])
    assert len(process.corpus([])) == 0


def test_rrxor_has_36_beliefs_and_its_entropy_rate():
    process = families.rrxor()
    assert [len(process.reachable_beliefs(length)) for length in (0, 1, 6, 20)] == [1, 3, 36, 36]
    lower, upper = process.entropy_rate(80)
    assert lower == pytest.approx(2 / 3 * np.log(2), abs=1e-12)
    assert upper == pytest.approx(lower, abs=1e-7)
    assert process.start == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6])


def test_beliefs_of_mess3_are_a_new_one_for_each_sequence():
    process = families.mess3()
    for length in range(1, 7):  # 1 + 3 + ... + 3^length
        assert len(process.reachable_beliefs(length)) == (3 ** (length + 1) - 1) // 2
    lower, upper = process.entropy_rate(9)
    assert lower <= upper < lower + 1e-5
    assert lower == pytest.approx(0.7935, abs=5e-5)  # the loss published for these parameters
    assert process.start == pytest.approx(1 / 3)


def test_entropies_are_those_of_all_sentences():
    process = drawn(5)
    whole = process.conditional_entropies().sum()
    sentences = product(process.terminals, repeat=process.length)
    weights = np.array([process.probability(sentence) for sentence in sentences])
    weights = weights[weights > 0]
    assert weights.sum() == pytest.approx(1)
    assert whole == pytest.approx(-(weights * np.log(weights)).sum())
    assert (np.diff(process.conditional_entropies(8)) < 1e-12).all()  # stationary: never rises


def test_states_that_are_left_for_good_and_processes_in_parts():
    left = HiddenMarkov([[[0.5, 0.5], [0, 1.0]]], ("a",), ("x", "y"))
    assert left.start.tolist() == [0.0, 1.0]
    parts = [[[1.0, 0], [0, 1.0]]]
    with pytest.raises(LanguageError, match="several stationary distributions.*give start"):
        HiddenMarkov(parts, ("a",), ("x", "y"))
    assert HiddenMarkov(parts, ("a",), ("x", "y"), start=[0.2, 0.8]).beliefs("aa")[2, 1] == 0.8
    with pytest.raises(LanguageError, match="start has one probability for each of the 2 states"):
        HiddenMarkov(parts, ("a",), ("x", "y"), start=[0.2, 0.2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transitions": [[[0.5]], [[0.6]]]}, r"from state 'x' .* received the sum 1.1"),
        ({"transitions": [[[1.5]], [[-0.5]]]}, "from state 'x'"),
        ({"transitions": [[[np.nan]], [[1.0]]]}, "from state 'x'"),
        ({"terminals": ("a",)}, "terminals are one different name for each of the 2"),
        ({"terminals": ("a", "a")}, "terminals are one different name"),
        ({"states": ()}, "states are one different name for each of the 1"),
        ({"states": ("",)}, "states are texts that are not empty"),
        ({"length": 0}, "length is 1..1000000 tokens; received 0"),
    ],
)  # fmt: skip
def test_what_is_no_process_is_refused(change, message):
    fields = {"transitions": [[[0.5]], [[0.5]]], "terminals": ("a", "b"), "states": ("x",)}
    with pytest.raises(LanguageError, match=message):
        HiddenMarkov(**fields | change)


def test_what_the_process_cannot_say_is_refused():
    process = HiddenMarkov(*EVEN, length=3)
    with pytest.raises(ImpossiblePrefix, match="never starts with '0 1 0'"):
        process.beliefs(("0", "1", "0"))
    assert process.probability(("0", "1", "0")) == 0.0
    with pytest.raises(UnknownToken, match="'2' at position 1"):
        process.beliefs(("0", "2"))
    with pytest.raises(ImpossiblePrefix, match="sentences have 3 tokens; received 4"):
        process.next_token_probabilities(("1",) * 4)
    with pytest.raises(TooLarge, match="different beliefs occur within 30 tokens"):
        families.mess3().reachable_beliefs(30)
    with pytest.raises(LanguageError, match="x lies in"):
        families.mess3(x=0.6)


def test_a_process_is_never_changed():
    process = families.mess3()
    for array in (process.transitions, process.start):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
