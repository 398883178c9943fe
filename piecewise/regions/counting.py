"""Counts the cells of a network in a planar window, layer by layer and depth first."""

from collections.abc import Iterator
from typing import NamedTuple, final

import numpy as np

from ...core import checked, progress
from ..errors import BudgetError, SliceError
from ..networks.given import AnyNetwork, as_network
from ..networks.network import MaxoutNetwork
from .cells import CellPlan, Cells, Tally, cut_cells
from .envelope import Envelope
from .halve import Halving
from .plane import Plane, as_plane
from .polygons import OUTER, Polygons

__all__ = ["CellEstimate", "count_blocks", "estimate_cells"]

BLOCK = 2048  # parents cut together: enough to hide the cost of a call, few enough for the cache
_FREE = 50_000  # cells counted without asking first: well under a second of work
_LARGEST = 1e300  # of a layer's values
_WINDOWS = 16
_SAMPLED = 5_000  # cells an estimate looks at


def count_blocks(
    net: MaxoutNetwork, plane: Plane, tol: float, budget: int
) -> tuple[list[Cells], Tally]:
    """All cells of a network in a window, in blocks, at any tolerance.

    Raises:
        BudgetError: too many cells.
    """
    allowed = min(budget, _FREE)

    def watch(met: int) -> None:
        nonlocal allowed
        if met > allowed:
            _refuse(net, plane, met, budget)
            allowed = budget

    _refuse_large(net, plane)
    tally, met = Tally(watch=watch), 0
    blocks: list[Cells] = []
    start = _start(net, plane, np.zeros((1, 2)), 1.0)
    for block in progress(_finished(net, start, tol, tally), "counting cells", unit="block"):
        blocks.append(block)
        met += len(block)
        watch(met)
    return blocks, tally


