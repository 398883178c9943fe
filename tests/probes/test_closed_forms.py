"""Closed forms against scikit-learn, and leave-one-out against leaving one out."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge, RidgeClassifier

from linrep.probes import ProbeError
from linrep.probes.estimators.discriminant import DifferenceOfMeans, DiscriminantProbe
from linrep.probes.estimators.ridge import RidgeProbe
from linrep.probes.estimators.soft import SoftProbe


def data(seed=0, n=300, d=12, classes=4):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    X = (
        rng.standard_normal((n, d)) @ rng.standard_normal((d, d))
        + rng.standard_normal((classes, d))[y] * 2
    )
    return (X - X.mean(0)) / X.std(0), y


@pytest.mark.parametrize("shrinkage", [0.0, 0.1, 1.0])
def test_discriminant_is_scikit_learns(shrinkage):
    X, y = data()
    slow = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)
    fast = DiscriminantProbe(shrinkage).fit(X, y)
    # float64 solves of condition below 1e6
    assert np.allclose(fast.predict_proba(X), slow.predict_proba(X), atol=1e-8)


def test_default_shrinkage_is_small_for_many_examples_and_large_for_few():
    X, y = data(n=4000)
    few, labels = data(n=16, d=40)
    assert DiscriminantProbe().fit(X, y).shrinkage_ < 0.02
    assert DiscriminantProbe().fit(few, labels).shrinkage_ > 0.2


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
def test_ridge_is_scikit_learns(alpha):
    X, y = data()
    slow, fast = RidgeClassifier(alpha=alpha).fit(X, y), RidgeProbe([alpha]).fit(X, y)
    # scikit-learn codes classes as -1 and 1, here 0 and 1: twice and shifted.
    assert np.allclose(2 * fast.decision_function(X) - 1, slow.decision_function(X), atol=1e-8)


def test_leave_one_out_is_leaving_one_out():
    X, y = data(n=40)
    X = X * np.sqrt(len(y) / np.square(X).sum(0))
    fast = SoftProbe(alphas=[0.5, 5.0], standardize=False).fit(X, np.eye(4)[y])
    for index, alpha in enumerate((0.5, 5.0)):
        errors = []
        for out in range(len(y)):
            rest = np.arange(len(y)) != out
            left = Ridge(alpha=alpha).fit(X[rest], np.eye(4)[y[rest]])
            errors.append(np.square(np.eye(4)[y[out]] - left.predict(X[out : out + 1])[0]).mean())
        assert fast.loo_[index] == pytest.approx(np.mean(errors), rel=1e-9)


def test_ridge_probe_has_the_same_leave_one_out():
    X, y = data(n=60)
    hard, soft = RidgeProbe([0.5, 5.0]).fit(X, y), SoftProbe([0.5, 5.0]).fit(X, np.eye(4)[y])
    assert np.allclose(hard.loo_, soft.loo_ * 4, rtol=1e-9)


def test_difference_of_means_is_the_nearest_mean():
    X, y = data()
    fitted = DifferenceOfMeans().fit(X, y)
    means = np.array([X[y == c].mean(0) for c in range(4)])
    nearest = np.square(X[:, None] - means).sum(-1).argmin(1)
    assert (fitted.predict(X) == nearest).all()
    assert np.allclose(fitted.means_, means)


def test_soft_targets_that_sum_to_one_stay_so():
    X, y = data()
    beliefs = np.random.default_rng(0).dirichlet(np.ones(3), len(y))
    predicted = SoftProbe().fit(X, beliefs).predict(X)
    assert np.allclose(predicted.sum(axis=1), 1.0, atol=1e-9)


def test_belief_states_are_read_where_they_are_and_not_where_they_are_not():
    rng = np.random.default_rng(0)
    beliefs = rng.dirichlet(np.ones(3), 600)
    there = beliefs @ rng.standard_normal((3, 20)) + 0.01 * rng.standard_normal((600, 20))
    noise = rng.standard_normal((600, 20))
    half = slice(None, 300), slice(300, None)
    assert (
        SoftProbe().fit(there[half[0]], beliefs[half[0]]).score(there[half[1]], beliefs[half[1]])
        > 0.99
    )
    assert (
        SoftProbe().fit(noise[half[0]], beliefs[half[0]]).score(noise[half[1]], beliefs[half[1]])
        < 0.05
    )


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (DiscriminantProbe(2.0), "shrinkage"),
        (DiscriminantProbe("auto"), "shrinkage"),
        (RidgeProbe([-1.0]), "alphas"),
        (RidgeProbe(1.0), "alphas are a list"),
        (RidgeProbe([float("nan")]), "alphas are a list of finite"),
        (SoftProbe([]), "alphas"),
        (SoftProbe(["a"]), "alphas"),
    ],
)
def test_settings_out_of_range_are_refused(probe, message):
    X, y = data()
    with pytest.raises(ProbeError, match=message):
        probe.fit(X, y)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_fit_through_every_row_is_not_preferred(kind):
    """With no penalty and more features than rows, every error is 0 and so is what divides it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 100)).astype(kind), rng.integers(0, 2, 50)
    found = RidgeProbe([0.0, 1.0, 1000.0]).fit(X, y)
    assert np.isinf(found.loo_[0])
    assert np.isfinite(found.loo_[1:]).all()
    assert found.alpha_ == 1000.0  # labels are noise: the strongest penalty errs least
    assert RidgeProbe([0.0, 1e-13]).fit(X, y).alpha_ == 1e-13  # nothing known: the larger
    soft = SoftProbe([0.0, 1.0, 1000.0]).fit(X, y.astype(kind))
    assert np.isinf(soft.loo_[0])
    assert soft.alpha_ == 1000.0


def test_leave_one_out_keeps_its_digits_where_little_is_left():
    """Single precision, large values: penalties whose errors are rounding are not chosen."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 100)
    X = rng.standard_normal((100, 768)) * 30
    X[:, 0] += 30 * y
    wide = RidgeProbe(standardize=False).fit(X, y).loo_
    narrow = RidgeProbe(standardize=False).fit(X.astype(np.float32), y).loo_
    known = np.isfinite(narrow)
    assert known.any()
    # What is left of a row is at least 64 rounding units: errors are known to a few percent.
    assert np.allclose(narrow[known], wide[known], rtol=0.05)
