"""Universal approximation with a proven error: McShane's extension and Freudenthal hats."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from ...core import checked
from ...core.arguments import shown
from ..errors import NetworkError
from .arraylike import as_real, read_array
from .box import Box, as_box
from .network import MaxoutNetwork
from .sizes import Whole, read_size

__all__ = ["Approximation", "freudenthal", "mcshane"]

MOST = 10_000_000  # nodes
Function = Callable[[np.ndarray], np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class Approximation:
    """A network and how far it may be from the function it stands for, on a box.

    Args:
        network: the maxout network ``f_N``.
        error_bound: ``sup |f - f_N|`` over the box is at most this, if the constant given holds.
        nodes: ``[node, input]`` points where the two agree.
        box: where the bound holds.
    """

    network: MaxoutNetwork
    error_bound: float
    nodes: np.ndarray
    box: Box


@checked(NetworkError)
def mcshane(f: Function, box: object, cells: Whole, lipschitz: float) -> Approximation:
    """``f_N(x) = max_k f(x_k) - Lip ||x - x_k||_inf``: 0 <= f - f_N <= 2 Lip h.

    Nodes are the centres of ``cells`` per side, so the covering radius ``h`` is half a cell.
    Layer 1: one unit of rank ``2 input`` per node (the distances); layer 2: one unit over nodes.
    Source: McShane 1934, Bull. AMS 40.

    Args:
        f: function of ``[point, input]``, returns ``[point]``.
        box: ``(lo, hi)`` scalars are not enough to know the dimension: arrays, or a :class:`Box`.
        cells: cells per side.
        lipschitz: a Lipschitz constant of ``f`` in the sup norm, positive.

    Raises:
        NetworkError: fewer than one cell, a constant that is not positive, or ``f`` not finite.

    >>> made = mcshane(lambda x: x.sum(axis=1), ([0, 0], [1, 1]), cells=2, lipschitz=2.0)
    >>> made.network.widths, made.error_bound
    ((4, 1), 1.0)
    """
    made_box = _box(box)
    lo, hi = made_box.ends
    _check(cells, made_box.dim, "lipschitz", lipschitz)
    side = (hi - lo) / cells
    nodes = lo + side * (_grid(cells, made_box.dim) + 0.5)
    values = _values(f, nodes)
    n = made_box.dim
    signs = np.concatenate([np.eye(n), -np.eye(n)])
    first = np.broadcast_to(signs, (len(nodes), 2 * n, n))
    offsets = np.concatenate([-nodes, nodes], axis=1)
    second = -lipschitz * np.eye(len(nodes))[None]
    net = MaxoutNetwork([first, second], [offsets, values[None]], [[1.0]])
    return Approximation(net, float(lipschitz * side.max()), nodes, made_box)


@checked(NetworkError)
def freudenthal(f: Function, box: object, cells: Whole, curvature: float) -> Approximation:
    """Piecewise linear interpolation on the Freudenthal triangulation: error O(cell side squared).

    Nodal hats ``max(0, 1 - max(0, y_i) - max(0, -y_i))`` in units of the cell: layer 1 has two
    units of rank ``input + 1`` per node, layer 2 one of rank 2, the read-out is ``f`` at the nodes.

    ``|f - f_N| <= curvature * sum_i side_i**2 / 8``: the error of linear interpolation is at
    most half the curvature times the squared radius of the smallest ball around a simplex
    (Waldron 1998, SIAM J. Numer. Anal. 35), here half the cell's diagonal.

    Args:
        f: function of ``[point, input]``, returns ``[point]``.
        box: ``(lo, hi)`` as arrays, or a :class:`Box`.
        cells: cells per side.
        curvature: bound on the spectral norm of the Hessian of ``f`` on the box, positive.

    Raises:
        NetworkError: fewer than one cell, a bound that is not positive, or ``f`` not finite.

    >>> made = freudenthal(lambda x: x[:, 0] ** 2, ([0.0], [1.0]), cells=4, curvature=2.0)
    >>> made.network.widths, made.error_bound
    ((10, 5), 0.015625)
    """
    made_box = _box(box)
    lo, hi = made_box.ends
    _check(cells, made_box.dim, "curvature", curvature)
    n, side = made_box.dim, (hi - lo) / cells
    grid = _grid(cells + 1, n)
    nodes = lo + side * grid
    values = _values(f, nodes)
    count = len(nodes)
    first = np.zeros((count, 2, n + 1, n))
    offsets = np.zeros((count, 2, n + 1))
    shifts = lo / side + grid
    for s, sign in enumerate((1.0, -1.0)):
        first[:, s, 1:] = sign * np.diag(1.0 / side)
        offsets[:, s, 1:] = -sign * shifts
    second = np.zeros((count, 2, count, 2))
    second[np.arange(count), 0, np.arange(count)] = -1.0
    net = MaxoutNetwork(
        [first.reshape(2 * count, n + 1, n), second.reshape(count, 2, 2 * count)],
        [offsets.reshape(2 * count, n + 1), np.tile([1.0, 0.0], (count, 1))],
        values[None],
    )
    return Approximation(net, float(curvature * (side**2).sum() / 8), nodes, made_box)


def _box(box: object) -> Box:
    if isinstance(box, Box):
        return box
    try:
        n_inputs = int(np.atleast_1d(as_real(box[0])).size)  # type: ignore[index]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise NetworkError(
            f"the box is (lo, hi), one number per input; received {shown(box)}"
        ) from error
    return as_box(box, n_inputs)


def _check(cells: Whole, n_inputs: int, name: str, constant: float) -> None:
    per_side = read_size("cells per side", cells)
    if per_side > MOST or (per_side + 1) ** n_inputs > MOST:
        raise NetworkError(
            f"{per_side} cells per side of {n_inputs} inputs make more than {MOST} nodes, each of "
            "them a unit: take fewer"
        )
    if not (np.isfinite(constant) and constant > 0):
        raise NetworkError(f"{name} is a positive constant of the function; received {constant}")


def _grid(per_side: int, n_inputs: int) -> np.ndarray:
    axes = np.meshgrid(*[np.arange(per_side, dtype=float)] * n_inputs, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def _values(f: Function, nodes: np.ndarray) -> np.ndarray:
    values = read_array(f(nodes), "values of the function", NetworkError)
    if values.shape != (len(nodes),) or not np.isfinite(values).all():
        raise NetworkError(
            f"the function returns one finite number per point, shape ({len(nodes)},); "
            f"received shape {values.shape}"
        )
    return values
