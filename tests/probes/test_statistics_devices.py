"""Statistics that are added up on a device are those that NumPy adds up.

The lines that a GPU runs are run on the processor here; what only a GPU can show is skipped where
there is none.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from linrep.core.products import NUMPY
from linrep.core.torch_products import TorchProducts
from linrep.probes import ProbeError, Statistics, gather_statistics
from linrep.probes.geometry import gathering, sums
from linrep.probes.geometry.statistics import statistics_of
from linrep.probes.inputs import columns

NO_GPU = "no CUDA device here: run this where there is one"
THERE = TorchProducts("cpu")
PARTS = ("mean_x", "mean_z", "scatter_xx", "scatter_xz", "scatter_zz")


def same(one, other):
    assert (one.n, one.classes, one.numeric) == (other.n, other.classes, other.numeric)
    for name in PARTS:
        ours, theirs = getattr(one, name), getattr(other, name)
        assert isinstance(ours, np.ndarray)
        # Centred sums of float64 in another order: some roundings of the largest.
        scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * scale)


def drawn(n, d, seed, kind=np.float32):
    rng = np.random.default_rng(seed)
    X = (3 * rng.standard_normal((n, d)) + 5).astype(kind)
    return X, {"class": rng.integers(0, 3, n).astype(str), "number": rng.standard_normal((n, 2))}


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 60), st.integers(1, 6), st.integers(0, 2**31), st.integers(1, 30),
    st.sampled_from(["f2", "f4", "f8", "i4"]),
)  # fmt: skip
def test_statistics_are_the_same_on_a_device(n, d, seed, rows, kind):
    X, y = drawn(n, d, seed, kind)
    kept = X.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "ROWS", rows)
        patch.setattr(columns, "ROWS", rows)
        same(statistics_of(X, y, THERE), statistics_of(X, y, NUMPY))
    assert (kept == X).all()


def test_a_tensor_on_a_gpu_stays_there_and_is_left_as_it_is(monkeypatch):
    X, y = drawn(50, 4, 0, np.float64)
    plain = Statistics.from_arrays(X, y)
    monkeypatch.setattr(columns, "lies_on_gpu", torch.is_tensor)
    monkeypatch.setattr(columns, "products_on", TorchProducts)
    monkeypatch.setattr(columns, "feature_matrix", None)  # it would bring the rows back
    there = torch.from_numpy(X.copy())
    same(Statistics.from_arrays(there, y), plain)
    same(Statistics.with_labels(y)(there), plain)
    same(Statistics.from_arrays(there[:20], {k: v[:20] for k, v in y.items()}).update(
        there[20:], {k: v[20:] for k, v in y.items()}), plain)  # fmt: skip
    assert (there.numpy() == X).all()
    for wrong in (there[0], there.to(torch.complex64)):
        with pytest.raises(ProbeError, match="features on a GPU are a numeric matrix"):
            Statistics.from_arrays(wrong)


def test_what_is_not_finite_is_refused_on_a_device_as_well():
    with pytest.raises(ProbeError, match="NaN or infinite"):
        statistics_of(np.array([[1.0], [np.nan]]), None, THERE)
    with pytest.raises(ProbeError, match="more than a float64 holds"):
        statistics_of(np.array([[1.0], [-1e200]]), None, THERE)


def test_statistics_of_many_rows_are_gathered_on_a_device(monkeypatch):
    X, y = drawn(100, 4, 1)
    plain = gather_statistics(X, y, device="cpu")
    monkeypatch.setattr(gathering, "ROWS", 9)
    monkeypatch.setattr(gathering, "products_for", lambda *_: THERE)
    same(gather_statistics(X, y), plain)


def test_a_device_that_is_not_there_is_refused_before_rows_are_read(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ProbeError, match="device='cuda' asks for a CUDA GPU"):
        gather_statistics(*drawn(9, 2, 0), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("engine", ["local", "processes:2"])
def test_statistics_on_a_gpu_are_those_of_the_processor(engine):
    X, y = drawn(20000, 30, 2)
    plain = gather_statistics(X, y, device="cpu")
    same(gather_statistics(X, y, device="cuda", engine=engine), plain)
    same(Statistics.from_arrays(torch.from_numpy(X).to("cuda"), y), plain)
