"""Ridge onto numbers: every error without a row is that of a fit made without it."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from linrep.probes.inputs.blocks import Blocks
from linrep.probes.solvers.features import Features
from linrep.probes.solvers.number_ridge import (
    NUMBER_ALPHAS,
    NumberProblem,
    number_ridge,
    predictions,
)
from linrep.probes.solvers.rotation import Rotation


def rotated(X):
    return Features(Rotation.fit(X), Blocks(X))


@pytest.mark.parametrize(("n", "d"), [(40, 5), (25, 60)])
def test_errors_are_those_of_fits_without_the_row(n, d):
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d)) * np.linspace(0.1, 3, d)
    Y = np.stack([X[:, 0] + rng.standard_normal(n), 100 + 5 * rng.standard_normal(n)], axis=1)
    features = rotated(X)
    Z, alphas = features.held, (0.5, 3.0, 200.0)
    fit = number_ridge(features, [NumberProblem(Y)], alphas)[0]
    for place, alpha in enumerate(alphas):
        missed = np.zeros_like(Y)
        for row in range(n):
            rest = np.delete(np.arange(n), row)
            model = Ridge(alpha).fit(Z[rest], Y[rest])
            missed[row] = Y[row] - model.predict(Z[[row]])[0]
        assert np.allclose(fit.loo[:, place], np.square(missed).mean(axis=0), rtol=1e-9)
    (said,) = predictions([fit], features)
    for column in range(2):
        best = alphas[int(np.argmin(fit.loo[column]))]
        assert fit.alphas[column] == best
        assert np.allclose(said[:, column], Ridge(best).fit(Z, Y[:, column]).predict(Z))


def test_a_control_takes_the_penalty_of_its_target():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    features = rotated(X)
    Y, noise = X[:, :2] @ np.diag([1.0, 0.2]) + 0.3, rng.standard_normal((60, 2))
    target, control = number_ridge(features, [NumberProblem(Y), NumberProblem(noise, like=0)])
    assert control.alphas.tolist() == target.alphas.tolist()
    assert control.loo.shape == (2, 0)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_is_there_without_noise_is_read_without_error(kind):
    rng = np.random.default_rng(1)
    X = (rng.standard_normal((300, 6)) @ rng.standard_normal((6, 40)) * 30 + 7).astype(kind)
    features = rotated(X[:200])
    Y = X[:, :2].astype(np.float64) @ np.array([[1.0, 2.0], [-1.0, 1.0]])
    others = Features(features.rotation, Blocks(X[200:]))
    (said,) = predictions(number_ridge(features, [NumberProblem(Y[:200])]), others)
    assert 1 - np.square(said - Y[200:]).sum() / np.square(Y[200:] - Y.mean(0)).sum() > 1 - 1e-9


def test_rows_that_fix_their_own_value_leave_the_free_penalties_out():
    rng = np.random.default_rng(2)
    features = rotated(rng.standard_normal((20, 50)))
    fit = number_ridge(features, [NumberProblem(rng.standard_normal((20, 1)))])[0]
    assert np.isinf(fit.loo[0, 0])
    assert fit.alphas[0] > 0
    assert NUMBER_ALPHAS[0] == 0
