"""What is beaten at all cells together: against slow twins, and where nothing is to be found."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from linrep.probes.evidence.rivals import (
    LEAST_GROUPS,
    LEAST_TWINS,
    beats,
    beats_untrained,
    group_differences,
)

MANY = np.full(2, 400.0)


def all_signs(sums):
    """The same test with every pattern of signs once: exact, and only for few groups."""
    scale = np.sqrt(np.square(sums).sum(axis=0))
    patterns = np.array(list(itertools.product([-1, 1], repeat=len(sums))))
    highest = (patterns @ (sums / scale)).max(axis=1)
    return np.array([(highest >= each - 1e-12).mean() for each in sums.sum(axis=0) / scale])


@pytest.mark.parametrize("seed", range(4))
def test_drawn_signs_meet_the_exact_test(seed):
    rng = np.random.default_rng(seed)
    sums = rng.standard_normal((10, 3)) + [0.0, 0.5, 1.0]
    exact = np.where(sums.sum(axis=0) > 0, all_signs(sums), 1.0)  # who loses beats nobody
    drawn = beats(sums, seed=seed, draws=20_000)
    error = 4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4  # four standard errors
    assert (np.abs(drawn - exact) <= error).all()


def test_a_page_of_nothing_says_something_in_one_of_twenty():
    """Correlated cells, groups of unlike size: the rate of pages with any finding is the level."""
    rng = np.random.default_rng(0)
    pages, false = 400, 0
    for page in range(pages):
        common = rng.standard_normal((20, 1))
        size = rng.gamma(1.0, size=(20, 1))
        sums = size * (common + rng.standard_normal((20, 8)))
        false += bool((beats(sums, seed=page, draws=199) <= 0.05).any())
    assert false <= 0.05 * pages + 3 * np.sqrt(0.05 * 0.95 * pages)  # three standard errors
    assert false >= 0.01 * pages  # and the test is no mere refusal


def test_what_is_there_is_found_among_many_cells():
    rng = np.random.default_rng(1)
    sums = rng.standard_normal((30, 100))
    sums[:, 7] += 1.5
    found = beats(sums, seed=0) <= 0.05
    assert found[7]
    assert found.sum() <= 2


@given(st.integers(0, 10_000))
def test_p_depends_on_no_units_and_on_no_order(seed):
    rng = np.random.default_rng(seed)
    sums = rng.standard_normal((12, 4))
    units = rng.uniform(0.1, 100, 4)
    first = beats(sums, seed=3, draws=99)
    assert beats(sums * units, seed=3, draws=99) == pytest.approx(first)
    order = rng.permutation(4)
    assert beats(sums[:, order], seed=3, draws=99) == pytest.approx(first[order])


def test_equal_answers_beat_nothing():
    sums = np.zeros((20, 2))
    sums[:, 1] = 1.0
    assert beats(sums, seed=0)[0] == 1.0


def test_few_groups_say_nothing():
    assert np.isnan(beats(np.ones((LEAST_GROUPS - 1, 3)), seed=0)).all()
    assert (beats(np.ones((LEAST_GROUPS, 3)), seed=0) <= 0.05).all()


def test_cells_without_a_rival_are_left_out():
    groups = [np.repeat(np.arange(8), 2)] * 2
    sums = group_differences([np.ones(16), None], groups)
    assert np.isnan(sums[:, 1]).all()
    p = beats(sums, seed=0)
    assert p[0] < 0.05
    assert np.isnan(p[1])


@given(st.integers(0, 10_000))
def test_differences_are_added_up_by_group(seed):
    rng = np.random.default_rng(seed)
    groups = [rng.integers(0, 6, n) for n in (9, 14)]
    values = [rng.standard_normal(len(each)) for each in groups]
    table = group_differences(values, groups)
    names = sorted({*groups[0], *groups[1]})
    for cell in range(2):
        for row, name in enumerate(names):
            slow = sum(v for v, g in zip(values[cell], groups[cell], strict=True) if g == name)
            assert table[row, cell] == pytest.approx(slow)


@pytest.mark.parametrize("shared", [0.0, 0.9])
@pytest.mark.parametrize("twins", [3, 5, 12])
def test_one_more_untrained_model_is_seldom_called_trained(twins, shared):
    """Models drawn from one law; cells that go along with each other, or do not."""
    rng = np.random.default_rng(2)
    pages, false = 300, 0
    for page in range(pages):
        common = rng.standard_normal((twins + 1, 1))
        own = rng.standard_normal((twins + 1, 10))
        table = 0.5 + 0.03 * (shared * common + np.sqrt(1 - shared**2) * own)
        false += bool(
            (
                beats_untrained(table[0], table[1:], np.full(10, 400.0), seed=page, draws=199)
                <= 0.05
            ).any()
        )
    assert false <= 0.05 * pages + 3 * np.sqrt(0.05 * 0.95 * pages)  # three standard errors


def test_a_trained_model_stands_out_of_five():
    rng = np.random.default_rng(3)
    untrained = 0.5 + 0.02 * rng.standard_normal((5, 20))
    seen = np.full(20, 0.5)
    seen[4] = 0.75
    p = beats_untrained(seen, untrained, np.full(20, 400.0), seed=0)
    assert p[4] <= 0.05
    assert (np.delete(p, 4) > 0.05).all()


def test_a_spread_of_zero_is_that_of_the_grid():
    """Five equal models at one cell are no proof that all models are equal there."""
    untrained = np.array([[0.5, 0.5], [0.5, 0.6], [0.5, 0.4], [0.5, 0.55], [0.5, 0.45]])
    assert beats_untrained(np.array([0.52, 0.5]), untrained, MANY, seed=0)[0] > 0.05
    same = np.full((5, 2), 0.5)
    assert beats_untrained(np.array([0.52, 0.5]), same, MANY, seed=0).tolist() == [0.0005, 1.0]


def test_two_models_have_no_spread():
    few = np.full((LEAST_TWINS - 1, 2), 0.5)
    assert np.isnan(beats_untrained(np.array([0.9, 0.9]), few, MANY, seed=0)).all()
