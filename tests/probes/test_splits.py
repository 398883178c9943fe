"""Groups stay whole, parts are alike, the order of rows does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linrep.probes import ProbeError, split_by_group
from linrep.probes.baselines import (
    best_guess,
    control_labels,
    exchangeable,
    previous_words,
    swap_sentences,
)


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
        ([0, 1, 2], (-1.0, 1.0, 1.0), "positive"),
    ],
)
def test_impossible_splits_are_refused(groups, fractions, message):
    with pytest.raises(ProbeError, match=message):
        split_by_group(groups, fractions=fractions)


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


def sentences(rng, n=60, sizes=(3, 5), share=1.0):
    """Groups and positions of sentences, of whose tokens a share is scored."""
    lengths = rng.choice(sizes, n)
    groups = np.repeat(np.arange(n), lengths)
    places = np.concatenate([np.arange(length) for length in lengths])
    scored = rng.random(len(groups)) < share
    return groups[scored], places[scored]


def test_sentences_exchange_labels_with_sentences_of_the_same_positions():
    rng = np.random.default_rng(0)
    groups, places = sentences(rng)
    sizes = np.bincount(groups)
    source = swap_sentences(exchangeable(groups, places), rng)
    assert (places[source] == places).all()
    assert (sizes[groups[source]] == sizes[groups]).all()
    assert np.array_equal(np.sort(source), np.arange(len(groups)))
    pairs = np.unique(np.stack([groups, groups[source]]), axis=1)
    assert pairs.shape[1] == 60  # each sentence has one partner
    assert (groups[source] != groups).any()


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.2])
def test_no_label_leaves_its_position(share, fixed):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        groups, places = sentences(rng, 40, (2, 5, 6, 11), share)
        mixed = rng.permutation(len(groups))  # rows may stand in any order
        groups, places = groups[mixed], places[mixed]
        blocks = exchangeable(groups, places)
        source = swap_sentences(blocks, rng, fixed=fixed)
        partner = np.bincount(places)[places] > 1
        assert (places[source] == places)[partner].all()
        assert np.array_equal(np.sort(source), np.arange(len(groups)))
        if not fixed:
            assert (source != np.arange(len(source)))[partner].all()
        for block in blocks:
            assert (places[block] == places[block[0]]).all()
            assert (groups[block] == groups[block[:, :1]]).all()


def test_groups_of_several_sentences_keep_positions_too():
    groups = np.repeat(np.arange(20), 5)
    places = np.concatenate([[0, 1, 2, 0, 1] if i % 2 else [0, 1, 0, 1, 2] for i in range(20)])
    source = swap_sentences(exchangeable(groups, places), np.random.default_rng(0))
    assert (places[source] == places).all()
    assert np.unique(np.stack([groups, groups[source]]), axis=1).shape[1] == 20


def test_a_control_leaves_no_sentence_its_own_labels():
    groups, places = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    for seed in range(20):
        blocks = exchangeable(groups, places)
        source = swap_sentences(blocks, np.random.default_rng(seed), fixed=False)
        assert (groups[source] != groups).all()


def test_rare_lengths_exchange_position_by_position():
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    places = np.concatenate([np.arange(size) for size in range(1, 13)])
    blocks = exchangeable(groups, places)
    assert sorted(map(len, blocks)) == list(range(1, 13))
    source = swap_sentences(blocks, np.random.default_rng(0))
    assert (groups[source] != groups).any()
    assert (places[source] == places).all()


def test_nothing_to_exchange_has_an_answer():
    none = np.zeros(0, dtype=np.int64)
    assert exchangeable(none, none) == []
    assert len(swap_sentences([], np.random.default_rng(0))) == 0