def _refuse_large(net: MaxoutNetwork, plane: Plane) -> None:
    """Refuse values that float64 cannot hold, by a bound on their size over the window.

    Raises:
        SliceError: with the layer.
    """
    reach = np.abs(plane.frame).sum(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        for number, layer in enumerate(net.layers, 1):
            reach = (np.abs(layer.weight) @ reach + np.abs(layer.bias)).max(axis=1)
            if not reach.max() < _LARGEST:
                raise SliceError(
                    f"values of layer {number} of {net.depth} may exceed {_LARGEST:.0e} on this "
                    "window, which float64 cannot add up: scale the weights down, or count along "
                    "a segment, which is exact"
                )


@final
class CellEstimate(NamedTuple):
    """How many cells to expect.

    Args:
        cells: the estimate.
        standard_error: of the estimate, from the spread over the small windows; NaN where even
            tiny windows hold too many cells and their mean area was taken instead.
        share: side of a small window, as a share of the whole window's side.
    """

    cells: float
    standard_error: float
    share: float


@checked(SliceError)
def estimate_cells(
    net: AnyNetwork, where: object, *, seed: int = 0, tol: float = 1e-12
) -> CellEstimate:
    """Estimate the number of cells in a window from 16 small windows inside it.

    By Euler's formula a window with ``s`` edge ends on its boundary has ``1 + s/2 + sum (d/2 - 1)``
    cells, the sum over inner vertices of degree ``d``. The last term adds up over disjoint
    windows, so its mean over random ones is unbiased; ``s`` is scaled with the perimeter.

    Args:
        net: the network, or what holds one (a ``torch.nn.Sequential``, a ``MaxoutTransformer``).
        where: as for :func:`regions_in_plane`.
        seed: seed of the small windows' places.
        tol: as for :func:`regions_in_plane`.

    Raises:
        SliceError: the window does not fit the network.
        BoxError: the box is empty or inverted.

    >>> from ..networks.families import random_network
    >>> estimate_cells(random_network(2, [4], seed=0), (-1, 1)).cells < 12
    True
    """
    net = as_network(net)
    plane = as_plane(where, net.n_inputs)
    rng = np.random.default_rng(seed)
    share, too_large = 1 / 16, 1 / 2
    while True:
        start = _start(net, plane, _stratified(rng, share), share)
        inner, ends, area = np.zeros(_WINDOWS), np.zeros(_WINDOWS), 0.0
        for block in _finished(net, start, tol, Tally()):
            inner += np.bincount(block.root, minlength=_WINDOWS)
            outer = np.add.reduceat(block.polygons.edge == OUTER, block.polygons.start)
            ends += np.bincount(block.root, weights=outer, minlength=_WINDOWS)
            area += float(block.polygons.measure()[0].sum())
            if inner.sum() > _SAMPLED:
                break
        cells = inner.sum()
        if cells > _SAMPLED and share < 1e-6:  # too fine even there: go by the cells' mean area
            return CellEstimate(float(cells * 4 / area), float("nan"), share)
        if cells > _SAMPLED:
            share, too_large = share / 16, share
        elif cells < 8 * _WINDOWS and share < 1 / 4 and 2 * share < too_large:
            share *= 2
        else:
            break
    ends -= 4  # the corners of a window, where no edge of a cell ends
    vertices = inner - 1 - ends / 2
    total = 1 + ends.mean() / share / 2 + vertices.mean() / share**2
    error = vertices.std(ddof=1) / np.sqrt(_WINDOWS) / share**2
    return CellEstimate(max(1.0, float(total)), float(error), share)


def _stratified(rng: np.random.Generator, share: float) -> np.ndarray:
    """Centres ``[window, 2]``, one uniform in each square of a 4 by 4 grid, windows inside it."""
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    free = rng.uniform(share, 0.5 - share, size=(_WINDOWS, 2)) if share < 0.25 else 0.25
    return np.asarray(grid * 0.5 - 1.0 + free)


def _refuse(net: MaxoutNetwork, plane: Plane, met: int, budget: int) -> None:
    guess = estimate_cells(net, plane)
    if met <= budget and guess.cells <= budget:
        return
    raise BudgetError(
        f"about {guess.cells:.3g} cells estimated (standard error {guess.standard_error:.2g}) and "
        f"{met} met so far, above the budget of {budget}; shrink the window or raise the budget"
    )


def _plan(net: MaxoutNetwork, tol: float) -> list[CellPlan]:
    return [
        Halving(layer, tol) if layer.rank <= 2 else Envelope(layer, tol) for layer in net.layers
    ]


def _start(net: MaxoutNetwork, plane: Plane, centres: np.ndarray, share: float) -> Cells:
    """Square windows of a share of the side around centres, in coordinates [-1, 1]."""
    count = len(centres)
    corner = share * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    flat = (centres[:, None] + corner).reshape(-1, 2)
    squares = Polygons(
        flat[:, 0].copy(),
        flat[:, 1].copy(),
        np.full(4 * count, OUTER, dtype=np.int64),
        np.full(count, 4, dtype=np.int64),
    )
    maps = np.repeat(plane.frame.T[:, None, :], count, axis=1)
    kind = np.uint8 if max(layer.rank for layer in net.layers) <= 256 else np.uint16
    return Cells(squares, maps, np.empty((count, 0), dtype=kind), np.arange(count))


def _finished(net: MaxoutNetwork, start: Cells, tol: float, tally: Tally) -> Iterator[Cells]:
    """Cells of the whole network with the outputs' maps, a block at a time, without their bias.

    Depth first: one block per layer waits, whatever the count.
    """
    plans = _plan(net, tol)
    readout, _ = net.affine
    waiting = [iter([start])]
    while waiting:
        cells = next(waiting[-1], None)
        if cells is None:
            waiting.pop()
        elif len(waiting) <= len(plans):
            waiting.append(cut_cells(cells, plans[len(waiting) - 1], tally, BLOCK))
        else:
            largest = np.maximum(cells.maps.max(axis=(0, 1)), -cells.maps.min(axis=(0, 1)))
            tally.terms = np.maximum(tally.terms, np.abs(readout) @ largest)
            yield Cells(cells.polygons, cells.maps @ readout.T, cells.pattern, cells.root)
