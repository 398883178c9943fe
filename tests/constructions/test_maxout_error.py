"""The error of the soft maximum: constants, bounds, slopes."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import minimize

from linrep.constructions import (
    MaxoutError,
    MaxoutTransformer,
    SoftNetwork,
    gap_constant,
    inverse_temperatures,
    norm_bound,
    signed_bound,
)
from linrep.piecewise import MaxoutNetwork, from_cpwl, random_network, regions_on_segment

ABSOLUTE = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])


def soft_gap(z):
    a = np.exp(z - z.max())
    return z.max() - (a * z).sum() / a.sum()


@pytest.mark.parametrize(
    ("rank", "value"),
    [(2, 0.278465), (3, 0.463056), (4, 0.603546), (8, 0.973139), (16, 1.383462), (64, 2.307130)],
)
def test_the_constant_is_attained_and_never_exceeded(rank, value):
    c = float(gap_constant(rank))
    assert c == pytest.approx(value, abs=1e-6)
    attained = soft_gap(np.concatenate([[0.0], np.full(rank - 1, -(1 + c))]))
    assert attained == pytest.approx(c, abs=1e-14)
    rng = np.random.default_rng(rank)
    assert max(soft_gap(rng.uniform(-6, 0, rank)) for _ in range(2000)) <= c
    assert c < np.log(rank)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(0.1, 100))
def test_the_error_is_one_sided(z, lam):
    gap = soft_gap(lam * np.array(z)) / lam
    assert -1e-12 <= gap <= float(gap_constant(len(z))) / lam + 1e-12  # rounding of z near 50


def worst_error(net, lam, box, seed):
    """Local search for the largest error, from the best of many points."""
    soft = SoftNetwork(net, lam)
    x = np.random.default_rng(seed).uniform(*box, (500, net.n_inputs))
    best = x[np.abs(soft(x) - net(x)).max(axis=1).argmax()]
    found = minimize(
        lambda p: -np.abs(soft(p[None]) - net(p[None])).max(),
        best,
        method="Nelder-Mead",
        options={"maxiter": 40},
    )
    return -found.fun


def test_the_sup_error_is_within_the_signed_bound_on_100_networks():
    rng = np.random.default_rng(0)
    shares, ratios = [], []
    for seed in range(100):
        widths = rng.integers(1, 6, size=rng.integers(1, 5)).tolist()
        ranks = [rng.integers(1, 5, size=n).tolist() for n in widths]
        net = random_network(int(rng.integers(1, 4)), widths, ranks, seed=seed)
        lam = tuple(rng.uniform(3, 30, len(widths)))
        low, high = signed_bound(net, lam)
        bound = float(np.abs([low, high]).max())
        assert bound <= norm_bound(net, lam) * (1 + 1e-12)
        soft = SoftNetwork(net, lam)
        x = rng.uniform(-3, 3, (300, net.n_inputs))
        error = soft(x) - net(x)
        assert (error >= low - 1e-12).all()  # rounding of numbers of order 1
        assert (error <= high + 1e-12).all()
        if bound > 0:
            shares.append(worst_error(net, lam, (-3, 3), seed) / bound)
            ratios.append(bound / norm_bound(net, lam))
    assert len(shares) >= 90
    assert max(shares) <= 1 + 1e-12  # one unit of rank 2 attains it, up to rounding
    assert max(shares) > 0.3  # some network comes near: the bound is no formality
    assert min(ratios) < 0.9  # and it is often sharper than norms alone


@pytest.mark.parametrize("use", [signed_bound, norm_bound, SoftNetwork])
def test_temperatures_are_one_per_layer(use):
    net = random_network(2, [3, 3], seed=0)
    for rates in ((1.0,), (1.0, 1.0, 1.0)):
        with pytest.raises(MaxoutError, match="2 layers and"):
            use(net, rates)


@pytest.mark.parametrize("split", ["uniform", "split", "sqrt"])
def test_eps_becomes_the_signed_bound(split):
    for seed in range(10):
        net = random_network(2, [4, 5, 3], [2, 3, 4], 2, seed=seed)
        lam = inverse_temperatures(net, 1e-2, split)
        assert np.abs(signed_bound(net, lam)).max() == pytest.approx(1e-2, rel=1e-12)


def test_splits_minimise_what_they_say():
    net = random_network(2, [6, 6, 6], [2, 3, 5], seed=1)
    by_norm = {}
    for split in ("uniform", "split", "sqrt"):
        lam = np.array(inverse_temperatures(net, 1e-2, split))
        by_norm[split] = lam * norm_bound(net, lam) / 1e-2  # scaled to a norm bound of 1e-2
    assert by_norm["uniform"].max() == min(lam.max() for lam in by_norm.values())
    assert by_norm["sqrt"].sum() == min(lam.sum() for lam in by_norm.values())


def test_networks_that_need_no_maximum_are_exact_at_any_temperature():
    affine = random_network(2, [3], 1, seed=0)
    t = MaxoutTransformer.from_network(affine, (-1, 1), eps=1e-6)
    x = t.box.sample(50, 0)
    assert t.error_bound() == 0.0
    assert np.abs(t(x) - affine(x)).max() <= 1e-14


def test_the_absolute_value_attains_its_bound():
    t = MaxoutTransformer.from_network(ABSOLUTE, (-1, 1), eps=1e-3)
    lam = t.inverse_temperatures[0]
    peak = (1 + float(gap_constant(2))) / (2 * lam)  # distance from the tie, slope gap 2
    x = np.concatenate([np.linspace(0.5, 1.5, 201) * peak, [0.0]])[:, None]
    error = np.abs(t(x) - np.abs(x))
    assert error.max() / t.error_bound() >= 0.999
    assert error.max() <= t.error_bound() * (1 + 1e-9)  # rounding: error of 1e-3, numbers of 1e-3
    assert error[-1] == 0.0  # a tie is exact


def adaptive_points(net, a, b, lam):
    """Around every breakpoint, at the distance where its error peaks."""
    found = regions_on_segment(net, a, b)
    ts = np.array([float(t) for t in found.breakpoints])
    slopes = np.array([float(s[0]) for s in found.slopes])
    gaps = np.abs(np.diff(slopes)) / (b - a)
    offsets = np.linspace(-3, 3, 121) / lam
    breaks = a + ts * (b - a)
    return np.unique(np.clip(breaks[:, None] + offsets / np.maximum(gaps[:, None], 0.1), a, b))


def test_slopes_over_inverse_temperature():
    """Sup error slope -1 and L1 error slope -2 on a network of one input."""
    net = random_network(1, [6, 6], 3, seed=3)
    rates = np.array([1e2, 1e3, 1e4, 1e5])
    sups, means = [], []
    for lam in rates:
        soft = SoftNetwork(net, (lam, lam))
        x = adaptive_points(net, -2.0, 2.0, lam)[:, None]
        sups.append(np.abs(soft(x) - net(x)).max())
    slope = np.polyfit(np.log(rates), np.log(sups), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.05)
    grid = np.linspace(-2, 2, 100_001)[:, None]
    coarse = np.array([1e2, 3e2, 1e3])  # the grid's step of 4e-5 resolves 1/lam
    for lam in coarse:
        soft = SoftNetwork(net, (lam, lam))
        means.append(np.abs(soft(grid) - net(grid)).mean())
    slope = np.polyfit(np.log(coarse), np.log(means), 1)[0]
    assert slope == pytest.approx(-2.0, abs=0.05)


def test_the_l1_error_of_one_layer_is_the_closed_form():
    """One layer, one input: the integral of f - f~ is (pi^2 / 6) / lam^2 sum V / gap."""
    net = from_cpwl([-1, -0.5, 0.2, 0.6, 1], [0, 1, -0.5, 0.3, 2])
    lam = 1e2
    x = np.linspace(-1, 1, 200_001)[:, None]
    measured = float(np.trapezoid((net(x) - SoftNetwork(net, (lam,))(x))[:, 0], x[:, 0]))
    slopes = np.diff([0, 1, -0.5, 0.3, 2]) / np.diff([-1, -0.5, 0.2, 0.6, 1])
    jumps = np.diff(slopes)
    predicted = np.pi**2 / 6 / lam**2 * (1 / jumps).sum()
    assert measured == pytest.approx(predicted, rel=1e-4)


def test_the_soft_average_is_steeper_than_the_maximum():
    # Why the bounds use the stability of max: the gradient's l1 norm exceeds 1 (1.1997 for p = 2).
    x = np.linspace(-3, 3, 20001)[:, None]
    step = MaxoutNetwork([[[[1.0], [0.0]]]], [[[0.0, 0.0]]], [[1.0]])
    a = SoftNetwork(step, (1.0,)).weights(x)[0]
    z = step.pieces(x)[0]
    soft = (a * z).sum(-1, keepdims=True)
    assert np.abs(a * (1 + z - soft)).sum(-1).max() == pytest.approx(1.1997, abs=1e-4)


def test_the_jacobian_is_the_slope_of_the_soft_network():
    net = random_network(3, [4, 5], [3, 2], 2, seed=2)
    soft = SoftNetwork(net, (3.0, 5.0))
    x = np.random.default_rng(0).normal(size=(10, 3))
    steps = 1e-6 * np.eye(3)
    numeric = np.stack([(soft(x + s) - soft(x - s)) / 2e-6 for s in steps], axis=-1)
    assert np.allclose(soft.jacobian(x), numeric, atol=1e-8)  # central differences: step squared
