"""Regions on a segment: exact, equal to closed forms, below the bounds."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.piecewise import (
    BudgetError,
    MaxoutNetwork,
    SliceError,
    maxout_bound,
    random_network,
    regions_on_segment,
    tent,
    upper_bound,
    zigzag,
)


def brute_force(net, a, b):
    """Cells of a network of one layer: try every crossing of two lines of a unit."""
    x = [Fraction(float(v)) for v in a]
    d = [Fraction(float(v)) - u for v, u in zip(b, x, strict=True)]
    units = []
    for w, c, rank in zip(
        net.layers[0].weight, net.layers[0].bias, net.layers[0].ranks, strict=True
    ):
        units.append(
            [
                (
                    sum(Fraction(float(q)) * v for q, v in zip(row, d, strict=True)),
                    sum(Fraction(float(q)) * v for q, v in zip(row, x, strict=True))
                    + Fraction(float(bias)),
                )
                for row, bias in list(zip(w, c, strict=True))[:rank]
            ]
        )
    ts = {Fraction(0), Fraction(1)}
    for lines in units:
        for (s, v), (q, r) in combinations(lines, 2):
            if s != q and 0 < (r - v) / (s - q) < 1:
                ts.add((r - v) / (s - q))
    ts = sorted(ts)

    def active(t):
        return tuple(max(range(len(u)), key=lambda j: (u[j][0] * t + u[j][1], -j)) for u in units)

    patterns = [active((low + high) / 2) for low, high in zip(ts, ts[1:], strict=False)]
    return [t for t, p, q in zip(ts[1:], patterns, patterns[1:], strict=False) if p != q]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.booleans())
def test_one_layer_equals_brute_force(seed, small_integers):
    rng = np.random.default_rng(seed)
    ranks = [1, 2, 3, 4]
    if small_integers:  # ties, parallel and equal lines
        weights = [rng.integers(-2, 3, (r, 2)) for r in ranks]
        biases = [rng.integers(-2, 3, r) for r in ranks]
        net, a, b = MaxoutNetwork([weights], [biases], np.ones((1, 4))), [-2, -1], [2, 1]
    else:
        net = random_network(2, [4], [ranks], seed=seed)
        a, b = rng.uniform(-2, 2, (2, 2))
    assert list(regions_on_segment(net, a, b).breakpoints) == brute_force(net, a, b)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_deep_cells_carry_the_exact_map_and_pattern(seed, rank):
    net = random_network(3, [4, 3, 3], rank, 2, seed=seed)
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-2, 2, (2, 3))
    found = regions_on_segment(net, a, b)
    assert found.n_affine_maps <= found.n_linear_regions <= found.n_cells
    # On a line every network has at most the regions of one input.
    assert found.n_cells <= maxout_bound(net.widths, net.ranks, 1)
    start = [Fraction(float(v)) for v in a]
    step = [Fraction(float(v)) - u for v, u in zip(b, start, strict=True)]
    ends = [Fraction(0), *found.breakpoints, Fraction(1)]
    for cell, (low, high) in enumerate(zip(ends, ends[1:], strict=False)):
        for t in (low, (2 * low + high) / 3, high):
            value = net.exact([u + t * v for u, v in zip(start, step, strict=True)])
            assert value == tuple(
                s * t + c for s, c in zip(found.slopes[cell], found.intercepts[cell], strict=True)
            )
        middle = [float(u + (low + high) / 2 * v) for u, v in zip(start, step, strict=True)]
        if high - low > 1e-6:  # wide enough for float64 to tell the sides apart
            assert np.array_equal(np.concatenate(net.pattern([middle]), 1)[0], found.patterns[cell])
    assert (np.abs(np.diff(found.patterns, axis=0)).sum(axis=1) > 0).all()


@pytest.mark.parametrize("depth", range(1, 11))
def test_the_tent_has_two_to_the_depth_pieces(depth):
    found = regions_on_segment(tent(depth), 0, 1)
    assert found.n_cells == found.n_linear_regions == 2**depth
    assert found.breakpoints == tuple(Fraction(k, 2**depth) for k in range(1, 2**depth))


@pytest.mark.parametrize(("rank", "depth"), [(2, 5), (3, 4), (4, 4), (5, 2)])
def test_the_zigzag_reaches_the_upper_bound(rank, depth):
    found = regions_on_segment(zigzag(rank, depth), 0, 1)
    laps = (2 * rank - 1) ** depth
    assert found.n_cells == found.n_linear_regions == laps
    assert laps == upper_bound(zigzag(rank, depth))


def test_kinks_are_fewer_than_breakpoints_where_a_unit_is_switched_off():
    # the second unit reads max(x, 0) - 5 < 0 and is off: the first unit's break is invisible
    net = MaxoutNetwork(
        [[[[1.0], [0.0]]], [[[1.0], [0.0]]]], [[[0.0, 0.0]], [[-5.0, 0.0]]], [[1.0]]
    )
    found = regions_on_segment(net, -1, 1)
    assert (found.n_cells, found.n_linear_regions, found.n_affine_maps) == (2, 1, 1)


def test_equal_maps_apart_are_two_regions_of_one_map():
    net = MaxoutNetwork(
        [[[[1.0], [0.0]], [[2.0], [0.0]], [[1.0], [0.0]]]],
        [[[0.0, 0.0], [-2.0, 0.0], [-2.0, 0.0]]],
        [[1.0, -1.0, 1.0]],
    )  # 0, then x, then 2 - x, then 0 again
    found = regions_on_segment(net, -1, 3)
    assert (found.n_linear_regions, found.n_affine_maps) == (4, 3)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.0], [1.0, 1.0], "an end of the segment has 1 coordinates"),
        ([0.0, 0.0], [0.0, 0.0], "two different ends"),
        ([0.0, np.nan], [1.0, 1.0], "finite"),
        ([0.0, 0.0], [np.inf, 1.0], "finite"),
    ],
)
def test_bad_segments_are_refused(a, b, message):
    with pytest.raises(SliceError, match=message):
        regions_on_segment(random_network(2, [2], seed=0), a, b)


def test_large_integers_are_not_rounded():
    assert regions_on_segment(tent(1), 0, 2**60 + 1).breakpoints == (Fraction(1, 2 * (2**60 + 1)),)


def test_a_budget_stops_the_count():
    with pytest.raises(BudgetError, match="than the budget of 100"):
        regions_on_segment(tent(30), 0, 1, budget=100)
