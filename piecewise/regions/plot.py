"""A picture of cells coloured by affine map."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .regions import PlaneRegions

__all__ = ["plot_cells"]

_COLOURS = 24


def plot_cells(regions: "PlaneRegions") -> "go.Figure":
    """Each cell filled; equal affine maps have equal colours (of 24, so different maps repeat)."""
    import plotly.graph_objects as go

    colour = np.random.default_rng(0).permutation(regions.affine_map.max() + 1) % _COLOURS
    of_cell = colour[regions.affine_map]
    vertices, offsets = regions.vertices, regions.offsets
    figure = go.Figure()
    for number in np.unique(of_cell):
        rows = []
        for cell in np.flatnonzero(of_cell == number):
            corners = vertices[offsets[cell] : offsets[cell + 1]]
            rows += [corners, corners[:1], np.full((1, 2), np.nan)]  # NaN lifts the pen
        path = np.concatenate(rows)
        figure.add_trace(
            go.Scatter(
                x=path[:, 0],
                y=path[:, 1],
                fill="toself",
                mode="lines",
                line={"width": 0.5, "color": "white"},
                fillcolor=f"hsl({int(360 * number / _COLOURS)}, 60%, {45 + 10 * (number % 3)}%)",
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.update_xaxes(title="s", constrain="domain")
    figure.update_yaxes(title="t", scaleanchor="x")
    figure.update_layout(template="plotly_white", width=520, height=520)
    return figure
