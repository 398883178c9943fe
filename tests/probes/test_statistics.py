"""Streaming equals batch, shards add up, small directions survive."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from linrep.probes import ProbeError, Statistics
from linrep.probes.inputs.labels import encode


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
    # eleven classes and columns: as words they would not stand in the order of numbers
    X, y = rng.standard_normal((60, 12)) * 5 + 100, rng.integers(0, 12, 60)
    edges = [0, *sorted(cuts), 60]
    parts = [
        Statistics.from_arrays(X[a:b], {"y": y[a:b], "b": X[a:b, :11]})
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    whole = Statistics.from_arrays(X, {"y": y, "b": X[:, :11]})
    assert same(total, whole, atol=1e-8)
    assert np.allclose(total.mean_z[total.block("b")], X[:, :11].mean(0))
    if len(parts) > 1:  # whichever comes first, and whatever is added first
        assert same(parts[1] + parts[0], parts[0] + parts[1], atol=1e-8)
        (*front, last), right = parts, parts[-1]
        for part in reversed(front):
            right = part + right
        assert same(right, whole, atol=1e-8)
        assert last.n == parts[-1].n


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


def test_float32_shards_beside_a_huge_mean_are_the_whole():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((5000, 3)) * [1.0, 0.5, 0.25] + 1e5).astype(np.float32)
    total = Statistics.from_arrays(X[:1])
    for start in range(1, 5000, 250):
        total.update(X[start : start + 250])
    exact = np.cov(X.astype(np.longdouble).T.astype(np.float64), bias=True)
    # float64 sums about means of 1e5: 1e-16 * 1e5 per row beside deviations of 0.1
    assert np.allclose(total.covariance, exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("labels", [["10", "9", "9"], [10, 9, 9], [1.5, -2.0, -2.0]])
def test_numbers_stand_in_their_order_however_they_are_cut(labels):
    X = np.arange(3.0)[:, None]
    whole = Statistics.from_arrays(X, labels)
    names = [float(name) for name in whole.classes["target"]]
    assert names == sorted(names)
    assert same(Statistics.from_arrays(X[:1], labels[:1]).update(X[1:], labels[1:]), whole)
    assert sorted(whole.counts().values()) == [1, 2]


def test_words_beside_numbers_add_up():
    X = np.arange(4.0)[:, None]
    first, second = (
        Statistics.from_arrays(X[:2], ["10", "9"]),
        Statistics.from_arrays(X[2:], ["nan", "b"]),
    )
    assert same(first + second, Statistics.from_arrays(X, ["10", "9", "nan", "b"]))


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
            lambda: Statistics.from_arrays(np.ones((3, 1)), np.array(5)),
            "no rows, the features have 3",
        ),
        (lambda: Statistics.from_arrays(np.ones((1, 1)), [["a", "b"]]), "no numbers"),
        (lambda: Statistics.from_arrays(np.ones((1, 1)), [np.inf]), "infinite"),
        (lambda: Statistics.from_arrays(np.ones((1, 1)), [[1.0, 2.0]]).counts(), "holds numbers"),
        (lambda: Statistics.from_arrays(np.ones((1, 1)), [[1.0]]).class_means(), "holds numbers"),
        (
            lambda: (
                Statistics.from_arrays(np.ones((1, 1)), [[1.0, 2.0]])
                + Statistics.from_arrays(np.ones((1, 1)), [[1.0]])
            ),
            "2 columns here and 1 there",
        ),
        (
            lambda: (
                Statistics.from_arrays(np.ones((1, 1)), [[1.0]])
                + Statistics.from_arrays(np.ones((1, 1)), ["0"])
            ),
            "classes in one part and numbers in the other",
        ),
        (
            lambda: Statistics.from_arrays(np.ones((1, 1)), {"p": ["a"], "q": ["b"]}).counts(),
            "name a target of .*; received None",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ProbeError, match=message):
        call()


@pytest.mark.parametrize(
    "missing", [None, "", float("nan"), np.float32("nan"), pd.NA, pd.NaT], ids=repr
)
def test_whatever_stands_for_missing_is_undefined(missing):
    codes, classes = encode(np.array(["a", missing, "b"], dtype=object))
    assert codes.tolist() == [0, -1, 1]
    assert classes == ("a", "b")


@given(
    labels=st.lists(
        st.text(alphabet=st.sampled_from("abÀ𝒜 é1\n"), max_size=3), min_size=1, max_size=40
    )
)
def test_text_labels_are_coded_as_by_sorting(labels):
    array = np.array(labels, dtype=str)
    codes, classes = encode(array)
    defined = array != ""
    values, inverse = np.unique(array[defined], return_inverse=True)
    assert classes == tuple(values.tolist())
    assert codes[defined].tolist() == inverse.tolist()
    assert (codes[~defined] == -1).all()


def test_labels_read_once_give_the_same_statistics():
    draw = np.random.default_rng(0)
    labels = {"a": draw.integers(0, 3, 50).astype(str), "b": draw.standard_normal((50, 2))}
    make = Statistics.with_labels(labels)
    for _ in range(2):
        X = draw.standard_normal((50, 4))
        assert same(make(X), Statistics.from_arrays(X, labels), atol=0)
    with pytest.raises(ProbeError, match="50 rows, the features have 3"):
        make(np.ones((3, 4)))
    with pytest.raises(ProbeError, match="has no rows"):
        Statistics.with_labels("a")


@pytest.mark.parametrize("n", [1, 300, 8192, 20_000])
def test_what_sites_share_is_what_each_would_compute(n):
    random = np.random.default_rng(n)
    labels = {"a": random.integers(0, 12, n).astype(str), "b": random.standard_normal((n, 2))}
    sites = random.standard_normal((2, n, 3)).astype(np.float32)
    make = Statistics.with_labels(labels)
    first, second = (make(site) for site in sites)
    indicators = [labels["a"] == name for name in first.classes["a"]]
    z = np.column_stack([*indicators, labels["b"]])
    z = z - z.mean(axis=0)
    np.testing.assert_allclose(second.scatter_zz, z.T @ z, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(second.scatter_xz, sites[1].T @ z, rtol=1e-5, atol=1e-3)
    before = second.scatter_zz.copy(), second.mean_z.copy()
    first.scatter_zz += 1  # belongs to the first alone
    first.mean_z += 1
    assert (second.scatter_zz == before[0]).all()
    assert (second.mean_z == before[1]).all()
    assert (make(sites[0]).scatter_zz == before[0]).all()
