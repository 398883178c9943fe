"""Bounds: consistent with each other, with closed forms and with counts."""

from itertools import product as tuples
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.piecewise import (
    MaxoutNetwork,
    NetworkError,
    is_relu,
    lines_bound,
    maxout_bound,
    random_network,
    regions_in_plane,
    relu_bound,
    relu_layer,
    relu_reach,
    upper_bound,
    zaslavsky,
)

WIDTHS = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def serra_by_enumeration(widths, n_inputs):
    """The sum as written, over every tuple J."""
    total = 0
    for js in tuples(*(range(n + 1) for n in widths)):
        dims = [n_inputs]
        for n, j in zip(widths, js, strict=True):
            dims.append(n - j)
        pairs = enumerate(zip(widths, js, strict=True))
        if all(j <= min([*dims[: i + 1], n]) for i, (n, j) in pairs):
            total += prod(comb(n, j) for n, j in zip(widths, js, strict=True))
    return total


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 3))
def test_relu_bound_is_the_sum_as_written(widths, n_inputs):
    assert relu_bound(widths, n_inputs) == serra_by_enumeration(widths, n_inputs)


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 3), st.integers(1, 4))
def test_maxout_bound_for_equal_ranks_is_the_published_formula(widths, n_inputs, rank):
    dims = [min([n_inputs, *widths[:i]]) for i in range(len(widths))]
    expected = prod(
        sum(comb(n, j) * (rank - 1) ** j for j in range(d + 1))
        for n, d in zip(widths, dims, strict=True)
    )
    assert maxout_bound(widths, rank, n_inputs) == expected
    assert maxout_bound(widths, [rank] * len(widths), n_inputs) == expected
    assert maxout_bound(widths, [[rank] * n for n in widths], n_inputs) == expected


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 3))
def test_the_best_known_network_is_not_above_the_bound(widths, n_inputs):
    wide = [max(n, n_inputs) for n in widths]
    assert (
        relu_reach(wide, n_inputs) <= relu_bound(wide, n_inputs) <= maxout_bound(wide, 2, n_inputs)
    )


@pytest.mark.parametrize(
    ("units", "rank", "bound"),
    [(1, 3, 3), (2, 3, 9), (3, 2, 7), (4, 2, 11), (3, 3, 19), (4, 3, 33)],
)
def test_one_layer_of_the_plane(units, rank, bound):
    assert maxout_bound([units], rank, 2) == bound


def test_lines_of_one_relu_layer_meet_zaslavsky():
    # Lines in general position, all crossings inside the box.
    angles = np.linspace(0, np.pi, 6, endpoint=False)
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    offsets = 0.1 * np.random.default_rng(0).normal(size=6)
    net = MaxoutNetwork(*[[part] for part in relu_layer(normals, offsets)], np.ones((1, 6)))
    assert regions_in_plane(net, (-50, 50)).n_cells == zaslavsky(6, 2) == lines_bound(6, [2] * 15)
    through_one_point = MaxoutNetwork(
        *[[part] for part in relu_layer(normals, np.zeros(6))], np.ones((1, 6))
    )
    assert regions_in_plane(through_one_point, (-1, 1)).n_cells == lines_bound(6, [6]) == 12


def test_which_bound_applies():
    relu = MaxoutNetwork(*[[p] for p in relu_layer(np.eye(3)[:, :2], np.ones(3))], np.ones((1, 3)))
    assert is_relu(relu)
    assert upper_bound(relu) == relu_bound([3], 2)
    other = random_network(5, [4, 4], 3, seed=0)
    assert not is_relu(other)
    assert upper_bound(other, dim=2) == maxout_bound([4, 4], 3, 2) < upper_bound(other)


def test_bad_bounds_are_refused():
    with pytest.raises(NetworkError, match="ranks for 1 layers"):
        maxout_bound([2, 2], [2], 2)
    with pytest.raises(NetworkError, match="1 ranks for a layer of 2"):
        maxout_bound([2], [[2]], 2)
    with pytest.raises(NetworkError, match="every width >= the 3 inputs"):
        relu_reach([2], 3)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_numpy_integers_are_integers(kind):
    two, three = kind(2), kind(3)
    assert zaslavsky(three, two) == zaslavsky(3, 2)
    assert relu_bound(np.array([3, 3], dtype=kind), two) == relu_bound([3, 3], 2)
    assert relu_reach([three, three], two) == relu_reach([3, 3], 2)
    assert maxout_bound([three], two, two) == maxout_bound([3], 2, 2)
    assert maxout_bound([two], [np.array([2, 3], dtype=kind)], two) == maxout_bound(
        [2], [[2, 3]], 2
    )
    assert lines_bound(three, [two]) == lines_bound(3, [2])
    made = random_network(two, np.array([3, 2], dtype=kind), three, seed=kind(1))
    assert made.ranks == random_network(2, [3, 2], 3, seed=1).ranks


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: zaslavsky(-1, 2), "n_hyperplanes is at least 0; received -1"),
        (lambda: zaslavsky(3, -2), "n_inputs is at least 0; received -2"),
        (lambda: zaslavsky(2.5, 2), r"n_hyperplanes is a whole number; received 2.5 \(float\)"),
        (lambda: zaslavsky(True, 2), "whole number; received True"),
        (lambda: relu_bound([3, -1], 2), "a width is at least 1; received -1"),
        (lambda: relu_bound(3, 2), "widths is a list, units per layer; received 3"),
        (lambda: relu_reach([4.0], 2), "a width is a whole number; received 4.0"),
        (lambda: relu_reach([4], 0), "n_inputs is at least 1; received 0"),
        (lambda: maxout_bound([2], 0, 2), "a rank is at least 1; received 0"),
        (lambda: maxout_bound([2], "3", 2), "ranks are whole numbers"),
        (lambda: maxout_bound([2], 2.0, 2), "ranks are whole numbers"),
        (lambda: lines_bound(2, [1]), "a multiplicity is at least 2; received 1"),
        (lambda: lines_bound(-2), "n_lines is at least 0; received -2"),
        (lambda: upper_bound(random_network(2, [2]), -1), "dim is at least 0"),
    ],
)
def test_what_is_no_size_is_refused(build, message):
    with pytest.raises(NetworkError, match=message):
        build()
