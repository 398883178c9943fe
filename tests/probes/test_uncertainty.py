"""Intervals that cover, p-values that keep their promise, corrections as published."""

import numpy as np
import pytest
from scipy import stats

from linrep.probes import ProbeError, benjamini_hochberg, paired_test
from linrep.probes.evidence.intervals import (
    accuracy_interval,
    bootstrap_weights,
    family_wise,
    permutation_p,
)

REPETITIONS = 1000


def sentences(rng, n, mean, spread, shortest=4, longest=12):
    """Right and scored tokens of sentences that share an accuracy of their own (beta-binomial)."""
    tokens = rng.integers(shortest, longest + 1, n)
    own = rng.beta(mean * spread, (1 - mean) * spread, n)
    return rng.binomial(tokens, own).astype(float), tokens.astype(float)


@pytest.mark.parametrize(
    ("n", "mean", "spread", "lengths"),
    [
        (60, 0.6, 3.0, (4, 12)),
        (250, 0.8, 3.0, (4, 12)),
        (250, 0.3, 3.0, (4, 12)),
        (40, 0.9, 3.0, (4, 12)),  # few errors: skewed
        (100, 0.95, 3.0, (4, 12)),
        (200, 0.97, 5.0, (4, 12)),
        (60, 0.9, 3.0, (1, 60)),  # few long sentences hold most tokens
        (60, 0.7, 0.5, (4, 12)),  # a sentence is nearly all right or all wrong
        (300, 0.8, 3.0, (1, 1)),  # tokens are sentences
    ],
)
def test_intervals_cover(n, mean, spread, lengths):
    rng = np.random.default_rng(7)
    hits = 0
    for repetition in range(REPETITIONS):
        if repetition % 50 == 0:  # other resamples now and then: they are part of the method
            weights = bootstrap_weights(n, 1000, rng)
        low, high = accuracy_interval(*sentences(rng, n, mean, spread, *lengths), weights)
        hits += low <= mean <= high
    assert 0.93 <= hits / REPETITIONS <= 0.97


def test_neither_end_misses_often_where_sentences_are_of_unlike_length():
    """At most 4 % are promised; percentiles of the bootstrap have all of them here."""
    rng = np.random.default_rng(3)
    weights = bootstrap_weights(180, 400, rng)
    above = below = 0
    for _ in range(1500):
        low, high = accuracy_interval(*sentences(rng, 180, 0.93, 20.0, 1, 60), weights)
        above, below = above + (low > 0.93), below + (high < 0.93)
    assert above <= 0.035 * 1500
    assert below <= 0.035 * 1500


def test_sentences_whose_length_goes_with_their_accuracy_are_covered():
    """The accuracy is a ratio of sums, not the mean of the sentences' accuracies."""
    rng = np.random.default_rng(7)
    lengths = np.arange(4, 25)
    own = 0.35 + 0.02 * lengths
    truth = (lengths * own).sum() / lengths.sum()
    weights, hits = bootstrap_weights(120, 1000, rng), 0
    for _ in range(REPETITIONS):
        kind = rng.integers(0, len(lengths), 120)
        right = rng.binomial(lengths[kind], own[kind]).astype(float)
        low, high = accuracy_interval(right, lengths[kind].astype(float), weights)
        hits += low <= truth <= high
    assert abs(own.mean() - truth) > 0.03
    assert 0.93 <= hits / REPETITIONS <= 0.97


@pytest.mark.parametrize("mean", [0.999, 0.99, 0.01])
def test_intervals_at_the_edge_never_cover_too_little(mean):
    rng = np.random.default_rng(3)
    weights = bootstrap_weights(150, 400, rng)
    hits = 0
    for _ in range(REPETITIONS):
        low, high = accuracy_interval(*sentences(rng, 150, mean, spread=20.0), weights)
        hits += low <= mean <= high
    assert hits / REPETITIONS >= 0.93


def test_all_right_is_not_certainty():
    right = tokens = np.full(100, 7.0)
    low, high = accuracy_interval(
        right, tokens, bootstrap_weights(100, 50, np.random.default_rng(0))
    )
    assert (low, high) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    low, high = accuracy_interval(
        0 * right, tokens, bootstrap_weights(100, 50, np.random.default_rng(0))
    )
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))


def test_one_sentence_has_no_interval():
    one = np.ones(1)
    assert np.isnan(accuracy_interval(one, one, np.ones((5, 1), dtype=np.float32))).all()


