"""Patterns of exchanged labels are the patterns that a fit to those labels would have."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.core import Subspace
from linrep.probes import pattern_subspace, probe
from linrep.probes.geometry.chance_patterns import chance_moves
from linrep.probes.geometry.nulls import exchanged_null
from linrep.probes.geometry.statistics import Statistics


def _moves(X, variances, own, others, source):
    """From rows in memory: the slow, obvious products."""
    centred = own - own.mean(axis=0)
    z = np.hstack([centred, others])
    names = {"own": ("",) * own.shape[1], "beside": ("",) * others.shape[1]}
    statistics = Statistics(
        len(X), np.zeros(X.shape[1]), np.zeros(z.shape[1]), np.diag(variances * len(X)), X.T @ z,
        z.T @ z, names,
    )  # fmt: skip
    moved = own[source].T
    (found,) = chance_moves(statistics, "own", [(moved @ X, moved @ others)])
    return found


def _rotated(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    X = X - X.mean(axis=0)
    values, axes = np.linalg.eigh(X.T @ X / len(X))
    return axes, values


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(2, 3), st.integers(0, 2**31))
def test_as_a_fit_to_the_exchanged_labels(k: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, d = 150, 9
    X = rng.standard_normal((n, d)) * rng.uniform(0.2, 3, d)
    y, beside = rng.integers(0, k, n), rng.integers(0, m, n)
    y[:k], beside[:m] = np.arange(k), np.arange(m)
    source = rng.permutation(n)
    axes, variances = _rotated(X)
    others = np.eye(m)[beside]
    centred, beside_centred = (X - X.mean(axis=0)) @ axes, others - others.mean(axis=0)
    moves = _moves(centred, variances, np.eye(k)[y], beside_centred, source)
    slow = pattern_subspace(X, y[source].astype(str), others={"beside": beside.astype(str)})
    fast = Subspace(np.linalg.qr(axes @ moves)[0])
    assert fast.dim == slow.dim == k - 1
    assert slow.overlap(fast) == pytest.approx(1.0, abs=1e-9)  # float64 products of 150 rows


def test_the_first_columns_are_the_strongest() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 5)) * [1, 1, 5, 1, 1]
    y = rng.integers(0, 3, 4000)
    X[:, 0] += 2.0 * (y == 1)
    axes, variances = _rotated(X)
    centred = (X - X.mean(axis=0)) @ axes
    own = np.eye(3)[y]
    moves = _moves(centred, variances, own, np.zeros((4000, 0)), np.arange(4000))
    found = axes @ moves[:, 0]
    assert abs(found[0]) / np.linalg.norm(found) > 0.99


def test_a_constant_target_has_none() -> None:
    own = np.eye(1)[np.zeros(6, int)]
    moves = _moves(np.ones((6, 2)), np.ones(2), own, np.zeros((6, 0)), np.arange(6))
    assert moves.shape == (2, 0)
    assert exchanged_null([moves], 1, Subspace(np.eye(2)[:, :1])) is None


def test_of_a_grid_and_of_one_without_exchanges() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((300, 6)), rng.integers(0, 3, 300)
    found = probe({"here": X}, y, bootstrap=0)
    (drawn,) = found.chance_patterns.values()
    assert len(drawn) == 20
    assert {each.shape for each in drawn} == {(6, 2)}
    null = exchanged_null(drawn, 2, Subspace(np.eye(6)[:, :2]))
    # Two random of six dimensions overlap 2 / 6 on average; twenty draws of standard deviation .2.
    assert null is not None
    assert abs(null.mean - 1 / 3) < 4 * 0.2 / 20**0.5
    assert not probe({"here": X}, y, bootstrap=0, permutations=0).chance_patterns["here", "target"]
