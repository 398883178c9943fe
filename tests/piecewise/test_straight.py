"""The fewest straight pieces against a search over all divisions, and their two laws."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.optimize import linprog

from linrep.constructions import MaxoutTransformer
from linrep.piecewise import (
    SliceError,
    pattern_runs,
    random_network,
    regions_on_segment,
    straight_pieces,
    tent,
)


def fits(t, values, eps):
    """Whether a line stays within eps of the samples: a linear programme for each output."""
    if len(t) < 3:
        return True
    sides = np.column_stack([t, np.ones_like(t)])
    return all(
        linprog(
            [0, 0], np.vstack([sides, -sides]), np.concatenate([y + eps, eps - y]),
            bounds=(None, None),
        ).status == 0
        for y in values.T
    )  # fmt: skip


def by_search(t, values, eps):
    """The fewest pieces, of all ways to divide the samples."""
    best = [0] + [len(t)] * len(t)
    for end in range(1, len(t) + 1):
        for start in range(end):
            if best[start] + 1 < best[end] and fits(t[start:end], values[start:end], eps):
                best[end] = best[start] + 1
    return best[-1]


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(1, 2), st.sampled_from([0.02, 0.1, 0.3]))
def test_the_count_is_that_of_the_best_division(seed, outputs, eps):
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(0.1, 1, 9))
    values = np.cumsum(rng.standard_normal((9, outputs)), axis=0) * 0.2
    assert len(straight_pieces(t, values, eps)) == by_search(t, values, eps)


def sampled(net, a, b, n):
    t = np.linspace(0, 1, n)
    return t, net(np.asarray(a) + t[:, None] * (np.asarray(b) - np.asarray(a)))


@pytest.mark.parametrize("seed", range(4))
def test_of_a_piecewise_linear_map_it_is_the_number_of_regions(seed):
    net = random_network(3, [5, 4], 3, seed=seed)
    a, b = np.random.default_rng(seed).uniform(-2, 2, (2, 3))
    exact = regions_on_segment(net, a, b)
    t, values = sampled(net, a, b, 20_001)
    assert len(straight_pieces(t, values, 1e-9)) in (
        exact.n_linear_regions, exact.n_linear_regions + 1,
    )  # fmt: skip  # a kink between two samples may leave one on neither line
    counts = [len(straight_pieces(t[::20], values[::20], eps)) for eps in (1e-3, 1e-2, 0.1, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] <= exact.n_linear_regions + 1
    codes = np.concatenate(net.pattern(a + t[:, None] * (b - a)), axis=1)
    assert pattern_runs(codes) <= exact.n_cells
    assert pattern_runs(codes) >= exact.n_cells - 1


def test_a_relu_network_of_torch_has_as_many_pieces_as_exact_regions():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 4), torch.nn.ReLU(),
        torch.nn.Linear(4, 2),
    ).double()  # fmt: skip
    exact = regions_on_segment(module, [-3.0, -2.0], [3.0, 1.0])
    t, values = sampled(
        lambda x: module(torch.from_numpy(x)).detach().numpy(), [-3.0, -2.0], [3.0, 1.0], 20_001
    )
    assert exact.n_linear_regions > 3
    assert abs(len(straight_pieces(t, values, 1e-9)) - exact.n_linear_regions) <= 1


def test_a_soft_map_is_bracketed_by_the_hard_one():
    """Maps that are delta apart: m(eps + delta) <= n(eps) <= m(eps - delta)."""
    net, eps = tent(4), 0.02
    t = np.linspace(0, 1, 1001)
    hard = net(t[:, None])
    for rate in (5.0, 30.0, 300.0):
        soft = MaxoutTransformer.from_network(net, (0, 1), inverse_temperature=rate)(t[:, None])
        delta = float(np.abs(soft - hard).max())
        count = len(straight_pieces(t, soft, eps))
        assert len(straight_pieces(t, hard, eps + delta)) <= count
        if delta < eps:
            assert count <= len(straight_pieces(t, hard, eps - delta))
    assert delta < eps
    assert count == regions_on_segment(net, 0, 1).n_linear_regions == 16


def test_fewer_than_three_samples_are_on_a_line_and_nothing_is_no_curve():
    assert straight_pieces(np.array([0.0, 1.0]), np.array([[3.0], [9.0]]), 0).tolist() == [0]
    assert straight_pieces(np.arange(5.0), np.full((5, 1), 1e300), 0).tolist() == [0]
    with pytest.raises(SliceError, match="received 0 places"):
        straight_pieces(np.empty(0), np.empty((0, 1)), 1)
    with pytest.raises(SliceError, match="places ascend"):
        straight_pieces(np.zeros(3), np.zeros((3, 1)), 1)
    with pytest.raises(SliceError, match="eps is a distance"):
        straight_pieces(np.arange(3.0), np.zeros((3, 1)), -1)
    assert pattern_runs(np.empty((0, 2))) == 0
