"""Figures of probe results."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import plotly.graph_objects as go

from .score import Score

__all__ = ["accuracy_figure"]

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")


BESIDE: Final = {  # field -> dash of its line, symbol of its markers: a single site has no line
    "ceiling": ("dash", "square-open"),
    "chance": ("dot", "x-open"),
    "shuffled": ("longdashdot", "circle-open"),
    "random_weights": ("longdash", "diamond-open"),
}


def accuracy_figure(scores: Sequence[Score]) -> "go.Figure":
    """Accuracy, or R2 of numbers, with its interval over sites, and what stands beside it.

    One colour a target.
    Ceiling dashed, chance dotted, shuffled labels and random weights in dashes of their own; what
    was measured at no site is left out.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for index, target in enumerate(dict.fromkeys(score.target for score in scores)):
        cells = [score for score in scores if score.target == target]
        sites, colour = [cell.site for cell in cells], COLOURS[index % len(COLOURS)]
        figure.add_scatter(
            x=sites,
            y=[cell.value for cell in cells],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [cell.interval[1] - cell.value for cell in cells],
                "arrayminus": [cell.value - cell.interval[0] for cell in cells],
            },
            name=target,
            legendgroup=target,
            line={"color": colour},
            mode="lines+markers",
        )
        for field, (dash, symbol) in BESIDE.items():
            values = [getattr(cell, field) for cell in cells]
            if all(math.isnan(value) for value in values):
                continue
            figure.add_scatter(
                x=sites,
                y=values,
                name=f"{target}: {field.replace('_', ' ')}",
                legendgroup=target,
                line={"color": colour, "dash": dash, "width": 1},
                marker={"symbol": symbol, "size": 8},
                mode="lines+markers",
            )
    kinds = {score.kind for score in scores}
    words = {"class": "accuracy", "number": "R²"}
    named = ", ".join(word for kind, word in words.items() if kind in kinds)
    figure.update_layout(
        xaxis_title="site",
        yaxis_title=f"{named or 'score'} on held-out sentences",
        yaxis_range=[0, 1.02] if kinds <= {"class"} else None,
    )
    return figure
