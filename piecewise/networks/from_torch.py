"""Reads a ``torch.nn.Sequential`` as a maxout network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import nn

from ...core import checked
from ..errors import NetworkError
from .activations import absolute_layer, leaky_layer, pool_layer, relu_layer
from .parts import Parts

__all__ = ["torch_parts"]

_SKIPPED = (nn.Identity, nn.Dropout)
_AFFINE = (nn.Linear, nn.BatchNorm1d)
_ACTIVE = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.Hardtanh, nn.MaxPool1d)  # ReLU6 is a Hardtanh
_READ = (*_AFFINE, *_ACTIVE, nn.Flatten, *_SKIPPED)

Affine = tuple[np.ndarray, np.ndarray]


@checked(NetworkError)
def torch_parts(module: nn.Module) -> Parts:
    """Read affine layers and max-type activations, in evaluation mode, in float64.

    Linear, ReLU, LeakyReLU, PReLU, Hardtanh, ReLU6, MaxPool1d (over units, as torch pools
    ``[batch, unit]``), BatchNorm1d (in evaluation mode, when it is an affine map), Identity,
    Dropout, Flatten and nested Sequential are read; a module of class name ``Abs`` is taken as the
    absolute value. Subclasses are read if they keep the ``forward`` of these. One layer of the
    network per activation, two per Hardtanh (a minimum, then a maximum; a minimum is the negative
    of a maximum, as for slopes above 1); a module that stands in several places is read in each.
    Guarantee: weights are copied bit by bit, up to signs; only where two of Linear and BatchNorm1d
    follow each other is a product formed in float64.

    Args:
        module: a ``torch.nn.Sequential`` (or one Linear).

    Raises:
        NetworkError: a module of another kind, with a forward of its own, in training mode where
            that matters, with NaN weights, or sizes that do not chain, with its name.

    >>> parts = torch_parts(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)))
    >>> [weight.shape for weight in parts.weights], parts.readout.shape
    ([(5, 2, 2)], (1, 5))
    """
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    pending: Affine | None = None
    width: int | None = None
    for name, part in _parts(module, ""):
        if _is_identity(part, name):
            continue
        if isinstance(part, _AFFINE):
            pending = _chain(pending, part, name, width)
        else:
            if pending is None and width is None:
                raise NetworkError(
                    f"{name} comes before any Linear, so the number of inputs is unknown; "
                    "start the Sequential with a Linear"
                )
            affine = pending or (np.eye(int(width or 0)), np.zeros(int(width or 0)))
            made, pending = _activation(part, name, *affine)
            layers += made
        width = len(pending[1]) if pending else len(layers[-1][1])
    if width is None:
        raise NetworkError("the module holds no layer; a Sequential with a Linear is expected")
    if not layers and pending:  # an affine map: one piece per output
        layers, pending = [(pending[0][:, None], pending[1][:, None])], None
    readout = pending or (np.eye(width), np.zeros(width))
    return Parts([w for w, _ in layers], [b for _, b in layers], *readout)


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
            "Hardtanh, ReLU6, MaxPool1d, BatchNorm1d, Abs, Identity, Dropout, Flatten or Sequential"
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


def _chain(pending: Affine | None, part: nn.Module, name: str, width: int | None) -> Affine:
    inputs = part.in_features if isinstance(part, nn.Linear) else part.num_features
    if width is not None and inputs != width:
        raise NetworkError(f"{name} reads {inputs} inputs and receives {width}")
    if isinstance(part, nn.Linear):
        weight = _array(part.weight, name)
        bias = np.zeros(len(weight)) if part.bias is None else _array(part.bias, name)
        if pending is None:
            return weight, bias
        return weight @ pending[0], weight @ pending[1] + bias
    scale, bias = _batch_norm(part, name)
    if pending is None:
        return np.diag(scale), bias
    return scale[:, None] * pending[0], scale * pending[1] + bias


def _batch_norm(part: Any, name: str) -> Affine:
    """Factor and offset of each unit, as evaluation uses them.

    Raises:
        NetworkError: it would use the statistics of the batch.
    """
    if part.training or part.running_mean is None:
        raise NetworkError(
            f"{name} uses the mean and the variance of its batch, which is no function of one "
            "input; call .eval() on the module (with track_running_stats, so that it knows others)"
        )
    mean, variance = _array(part.running_mean, name), _array(part.running_var, name)
    if not (variance + part.eps > 0).all():
        raise NetworkError(f"{name} has a running variance below 0; received {variance.min():g}")
    scale = np.ones(len(mean)) if part.weight is None else _array(part.weight, name)
    scale = scale / np.sqrt(variance + part.eps)
    offset = np.zeros(len(mean)) if part.bias is None else _array(part.bias, name)
    return scale, offset - mean * scale


def _activation(
    part: nn.Module, name: str, weight: np.ndarray, bias: np.ndarray
) -> tuple[list[Affine], Affine | None]:
    """The layers of an activation, and the signs that what follows must undo (none: no signs).

    Raises:
        NetworkError: sizes or ends that do not fit.
    """
    if isinstance(part, nn.ReLU):
        return [relu_layer(weight, bias)], None
    if isinstance(part, nn.LeakyReLU):
        return _leaky(weight, bias, np.array(float(part.negative_slope)), name)
    if isinstance(part, nn.PReLU):
        if part.num_parameters not in (1, len(bias)):
            raise NetworkError(f"{name} has {part.num_parameters} slopes and receives {len(bias)}")
        return _leaky(weight, bias, _array(part.weight, name), name)
    if isinstance(part, nn.Hardtanh):
        ends = float(part.min_val), float(part.max_val)
        if not np.isfinite(ends).all():
            raise NetworkError(f"{name} has an infinite end; use a ReLU, which has one end")
        return _clamp(weight, bias, *ends), None
    if isinstance(part, nn.MaxPool1d):
        if _one(part.padding) or _one(part.dilation) != 1 or part.ceil_mode or part.return_indices:
            raise NetworkError(
                f"{name}: only pooling without padding, dilation, ceil_mode and return_indices"
            )
        return [pool_layer(weight, bias, _one(part.kernel_size), _one(part.stride))], None
    return [absolute_layer(weight, bias)], None


def _leaky(
    weight: np.ndarray, bias: np.ndarray, slope: np.ndarray, name: str
) -> tuple[list[Affine], Affine | None]:
    """Units of slope above 1 are minima: ``min(z, s z) = -max(-z, -s z)``.

    Raises:
        NetworkError: a slope that is no finite number.
    """
    if not np.isfinite(slope).all():
        raise NetworkError(f"{name} has a slope that is NaN or infinite: give finite slopes")
    slopes = np.broadcast_to(slope, bias.shape)
    if (slopes <= 1).all():
        return [leaky_layer(weight, bias, slopes)], None
    signs = np.where(slopes > 1, -1.0, 1.0)
    w, b = signs[:, None] * weight, signs * bias
    pieces = np.stack([w, slopes[:, None] * w], axis=1), np.stack([b, slopes * b], axis=1)
    return [pieces], (np.diag(signs), np.zeros(len(signs)))


def _clamp(weight: np.ndarray, bias: np.ndarray, low: float, high: float) -> list[Affine]:
    """``max(min(z, high), low)`` as ``m = max(-z, -high)``, then ``max(-m, low)``."""
    first = np.stack([-weight, np.zeros_like(weight)], axis=1)
    offsets = np.stack([-bias, np.full_like(bias, -high)], axis=1)
    minus = -np.eye(len(bias))
    second = np.stack([minus, np.zeros_like(minus)], axis=1)
    ends = np.stack([np.zeros_like(bias), np.full_like(bias, low)], axis=1)
    return [(first, offsets), (second, ends)]


def _array(tensor: Any, name: str) -> np.ndarray:
    if isinstance(tensor, (nn.UninitializedParameter, nn.UninitializedBuffer)):
        raise NetworkError("a lazy layer has no weights yet; run the module on one input first")
    if tensor.is_complex():
        raise NetworkError("complex weights make no piecewise linear function; use real ones")
    array = np.asarray(tensor.detach().double().cpu().numpy())
    if not np.isfinite(array).all():
        raise NetworkError(f"{name} holds NaN or infinite weights; load or train it again")
    return array


def _one(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)
