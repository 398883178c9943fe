"""LEACE: what the theorem claims, and what the published package computes."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from linrep.probes import DiscriminantProbe, Eraser, LinearProbe, ProbeError, RidgeProbe, Statistics

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # theirs: torch.jit.script
    from concept_erasure import LeaceFitter


def data(seed=0, n=600, d=24, classes=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    mix = np.linalg.qr(rng.standard_normal((d, d)))[0] * np.arange(1, d + 1) ** -0.5
    y = rng.integers(0, classes, n)
    X = (rng.standard_normal((n, d)) + rng.standard_normal((classes, d))[y]) @ mix.T + 3.0
    return X.astype(dtype), y


def projection(eraser):
    return np.eye(len(eraser.mean)) - eraser.left @ eraser.right


def test_projection_is_the_published_packages():
    X, y = data()
    # Its default bounds the covariance trace afterwards, as the theorem does not: switched off.
    fitter = LeaceFitter(24, 4, dtype=torch.float64, constrain_cov_trace=False, shrinkage=False)
    fitter.update(torch.from_numpy(X), torch.nn.functional.one_hot(torch.from_numpy(y)).double())
    theirs = fitter.eraser.P.numpy()
    # float64, condition number of the covariance about 100
    assert np.abs(projection(Eraser.fit(X, y)) - theirs).max() < 1e-12


def test_no_linear_probe_beats_the_majority_class_afterwards():
    X, y = data()
    erased = Eraser.fit(X, y)(X)
    before = LogisticRegression(C=1e4, max_iter=3000).fit(X, y).score(X, y)
    after = LogisticRegression(C=1e4, max_iter=3000).fit(erased, y).score(erased, y)
    majority = np.bincount(y).max() / len(y)
    assert before > 0.8
    assert after <= majority + 1e-12


def constructed(rng, y):
    """States in coordinates of their own, noise beside them, coordinates never written."""
    return np.hstack([np.eye(4)[y], rng.standard_normal((len(y), 5)), np.zeros((len(y), 3))])


def singular(kind, seed, dtype):
    """Activations whose covariance has no inverse, or hardly one."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 500)
    X = rng.standard_normal((500, 12)) + 2 * rng.standard_normal((4, 12))[y]
    if kind == "more dimensions than tokens":
        y = y[:60]
        X = rng.standard_normal((60, 150)) + rng.standard_normal((4, 150))[y]
    elif kind == "constructed":
        X = constructed(rng, y)
    elif kind == "copies and constants":
        X = np.hstack([X, 3 * X[:, :5], np.full((500, 2), 0.1)])
    elif kind == "few directions":
        X = X[:, :5] @ rng.standard_normal((5, 30))
    elif kind == "mixed units":
        X = X * 10.0 ** np.linspace(-8, 8, 12)
    elif kind == "large mean":
        X = X + 1e4
    return X.astype(dtype), y


@pytest.mark.parametrize(
    "kind",
    [
        "more dimensions than tokens", "constructed", "copies and constants", "few directions",
        "mixed units", "large mean",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(3))
def test_no_linear_probe_beats_the_majority_where_covariances_are_singular(kind, dtype, seed):
    X, y = singular(kind, seed, dtype)
    before, erased = LinearProbe().fit(X, y).score(X, y), Eraser.fit(X, y)(X)
    majority = np.bincount(y).max() / len(y)
    assert before > majority + 0.3
    for probe in (LinearProbe(C=0.1), LinearProbe(C=10.0), DiscriminantProbe(), RidgeProbe()):
        # float32 keeps 7 digits: beside a mean of 1e4 the means differ by 5e-5 of the spread
        spared = 3 if dtype == np.float32 and kind == "large mean" else 0
        hits = np.round(probe.fit(erased, y).score(erased, y) * len(y))
        assert hits <= np.bincount(y).max() + spared


def test_states_with_coordinates_of_their_own_are_erased_to_the_last_bit():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 500)
    X = constructed(rng, y)
    eraser = Eraser.fit(X, y)
    assert eraser.emptied.tolist() == [True] * 4 + [False] * 8
    assert (np.ptp(eraser(X)[:, :4], axis=0) == 0).all()
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    assert not Eraser.fit(X @ turn, y).emptied.any()
    assert np.isnan(eraser(np.full((1, 12), np.nan))).all()


def test_class_means_coincide_and_the_mean_stays():
    X, y = data()
    erased = Eraser.fit(X, y)(X)
    means = np.array([erased[y == c].mean(0) for c in range(4)])
    assert np.abs(means - X.mean(0)).max() < 1e-10
    assert np.ptp(np.array([X[y == c].mean(0) for c in range(4)]), axis=0).max() > 0.1


def test_erasing_twice_is_erasing_once_and_takes_few_directions():
    X, y = data()
    eraser = Eraser.fit(X, y)
    once = eraser(X)
    assert np.abs(eraser(once) - once).max() < 1e-10
    assert eraser.subspace.dim == 3


