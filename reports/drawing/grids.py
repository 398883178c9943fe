"""Maps of site by target, side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..values import site_order
from .panels import Panels, framed, heatmap, name_sites, panels, room_below, spelled, style

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Maps", "map_panels"]

Cell = tuple[str, str]
Maps = Mapping[str, tuple[Mapping[Cell, float], Mapping[Cell, str]]]
"""Title -> the number of each cell, and what else is said of it."""
LINE: Final = 30  # pixels of a target's row


def map_panels(
    maps: Maps,
    cells: Sequence[Cell],
    frames: Mapping[int, Sequence[Cell]],
) -> "go.Figure":
    """Maps side by side over the same sites and targets.

    Args:
        maps: title -> the number of each cell, and what else is said of it.
        cells: (site, target), in the order of sites and of targets.
        frames: panel -> its cells that have a frame.
    """
    sites = site_order([site for site, _ in cells])
    targets = site_order([target for _, target in cells])
    figure = panels(
        list(maps), height=max(LINE * len(targets), 60), columns=3,
        width=min(max(26 * len(sites), 160), 800),
        labels=[spelled(target, 22) for target in targets], below=room_below(sites),
    )  # fmt: skip
    places = Panels(figure)
    for index, (values, told) in enumerate(maps.values()):
        grid = [[values.get((s, t), math.nan) for s in sites] for t in targets]
        words = [[told.get((s, t), "") for s in sites] for t in targets] if told else None
        places.add(index, heatmap(sites, targets, grid, words))
        places.axes(index)[1].update(autorange="reversed")
        for axis in places.axes(index):
            axis.showgrid = False
    at = {index: [(sites.index(s), targets.index(t)) for s, t in cells_]
          for index, cells_ in frames.items()}  # fmt: skip
    framed(figure, at)
    figure.update_layout(coloraxis={})
    name_sites(figure, sites)
    return style(figure)