def test_tokens_of_a_sentence_are_no_independent_witnesses():
    rng = np.random.default_rng(0)
    right, tokens = sentences(rng, 80, 0.7, spread=0.5)
    low, high = accuracy_interval(right, tokens, bootstrap_weights(80, 1000, rng))
    p = right.sum() / tokens.sum()
    naive = 2 * 1.96 * np.sqrt(p * (1 - p) / tokens.sum())
    assert high - low > 1.5 * naive


def test_permutation_p_counts_itself():
    assert permutation_p(1.0, np.zeros(99)) == 0.01
    assert permutation_p(0.0, np.zeros(99)) == 1.0


def test_benjamini_hochberg_is_the_published_procedure():
    p = np.random.default_rng(0).uniform(size=30) ** 2
    assert np.allclose(benjamini_hochberg(p), stats.false_discovery_control(p))


def test_benjamini_hochberg_leaves_untested_cells_out():
    q = benjamini_hochberg([0.01, np.nan, 0.04])
    assert np.isnan(q[1])
    assert np.allclose(q[[0, 2]], stats.false_discovery_control([0.01, 0.04]))
    with pytest.raises(ProbeError, match=r"0\.\.1"):
        benjamini_hochberg([1.2])


def test_paired_test_sees_a_difference_and_none():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 8)
    base = rng.random(480) < 0.7
    better = base | (rng.random(480) < 0.3)
    assert paired_test(better, base, groups) < 0.01
    assert paired_test(base, base, groups) == 1.0


def test_paired_test_keeps_its_level_within_sentences():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 10)
    small = 0
    for repetition in range(300):
        own = rng.random((2, 30))
        a, b = (rng.random(300) < own[i][groups] for i in (0, 1))
        small += paired_test(a, b, groups, draws=199, seed=repetition) <= 0.05
    # 5 % of 300, plus three standard errors of a binomial
    assert small / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_benjamini_hochberg_keeps_the_shape_of_a_grid():
    p = np.random.default_rng(0).uniform(size=(3, 4))
    assert np.array_equal(benjamini_hochberg(p), benjamini_hochberg(p.ravel()).reshape(3, 4))
    assert benjamini_hochberg([]).shape == (0,)
    with pytest.raises(ProbeError, match=r"0\.\.1"):
        benjamini_hochberg([np.inf])


def test_paired_test_refuses_what_it_cannot_compare():
    with pytest.raises(ProbeError, match="NaN"):
        paired_test([np.nan, 1.0], [0.0, 1.0], [0, 1])
    with pytest.raises(ProbeError, match="draws"):
        paired_test([1.0], [0.0], [0], draws=0)
    with pytest.raises(ProbeError, match="have one value for each token; received shapes"):
        paired_test([1.0], [0.0], [0, 1])


def test_the_smallest_family_wise_p_does_not_depend_on_the_number_of_cells():
    """A grid of 7 sites and 4 targets with one perfect cell: others cannot drag it down."""
    rng = np.random.default_rng(0)
    seen, draws = rng.standard_normal(28), rng.standard_normal((28, 200))
    seen[3] = 20.0
    p = family_wise(seen, draws)
    assert p[3] == 1 / 201
    assert np.delete(p, 3).min() > 0.05
    assert benjamini_hochberg([1 / 201, *np.full(27, 0.5)])[0] > 0.05  # what went wrong before
    single = np.array([permutation_p(a, b) for a, b in zip(seen, draws, strict=True)])
    assert (p >= single - 1e-12).all()


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_one_false_cell_in_a_grid_is_as_rare_as_the_level_says(together):
    runs, rng, scales = 400, np.random.default_rng(0), np.geomspace(0.01, 1, 16)[:, None]
    false = 0
    for _ in range(runs):
        own, shared = rng.standard_normal((16, 100)), rng.standard_normal((1, 100))
        table = scales * (np.sqrt(1 - together) * own + np.sqrt(together) * shared)
        false += family_wise(table[:, 0], table[:, 1:]).min() <= 0.05
    # the exact level of exchangeable draws, give or take four standard errors
    assert abs(false / runs - 0.05) < 4 * np.sqrt(0.05 * 0.95 / runs)


def test_cells_without_a_difference_and_grids_without_draws():
    flat = family_wise(np.array([0.5, 3.0]), np.array([[0.5] * 19, [0.0, 1.0] * 9 + [0.0]]))
    assert flat.tolist() == [1.0, 0.05]
    assert np.isnan(family_wise(np.zeros(2), np.zeros((2, 0)))).all()
