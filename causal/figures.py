"""Pictures of exchanges: how far along the way each edit brings the model."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..core import CellScore

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["share_figure"]

# Okabe and Ito's palette: told apart by colour-blind readers and in print by the dashes.
LINES: Final = {
    "share_whole": ("whole state", "#111111", "dash"),
    "share": ("pattern", "#0072B2", "solid"),
    "share_readout": ("readout", "#D55E00", "solid"),
    "share_drawn": ("drawn from the states, mean", "#E69F00", "dot"),
    "share_placebo": ("placebo of equal length", "#CC79A7", "dashdot"),
    "share_random": ("random subspaces", "#777777", "dot"),
    "share_twin": ("random-weight twin", "#009E73", "longdash"),
    "share_das": ("searched for (DAS)", "#56B4E9", "dash"),
}


def share_figure(cells: Sequence[CellScore]) -> "go.Figure":
    """Effect share over sites, one panel per target.

    Args:
        cells: what to draw.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    targets = list(dict.fromkeys(row.target for row in cells))
    figure = make_subplots(1, max(len(targets), 1), subplot_titles=targets, shared_yaxes=True)
    for column, target in enumerate(targets, start=1):
        rows = [row for row in cells if row.target == target]
        for name, (label, colour, dash) in LINES.items():
            values = [getattr(row, name) for row in rows]
            if all(math.isnan(value) for value in values):
                continue
            bars = None
            if name == "share":
                high = [row.share_high - row.share for row in rows]
                low = [row.share - row.share_low for row in rows]
                bars = {"type": "data", "array": high, "arrayminus": low, "color": colour}
            figure.add_trace(
                go.Scatter(
                    x=[_short(row.site) for row in rows], y=values, name=label, error_y=bars,
                    legendgroup=name, showlegend=column == 1, mode="lines+markers",
                    line={"color": colour, "dash": dash},
                ),
                1, column,
            )  # fmt: skip
    figure.update_yaxes(title_text="effect share", col=1)
    figure.update_layout(template="plotly_white", height=360)
    return figure


def _short(site: str) -> str:
    parts = site.split(".")
    return "embedding" if site == "blocks.0.hook_resid_pre" else f"block {parts[1]}"