def test_nothing_smaller_erases():
    X, y = data()
    eraser = Eraser.fit(X, y)
    moved = np.square(eraser(X) - X).sum()
    basis = np.linalg.svd(np.array([X[y == c].mean(0) - X.mean(0) for c in range(4)]).T)[0][:, :3]
    plain = X - (X - X.mean(0)) @ basis @ basis.T  # also equalises the means, in another metric
    weights = np.linalg.inv(np.cov(X.T))
    assert np.einsum("ni,ij,nj->", eraser(X) - X, weights, eraser(X) - X) <= np.einsum(
        "ni,ij,nj->", plain - X, weights, plain - X
    ) * (1 + 1e-9)
    assert moved > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_singular_covariances_are_erased_as_well(dtype):
    X, y = data(dtype=dtype)
    wide = np.hstack([X, X[:, :5] * 2, np.zeros((len(X), 3), dtype)])
    erased = Eraser.fit(wide, y)(wide)
    means = np.array([erased[y == c].mean(0) for c in range(4)])
    # float32 activations carry 1e-7 of their size, about 10
    assert np.abs(means - wide.mean(0)).max() < (1e-4 if dtype == np.float32 else 1e-9)
    assert erased.dtype == dtype
    # the copies stay copies: the erased activations lie where activations lie
    assert np.abs(erased[:, 24:29] - 2 * erased[:, :5]).max() < (
        1e-4 if dtype == np.float32 else 1e-9
    )


def test_streaming_is_batch():
    X, y = data()
    stream = Statistics.from_arrays(X[:100], y[:100])
    for start in range(100, 600, 100):
        stream = stream.update(X[start : start + 100], y[start : start + 100])
    assert np.abs(projection(Eraser.fit(stream)) - projection(Eraser.fit(X, y))).max() < 1e-11


def test_numbers_are_erased_as_well():
    X, _ = data()
    z = X[:, :2] @ np.ones((2, 2)) + np.random.default_rng(0).standard_normal((600, 2))
    erased = Eraser.fit(X, z)(X)
    assert np.abs((erased - erased.mean(0)).T @ (z - z.mean(0))).max() < 1e-8


def linear_trace(erased, z):
    """Largest correlation left between a target and a coordinate of the activations."""
    z = (z - z.mean(0)) / z.std(0)
    x = (erased - erased.mean(0)) / erased.std(0)
    return np.abs(x.T @ z / len(x)).max()


@pytest.mark.parametrize("rare", [4, 5])
def test_rare_classes_are_erased_as_well(rare):
    rng = np.random.default_rng(rare)
    y = rng.integers(0, 3, 20_000)
    y[:rare] = 3
    X = rng.standard_normal((20_000, 12)) + 3.0 * rng.standard_normal((4, 12))[y]
    erased = Eraser.fit(X, y)(X)
    gap = erased[y == 3].mean(0) - erased[y != 3].mean(0)
    assert np.abs(X[y == 3].mean(0) - X[y != 3].mean(0)).max() > 1
    assert np.abs(gap).max() < 1e-9  # float64 sums over 20,000 tokens, divided by 4


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_units_of_a_target_do_not_matter(scale):
    X, y = data()
    rng = np.random.default_rng(1)
    z = X[:, :2] + rng.standard_normal((600, 2))
    one_hot = np.eye(4)[y]
    for concept in (z, np.column_stack([one_hot, z[:, 0]])):
        scaled = concept * np.append(np.ones(concept.shape[1] - 1), scale)
        eraser = Eraser.fit(X, scaled)
        assert linear_trace(X, concept) > 0.2
        assert linear_trace(eraser(X), concept) < 1e-9  # float64
        assert np.abs(projection(eraser) - projection(Eraser.fit(X, concept))).max() < 1e-9


def test_a_constant_number_is_no_concept():
    X, _ = data()
    z = np.column_stack([X[:, 0], np.full(len(X), 0.1)])  # 0.1 is no binary fraction
    assert Eraser.fit(X, z).subspace.dim == 1
    stream = Statistics.from_arrays(X[:7], z[:7, 1:])
    assert Eraser.fit(stream.update(X[7:], z[7:, 1:])).subspace.dim == 0


def test_what_is_erased_already_is_left_alone():
    X, y = data()
    assert Eraser.fit(Eraser.fit(X, y)(X), y).subspace.dim == 0


def test_a_concept_that_is_not_there_leaves_activations_alone():
    X, y = data()
    eraser = Eraser.fit(X, np.zeros(len(y)))
    assert eraser.subspace.dim == 0
    assert np.array_equal(eraser(X), X)


def test_errors_name_the_mistake():
    X, y = data()
    with pytest.raises(ProbeError, match="labels y are missing"):
        Eraser.fit(X)
    with pytest.raises(ProbeError, match=r"\[token, 24\]"):
        Eraser.fit(X, y)(X[:, :3])
    with pytest.raises(ProbeError, match="NaN"):
        Eraser.fit(np.full_like(X, np.nan), y)
