"""What the figures of a report share: panels, heat maps, axes, gaps, error bars and the style."""

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...probes.grid.notes import EMBEDDINGS
from ..values import Json, site_label
from .palette import INK, template

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "Panels",
    "as_float",
    "error_bars",
    "framed",
    "gaps",
    "heatmap",
    "name_sites",
    "panels",
    "room_below",
    "spelled",
    "style",
    "ticks",
    "words_only",
]

LETTER: Final = 7  # pixels of a tick's letter
WIDEST: Final = 22  # letters of a line of a tick
BELOW: Final = 52  # pixels for ticks and a title
BLOCK: Final = re.compile(r"blocks\.(\d+)\.hook_resid_(pre|mid|post)")
PLACES: Final = {"pre": "before block", "mid": "in the middle of block", "post": "after block"}
CROWDED: Final = 24  # columns beyond which a map has no room for numbers


def spelled(text: object, width: int = 0) -> str:
    """Text that plotly shows as it is: its signs for bold and links are written out.

    Args:
        text: a name of a target, a class, a site.
        width: letters of a line; lines are not broken at 0.

    >>> spelled("<b>x"), spelled("grandparent phrase", 12)
    ('&lt;b&gt;x', 'grandparent<br>phrase')
    """
    lines = textwrap.wrap(str(text), width) if width else [str(text)]
    return "<br>".join(escape(line, quote=False) for line in lines) or str(text)


def panels(
    titles: Sequence[str],
    *,
    height: int,
    columns: int,
    width: int = 230,
    labels: Sequence[str] = (),
    apart: bool = False,
    below: int = BELOW,
) -> "go.Figure":
    """Empty panels in rows, which a page lays anew in as many columns as its width has room for.

    Args:
        titles: one for each panel; an empty one is left out.
        height: of a panel's frame, in pixels.
        columns: at most so many beside each other.
        width: of a panel at least, in pixels.
        labels: the longest ticks of the vertical axes, for which room is kept.
        apart: each panel has ticks and title of its own; else those of the first column serve.
        below: pixels below a panel, for its ticks and title.

    Returns:
        A figure; :func:`style` finishes it.
    """
    from plotly.subplots import make_subplots

    columns = max(1, min(columns, len(titles)))
    rows = math.ceil(len(titles) / columns)
    longest = max((len(line) for label in labels for line in label.split("<br>")), default=5)
    left = LETTER * min(longest, WIDEST) + 34
    told = [spelled(title, 34) for title in titles]
    top = 12 + 18 * max(title.count("<br>") + 1 if title else 0 for title in told)
    tall = rows * (top + height + below)
    figure = make_subplots(
        rows, columns, horizontal_spacing=(left / 900 if apart else 0.03) if columns > 1 else 0,
        vertical_spacing=(top + below) / tall if rows > 1 else 0,
    )  # fmt: skip
    for index in range(len(titles), rows * columns):
        x, y = _axis("xaxis", index), _axis("yaxis", index)
        figure.layout[x].visible = figure.layout[y].visible = False
    for index, title in enumerate(told):
        number_ = "" if index == 0 else str(index + 1)
        if title:
            figure.add_annotation(
                text=title, xref=f"x{number_} domain", yref=f"y{number_} domain", x=0, y=1,
                xanchor="left", yanchor="bottom", yshift=5, align="left", showarrow=False,
            )  # fmt: skip
        if index % columns and not apart:
            figure.layout[_axis("yaxis", index)].showticklabels = False
    figure.update_layout(
        height=tall, margin={"l": left, "r": 14, "t": top, "b": below},
        meta={"panels": len(titles), "columns": columns, "width": width, "height": height,
              "left": left, "top": top, "below": below, "apart": apart},
    )  # fmt: skip
    return figure


