"""What the figures of a report share: heat maps, axes, gaps, error bars and the style."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .values import Json, number, site_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "as_float",
    "error_bars",
    "first_on_top",
    "framed",
    "gaps",
    "heatmap",
    "name_sites",
    "style",
    "words_only",
]

FONT: Final = {"family": "system-ui, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": "#222"}


def heatmap(
    sites: Sequence[str], targets: Sequence[str], grid: Sequence[Sequence[float]]
) -> "go.Heatmap":
    """Targets by sites, each cell with its number; the first target is meant to stand on top."""
    import plotly.graph_objects as go

    return go.Heatmap(
        x=[site_label(site) for site in sites],
        y=list(targets),
        z=[gaps(line) for line in grid],
        text=[[number(value, 2) for value in line] for line in grid],
        texttemplate="%{text}",
        hovertemplate="%{y} at %{x}: %{z:.4f}<extra></extra>",
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
    )


def name_sites(figure: "go.Figure", sites: Sequence[str]) -> None:
    """Name the sites below every panel, in as little room as they need.

    Where all of them are the embedding and blocks, the ticks are E, 0, 1, ... and one title below
    all panels says what they count (a title for each would overlap in narrow windows); else each
    tick is the site's label.
    """
    labels = [site_label(site) for site in sites]
    short = ["E" if label == "embedding" else label.removeprefix("block ") for label in labels]
    if not all(tick == "E" or tick.isdigit() for tick in short):
        figure.update_xaxes(tickvals=labels, ticktext=labels)
        return
    title = "after block (E: embedding)" if "E" in short else "after block"
    figure.update_xaxes(tickvals=labels, ticktext=short, tickangle=0)
    figure.add_annotation(
        text=title, x=0.5, y=0, xref="paper", yref="paper", yshift=-24, yanchor="top",
        showarrow=False, font={"size": 14},
    )  # fmt: skip


def style(figure: "go.Figure", height: int, top: int = 50) -> "go.Figure":
    """Font, margins and a legend above the panels, which plotly lowers where it needs lines."""
    panels = height - top - 50
    figure.update_layout(
        template="plotly_white",
        font=FONT,
        height=height,
        margin={"l": 60, "r": 20, "t": top, "b": 50},
        legend={"orientation": "h", "y": 1 + 36 / panels, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
    return figure


def words_only(text: str) -> "go.Figure":
    """A figure that says why there is nothing to draw."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return style(figure, 200)


def as_float(value: Json) -> float:
    """A number, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return math.nan
    return float(value)


def gaps(values: Sequence[float]) -> list[float | None]:
    """NaN as ``None``: the pen is lifted and JSON stays valid."""
    return [None if math.isnan(value) else value for value in values]


def error_bars(
    column: Sequence[Mapping[str, Json]], values: Sequence[float], colour: str
) -> dict[str, object] | None:
    """Bars from the rows' intervals; ``None`` where one of them has none."""
    ends = [cell.get("interval") for cell in column]
    if not all(isinstance(end, list) and len(end) == 2 for end in ends):
        return None
    pairs = [(as_float(end[0]), as_float(end[1])) for end in ends if isinstance(end, list)]
    above = [high - value for (_, high), value in zip(pairs, values, strict=True)]
    below = [value - low for (low, _), value in zip(pairs, values, strict=True)]
    return {"type": "data", "symmetric": False, "array": gaps(above), "arrayminus": gaps(below),
            "thickness": 1.2, "width": 4, "color": colour}  # fmt: skip


def first_on_top(figure: "go.Figure") -> None:
    """Targets from top to bottom as the tables list them; plotly counts from the bottom."""
    figure.update_yaxes(autorange="reversed")


def framed(figure: "go.Figure", cells: Iterable[tuple[int, int]], column: int) -> None:
    """A black frame around cells ``(x, y)`` of one panel's map."""
    axis = "" if column == 1 else str(column)
    frames = [
        {"type": "rect", "x0": x - 0.48, "x1": x + 0.48, "y0": y - 0.46, "y1": y + 0.46,
         "xref": f"x{axis}", "yref": f"y{axis}", "line": {"color": "#111", "width": 2}}
        for x, y in cells
    ]  # fmt: skip
    figure.update_layout(shapes=[*figure.layout.shapes, *frames])  # one by one takes seconds
