"""Posteriors of ancestors and their ceilings, against explicit enumeration."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import Grammar, ImpossiblePrefix, LanguageError, families

SEEDS = st.integers(0, 10**6)
GIVEN = ("prefix", "boundary", "sentence", "position", "window")

# Ratios of sums of fewer than 10^3 positive products of fewer than 100 factors.
RTOL = 1e5 * np.finfo(float).eps


def posterior_twin(trees, sentence, t, height, given, window):
    """Label -> probability by going through every (sentence, tree); {} if nothing fits.

    ``trees``: (probability, leaves, rows of (label, ends here) per token).
    """
    found = defaultdict(Fraction)
    for weight, leaves, rows in trees:
        if len(leaves) <= t:
            continue
        seen = {
            "sentence": leaves == sentence,
            "position": True,
            "window": leaves[max(0, t + 1 - window) : t + 1]
            == sentence[max(0, t + 1 - window) : t + 1],
        }.get(given, leaves[: t + 1] == sentence[: t + 1])
        label, ends = rows[t][height - 1]
        if seen and (given != "boundary" or ends):
            found[label] += weight
    total = sum(found.values())
    return {label: weight / total for label, weight in found.items()}


@pytest.fixture(scope="module")
def labelled(derivations, paths):
    def label(grammar):
        return [
            (weight, tree.leaves(), paths(grammar, tree)) for weight, tree in derivations(grammar)
        ]

    return label


@pytest.mark.parametrize("given_", GIVEN)
@settings(max_examples=200)
@given(seed=SEEDS, window=st.integers(1, 3), pick=st.randoms())
def test_posteriors_equal_enumeration(small_grammar, labelled, given_, seed, window, pick):
    grammar = small_grammar(seed)
    trees = labelled(grammar)
    for _ in range(3):
        _, sentence, _ = pick.choice(trees)
        t = pick.randrange(len(sentence))
        height = pick.randint(1, grammar.depth)
        twin = posterior_twin(trees, sentence, t, height, given_, window)
        ask = {"height": height, "given": given_, "window": window}
        if not twin:
            with pytest.raises(ImpossiblePrefix, match="probability 0"):
                grammar.ancestor_posterior(sentence, t, **ask)
            continue
        assert grammar.ancestor_posterior(sentence, t, exact=True, **ask) == twin
        fast = grammar.ancestor_posterior(sentence, t, **ask)
        assert fast.keys() == twin.keys()
        for label, p in fast.items():
            np.testing.assert_allclose(p, float(twin[label]), rtol=RTOL)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_batches_of_a_corpus_equal_single_sentences(small_grammar, seed):
    grammar = small_grammar(seed)
    corpus = grammar.sample(6, seed=seed)
    height = 1 + seed % grammar.depth
    for given_ in GIVEN:
        window = 1 + seed % 4
        posterior = corpus.posterior(height, given_, window=window)
        highest = corpus.max_posterior(height, given_, window=window)
        token = 0
        for sentence in corpus.sentences:
            for t in range(len(sentence)):
                if given_ == "boundary" and not corpus.boundary(height)[token]:
                    assert np.isnan(highest[token])
                    assert np.isnan(posterior.probabilities[token]).all()
                else:
                    alone = grammar.ancestor_posterior(sentence, t, height, given_, window=window)
                    row = dict(zip(posterior.labels, posterior.probabilities[token], strict=True))
                    for label, p in row.items():
                        # Padding changes which sums are formed, not their terms.
                        np.testing.assert_allclose(p, alone.get(label, 0.0), rtol=RTOL)
                    np.testing.assert_allclose(highest[token], max(alone.values()), rtol=RTOL)
                token += 1


@settings(max_examples=30)
@given(seed=SEEDS)
def test_seeing_more_never_lowers_the_expected_ceiling(small_grammar, language, seed):
    grammar = small_grammar(seed)
    sentences = language(grammar)
    corpus = grammar.corpus(sentences)
    weights = np.repeat([float(p) for p in sentences.values()], [len(s) for s in sentences])
    height = 1 + seed % grammar.depth
    means = {}
    for given_, window in [
        ("position", None),
        ("window", 1),
        ("window", 2),
        ("prefix", None),
        ("sentence", None),
    ]:
        means[given_, window] = weights @ corpus.max_posterior(height, given_, window=window)
    values = list(means.values())
    assert all(b >= a * (1 - RTOL) for a, b in zip(values, values[1:], strict=False)), means


@pytest.mark.parametrize(("order", "depth"), [(2, 3), (3, 3), (4, 2)])
def test_latin_squares_make_the_sharpest_staircase(order, depth):
    """Prediction P4: 1/q at interior positions whatever is seen, 1 at the boundary."""
    grammar = families.latin(order, depth)
    corpus = grammar.sample(50, seed=1)
    for height in range(1, depth):
        prefix = corpus.max_posterior(height, "prefix")
        ends = corpus.boundary(height)
        np.testing.assert_allclose(prefix[~ends], 1 / order, rtol=RTOL)
        np.testing.assert_allclose(prefix[ends], 1.0, rtol=RTOL)
        span = 2**height
        np.testing.assert_allclose(corpus.max_posterior(height, "position"), 1 / order, rtol=RTOL)
        short = corpus.max_posterior(height, "window", window=span - 1)
        np.testing.assert_allclose(short, 1 / order, rtol=RTOL)
        full = corpus.max_posterior(height, "window", window=span)
        np.testing.assert_allclose(full[ends], 1.0, rtol=RTOL)
        assert grammar.ceiling(corpus, height, "boundary") == pytest.approx(1.0, rel=RTOL)
        assert grammar.ceiling(corpus, height, "sentence") == pytest.approx(1.0, rel=RTOL)


def test_the_mean_of_the_highest_posterior_is_the_accuracy_of_the_bayes_classifier():
    grammar = families.random_grammar(
        depth=3, n_symbols=3, n_rules=3, ambiguity=0.4, unary=0.2, skip=0.2, seed=12
    )
    corpus = grammar.sample(4000, seed=2)
    posterior = corpus.posterior(1, "prefix")
    guess = np.array(posterior.labels)[posterior.probabilities.argmax(axis=1)]
    hits = guess == corpus.labels(1)
    by_sentence = np.add.reduceat(hits - corpus.max_posterior(1), corpus.offsets[:-1])
    # Sum of independent sentences of mean 0: within 4 standard errors (p about 6e-5, seed fixed).
    assert abs(by_sentence.mean()) < 4 * by_sentence.std() / np.sqrt(len(corpus))
    assert hits.mean() < 0.999


def test_questions_that_make_no_sense_are_refused():
    grammar = families.latin(2, 3)
    corpus = grammar.sample(2, seed=0)
    with pytest.raises(LanguageError, match="height 4 is outside the grammar: it has heights 1..3"):
        grammar.ceiling(corpus, 4)
    with pytest.raises(LanguageError, match="height 0 is outside"):
        grammar.ancestor_posterior(corpus.sentences[0], 0, 0)
    with pytest.raises(LanguageError, match="needs window=R"):
        corpus.max_posterior(1, "window")
    with pytest.raises(LanguageError, match="token index 8 is outside the sentence of 8 tokens"):
        grammar.ancestor_posterior(corpus.sentences[0], 8, 1)
    with pytest.raises(LanguageError, match="token index -1"):
        grammar.ancestor_posterior(corpus.sentences[0], -1, 1)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ("prefix", r"no sentence of the grammar starts with the 2 tokens up to index 1; check"),
        ("boundary", r"an ancestor of height 2 that ends there; .* ask given='prefix'"),
        ("sentence", r"the tokens are no sentence of the grammar; .* ask given='prefix'"),
        ("window", r"no sentence of the grammar has these last 2 tokens up to index 1"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_ask_instead(given_, message):
    grammar = Grammar.from_text("S -> X X\nX -> 'a' 'b'")
    with pytest.raises(ImpossiblePrefix, match=message):
        grammar.ancestor_posterior(["b", "b"], 1, 2, given_, window=9)
    with pytest.raises(ImpossiblePrefix, match="no sentence of the grammar has a token at index 4"):
        grammar.ancestor_posterior(["a"] * 5, 4, 1, "position")
    with pytest.raises(ImpossiblePrefix, match="an ancestor of height 1 that ends there"):
        grammar.ancestor_posterior(["a", "b"], 0, 1, "boundary")


def test_bare_sentences_do_not_tell_where_ancestors_end():
    corpus = Grammar.from_text("S -> 'a' 'b'").corpus([["a", "b"]])
    for ask in (corpus.max_posterior, corpus.posterior):
        with pytest.raises(LanguageError, match="a corpus of bare sentences does not tell"):
            ask(1, "boundary")


def test_a_corpus_of_another_vocabulary_is_translated():
    wide = Grammar.from_text("S -> 'a' X | 'c' X\nX -> 'b'")
    narrow = Grammar.from_text("S -> 'a' X\nX -> 'b'")
    corpus = narrow.sample(3, seed=0)
    assert wide.max_posterior(corpus, 1).tolist() == [1.0] * 6


def test_given_sentences_have_posteriors_but_no_labels():
    grammar = Grammar.from_text("S -> A [0.25] | B [0.75]\nA -> 'x' 'y'\nB -> 'x' 'y'")
    corpus = grammar.corpus([["x", "y"], ["x", "y"]])
    posterior = corpus.posterior(1, "sentence")
    assert posterior.labels == ("A", "B")
    assert posterior.probabilities.tolist() == [[0.25, 0.75]] * 4
    assert (corpus.heights, corpus.trees, len(corpus)) == ((), (), 2)
    with pytest.raises(LanguageError, match="it has heights none"):
        corpus.labels(1)
    with pytest.raises(LanguageError, match="a corpus with at least one token"):
        grammar.ceiling(grammar.corpus([]), 1)