class Panels:
    """Where panel number ``index`` of a figure made by :func:`panels` is."""

    def __init__(self, figure: "go.Figure") -> None:
        self.figure = figure
        self.columns = int(figure.layout.meta["columns"])

    def add(self, index: int, *traces: Any) -> None:
        """Put traces into a panel."""
        for trace in traces:
            self.figure.add_trace(trace, index // self.columns + 1, index % self.columns + 1)

    def axes(self, index: int) -> tuple[Any, Any]:
        """Both axes of a panel."""
        layout = self.figure.layout
        return layout[_axis("xaxis", index)], layout[_axis("yaxis", index)]


def _axis(name: str, index: int) -> str:
    return name if index == 0 else f"{name}{index + 1}"


def heatmap(
    sites: Sequence[str],
    targets: Sequence[str],
    grid: Sequence[Sequence[float]],
    told: Sequence[Sequence[str]] | None = None,
) -> "go.Heatmap":
    """Targets by sites, each cell with its number; the first target is meant to stand on top.

    Args:
        sites: the columns.
        targets: the rows.
        grid: ``[target][site]``, NaN where there is nothing.
        told: what else is said of a cell where the mouse is.
    """
    import plotly.graph_objects as go

    crowded = len(sites) > CROWDED
    return go.Heatmap(
        x=ticks(sites),
        y=[spelled(target, WIDEST) for target in targets],
        z=[gaps(line) for line in grid],
        text=None if crowded else [[_short(value) for value in line] for line in grid],
        texttemplate=None if crowded else "%{text}",
        customdata=told,
        hovertemplate="%{y}, %{x}: %{z:.3f}"
        + ("" if told is None else "<br>%{customdata}")
        + "<extra></extra>",
        coloraxis="coloraxis",
        xgap=1 if crowded else 2,
        ygap=2,
    )


def _short(value: float) -> str:
    """As the tables write it, in as little room as a cell has.

    >>> _short(0.5), _short(1.0), _short(1e-14), _short(float("nan"))
    ('.50', '1', '0', '')
    """
    if math.isnan(value):
        return ""
    said = f"{value:.2f}"
    return {"1.00": "1", "0.00": "0", "-0.00": "0"}.get(said, said.replace("0.", ".", 1))


def ticks(sites: Sequence[str]) -> list[str]:
    """The sites in as little room as they need: E, 0, 1, ... where all are embedding and blocks.

    >>> ticks(["blocks.0.hook_resid_pre", "blocks.0.hook_resid_post"]), ticks(["head 3"])
    (['E', '0'], ['head 3'])
    """
    return _counted(sites)[0] or [spelled(site_label(site), WIDEST) for site in sites]


def _counted(sites: Sequence[str]) -> tuple[list[str], str]:
    """Numbers of blocks and what they count; nothing where the sites are of several kinds.

    >>> _counted(["blocks.0.hook_resid_mid", "blocks.1.hook_resid_mid"])
    (['0', '1'], 'in the middle of block')
    """
    parts = [BLOCK.fullmatch(site) for site in sites]
    named = ["E" if site in EMBEDDINGS else found[1] if found else ""
             for site, found in zip(sites, parts, strict=True)]  # fmt: skip
    places = {found[2] for site, found in zip(sites, parts, strict=True)
              if found and site not in EMBEDDINGS}  # fmt: skip
    if not all(named) or len(places) > 1 or len(set(named)) < len(named):
        return [], ""
    title = PLACES[places.pop()] if places else "after block"
    return named, f"{title} (E: embedding)" if "E" in named else title


def room_below(sites: Sequence[str]) -> int:
    """Pixels below a panel whose horizontal axis names the sites.

    Args:
        sites: along the axis.
    """
    if _counted(sites)[0]:
        return BELOW
    return BELOW + 5 * max(len(line) for tick in ticks(sites) for line in tick.split("<br>"))


def name_sites(figure: "go.Figure", sites: Sequence[str]) -> None:
    """Name the sites below every panel, and say what short names count."""
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=ticks(sites))
    if title := _counted(sites)[1]:
        figure.update_xaxes(tickangle=0, title_text=title)


def style(figure: "go.Figure", height: int | None = None) -> "go.Figure":
    """The style of every figure; the legend stands above the panels.

    Args:
        figure: made by :func:`panels`, or any other.
        height: in pixels, where the figure does not have one.
    """
    figure.update_layout(template=template())
    if height is not None:
        figure.update_layout(height=height, margin={"l": 64, "r": 14, "t": 30, "b": 56})
    if _has_legend(figure):
        top = 34 + figure.layout.margin.t
        frame = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        figure.update_layout(
            height=figure.layout.height + 34, margin_t=top,
            legend={"orientation": "h", "x": 0, "y": 1 + (top - 28) / frame, "yanchor": "bottom"},
        )  # fmt: skip
    return figure


def _has_legend(figure: "go.Figure") -> bool:
    shown = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    return len(shown) > 1 or any(trace.showlegend for trace in shown)


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
            "thickness": 1.2, "width": 3, "color": colour}  # fmt: skip


def framed(figure: "go.Figure", cells: Mapping[int, Iterable[tuple[int, int]]]) -> None:
    """A frame around cells of maps.

    Args:
        figure: with panels that are maps.
        cells: panel -> ``(x, y)`` of its cells.
    """
    shapes: list[dict[str, Any]] = []
    for panel, marked in cells.items():
        axis = "" if panel == 0 else str(panel + 1)
        shapes += [
            {"type": "rect", "x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.45, "y1": y + 0.45,
             "xref": f"x{axis}", "yref": f"y{axis}", "line": {"color": INK, "width": 1.6}}
            for x, y in marked
        ]  # fmt: skip
    figure.layout.shapes = shapes  # all at once: one by one takes seconds
