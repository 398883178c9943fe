"""Statistics gathered over workers: equal to the byte wherever, and but for rounding to one sum."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, strategies as st

from linrep.core import make_engine
from linrep.core.engine import Engine
from linrep.probes import ProbeError, Statistics, gather_statistics
from linrep.probes.geometry import gathering


class Rows:
    """Rows that are read by index, as those of a store are."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.most = array, 0
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self) -> int:
        return len(self.array)

    def read(self, index: np.ndarray) -> np.ndarray:
        self.most = max(self.most, len(index))
        return self.array[index].copy()


class Backwards:
    """An engine whose last job is ready first."""

    workers = False

    def map(self, fn, jobs):
        for i in reversed(range(len(jobs))):
            yield i, fn(jobs[i])

    def share(self, make):
        return make_engine("local").share(make)

    def close(self) -> None:
        """Nothing to let go of."""


def same(a: Statistics, b: Statistics) -> bool:
    return all(
        np.array_equal(np.asarray(getattr(a, f.name)), np.asarray(getattr(b, f.name)))
        if f.name not in ("classes", "numeric") else getattr(a, f.name) == getattr(b, f.name)
        for f in fields(a)
    )  # fmt: skip


def drawn(n: int, d: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((n, d)) + 50).astype(np.float32)
    return X, {"class": rng.integers(0, 3, n).astype(str), "number": rng.standard_normal((n, 2))}


@pytest.fixture
def small(monkeypatch):
    """Blocks of seven rows, so that a few rows are many parts."""
    monkeypatch.setattr(gathering, "ROWS", 7)


@given(n=st.integers(1, 200), d=st.integers(1, 5), seed=st.integers(0, 9))
def test_parts_add_up_to_the_whole(n, d, seed):
    X, y = drawn(n, d, seed)
    old, gathering.ROWS = gathering.ROWS, 7
    try:
        found = gather_statistics(X, y)
    finally:
        gathering.ROWS = old
    whole = Statistics.from_arrays(X, y)
    assert found.n == n
    assert found.classes == whole.classes
    for name in ("mean_x", "mean_z", "scatter_xx", "scatter_xz", "scatter_zz"):
        # float64: n sums of products of numbers near 50, each rounded once
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-9, atol=1e-9)


@pytest.mark.usefixtures("small")
def test_equal_to_the_byte_in_whatever_order_parts_are_ready_and_from_wherever_rows_come():
    X, y = drawn(500, 6, 0)
    plain = gather_statistics(X, y)
    backwards = Backwards()
    assert isinstance(backwards, Engine)
    rows = Rows(X)
    assert same(plain, gather_statistics(X, y, engine=backwards))
    assert same(plain, gather_statistics(rows, y))
    assert rows.most == 7  # never more than a block in memory


def test_equal_to_the_byte_at_any_number_of_workers():
    X, y = drawn(gathering.ROWS * (2 * gathering.BLOCKS + 1), 3, 1)  # three jobs
    plain = gather_statistics(X, y)
    for count in (1, 2):
        assert same(plain, gather_statistics(X, y, engine=f"processes:{count}"))


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (np.ones((3, 2)), ["a"], "1 rows, the features have 3"),
        (np.ones((0, 2)), [], "with one row at least"),
        (np.ones(3), ["a"] * 3, "numeric matrix"),
        (np.array([[1.0], [np.nan]]), ["a", "b"], "NaN or infinite"),
        (np.ones((2, 1)), {1: ["a", "b"]}, "a mapping from text"),
    ],
)
def test_what_does_not_fit_is_refused(X, y, said):
    with pytest.raises(ProbeError, match=said):
        gather_statistics(X, y)
