"""Pictures of a study, as plotly figures: accuracy by layer, grids, overlap."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .comparison import Comparison
from .values import Json, number, site_label, site_order
from .verdicts import strongest_baseline

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .record import Scores, Study

__all__ = ["accuracy_figure", "grid_figure", "overlap_figure", "study_figures"]

# Okabe and Ito's palette: told apart by colour-blind readers and in print by the dashes.
LINES: Final[Mapping[str, tuple[str, str, str]]] = {
    "accuracy": ("probe", "#0072B2", "solid"),
    "ceiling": ("ceiling", "#111111", "dash"),
    "random_weights": ("random weights", "#D55E00", "solid"),
    "control_task": ("control task", "#CC79A7", "dashdot"),
    "embedding": ("embedding", "#8C6D1F", "longdash"),
    "previous_word": ("previous word", "#009E73", "dot"),
    "word_identity": ("word itself", "#A05195", "dot"),
    "position": ("position", "#E69F00", "dot"),
    "chance": ("chance", "#777777", "dot"),
    "shuffled": ("shuffled labels", "#56B4E9", "dashdot"),
}
FONT: Final = {"family": "system-ui, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": "#222"}
PANEL_HEIGHT: Final = 270


def study_figures(study: "Study") -> Mapping[str, "go.Figure"]:
    """Every figure of a study, caption -> figure, in the order of reading.

    Args:
        study: what to draw.

    Returns:
        Captions and figures; figures without anything to show are left out.
    """
    figures = {
        "Accuracy by layer, one panel per target, beside the ceiling and every control. Bars are "
        "the intervals of the probe.": accuracy_figure(study.scores, study.comparison),
        "The same grid as numbers: what the probe reaches, what any classifier could, and the "
        "strongest baseline.": grid_figure(study.scores),
    }
    if any(row.subspaces for row in study.comparison.rows):
        figures[
            "Overlap of the learned with the predicted subspace: 1 where they coincide. Cells "
            "framed in black are those where theory says that the state is written."
        ] = overlap_figure(study.comparison)
    return figures


def accuracy_figure(scores: "Scores", comparison: Comparison | None = None) -> "go.Figure":
    """Lines over layers, one panel per target.

    Args:
        scores: the grid.
        comparison: adds the accuracy that theory predicts, where it names one.

    Returns:
        The figure.
    """
    from plotly.subplots import make_subplots

    sites, targets = _axes(scores.rows)
    cells = _cells(scores.rows)
    columns = min(3 if len(targets) == 3 else 2, len(targets))
    rows = math.ceil(len(targets) / columns)
    figure = make_subplots(
        rows, columns, subplot_titles=targets, shared_yaxes=True,
        horizontal_spacing=0.05, vertical_spacing=0.28 / rows,
    )  # fmt: skip
    shown: set[str] = set()
    for index, target in enumerate(targets):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        column = [cells.get((site, target), {}) for site in sites]
        for trace in _panel(sites, column, shown):
            figure.add_trace(trace, **place)
        for trace in _predicted(sites, target, comparison, shown):
            figure.add_trace(trace, **place)
    figure.update_yaxes(range=[-0.03, 1.05], gridcolor="#eee")
    figure.update_yaxes(title_text="held-out accuracy", col=1)
    figure.update_xaxes(gridcolor="#f3f3f3")
    return _style(figure, PANEL_HEIGHT * rows + 150, top=100)


def _panel(
    sites: Sequence[str], column: Sequence[Mapping[str, Json]], shown: set[str]
) -> "list[go.Scatter]":
    """The lines of one target; a name enters the legend the first time it is drawn."""
    import plotly.graph_objects as go

    traces = []
    for name, (label, colour, dash) in reversed(list(LINES.items())):
        values = [_float(cell.get(name)) for cell in column]
        if all(math.isnan(value) for value in values):
            continue
        error = _error_bars(column, values, colour) if name == "accuracy" else None
        traces.append(
            go.Scatter(
                x=[site_label(site) for site in sites],
                y=_gaps(values),
                name=label,
                legendgroup=name,
                showlegend=name not in shown,
                mode="lines+markers" if name == "accuracy" else "lines",
                line={"color": colour, "dash": dash, "width": 2.6 if name == "accuracy" else 1.8},
                marker={"size": 7},
                error_y=error,
                hovertemplate=f"{label} %{{y:.3f}} at %{{x}}<extra></extra>",
            )
        )
        shown.add(name)
    return traces


def _predicted(
    sites: Sequence[str], target: str, comparison: Comparison | None, shown: set[str]
) -> "list[go.Scatter]":
    """Open squares where theory names an accuracy: the staircase."""
    import plotly.graph_objects as go

    claims = {
        (row.site, row.target): row.predicted_accuracy
        for row in (comparison or Comparison(())).rows
    }
    values = [_float(claims.get((site, target))) for site in sites]
    if all(math.isnan(value) for value in values):
        return []
    first = "predicted" not in shown
    shown.add("predicted")
    return [
        go.Scatter(
            x=[site_label(site) for site in sites],
            y=_gaps(values),
            name="predicted",
            legendgroup="predicted",
            showlegend=first,
            mode="markers",
            marker={"symbol": "square-open", "size": 14, "color": "#111", "line": {"width": 1.6}},
            hovertemplate="predicted %{y:.3f} at %{x}<extra></extra>",
        )
    ]


def grid_figure(scores: "Scores") -> "go.Figure":
    """Three heatmaps of site by target: probe, ceiling, strongest baseline.

    Args:
        scores: the grid.

    Returns:
        The figure; a grid without ceilings has two panels.
    """
    from plotly.subplots import make_subplots

    sites, targets = _axes(scores.rows)
    cells = _cells(scores.rows)
    grids = {
        "probe": _grid(cells, sites, targets, lambda cell: _float(cell.get("accuracy"))),
        "ceiling": _grid(cells, sites, targets, lambda cell: _float(cell.get("ceiling"))),
        "strongest baseline": _grid(cells, sites, targets, _strongest),
    }
    grids = {name: grid for name, grid in grids.items() if not _empty(grid)}
    figure = make_subplots(
        1, len(grids), subplot_titles=list(grids), shared_yaxes=True, horizontal_spacing=0.03
    )
    for index, grid in enumerate(grids.values(), start=1):
        figure.add_trace(_heatmap(sites, targets, grid), 1, index)
    figure.update_layout(
        coloraxis={"colorscale": "Blues", "cmin": 0, "cmax": 1, "showscale": False}
    )
    return _style(figure, 46 * len(targets) + 150)


def overlap_figure(comparison: Comparison) -> "go.Figure":
    """Heatmap of the overlap of learned and predicted subspaces beside the null's upper end.

    Args:
        comparison: rows with subspaces; others are left blank.

    Returns:
        The figure.
    """
    from plotly.subplots import make_subplots

    rows = {(row.site, row.target): row.subspaces for row in comparison.rows if row.subspaces}
    sites = site_order([row.site for row in comparison.rows])
    targets = site_order([row.target for row in comparison.rows])
    overlap = [[rows[s, t].overlap if (s, t) in rows else math.nan for s in sites] for t in targets]
    null = [[rows[s, t].null_high if (s, t) in rows else math.nan for s in sites] for t in targets]
    figure = make_subplots(
        1, 2, subplot_titles=["learned against predicted", "random subspaces, 95th percentile"],
        shared_yaxes=True, horizontal_spacing=0.03,
    )  # fmt: skip
    for index, grid in enumerate((overlap, null), start=1):
        figure.add_trace(_heatmap(sites, targets, grid), 1, index)
    for (site, target), found in rows.items():
        if found.written:
            x, y = sites.index(site), targets.index(target)
            figure.add_shape(
                type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.46, y1=y + 0.46, row=1, col=1,
                line={"color": "#111", "width": 2},
            )  # fmt: skip
    figure.update_layout(
        coloraxis={"colorscale": "Greens", "cmin": 0, "cmax": 1, "showscale": False}
    )
    return _style(figure, 46 * len(targets) + 150)


def _heatmap(
    sites: Sequence[str], targets: Sequence[str], grid: Sequence[Sequence[float]]
) -> "go.Heatmap":
    import plotly.graph_objects as go

    return go.Heatmap(
        x=[site_label(site) for site in sites],
        y=list(targets),
        z=[_gaps(line) for line in grid],
        text=[[number(value, 2) for value in line] for line in grid],
        texttemplate="%{text}",
        hovertemplate="%{y} at %{x}: %{z:.4f}<extra></extra>",
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
    )


def _style(figure: "go.Figure", height: int, top: int = 50) -> "go.Figure":
    figure.update_layout(
        template="plotly_white",
        font=FONT,
        height=height,
        margin={"l": 60, "r": 20, "t": top, "b": 40},
        legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
        hovermode="closest",
    )
    return figure


def _axes(rows: Sequence[Mapping[str, Json]]) -> tuple[list[str], list[str]]:
    return (
        site_order([str(row["site"]) for row in rows]),
        site_order([str(row["target"]) for row in rows]),
    )


def _cells(rows: Sequence[Mapping[str, Json]]) -> dict[tuple[str, str], Mapping[str, Json]]:
    return {(str(row["site"]), str(row["target"])): row for row in rows}


def _grid(
    cells: Mapping[tuple[str, str], Mapping[str, Json]],
    sites: Sequence[str],
    targets: Sequence[str],
    value: Callable[[Mapping[str, Json]], float],
) -> list[list[float]]:
    return [[value(cells.get((site, target), {})) for site in sites] for target in targets]


def _strongest(cell: Mapping[str, Json]) -> float:
    value = strongest_baseline(cell)[1]
    return math.nan if value is None else value


def _empty(grid: Sequence[Sequence[float]]) -> bool:
    return all(math.isnan(value) for line in grid for value in line)


def _float(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, float | int):
        return math.nan
    return float(value)


def _gaps(values: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]


def _error_bars(
    column: Sequence[Mapping[str, Json]], values: Sequence[float], colour: str
) -> dict[str, object] | None:
    ends = [cell.get("interval") for cell in column]
    if not all(isinstance(end, list) and len(end) == 2 for end in ends):
        return None
    pairs = [(_float(end[0]), _float(end[1])) for end in ends if isinstance(end, list)]
    above = [high - value for (_, high), value in zip(pairs, values, strict=True)]
    below = [value - low for (low, _), value in zip(pairs, values, strict=True)]
    return {"type": "data", "symmetric": False, "array": _gaps(above), "arrayminus": _gaps(below),
            "thickness": 1.2, "width": 4, "color": colour}  # fmt: skip
