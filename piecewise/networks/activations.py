"""ReLU, leaky ReLU, absolute value and max-pooling written as maxout pieces, without rounding."""

import numpy as np

from ...core import checked
from ..errors import NetworkError
from .arraylike import ArrayLike, read_array

__all__ = ["absolute_layer", "leaky_layer", "pool_layer", "relu_layer"]

Pieces = tuple[np.ndarray, np.ndarray]


@checked(NetworkError)
def relu_layer(weight: ArrayLike, bias: ArrayLike) -> Pieces:
    """``relu(weight @ x + bias)``: pieces ``(z, 0)``.

    Args:
        weight: ``[unit, input]``.
        bias: ``[unit]``.

    Returns:
        Weights ``[unit, 2, input]`` and biases ``[unit, 2]`` of a layer of a maxout network.

    Raises:
        NetworkError: shapes that do not fit.

    >>> relu_layer([[3.0]], [1.0])[0].tolist()
    [[[3.0], [0.0]]]
    """
    return leaky_layer(weight, bias, 0.0)


@checked(NetworkError)
def leaky_layer(weight: ArrayLike, bias: ArrayLike, slope: float | np.ndarray) -> Pieces:
    """Leaky ReLU: pieces ``(z, slope z)``; ``slope`` is one number or one per unit, at most 1.

    Raises:
        NetworkError: shapes that do not fit, or a slope above 1 (a minimum, not a maximum).

    >>> leaky_layer([[4.0]], [2.0], 0.25)[0].tolist()
    [[[4.0], [1.0]]]
    """
    w, b = _affine(weight, bias)
    given = read_array(slope, "slopes", NetworkError)
    if given.shape not in ((), (1,), b.shape):
        raise NetworkError(f"slope is one number, or one per unit; received shape {given.shape}")
    slopes = np.broadcast_to(given, b.shape)
    if not np.isfinite(slopes).all():
        raise NetworkError("slopes are finite; received NaN or infinite entries")
    if not (slopes <= 1.0).all():
        raise NetworkError(
            f"a leaky slope above 1 makes a minimum, not a maximum; received {slopes.max()}"
        )
    return np.stack([w, slopes[:, None] * w], axis=1), np.stack([b, slopes * b], axis=1)


@checked(NetworkError)
def absolute_layer(weight: ArrayLike, bias: ArrayLike) -> Pieces:
    """``|weight @ x + bias|``: pieces ``(z, -z)``.

    Raises:
        NetworkError: shapes that do not fit.

    >>> absolute_layer([[4.0]], [2.0])[1].tolist()
    [[2.0, -2.0]]
    """
    return leaky_layer(weight, bias, -1.0)


@checked(NetworkError)
def pool_layer(weight: ArrayLike, bias: ArrayLike, size: int, stride: int | None = None) -> Pieces:
    """Maximum over windows of ``size`` consecutive affine units: rank ``size``.

    Raises:
        NetworkError: shapes that do not fit, a window larger than the layer, a stride below 1.

    >>> pool_layer(np.eye(4), np.zeros(4), 2)[0].shape
    (2, 2, 4)
    """
    w, b = _affine(weight, bias)
    step = size if stride is None else stride
    if size < 1 or step < 1 or size > len(b):
        raise NetworkError(
            f"max-pooling of {len(b)} units needs a window of 1..{len(b)} and a stride of at least "
            f"1; received size {size}, stride {step}"
        )
    starts = np.arange(0, len(b) - size + 1, step)
    rows = starts[:, None] + np.arange(size)
    return w[rows], b[rows]


def _affine(weight: ArrayLike, bias: ArrayLike) -> Pieces:
    w, b = (
        read_array(given, "an affine layer's entries", NetworkError) for given in (weight, bias)
    )
    if w.ndim != 2 or b.shape != w.shape[:1]:
        raise NetworkError(
            "an affine layer has weights [unit, input] and biases [unit]; received shapes "
            f"{w.shape} and {b.shape}"
        )
    return w, b
