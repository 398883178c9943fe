"""Streaming equals batch, shards add up, small directions survive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linrep.probes import ProbeError, Statistics


def same(a, b, atol=1e-9):
    return (
        a.n == b.n
        and dict(a.classes) == dict(b.classes)
        and all(
            np.allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=atol)
            for name in ("mean_x", "mean_z", "scatter_xx", "scatter_xz", "scatter_zz")
        )
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 60), max_size=4))
def test_any_cut_into_shards_adds_up(seed, cuts):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((60, 4)) * 5 + 100, rng.integers(0, 4, 60)
    edges = [0, *sorted(cuts), 60]
    parts = [
        Statistics.from_arrays(X[a:b], {"y": y[a:b], "b": X[a:b, :2]})
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    whole = Statistics.from_arrays(X, {"y": y, "b": X[:, :2]})
    assert same(total, whole, atol=1e-8)


def test_moments_are_numpys():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9000, 3)), rng.integers(0, 3, 9000)  # more than one batch of rows
    found = Statistics.from_arrays(X, y)
    assert np.allclose(found.covariance, np.cov(X.T, bias=True))
    assert np.allclose(found.class_means().T, [X[y == c].mean(0) for c in range(3)])
    within = sum(np.cov(X[y == c].T, bias=True) * (y == c).sum() for c in range(3))
    assert np.allclose(found.within(), within)
    assert found.counts() == {str(c): int((y == c).sum()) for c in range(3)}


def test_float32_keeps_small_directions_beside_large_means():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((20000, 2)) * [1.0, 1e-2] + [300.0, 0.0]).astype(np.float32)
    exact = np.cov(X.astype(np.float64).T, bias=True)
    assert np.allclose(Statistics.from_arrays(X).covariance, exact, rtol=1e-9)


def test_classes_that_a_shard_does_not_see():
    X = np.arange(6.0)[:, None]
    a, b = Statistics.from_arrays(X[:3], ["u", "u", "w"]), Statistics.from_arrays(X[3:], ["v"] * 3)
    assert same(a + b, Statistics.from_arrays(X, ["u", "u", "w", "v", "v", "v"]))


def test_updating_accumulates_and_adding_does_not():
    first, second = (Statistics.from_arrays(np.ones((2, 2)), [name, "b"]) for name in "ac")
    total = first + second
    assert (first.n, second.n, total.n) == (2, 2, 4)
    assert first.update(np.ones((2, 2)), ["c", "b"]) is first
    assert same(first, total)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Statistics.from_arrays(np.ones(3)), "numeric matrix"),
        (lambda: Statistics.from_arrays(np.ones((3, 1)), ["a"]), "1 rows, the features have 3"),
        (lambda: Statistics.from_arrays(np.full((1, 1), np.nan)), "NaN"),
        (lambda: Statistics.from_arrays(np.ones((1, 1)), [""]), "undefined for 1 rows"),
        (
            lambda: (
                Statistics.from_arrays(np.ones((1, 1)), ["a"])
                + Statistics.from_arrays(np.ones((1, 2)), ["a"])
            ),
            "of 1 and of 2 features",
        ),
        (
            lambda: (
                Statistics.from_arrays(np.ones((1, 1)), {"p": ["a"]})
                + Statistics.from_arrays(np.ones((1, 1)))
            ),
            "different targets",
        ),
        (
            lambda: Statistics.from_arrays(np.ones((1, 1)), {"p": ["a"], "q": ["b"]}).counts(),
            "not one of",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ProbeError, match=message):
        call()
