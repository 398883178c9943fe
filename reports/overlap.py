"""The picture of learned beside predicted subspaces."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core import checked
from .drawing import first_on_top, framed, heatmap, name_sites, style, words_only
from .meeting import ComparisonError
from .row import Row
from .values import site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["overlap_figure"]


@checked(ComparisonError)
def overlap_figure(rows: Sequence[Row]) -> "go.Figure":
    """Heatmap of the overlap of learned and predicted subspaces beside the null's upper end.

    Args:
        rows: those with subspaces are drawn, others are left blank.

    Returns:
        The figure; without any subspaces it says so.
    """
    from plotly.subplots import make_subplots

    met = {(row.site, row.target): row.subspaces for row in rows if row.subspaces}
    if not met:
        predicted = any(row.predicted_rank is not None for row in rows)
        reason = (
            "no predicted cell has a learned pattern"
            if predicted
            else "there are no predictions about these cells"
        )
        return words_only(f"No overlap to draw: {reason}.")
    sites = site_order([row.site for row in rows])
    targets = site_order([row.target for row in rows])
    overlap = [[met[s, t].overlap if (s, t) in met else math.nan for s in sites] for t in targets]
    null = [[met[s, t].null_high if (s, t) in met else math.nan for s in sites] for t in targets]
    figure = make_subplots(
        1, 2, subplot_titles=["learned against predicted", "null, 95th percentile"],
        shared_yaxes=True, horizontal_spacing=0.03,
    )  # fmt: skip
    for index, grid in enumerate((overlap, null), start=1):
        figure.add_trace(heatmap(sites, targets, grid), 1, index)
    written = [(sites.index(s), targets.index(t)) for (s, t), found in met.items() if found.written]
    framed(figure, written, column=1)
    figure.update_layout(
        coloraxis={"colorscale": "Greens", "cmin": 0, "cmax": 1, "showscale": False}
    )
    first_on_top(figure)
    name_sites(figure, sites)
    return style(figure, 46 * len(targets) + 150)
