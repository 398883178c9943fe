"""The library that multiplies is named by what is loaded."""

from pathlib import Path

import pytest

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
    assert numpy_pool([openmp, scipy], home) == scipy
    assert numpy_pool([openmp], home) == numpy_pool([], home) == {}


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
    from threadpoolctl import threadpool_info

    loaded = [one["architecture"] for one in threadpool_info() if one.get("architecture")]
    said = describe_linear_algebra()
    assert not loaded or any(f"{name} kernel" in said for name in loaded)
