"""Reads a ``torch.nn.Sequential`` as a maxout network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from .activations import absolute_layer, leaky_layer, pool_layer, relu_layer
from .errors import NetworkError
from .network import MaxoutNetwork

__all__ = ["from_torch"]

_SKIPPED = (nn.Identity, nn.Dropout, nn.Flatten)


def from_torch(module: nn.Module) -> MaxoutNetwork:
    """Read affine layers and max-type activations, in evaluation mode, in float64.

    Linear, ReLU, LeakyReLU, PReLU, MaxPool1d (over units, as torch pools ``[batch, unit]``),
    Identity, Dropout, Flatten and nested Sequential are read; a module of class name ``Abs`` is
    taken as the absolute value. One layer of the network per activation. Guarantee: weights are
    copied bit by bit; only where two Linear follow each other is a product formed in float64.

    Args:
        module: a ``torch.nn.Sequential`` (or one Linear).

    Raises:
        NetworkError: a module of another kind, or sizes that do not chain, with its name.

    >>> net = from_torch(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)))
    >>> net.n_inputs, net.widths, net.n_outputs
    (2, (5,), 1)
    """
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    pending: tuple[np.ndarray, np.ndarray] | None = None
    width: int | None = None
    for name, part in _parts(module, ""):
        if isinstance(part, _SKIPPED):
            continue
        if isinstance(part, nn.Linear):
            pending = _chain(pending, part, name, width)
        else:
            if pending is None and width is None:
                raise NetworkError(
                    f"{name} comes before any Linear, so the number of inputs is unknown; "
                    "start the Sequential with a Linear"
                )
            affine = pending or (np.eye(int(width or 0)), np.zeros(int(width or 0)))
            layers.append(_activation(part, name, *affine))
            pending = None
        width = len(pending[1]) if pending else len(layers[-1][1])
    if width is None:
        raise NetworkError("the module holds no layer; a Sequential with a Linear is expected")
    if not layers and pending:  # an affine map: one piece per output
        layers, pending = [(pending[0][:, None], pending[1][:, None])], None
    readout = pending or (np.eye(width), np.zeros(width))
    return MaxoutNetwork([w for w, _ in layers], [b for _, b in layers], *readout)


def _parts(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(module, nn.Sequential):
        yield f"module {name or type(module).__name__!r} ({type(module).__name__})", module
        return
    for key, child in module.named_children():
        yield from _parts(child, f"{name}.{key}" if name else key)


def _chain(
    pending: tuple[np.ndarray, np.ndarray] | None, part: nn.Linear, name: str, width: int | None
) -> tuple[np.ndarray, np.ndarray]:
    if width is not None and part.in_features != width:
        raise NetworkError(f"{name} reads {part.in_features} inputs and receives {width}")
    weight = _array(part.weight)
    bias = np.zeros(len(weight)) if part.bias is None else _array(part.bias)
    if pending is None:
        return weight, bias
    return weight @ pending[0], weight @ pending[1] + bias


def _activation(
    part: nn.Module, name: str, weight: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(part, nn.ReLU):
        return relu_layer(weight, bias)
    if isinstance(part, nn.LeakyReLU):
        return leaky_layer(weight, bias, part.negative_slope)
    if isinstance(part, nn.PReLU):
        return leaky_layer(weight, bias, _array(part.weight))
    if isinstance(part, nn.MaxPool1d):
        if _one(part.padding) or _one(part.dilation) != 1 or part.ceil_mode:
            raise NetworkError(f"{name}: only pooling without padding, dilation and ceil_mode")
        return pool_layer(weight, bias, _one(part.kernel_size), _one(part.stride))
    if type(part).__name__ == "Abs":
        return absolute_layer(weight, bias)
    raise NetworkError(
        f"{name} is no affine or max-type layer; expected Linear, ReLU, LeakyReLU, PReLU, "
        "MaxPool1d, Abs, Identity, Dropout, Flatten or Sequential"
    )


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().double().cpu().numpy())


def _one(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)
