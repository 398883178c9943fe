"""Groups stay whole, parts are alike, the order of rows does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.probes import ProbeError, split_by_group
from linrep.probes.evidence.baselines import best_guess, control_labels, previous_words


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(5, 60))
def test_no_group_stands_in_two_parts_and_every_token_in_one(seed, n_groups):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, 300)
    split = split_by_group(groups, rng.integers(0, 3, 300), seed=seed)
    parts = np.stack([split.train, split.validation, split.test])
    assert (parts.sum(axis=0) == 1).all()
    for group in np.unique(groups):
        assert parts[:, groups == group].any(axis=1).sum() == 1


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 40, 400), rng.integers(0, 5, 400)
    order = rng.permutation(400)
    first = split_by_group(groups, labels)
    second = split_by_group(groups[order], labels[order])
    assert (first.test[order] == second.test).all()


def test_rare_classes_stand_in_every_part():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 10)
    labels = np.where(rng.random(2000) < 0.02, "rare", "common")
    split = split_by_group(groups, labels, fractions=(0.6, 0.2, 0.2))
    shares = [
        (labels[part] == "rare").sum() / (labels == "rare").sum()
        for part in (split.train, split.validation, split.test)
    ]
    assert np.allclose(shares, (0.6, 0.2, 0.2), atol=0.08)
    assert np.allclose(split.train.mean(), 0.6, atol=0.02)


def test_seeds_make_other_splits():
    groups = np.arange(100)
    assert (split_by_group(groups, seed=0).test != split_by_group(groups, seed=1).test).any()


@pytest.mark.parametrize(
    ("groups", "fractions", "message"),
    [
        ([0, 0, 1, 1], (0.5, 0.25, 0.25), "cannot make 3 parts"),
        ([0, 1, 2], (-1.0, 1.0, 1.0), "none of them negative"),
        ([0, 1, 2], (np.nan, 1.0, 1.0), "three numbers"),
        ([0, 1, 2], (0.0, 0.0, 0.0), "three numbers"),
        ([[0], [1], [2]], (0.5, 0.2, 0.3), "one id per token"),
    ],
)
def test_impossible_splits_are_refused(groups, fractions, message):
    with pytest.raises(ProbeError, match=message):
        split_by_group(groups, fractions=fractions)


def test_labels_of_another_length_are_refused():
    with pytest.raises(ProbeError, match="lengths differ"):
        split_by_group([0, 1, 2, 3], ["a", "b"])


def test_guessing_by_key_is_the_majority_of_the_key():
    keys, codes = np.array([0, 0, 0, 1, 1, 2]), np.array([2, 2, 0, 1, 1, 2])
    assert best_guess(keys, codes, np.array([0, 1, 2, 9]), 3).tolist() == [2, 1, 2, 2]


def test_previous_words_stop_at_sentences():
    found = previous_words(np.array([4, 5, 6, 7]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    assert found.tolist() == [-1, 4, -1, 6]


def test_control_task_gives_each_word_type_one_class_of_the_right_shares():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 3000, 20000)
    labels = control_labels(words, np.array([0.5, 0.3, 0.2]), rng)
    assert all(len(np.unique(labels[words == word])) == 1 for word in range(50))
    # 3,000 types drawn independently: standard error below 0.01
    assert np.allclose(np.bincount(labels) / len(labels), (0.5, 0.3, 0.2), atol=0.04)
