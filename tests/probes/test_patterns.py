"""Planted subspaces are found, of the right kind, and nulls say what chance gives."""

import numpy as np
import pytest
from scipy import stats

from linrep.core import SubspaceError
from linrep.probes import (
    ProbeError,
    Statistics,
    Subspace,
    overlap_null,
    pattern_subspace,
    readout_subspace,
)


def plant(n=6000, d=48, classes=5, beta=1.0, correlated=0.0, strength=2.0, seed=0):
    """Class means inside a known subspace under power-law, rotated noise.

    ``beta``: how far the pattern lies in directions of high variance. ``correlated``: share of
    tokens on which a second target, planted elsewhere, agrees with the first.
    """
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((d, d)))[0]
    spectrum = 1.0 / np.arange(1, d + 1)
    spectrum *= d / spectrum.sum()

    def subspace():
        return np.linalg.qr(
            frame @ (rng.standard_normal((d, classes - 1)) * spectrum[:, None] ** (beta / 2))
        )[0]

    corners = strength * np.linalg.qr(np.eye(classes) - 1 / classes)[0][:, : classes - 1] * 2
    y, other = rng.integers(0, classes, n), rng.integers(0, classes, n)
    other = np.where(rng.random(n) < correlated, y, other)
    here, there = subspace(), subspace()
    X = (rng.standard_normal((n, d)) * np.sqrt(spectrum)) @ frame.T + corners[y] @ here.T
    X += (corners[rng.permutation(classes)][other] @ there.T) if correlated else 0.0
    noise = (frame * spectrum) @ frame.T
    return X, y, other, Subspace(here), Subspace(np.linalg.solve(noise, here), "readout")


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_a_planted_pattern_is_found_under_anisotropic_noise(beta):
    X, y, _, pattern, _ = plant(beta=beta)
    assert pattern_subspace(X, y).overlap(pattern) >= 0.95


def test_a_readout_is_no_pattern():
    X, y, _, pattern, readout = plant(n=20000)
    found = readout_subspace(X, y)
    assert found.overlap(readout) >= 0.95
    assert Subspace(found.basis, "pattern").overlap(pattern) < 0.7
    with pytest.raises(SubspaceError, match="cannot be compared"):
        found.overlap(pattern)


def test_correlated_targets_are_told_apart_only_together():
    X, y, other, pattern, _ = plant(n=20000, correlated=0.7)
    assert pattern_subspace(X, y).overlap(pattern) < 0.8
    assert pattern_subspace(X, y, others={"other": other}).overlap(pattern) >= 0.95


def test_nothing_planted_gives_the_nulls_level():
    X, y, _, _, _ = plant(strength=0.0)
    target = Subspace(np.eye(48)[:, :4])
    null = overlap_null(4, 4, 48, covariance=np.cov(X.T), fixed=target, n=300)
    assert pattern_subspace(X, y).overlap(target) <= null.draws.max() * 1.5


