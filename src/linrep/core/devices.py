"""Which device large products are made on: names are checked, ``"auto"`` is decided."""

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .arguments import shown
from .errors import LinrepError
from .products import NUMPY, Products
from .threads import WORTH_SHARING

__all__ = ["check_device", "device_for", "lies_on_gpu", "on_gpu", "products_for", "products_on"]

DEVICES = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")
MATRICES = 16  # of d x d float64 numbers that the work on one site holds on a GPU, generously


def check_device(device: object, error: type[LinrepError]) -> str:
    """The name of a device that this machine has, or ``"auto"``.

    Raises:
        error: it is no such name, or there is no such GPU.

    >>> check_device("cpu", LinrepError)
    'cpu'
    """
    if not isinstance(device, str) or not DEVICES.fullmatch(device):
        raise error(
            "device is 'auto' (a GPU where there is one and the work is large), 'cpu', 'cuda', or "
            f"'cuda:1' for the second GPU; received {shown(device)}"
        )
    if not device.startswith("cuda"):
        return device
    count = _gpus()
    if not count:
        raise error(
            f"device={device!r} asks for a CUDA GPU, and PyTorch finds none here: give "
            "device='cpu', or install a PyTorch that is built for CUDA and the GPU's driver"
        )
    if int(device[5:] or 0) >= count:
        raise error(
            f"device={device!r} asks for GPU {int(device[5:])}, and PyTorch finds {count} here, "
            f"counted from 0: give 'cuda:{count - 1}' or a smaller number"
        )
    return device


def device_for(device: str, rows: int, width: int) -> str:
    """The device that ``"auto"`` means for some work; any other name as it is.

    It is a GPU where there is one with enough free memory, and where the work is worth the way
    there: from so many multiplications on that NumPy would share them among threads.

    Args:
        device: as asked for.
        rows: of the matrix.
        width: its columns.

    >>> device_for("auto", 10, 10), device_for("cuda:1", 10, 10)
    ('cpu', 'cuda:1')
    """
    if device != "auto":
        return device
    if float(rows) * width**2 < WORTH_SHARING or not _gpus():
        return "cpu"
    return "cuda" if products_on("cuda").room() >= MATRICES * 8 * width**2 else "cpu"


def products_for(device: str, shape: tuple[int, ...], error: type[LinrepError]) -> Products:
    """Products with a matrix of some shape on the device that was asked for.

    Raises:
        error: it is not there, on this machine or for this worker.
    """
    return products_on(check_device(device_for(device, *shape), error))


def products_on(device: str) -> Products:
    """Products on a device: NumPy's on ``"cpu"``, else PyTorch's.

    >>> products_on("cpu") is NUMPY
    True
    """
    if device == "cpu":
        return NUMPY
    from .torch_products import TorchProducts

    return TorchProducts(device)


def lies_on_gpu(values: object) -> bool:
    """Whether something is a tensor on a CUDA GPU.

    >>> lies_on_gpu(1.0)
    False
    """
    return getattr(getattr(values, "device", None), "type", None) == "cuda"


@contextmanager
def on_gpu(products: Products, error: type[LinrepError]) -> Iterator[None]:
    """What runs inside and finds the device's memory full ends with one plain error.

    Raises:
        error: the memory of the device is full.
    """
    try:
        yield
    except products.full as problem:
        raise error(
            f"the memory of {products.device!r} is full: give device='cpu', end what else runs "
            f"there, or take fewer workers ({str(problem).splitlines()[0]})"
        ) from problem


def _gpus() -> int:
    """GPUs that PyTorch can use. It is not loaded, which takes seconds, where no driver is."""
    if "torch" not in sys.modules and not _driver():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _driver() -> bool:
    """Whether this machine has the driver of NVIDIA's or AMD's GPUs."""
    if os.path.exists("/dev/kfd"):
        return True
    with suppress(OSError):
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        return True
    return False
