"""The library that multiplies is named by what is loaded."""

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from linrep.core.kernels import _said, describe_linear_algebra, numpy_pool


def pool(path, kernel="Haswell", name="openblas"):
    return {"user_api": "blas", "internal_api": name, "filepath": path, "architecture": kernel}


def test_of_several_libraries_numpy_s_counts():
    home = Path("/numpy/site-packages/numpy")  # a folder above it is called likewise
    scipy, near, within = (
        pool(f"/numpy/site-packages/{place}/lib.so")
        for place in ("scipy.libs", "numpy.libs", "numpy/.dylibs")
    )
    openmp = {"user_api": "openmp", "filepath": str(home / "gomp.so")}
    for own in (near, within):
        assert numpy_pool([scipy, openmp, own], home) == own
        assert numpy_pool([own, openmp, scipy], home) == own
    shared = pool("/environment/lib/libopenblas.so")
    assert numpy_pool([openmp, scipy, shared], home) == shared
    for others in ([openmp, scipy], [openmp], []):  # NumPy's own is not known
        assert numpy_pool(others, home) == {}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pool("a"), "NumPy with OpenBLAS, Haswell kernel"),
        (pool("a", "Nehalem"), "NumPy with OpenBLAS, Nehalem kernel"),
        (pool("a", None, "mkl"), "NumPy with MKL"),
        ({}, "NumPy with a library of unknown name"),
    ],
)
def test_the_words_name_the_library_and_its_kernel(found, said):
    assert _said(found) == said


def test_the_words_are_those_of_the_library_that_is_loaded():
    loaded = numpy_pool(threadpool_info(), Path(np.__file__).resolve().parent)
    assert describe_linear_algebra() == _said(loaded)
    assert str(loaded.get("architecture", "")) in describe_linear_algebra()
