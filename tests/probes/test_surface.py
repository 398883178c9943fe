"""What words, neighbours, position and embedding tell: scikit-learn's twin, and decoys."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import special
from sklearn.linear_model import LogisticRegression

from linrep.probes.evidence import surface as module
from linrep.probes.evidence.surface import Surface, _Fit
from linrep.probes.inputs.blocks import Blocks

N, TYPES = 900, 30


def tokens(seed=0):
    """Words in a row, each with its neighbours and a position."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, TYPES, N)
    positions = np.arange(N) % 10
    before = np.where(positions > 0, np.roll(words, 1), -1)
    after = np.where(positions < 9, np.roll(words, -1), -1)
    return rng, words, before, after, positions


def accuracy(surface, labels):
    order = np.random.default_rng(1).permutation(N)
    train, validation, test = order[:600], order[600:700], order[700:]
    guess = surface.guess(train, validation, test, (labels[train], labels[validation]), 2)
    return float(np.mean(guess == labels[test]))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_coin_for_anything_on_the_surface_is_read(place):
    rng, *keys = tokens()
    coins = rng.integers(0, 2, TYPES + 1)
    assert accuracy(Surface(tuple(keys), None), coins[keys[place]]) == 1.0
    without = tuple(key for index, key in enumerate(keys) if index != place)
    assert accuracy(Surface(without, None), coins[keys[place]]) < 0.75  # no other key tells it


def test_two_words_added_up_are_read_and_their_exclusive_or_is_not():
    """Together is not jointly: pairs of words are structure, no surface."""
    rng, words, before, after, positions = tokens()
    surface = Surface((words, before, after, positions), None)
    one, two = rng.integers(0, 2, (2, TYPES + 1))
    assert accuracy(surface, one[words] & two[before]) > 0.9
    assert accuracy(surface, one[words] ^ two[before]) < 0.75


def test_the_embedding_reaches_words_that_were_never_seen():
    rng, words, *_ = tokens()
    words = np.arange(N)  # each occurs once
    hidden = rng.standard_normal((N, 6))
    labels = (hidden[:, 2] > 0).astype(int)
    assert accuracy(Surface((words,), None), labels) < 0.65
    assert accuracy(Surface((words,), Blocks(hidden)), labels) > 0.95


def test_it_is_the_logistic_regression_of_all_columns(monkeypatch):
    """Scikit-learn's optimum of the same columns, where the descent is let run to its end."""
    monkeypatch.setattr(module, "STEPS", 10_000)
    rng, words, before, _, positions = tokens()
    surface = Surface((words, before, positions), Blocks(rng.standard_normal((N, 3))))
    labels = rng.integers(0, 3, N)
    train = np.arange(700)
    columns, dense = surface.columns(train), surface.dense(train)
    fit = _Fit(columns[train], dense(train), labels[train], 3)
    mine = fit.logits(fit.solve(fit.start(), 0.5), columns, dense(np.arange(N)))
    wide = np.hstack([columns.toarray(), dense(np.arange(N))])
    slow = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(wide[train], labels[train])
    theirs = slow.predict_proba(wide)
    # L-BFGS-B stops where the objective moves by 1e-9 of itself: probabilities agree to its root.
    assert special.softmax(mine, axis=1) == pytest.approx(theirs, abs=1e-3)


def test_few_steps_lose_nothing(monkeypatch):
    """Of words as rare and as common as in a language, beside directions of unlike variance."""
    rng = np.random.default_rng(3)
    n, types = 3000, 800
    words = np.minimum(rng.zipf(1.3, n), types) - 1
    before = np.r_[-1, words[:-1]]
    hidden = rng.standard_normal((types, 12)) * np.arange(1, 13) ** -1.0
    score = rng.standard_normal((types, 5)) + hidden @ rng.standard_normal((12, 5))
    labels = (score[words] + 0.5 * score[before] + rng.gumbel(size=(n, 5))).argmax(axis=1)
    surface = Surface((words, before), Blocks(hidden[words]))
    parts = np.split(np.arange(n), [2000, 2400])
    few = accuracy_of(surface, parts, labels)
    monkeypatch.setattr(module, "STEPS", 1000)
    # Within two standard errors of 600 answers at 0.5, of which most are the same.
    assert few == pytest.approx(accuracy_of(surface, parts, labels), abs=2 * 0.5 / 600**0.5)


def accuracy_of(surface: Surface, parts: list[np.ndarray], labels: np.ndarray) -> float:
    train, validation, test = parts
    guess = surface.guess(train, validation, test, (labels[train], labels[validation]), 5)
    return float((guess == labels[test]).mean())


def test_unseen_words_and_parts_without_validation():
    rng, words, *_ = tokens()
    surface = Surface((words,), None)
    labels = rng.integers(0, 2, N)
    train, test = np.flatnonzero(words < 20), np.flatnonzero(words >= 20)
    none = np.zeros(0, dtype=np.int64)
    guess = surface.guess(train, none, test, (labels[train], none), 2)
    assert len(np.unique(guess)) == 1  # all it can say is the commoner class
    assert surface.guess(train, none, test, (labels[train], none), 1).tolist() == [0] * len(test)


@given(st.integers(0, 70), st.integers(1, 9), st.integers(0, 2**31), st.integers(1, 20))
def test_the_largest_number_of_each_row_is_numpys(n, k, seed, turned):
    rows = np.random.default_rng(seed).standard_normal((n, k)).astype(np.float32)
    rows[::7] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TURNED", turned)
        np.testing.assert_array_equal(module._largest(rows), rows.max(axis=1))
