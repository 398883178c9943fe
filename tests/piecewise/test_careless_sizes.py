"""Sizes, boxes and points of any kind: an answer, exact where it was, or one clear error."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from linrep.piecewise import (
    Box,
    BoxError,
    NetworkError,
    Plane,
    SliceError,
    freudenthal,
    leaky_layer,
    lines_bound,
    maxout_bound,
    product,
    random_network,
    regions_on_segment,
    tent,
    zaslavsky,
)

HUGE = 10**30


def test_bounds_know_that_more_inputs_than_units_add_nothing():
    assert zaslavsky(3, HUGE) == zaslavsky(3, 3) == 8
    assert maxout_bound([3], 2, HUGE) == maxout_bound([3], 2, 3) == 8
    assert maxout_bound([3, 2], [2, 3], 3) == 8 * maxout_bound([2], 3, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: random_network(HUGE, [2]),
        lambda: random_network(2, [HUGE]),
        lambda: random_network(2, [2], HUGE),
        lambda: random_network(2, [2], n_outputs=HUGE),
        lambda: product(tent(1), HUGE),
        lambda: freudenthal(lambda x: x[:, 0], ([0.0], [1.0]), cells=HUGE, curvature=1.0),
    ],
)
def test_networks_that_fit_no_memory_are_refused_before_they_are_made(make):
    with pytest.raises((NetworkError, MemoryError), match="memory|nodes"):
        make()


def test_the_largest_products_that_fit_are_made():
    assert product(tent(1), 3).n_inputs == 3


@pytest.mark.parametrize("given", [3, np.array(3), torch.tensor(3), "ab", None, 1.5])
def test_a_list_of_sizes_is_a_list(given):
    with pytest.raises(NetworkError, match="multiplicities are a list"):
        lines_bound(3, given)
    with pytest.raises(NetworkError, match="widths is a list"):
        random_network(2, given)


def test_segments_keep_fractions_and_long_integers_exact():
    a, b = Fraction(1, 3), 1 + Fraction(1, HUGE)
    found = regions_on_segment(tent(2), a, b)
    assert a + (b - a) * found.breakpoints[0] == Fraction(1, 2)
    assert regions_on_segment(tent(1), 0, 2**70).n_cells == 2


def test_tensors_and_wrong_points_meet_one_error():
    box = Box(torch.zeros(2, requires_grad=True), [1, 1])
    with pytest.raises(BoxError, match="2 coordinates"):
        box.contains(np.zeros((3, 4)))
    with pytest.raises(BoxError, match="numbers"):
        box.contains(np.array([["a", "b"]]))
    with pytest.raises(BoxError, match="n, lies in"):
        box.sample(-1, 0)
    plane = Plane([0, 0], [1, 0], [0, 1])
    with pytest.raises(SliceError, match="plane coordinates"):
        plane.points(np.zeros((2, 3)))
    with pytest.raises(SliceError, match="points must be finite"):
        Plane.through([0, np.nan], [1, 0], [0, 1])
    with pytest.raises(NetworkError, match="one number, or one per unit"):
        leaky_layer(np.eye(2), np.zeros(2), np.ones(3))
    with pytest.raises(NetworkError, match="finite"):
        leaky_layer(np.eye(2), np.zeros(2), -np.inf)


def test_a_network_is_not_written_over_a_folder(tmp_path):
    with pytest.raises(NetworkError, match="cannot be written"):
        tent(1).save(tmp_path)
