"""The picture of maps: how much of each other two streams hold, site by site."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .measured import BaseMap

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["maps_figure"]

PANELS = {
    "r2": "R² of the model from the reference",
    "r2_back": "R² of the reference from the model",
}
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")


def maps_figure(rows: Sequence[BaseMap]) -> "go.Figure":
    """Two panels, there and back: one colour for each site of the reference.

    Dashed: the largest of the untrained models; dotted: the largest of exchanged sentences.

    Args:
        rows: of the maps.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=list(PANELS.values()), shared_yaxes=True)
    names = list(dict.fromkeys(row.reference_site for row in rows))
    for column, name in enumerate(PANELS, start=1):
        for index, reference in enumerate(names):
            here = [row for row in rows if row.reference_site == reference]
            sites, colour = [row.site for row in here], COLOURS[index % len(COLOURS)]
            found = [getattr(row, name) for row in here]
            lines = {
                reference: ([each.value for each in found], "solid"),
                f"{reference}, untrained": ([max(e.twins, default=None) for e in found], "dash"),
                f"{reference}, exchanged": ([max(e.shuffled, default=None) for e in found], "dot"),
            }
            for label, (values, dash) in lines.items():
                figure.add_scatter(
                    x=sites, y=values, name=label, mode="lines+markers", legendgroup=label,
                    line={"color": colour, "dash": dash}, showlegend=column == 1, row=1, col=column,
                )  # fmt: skip
    figure.update_layout(template="plotly_white", height=420)
    figure.update_yaxes(title_text="held-out R²", col=1)
    return figure
