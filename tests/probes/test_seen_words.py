"""A label that each word has once for all is one of words, however well new words are read."""

import numpy as np
import pytest

from linrep.probes import probe

from .conftest import Arrays, make_corpus


@pytest.fixture(scope="module")
def scores():
    """A stream that holds the class of every word, and one that holds another class of tokens."""
    rng = np.random.default_rng(0)
    corpus = make_corpus(400, (5,), {1: 2}, rng, words=900)  # most words occur a few times
    kinds = {word: int(rng.integers(0, 2)) for word in np.unique(corpus.words)}
    lexical = np.array([kinds[word] for word in corpus.words])
    free = rng.integers(0, 2, corpus.n_tokens)
    stream = rng.standard_normal((corpus.n_tokens, 8))
    stream[:, 0] += 6.0 * lexical
    stream[:, 1] += 6.0 * free
    found = probe(
        Arrays({"late": stream}, corpus.n_tokens), corpus,
        targets={"of words": lexical.astype(str), "of tokens": free.astype(str)},
        controls=("surface", "word_identity"), permutations=0, bootstrap=0, jackknife=0,
    )  # fmt: skip
    return {score.target: score for score in found.scores}


def test_new_words_are_read_but_count_for_nothing(scores):
    score = scores["of words"]
    assert score.n_unseen > 50
    assert score.unseen > 0.95
    assert score.accuracy > score.surface + 0.05  # over all tokens the surface is beaten
    assert score.p_surface > 0.05  # not where words were learned


def test_what_words_do_not_have_is_more_than_the_surface(scores):
    assert scores["of tokens"].accuracy > 0.95
    assert scores["of tokens"].p_surface < 0.05
