"""Products on a device are NumPy's, and a device that is not there is refused by name."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import sparse

from linrep.core import LinrepError, devices, torch_products
from linrep.core.devices import check_device, device_for, on_gpu, products_on
from linrep.core.products import NUMPY
from linrep.core.torch_products import TorchProducts

THERE = TorchProducts("cpu")  # the lines that a GPU runs, on the processor
KINDS = ["f2", "f4", "f8", ">f4", "i1", "u2", "i8", "?"]


def doubled(columns):
    """Sparse columns with each value in two halves at the same place."""
    found = sparse.csr_array(columns)
    pairs = (np.repeat(found.data / 2, 2), np.repeat(found.indices, 2), 2 * found.indptr)
    return sparse.csr_array(pairs, shape=found.shape)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 200), st.integers(1, 9), st.integers(0, 2**31), st.sampled_from(KINDS),
    st.sampled_from([1, 50, 2**24]),
)  # fmt: skip
def test_products_on_a_device_are_those_of_numpy(n, d, seed, kind, dense):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_products, "DENSE", dense)
        compare_products(n, d, seed, kind)


def compare_products(n, d, seed, kind):
    rng = np.random.default_rng(seed)
    block = (5 * rng.standard_normal((n, d))).astype(kind)
    block.flags.writeable = False  # as rows of a memory map are
    columns = (rng.random((n, 4)) < 0.3) * rng.standard_normal((n, 4))
    spread = rng.uniform(0.5, 2.0, d)
    middle = block.mean(axis=0, dtype=np.float64) if n else np.zeros(d)
    told = []
    for where in (NUMPY, THERE):
        mean = where.put(middle)
        units = where.put(spread)
        rows = where.standardise(block, mean, units, out=where.empty(n + 3, d)[:n])
        slow = (block - middle) / spread
        np.testing.assert_array_equal(where.back(rows), slow)  # the same operations, row by row
        whole = where.zeros(d, d)
        whole += rows.T @ rows
        out = np.empty((n, d))
        told.append([
            where.back(rows), where.back(whole), where.multiply(rows, whole, out),
            where.back(where.weighed(columns, rows)),
            where.back(where.weighed(sparse.csr_array(columns), rows)),
            where.back(where.weighed(doubled(columns), rows)),
            where.back(where.wide(where.cast(rows, np.dtype(np.float64)))),
            where.eigh(where.back(whole).copy())[0],
        ])  # fmt: skip
    for one, other in zip(*told, strict=True):
        assert isinstance(other, np.ndarray)
        assert one.shape == other.shape
        # Rows of float64 in another order: sums differ by some roundings of the largest.
        scale = max(1.0, float(np.abs(one).max(initial=0.0)))
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-13 * scale)


def test_rows_are_multiplied_in_float64_on_a_device_and_as_they_are_by_numpy():
    narrow = np.dtype(np.float32)
    assert (NUMPY.precision(narrow), THERE.precision(narrow)) == (narrow, np.float64)
    assert THERE.back(THERE.empty(2, dtype=narrow)).dtype == narrow
    assert THERE.back(THERE.cast(THERE.zeros(2), narrow)).dtype == narrow
    assert NUMPY.room() == 0


def test_a_matrix_whose_eigenvalues_do_not_converge_there_is_left_to_the_processor(monkeypatch):
    def fails(matrix):
        raise torch.linalg.LinAlgError("linalg.eigh: failed to converge")

    monkeypatch.setattr(torch.linalg, "eigh", fails)
    assert THERE.eigh(np.diag([2.0, 1.0]))[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrong", ["gpu", "cuda:", "cuda:-1", "CUDA", "", None, 0])
def test_a_device_of_another_name_is_refused(wrong):
    with pytest.raises(LinrepError, match="device is 'auto' .* received"):
        check_device(wrong, LinrepError)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(LinrepError, match="asks for a CUDA GPU, and PyTorch finds none here: give"):
        check_device("cuda", LinrepError)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert check_device("cuda:1", LinrepError) == "cuda:1"
    with pytest.raises(LinrepError, match="asks for GPU 2, and PyTorch finds 2 here.* 'cuda:1'"):
        check_device("cuda:2", LinrepError)


def test_a_machine_without_a_driver_does_not_load_pytorch(monkeypatch):
    def absent(name):
        raise OSError(name)

    monkeypatch.setattr(devices.os.path, "exists", lambda path: False)
    monkeypatch.setattr(devices.ctypes, "CDLL", absent)
    monkeypatch.delitem(sys.modules, "torch")
    assert device_for("auto", 10**6, 4096) == "cpu"
    assert "torch" not in sys.modules
    monkeypatch.setattr(devices.ctypes, "CDLL", lambda name: name)
    assert devices._driver()


def test_auto_is_a_gpu_with_room_where_the_work_is_large(monkeypatch):
    monkeypatch.setattr(devices, "_gpus", lambda: 1)
    assert device_for("auto", 1000, 64) == "cpu"  # the way there costs more
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**34, 2**36))
    assert device_for("auto", 10**6, 1024) == "cuda"
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**24, 2**36))
    assert device_for("auto", 10**6, 1024) == "cpu"
    monkeypatch.setattr(devices, "_gpus", lambda: 0)
    assert device_for("auto", 10**6, 1024) == "cpu"
    assert device_for("cuda", 1, 1) == "cuda"


def test_a_full_device_is_one_plain_error():
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")
    with (
        pytest.raises(LinrepError, match=r"the memory of 'cpu' is full: give device='cpu'.*2 GiB"),
        on_gpu(THERE, LinrepError),
    ):
        raise full
    with pytest.raises(RuntimeError, match="another"), on_gpu(THERE, LinrepError):
        raise RuntimeError("another")
    with pytest.raises(torch.OutOfMemoryError), on_gpu(NUMPY, LinrepError):
        raise full


def test_the_processor_is_numpy():
    assert products_on("cpu") is NUMPY
    assert isinstance(products_on("cuda"), TorchProducts)
