"""Every activation cell of a network in a planar window."""

from ...core import checked
from ..errors import SliceError
from ..networks.given import AnyNetwork, as_network
from .plane import as_plane
from .regions import PlaneRegions

__all__ = ["regions_in_plane"]


@checked(SliceError)
def regions_in_plane(
    net: AnyNetwork, where: object, *, tol: float = 1e-12, budget: int = 1_000_000
) -> PlaneRegions:
    """Every activation cell of a network in a box of two inputs, or in a slice of more.

    Guarantee: cells are convex polygons that tile the window; a unit cuts a cell where the
    difference of two pieces exceeds the tolerance on both sides. In generic position the count
    equals the exact one (tested against rational arithmetic). Work is proportional to the cells.

    Args:
        net: the network, or what holds one (a ``torch.nn.Sequential``, a ``MaxoutTransformer``).
        where: ``(lo, hi)`` or a :class:`Box` for two inputs; a :class:`Plane` for any number.
        tol: relative to the largest value the terms of a unit can take on the window. Pieces that
            differ by less, for they share a far larger constant, count as one without a mark:
            :func:`regions_on_segment` tells them apart. Above 1e-6 cells of layers of rank 3 and
            more tile the window up to the tolerance only.
        budget: refuse if more cells than this are estimated or met.

    Raises:
        NetworkError: no network was given.
        SliceError: the window does not fit the network, or its values there are beyond float64.
        BoxError: the box is empty or inverted.
        BudgetError: too many cells; the message says how many are estimated.

    >>> from ..networks.families import product, zigzag
    >>> regions_in_plane(product(zigzag(2, 2), 2), (0, 1)).counts
    RegionCounts(cells=81, linear_regions=81, affine_maps=46)
    """
    net = as_network(net)
    plane = as_plane(where, net.n_inputs)
    if not 0.0 <= tol < 1e-3:
        raise SliceError(f"tol is a small relative tolerance, 0 <= tol < 1e-3; received {tol}")
    return PlaneRegions.counted(net, plane, tol, budget)
