"""Figures of probe results."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .results import ProbeResults

__all__ = ["accuracy_figure"]

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")


def accuracy_figure(results: "ProbeResults") -> "go.Figure":
    """Accuracy with its interval over sites; ceiling dashed, chance dotted, one colour a target."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for index, target in enumerate(results.targets):
        cells = [score for score in results.scores if score.target == target]
        sites, colour = [cell.site for cell in cells], COLOURS[index % len(COLOURS)]
        figure.add_scatter(
            x=sites,
            y=[cell.accuracy for cell in cells],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [cell.interval[1] - cell.accuracy for cell in cells],
                "arrayminus": [cell.accuracy - cell.interval[0] for cell in cells],
            },
            name=target,
            legendgroup=target,
            line={"color": colour},
        )
        for field, dash in (("ceiling", "dash"), ("chance", "dot"), ("shuffled", "longdashdot")):
            figure.add_scatter(
                x=sites,
                y=[getattr(cell, field) for cell in cells],
                name=f"{target}: {field}",
                legendgroup=target,
                line={"color": colour, "dash": dash, "width": 1},
                mode="lines",
            )
    figure.update_layout(
        xaxis_title="site", yaxis_title="accuracy on held-out sentences", yaxis_range=[0, 1.02]
    )
    return figure
