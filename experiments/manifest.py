"""What made a run: versions of everything that computes. No clock, no paths: runs stay equal."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

__all__ = ["versions"]

PACKAGES: Final = (
    "linrep", "numpy", "scipy", "scikit-learn", "torch", "transformers", "transformer-lens",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Package -> version, Python and the kind of machine included.

    >>> sorted(versions())[0], "torch" in versions()
    ('linrep', True)
    """
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found
