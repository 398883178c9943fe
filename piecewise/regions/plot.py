"""A picture of cells coloured by affine map."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["plot_cells"]

_COLOURS = 24


def plot_cells(
    vertices: Float[np.ndarray, "vertex 2"],
    offsets: Int[np.ndarray, " bound"],
    labels: Int[np.ndarray, " cell"],
) -> "go.Figure":
    """Each cell filled; equal labels have equal colours (of 24, so different labels repeat).

    Args:
        vertices: plane coordinates, cell after cell.
        offsets: where each cell's vertices begin; the last entry is their number.
        labels: of the cells' affine maps.
    """
    import plotly.graph_objects as go

    colour = np.random.default_rng(0).permutation(labels.max() + 1) % _COLOURS
    of_cell = colour[labels]
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
