"""Dimensions, evenness and overlap of planted states, and of states that are not there."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.probes.invariants.geometry import dimensions, evenness, overlap_of, own_of

N, D = 800, 12


def planted(corners, noise=0.3, seed=0, n=N):
    """``[row, D]`` noise with the corner of each row's class added, in a turned basis."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, len(corners), n)
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    rows = noise * rng.standard_normal((n, D))
    rows[:, : corners.shape[1]] += corners[codes]
    return rows @ turn, codes


def fold_of(n=N):
    return np.arange(n) % 10


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_a_simplex_has_one_dimension_less_than_corners(k):
    X, codes = planted(np.eye(k))
    own = own_of(X, codes, {})
    assert own.free == k - 1
    assert dimensions(own, np.zeros(N, int), np.arange(N)) == k - 1


def test_four_corners_of_a_square_have_two_dimensions():
    X, codes = planted(np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]))
    assert dimensions(own_of(X, codes, {}), np.zeros(N, int), np.arange(N)) == 2


def test_labels_without_a_state_have_none():
    """The level is 1/21 for each draw; of 40 draws 8 or more are found once in 2,000."""
    found = []
    for seed in range(40):
        X, _ = planted(np.zeros((3, 3)), seed=seed, n=200)
        codes = np.random.default_rng(100 + seed).integers(0, 3, 200)
        found.append(dimensions(own_of(X, codes, {}), np.zeros(200, int), np.arange(200), seed))
    assert np.count_nonzero(found) < 8


def test_what_another_state_explains_is_not_counted():
    """The stream holds the word alone; the class goes along with the word."""
    X, word = planted(np.eye(4), noise=0.1)
    codes = np.where(np.random.default_rng(1).random(N) < 0.8, word, 3 - word)
    alone, beside = own_of(X, codes, {}), own_of(X, codes, {"word": word})
    assert dimensions(alone, np.zeros(N, int), np.arange(N)) > 0
    assert dimensions(beside, np.zeros(N, int), np.arange(N)) == 0


def test_a_class_that_the_others_fix_leaves_nothing():
    X, word = planted(np.eye(4))
    assert own_of(X, word // 2, {"word": word}).free == 0


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_a_regular_simplex_is_even(scale):
    X, codes = planted(np.eye(4), noise=0.05)
    value, low, high = evenness(own_of(scale * X, codes, {}), fold_of())
    assert value > 0.9
    assert low <= value <= high


def test_the_evenness_of_known_corners():
    """A right triangle with legs 1 and 2: extents of its corners about their mean, noise-free."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    X, codes = planted(corners, noise=0.0)
    centred = corners - corners.mean(axis=0)
    extents = np.linalg.svd(centred, compute_uv=False) ** 2
    assert evenness(own_of(X, codes, {}), fold_of())[0] == pytest.approx(extents[1] / extents[0])


def test_noise_makes_no_corner():
    """Three classes on a line in much noise: the plain means would span a plane."""
    corners = np.array([[0.0], [1.0], [2.0]])
    X, codes = planted(corners, noise=2.0)
    assert evenness(own_of(X, codes, {}), fold_of())[0] < 0.1


def test_two_classes_or_a_missing_one_have_no_evenness():
    X, codes = planted(np.eye(2))
    assert np.isnan(evenness(own_of(X, codes, {}), fold_of())[0])
    X, codes = planted(np.eye(3))
    alone = np.where(codes == 2, 0, fold_of())
    assert np.isnan(evenness(own_of(X, codes, {}), alone)[0])


@given(st.floats(0.05, 1.5))
@settings(max_examples=10)
def test_the_overlap_of_planted_lines_is_their_squared_cosine(angle):
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 2, (2, N))
    X = np.zeros((N, D))
    X[:, 0] = first + np.cos(angle) * second
    X[:, 1] = np.sin(angle) * second
    one, two = own_of(X, first, {"second": second}), own_of(X, second, {"first": first})
    value, low, high = overlap_of(one, two, fold_of())
    assert value == pytest.approx(np.cos(angle) ** 2, abs=1e-9)
    assert low - 1e-9 <= value <= high + 1e-9


def test_a_turn_of_the_basis_changes_nothing():
    X, codes = planted(np.diag([1.0, 2.0, 1.5]), noise=0.2)
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((D, D)))[0]
    before, after = own_of(X, codes, {}), own_of(X @ turn, codes, {})
    assert evenness(before, fold_of()) == pytest.approx(evenness(after, fold_of()), abs=1e-9)
    places, groups = np.zeros(N, int), np.arange(N)
    assert dimensions(before, places, groups) == dimensions(after, places, groups)
