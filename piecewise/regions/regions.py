"""The cells of a network in a planar window, and the three counts kept apart."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from ...core import checked
from ..errors import SliceError
from ..networks.network import MaxoutNetwork
from .counting import count_blocks
from .neighbours import components, edge_neighbours, same_maps
from .plane import Plane
from .polygons import Polygons

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["PlaneRegions", "RegionCounts"]


@final
class RegionCounts(NamedTuple):
    """Three numbers that agree for generic networks and differ for dead or symmetric ones.

    Args:
        cells: activation cells, sets on which every unit keeps its active piece.
        linear_regions: maximal connected sets on which the outputs are affine.
        affine_maps: distinct affine maps.
    """

    cells: int
    linear_regions: int
    affine_maps: int


@final
@dataclass(frozen=True, eq=False, repr=False)
class PlaneRegions:
    """What a network does in a planar window.

    Args:
        net: the network.
        plane: the window.
        polygons: the cells in window coordinates [-1, 1].
        window_maps: ``[3, cell, output]`` affine maps in window coordinates, without the read-out's
            bias, which all cells share.
        terms: ``[output]`` size of the terms that make the maps: what ``tol`` is relative to.
        pattern: ``[cell, unit]`` the active piece of every unit, layer after layer.
        tol: tolerance of the count.
        unsure: decisions that 100 times the tolerance would change; 0 means the count is the
            same there.
    """

    net: MaxoutNetwork
    plane: Plane
    polygons: Polygons
    window_maps: np.ndarray
    terms: np.ndarray
    pattern: np.ndarray
    tol: float
    unsure: int

    @classmethod
    def counted(cls, net: MaxoutNetwork, plane: Plane, tol: float, budget: int) -> "PlaneRegions":
        """Count a window and join the blocks of the count; :func:`regions_in_plane` checks first.

        Raises:
            BudgetError: too many cells.
        """
        blocks, tally = count_blocks(net, plane, tol, budget)
        flat = [block.polygons for block in blocks]
        polygons = Polygons(
            np.concatenate([p.x for p in flat]),
            np.concatenate([p.y for p in flat]),
            np.concatenate([p.edge for p in flat]),
            np.concatenate([p.length for p in flat]),
        )
        for column in (polygons.x, polygons.y, polygons.edge, polygons.length, polygons.start):
            column.setflags(write=False)
        maps = np.concatenate([block.maps for block in blocks], axis=1)
        pattern = np.concatenate([block.pattern for block in blocks])
        return cls(net, plane, polygons, maps, tally.terms, pattern, tol, tally.unsure)

    @property
    def n_cells(self) -> int:
        """Activation cells of positive area."""
        return len(self.polygons)

    @property
    def n_linear_regions(self) -> int:
        """Maximal connected sets on which the outputs are affine (connected through edges)."""
        return len(np.unique(self.linear_region))

    @property
    def n_affine_maps(self) -> int:
        """Distinct affine maps of the outputs on the window."""
        return len(np.unique(self.affine_map))

    @property
    def counts(self) -> RegionCounts:
        """All three counts at the tolerance."""
        return RegionCounts(self.n_cells, self.n_linear_regions, self.n_affine_maps)

    @cached_property
    def counts_at_100_tol(self) -> RegionCounts:
        """All three counts at 100 times the tolerance: equal counts mean the tolerance is idle."""
        wider = self
        if self.unsure:  # otherwise every cut is the same one
            budget = 4 * self.n_cells + 1000
            wider = PlaneRegions.counted(self.net, self.plane, 100 * self.tol, budget)
        maps = wider.maps_at(100 * self.tol)
        regions = wider.regions_at(100 * self.tol)
        return RegionCounts(wider.n_cells, len(np.unique(regions)), len(np.unique(maps)))

    @cached_property
    def affine_map(self) -> np.ndarray:
        """``[cell]`` label of the cell's affine map: equal labels, equal maps."""
        return self.maps_at(self.tol)

    @cached_property
    def linear_region(self) -> np.ndarray:
        """``[cell]`` label of the linear region the cell belongs to."""
        return self.regions_at(self.tol)

    @cached_property
    def neighbours(self) -> np.ndarray:
        """``[pair, 2]`` cells that share an edge."""
        return edge_neighbours(self.polygons, max(self.tol, 1e-14))

    @checked(SliceError)
    def maps_at(self, tol: float) -> np.ndarray:
        """``[cell]`` labels of affine maps equal within ``tol`` of each output's terms."""
        relative = self.window_maps / np.where(self.terms > 0, self.terms, 1.0)
        flat = relative.transpose(1, 0, 2).reshape(self.n_cells, -1)
        return same_maps(flat, max(tol, 1e-14))

    @checked(SliceError)
    def regions_at(self, tol: float) -> np.ndarray:
        """``[cell]`` labels of linear regions, with maps and edges compared at ``tol``."""
        labels = self.maps_at(tol)
        if len(np.unique(labels)) == self.n_cells:  # the generic case: nothing can be joined
            return np.arange(self.n_cells)
        pairs = self.neighbours if tol == self.tol else edge_neighbours(self.polygons, tol)
        return components(pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]], self.n_cells)

    @property
    def offsets(self) -> np.ndarray:
        """``[cell + 1]`` where each cell's vertices begin in :attr:`vertices`."""
        return np.concatenate([self.polygons.start, [len(self.polygons.x)]])

    @property
    def vertices(self) -> np.ndarray:
        """``[vertex, 2]`` plane coordinates, counter-clockwise, cell after cell."""
        window = np.stack([self.polygons.x, self.polygons.y], axis=1)
        return np.asarray(self.plane.centre + self.plane.half * window)

    @checked(SliceError)
    def polygon(self, cell: int) -> np.ndarray:
        """``[vertex, 2]`` corners of one cell in plane coordinates.

        Raises:
            SliceError: no such cell.
        """
        if not 0 <= cell < self.n_cells:
            raise SliceError(f"cells are 0..{self.n_cells - 1}; received {cell}")
        begin, end = self.offsets[cell : cell + 2]
        return self.vertices[begin:end]

    @property
    def maps(self) -> np.ndarray:
        """``[cell, output, 3]`` the output on a cell is ``maps @ (s, t, 1)``, plane coordinates."""
        slopes = self.window_maps[:2] / self.plane.half[:, None, None]
        offset = self.window_maps[2] + self.net.affine[1]
        offset -= np.tensordot(self.plane.centre, slopes, axes=1)
        return np.stack([*slopes, offset], axis=-1)

    @property
    def areas(self) -> np.ndarray:
        """``[cell]`` areas in plane coordinates."""
        return np.asarray(self.polygons.measure()[0] * self.plane.half.prod())

    @property
    def centres(self) -> np.ndarray:
        """``[cell, 2]`` an inner point of each cell (the mean vertex), plane coordinates."""
        _, x, y = self.polygons.measure()
        return np.asarray(self.plane.centre + self.plane.half * np.stack([x, y], axis=1))

    def plot(self) -> "go.Figure":
        """The window with every cell coloured by its affine map (a plotly figure)."""
        from .plot import plot_cells

        return plot_cells(self.vertices, self.offsets, self.affine_map)

    def __repr__(self) -> str:
        return f"PlaneRegions({self.n_cells} cells of {self.net!r})"

    def _repr_html_(self) -> str:
        cells, regions, maps = self.counts
        return (
            f"<b>Regions</b> of {self.net!r}: {cells} cells, {regions} linear regions, "
            f"{maps} affine maps"
        )
