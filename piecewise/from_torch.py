"""Reads a ``torch.nn.Sequential`` as a maxout network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from ..core import checked
from .activations import absolute_layer, leaky_layer, pool_layer, relu_layer
from .errors import NetworkError
from .network import MaxoutNetwork

__all__ = ["from_torch"]

_SKIPPED = (nn.Identity, nn.Dropout)
_READ = (nn.Linear, nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.MaxPool1d, nn.Flatten, *_SKIPPED)


@checked(NetworkError)
def from_torch(module: nn.Module) -> MaxoutNetwork:
    """Read affine layers and max-type activations, in evaluation mode, in float64.

    Linear, ReLU, LeakyReLU, PReLU, MaxPool1d (over units, as torch pools ``[batch, unit]``),
    Identity, Dropout, Flatten and nested Sequential are read; a module of class name ``Abs`` is
    taken as the absolute value. Subclasses are read if they keep the ``forward`` of these. One
    layer of the network per activation; a module that stands in several places is read in each.
    Guarantee: weights are copied bit by bit; only where two Linear follow each other is a product
    formed in float64.

    Args:
        module: a ``torch.nn.Sequential`` (or one Linear).

    Raises:
        NetworkError: a module of another kind, with a forward of its own, or sizes that do not
            chain, with its name.

    >>> net = from_torch(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)))
    >>> net.n_inputs, net.widths, net.n_outputs
    (2, (5,), 1)
    """
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    pending: tuple[np.ndarray, np.ndarray] | None = None
    width: int | None = None
    for name, part in _parts(module, ""):
        if _is_identity(part, name):
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
    title = f"module {name or type(module).__name__!r} ({type(module).__name__})"
    lazy = any(isinstance(p, nn.UninitializedParameter) for p in module.parameters(recurse=False))
    if (module._forward_pre_hooks or module._forward_hooks) and not lazy:  # lazy: refused below
        raise NetworkError(
            f"{title} has hooks (pruning and the older weight_norm work by them), so its weights "
            "may not be what it computes with; remove them first (prune.remove, "
            "remove_weight_norm)"
        )
    if isinstance(module, nn.Sequential):
        _require_forward(module, nn.Sequential, title)
        # Not named_children: it leaves out a module that stands in a second place.
        for key, child in module._modules.items():
            if child is not None:
                yield from _parts(child, f"{name}.{key}" if name else key)
        return
    kinds = [kind for kind in _READ if isinstance(module, kind)]
    if not kinds and type(module).__name__ != "Abs":
        raise NetworkError(
            f"{title} is no affine or max-type layer; expected Linear, ReLU, LeakyReLU, PReLU, "
            "MaxPool1d, Abs, Identity, Dropout, Flatten or Sequential"
        )
    for kind in kinds:
        _require_forward(module, kind, title)
    yield title, module


def _require_forward(module: nn.Module, kind: type[nn.Module], name: str) -> None:
    """Refuse a subclass that computes something else.

    Raises:
        NetworkError: it has a ``forward`` of its own.
    """
    if type(module).forward is not kind.forward:
        raise NetworkError(
            f"{name} is a {kind.__name__} with a forward of its own, which cannot be read; "
            "write it as plain layers"
        )


def _is_identity(part: nn.Module, name: str) -> bool:
    """Whether a layer leaves ``[batch, unit]`` as it is.

    Raises:
        NetworkError: a Flatten that would merge the batch.
    """
    if isinstance(part, nn.Flatten):
        if part.start_dim not in (1, -1):
            raise NetworkError(f"{name} merges the batch with the units; use start_dim=1")
        return True
    return isinstance(part, _SKIPPED)


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
        if part.num_parameters not in (1, len(bias)):
            raise NetworkError(f"{name} has {part.num_parameters} slopes and receives {len(bias)}")
        return leaky_layer(weight, bias, _array(part.weight))
    if isinstance(part, nn.MaxPool1d):
        if _one(part.padding) or _one(part.dilation) != 1 or part.ceil_mode or part.return_indices:
            raise NetworkError(
                f"{name}: only pooling without padding, dilation, ceil_mode and return_indices"
            )
        return pool_layer(weight, bias, _one(part.kernel_size), _one(part.stride))
    return absolute_layer(weight, bias)


def _array(tensor: Any) -> np.ndarray:
    if isinstance(tensor, nn.UninitializedParameter):
        raise NetworkError("a lazy layer has no weights yet; run the module on one input first")
    if tensor.is_complex():
        raise NetworkError("complex weights make no piecewise linear function; use real ones")
    return np.asarray(tensor.detach().double().cpu().numpy())


def _one(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)