def test_what_the_other_target_determines_is_not_claimed():
    X, y, _, _, _ = plant()
    assert pattern_subspace(X, y, others={"same": y + 10}).dim == 0
    assert pattern_subspace(X, y, others={"coarser": y // 2}).dim == 2


def test_a_noise_free_state_is_told_from_what_goes_with_it():
    rng = np.random.default_rng(0)
    y, sibling = rng.integers(0, 3, 3000), rng.integers(0, 6, 3000)
    sibling = np.where(rng.random(3000) < 0.6, y, sibling)  # goes with the class, and moves within
    frame = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    X = np.eye(3)[y] @ frame[:3] + np.eye(6)[sibling] @ frame[3:9]
    own = Subspace((frame[:3] - frame[:3].mean(0)).T)
    assert pattern_subspace(X, y).overlap(own) > 1 - 1e-9
    noisy = X + 0.05 * rng.standard_normal(X.shape)
    assert pattern_subspace(noisy, y).overlap(own) < 0.95  # the movement of class means is tilted


def test_few_examples_are_not_taken_for_a_noise_free_state():
    X, y, _, _, _ = plant(n=40)
    means = np.array([X[y == c].mean(0) for c in np.unique(y)])
    assert pattern_subspace(X, y).overlap(Subspace((means - means.mean(0)).T)) > 1 - 1e-6


def test_rank_keeps_the_strongest_directions():
    X, y, _, pattern, _ = plant()
    two = pattern_subspace(X, y, rank=2)
    assert two.dim == 2
    assert pattern.contains(two) > 0.95
    assert pattern_subspace(X, y, rank=0).dim == 0


def test_arrays_and_statistics_say_the_same():
    X, y, other, _, _ = plant(n=2000)
    whole = pattern_subspace(X, y, others={"other": other})
    stream = Statistics.from_arrays(X[:700], {"y": y[:700], "other": other[:700]})
    stream = stream.update(X[700:], {"other": other[700:], "y": y[700:]})
    assert pattern_subspace(stream, target="y").overlap(whole) > 1 - 1e-10


def test_scaling_and_rotation_of_activations_move_the_pattern_with_them():
    X, y, _, _, _ = plant(n=2000)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((48, 48)))[0]
    moved = pattern_subspace(X @ turn.T * 1e-3, y)
    assert moved.overlap(Subspace(turn @ pattern_subspace(X, y).basis)) > 1 - 1e-8


@pytest.mark.parametrize("kind", ["few rows", "copies", "constant column", "constant labels"])
def test_degenerate_data_have_a_pattern(kind):
    X, y, _, _, _ = plant(n=400)
    if kind == "few rows":
        X, y = X[:12], y[:12]
    elif kind == "copies":
        X = np.hstack([X, X])
    elif kind == "constant column":
        X[:, 0] = 5.0
    else:
        y = 0 * y
    found = pattern_subspace(X, y)
    assert np.isfinite(found.basis).all()
    assert found.dim == (0 if kind == "constant labels" else len(np.unique(y)) - 1)


def test_mistakes_are_named():
    X, y, _, _, _ = plant(n=200)
    with pytest.raises(ProbeError, match="labels y are missing"):
        pattern_subspace(X)
    with pytest.raises(ProbeError, match="hold their targets already"):
        pattern_subspace(Statistics.from_arrays(X, y), y)
    with pytest.raises(ProbeError, match="shrinkage"):
        pattern_subspace(X, y, shrinkage=3.0)
    with pytest.raises(ProbeError, match="not negative"):
        pattern_subspace(X, y, rank=-1)
    X[0, 0] = np.inf
    with pytest.raises(ProbeError, match="NaN or infinite"):
        pattern_subspace(X, y)


@pytest.mark.parametrize(("k", "m", "d"), [(1, 4, 30), (3, 3, 20), (6, 2, 25)])
def test_euclidean_null_has_the_expected_mean(k, m, d):
    null = overlap_null(k, m, d, n=3000)
    error = null.draws.std() / np.sqrt(3000)
    assert abs(null.mean - max(k, m) / d) < 4 * error


def test_one_direction_is_beta_distributed():
    null = overlap_null(1, 4, 30, n=2000)
    assert stats.kstest(null.draws, stats.beta(2, 13).cdf).pvalue > 0.01


def test_the_activations_own_null_is_harder():
    d = 30
    covariance = np.diag(1.0 / np.arange(1, d + 1) ** 2)
    top = Subspace(np.eye(d)[:, :2])
    easy = overlap_null(2, 2, d, n=400, fixed=top)
    hard = overlap_null(2, 2, covariance=covariance, fixed=top, n=400)
    assert hard.mean > 5 * easy.mean
    assert hard.metric == "covariance"
    assert hard.p_value(easy.mean) > 0.9
    assert easy.p_value(0.99) == pytest.approx(1 / 401)


def test_nulls_refuse_dimensions_that_contradict():
    with pytest.raises(ProbeError, match="lie in 1..d"):
        overlap_null(5, 2, 4)
    with pytest.raises(ProbeError, match="d is missing"):
        overlap_null(1, 1)
    with pytest.raises(ProbeError, match="fixed subspace"):
        overlap_null(1, 3, fixed=Subspace(np.eye(4)[:, :2]))


@pytest.mark.parametrize("written", [False, True])
def test_rounding_is_no_pattern(written):
    """Float32 rounding that goes with the class is nothing; a thousand times as much is a state."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 600)
    activations = rng.standard_normal((600, 20))
    activations[:, 5] = (1e-5 if written else 1e-8) * (classes == 1)
    others = {"rest": rng.integers(0, 4, 600)}
    activations[:, :5] = np.eye(4)[others["rest"]] @ rng.standard_normal((4, 5))
    activations[:, 6:] = activations[:, :1]
    assert (pattern_subspace(activations, classes, others=others).dim > 0) == written
