"""What multiplies in this process: NumPy's library of linear algebra and its kernel, in words."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe_linear_algebra", "numpy_pool"]

PACKAGES = {"site-packages", "dist-packages"}
NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}


def numpy_pool(pools: Sequence[Mapping[str, Any]], home: Path) -> Mapping[str, Any]:
    """NumPy's library of linear algebra; SciPy may bring another one, with a kernel of its own.

    Args:
        pools: as threadpoolctl lists them.
        home: NumPy's folder.

    Returns:
        The library that lies in that folder or in ``numpy.libs`` beside it, else the first that no
        package has brought; an empty one where there is none, as on a system with a library of its
        own that threadpoolctl does not know.

    >>> numpy_pool([{"user_api": "blas", "filepath": "scipy.libs/a.so"},
    ...             {"user_api": "blas", "filepath": "numpy.libs/b.so"}], Path("numpy"))["filepath"]
    'numpy.libs/b.so'
    """
    blas = [pool for pool in pools if pool.get("user_api") == "blas"]
    homes = {home, home.with_name("numpy.libs")}
    own = [pool for pool in blas if homes & {*Path(pool["filepath"]).parents}]
    shared = [pool for pool in blas if not PACKAGES & {*Path(pool["filepath"]).parts}]
    return next(iter(own + shared), {})


@cache
def describe_linear_algebra() -> str:
    """The library that multiplies for NumPy, with the kernel it runs where it has several.

    >>> describe_linear_algebra().startswith("NumPy with ")
    True
    """
    from threadpoolctl import threadpool_info

    return _said(numpy_pool(threadpool_info(), Path(np.__file__).resolve().parent))


def _said(pool: Mapping[str, Any]) -> str:
    name = NAMES.get(pool.get("internal_api", ""), "a library of unknown name")
    kernel = pool.get("architecture")
    return f"NumPy with {name}, {kernel} kernel" if kernel else f"NumPy with {name}"
