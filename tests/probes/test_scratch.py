"""Rows of the logistic solver in a file: the same products, the same optimum, nothing left over."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from linrep.core import DiskError
from linrep.probes import probe
from linrep.probes.solvers import scratch
from linrep.probes.solvers.scratch import Scratch, moved, weighted


def filled(rows):
    made = Scratch(*rows.shape, rows.dtype)
    for start in range(0, len(rows), 3):
        made.write(slice(start, min(start + 3, len(rows))), rows[start : start + 3])
    return made


@given(
    n=st.integers(1, 40), d=st.integers(1, 6), k=st.integers(1, 4), numbers=st.integers(1, 60),
    kind=st.sampled_from([np.float32, np.float64]), seed=st.integers(0, 9),
)  # fmt: skip
def test_products_are_those_of_rows_in_memory(n, d, k, numbers, kind, seed):
    rng = np.random.default_rng(seed)
    rows, steps = rng.standard_normal((n, d)).astype(kind), rng.standard_normal((k, d)).astype(kind)
    residuals = rng.standard_normal((k, n)).astype(kind)
    old, scratch.NUMBERS = scratch.NUMBERS, numbers
    try:
        made = filled(rows)
        assert len(made) == n
        assert np.array_equal(np.concatenate([block.copy() for _, block in made]), rows)
        out = np.empty((k, n), kind)
        moved(steps, made, out)
        plain = np.empty((k, n), kind)
        moved(steps, rows, plain)
        close = {"rtol": 0, "atol": 60 * d * n * np.finfo(kind).eps}  # sums of d or n products
        np.testing.assert_allclose(out, plain, **close)
        np.testing.assert_allclose(made @ steps.T, rows @ steps.T, **close)
        np.testing.assert_allclose(weighted(residuals, made), weighted(residuals, rows), **close)
    finally:
        scratch.NUMBERS = old


def test_a_grid_whose_rows_lie_in_a_file_is_that_of_rows_in_memory(planted, monkeypatch):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12)
    asked = {"permutations": 19, "bootstrap": 20, "tolerance": 1e-8, "seed": 3, "heights": [1]}
    held = probe(acts, corpus, **asked)
    made = []
    whole = Scratch.__init__
    monkeypatch.setattr(scratch, "SHARE", 0.0)
    monkeypatch.setattr(Scratch, "__init__", lambda self, *a: (made.append(1), whole(self, *a))[1])
    filed = probe(acts, corpus, **asked)
    assert made  # it did go through files
    for a, b in zip(held.scores, filed.scores, strict=True):
        # both within 1e-8 of the optimum's objective: at most a token at the border differs
        assert a.value == pytest.approx(b.value, abs=1.5 / a.n_test)
        assert a.penalty == b.penalty


def test_nothing_is_left_of_a_file_that_is_not_used_any_more(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = filled(np.ones((5, 2)))
    del made
    assert not list(Path(tmp_path).iterdir())


def test_a_disk_without_room_is_told_before_the_work():
    with pytest.raises(DiskError, match="rotated rows of 1,000,000 numbers"):
        Scratch(2**40, 10**6, np.dtype(np.float32))
