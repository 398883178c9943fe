"""What made a run: versions of everything that computes. No clock, no paths: runs stay equal."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from ..core.kernels import describe_linear_algebra

__all__ = ["versions"]

PACKAGES: Final = (
    "linrep", "numpy", "scipy", "scikit-learn", "torch", "transformers", "transformer-lens",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Package -> version; Python, the kind of machine and what multiplies included.

    >>> sorted(versions())[0], "torch" in versions()
    ('linear algebra', True)
    """
    found = {"python": platform.python_version(), "machine": platform.machine()}
    found["linear algebra"] = describe_linear_algebra()
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
