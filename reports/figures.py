"""Pictures of a study, as plotly figures: accuracy by layer, grids, overlap."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..core import checked
from .comparison import Comparison
from .drawing import (
    as_float,
    error_bars,
    first_on_top,
    gaps,
    heatmap,
    name_sites,
    style,
    words_only,
)
from .edited import ERASED_CAPTION, STEERED_CAPTION, erased_figure, steered_figure
from .overlap import overlap_figure
from .record import RecordError, Scores, Study
from .rungs import strongest_baseline
from .used import used_caption, used_figure
from .values import Json, score_column, score_word, site_label, site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["accuracy_figure", "grid_figure", "overlap_figure", "study_figures"]

# Okabe and Ito's palette: told apart by colour-blind readers and in print by the dashes.
LINES: Final[Mapping[str, tuple[str, str, str]]] = {
    "score": ("probe", "#0072B2", "solid"),
    "ceiling": ("ceiling", "#111111", "dash"),
    "random_weights": ("random weights", "#D55E00", "solid"),
    "control_task": ("control task", "#CC79A7", "dashdot"),
    "embedding": ("embedding", "#8C6D1F", "longdash"),
    "surface": ("surface", "#000000", "dashdot"),
    "previous_word": ("previous word", "#009E73", "dot"),
    "next_word": ("next word", "#66A61E", "dot"),
    "n_gram": ("last three words", "#1B9E77", "dash"),
    "word_identity": ("word itself", "#A05195", "dot"),
    "position": ("position", "#E69F00", "dot"),
    "chance": ("chance", "#777777", "dot"),
    "shuffled": ("shuffled labels", "#56B4E9", "dashdot"),
}
PANEL_HEIGHT: Final = 270


@checked(RecordError)
def study_figures(study: "Study") -> Mapping[str, "go.Figure"]:
    """Every figure of a study, caption -> figure, in the order of reading.

    Args:
        study: what to draw.

    Returns:
        Captions and figures; figures without anything to show are left out.
    """
    drawn = {picture.caption: picture.plot() for picture in study.pictures}
    if not study.scores.rows:
        return drawn
    lines = (
        f"Held-out {_score_words(study.scores)} by layer, one panel per target, beside "
        f"{_beside(study.scores)}every control. Bars are the intervals of the probe."
    )
    grid = (
        f"The same grid as numbers: what the probe reaches, {_could(study.scores)}and the "
        "strongest baseline."
    )
    figures = dict(drawn)
    if _scored(study.scores):
        figures[lines] = accuracy_figure(study.scores, study.comparison)
        figures[grid] = grid_figure(study.scores)
    if any(row.subspaces for row in study.comparison.rows):
        figures[
            "Overlap of the learned with the predicted subspace: 1 where one lies in the other "
            "(the table below gives the dimensions of both). Cells framed in black are those where "
            "theory says that the state is written."
        ] = overlap_figure(study.comparison.rows)
    if any(row.exchange for row in study.comparison.rows):
        figures[used_caption(study.comparison)] = used_figure(study.scores, study.comparison)
    if study.erased:
        figures[ERASED_CAPTION] = erased_figure(study.erased)
    if study.steered:
        figures[STEERED_CAPTION] = steered_figure(study.steered)
    return figures


@checked(RecordError)
def accuracy_figure(scores: "Scores", comparison: Comparison | None = None) -> "go.Figure":
    """Lines over layers, one panel per target: accuracy of classes, R2 of numbers.

    Args:
        scores: the grid.
        comparison: adds the accuracy that theory predicts, where it names one.

    Returns:
        The figure.
    """
    from plotly.subplots import make_subplots

    if not _scored(scores):
        return words_only("Nothing to draw: no cell has a score.")
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
    figure.update_yaxes(title_text=f"held-out {_score_words(scores)}", col=1)
    figure.update_xaxes(gridcolor="#f3f3f3")
    name_sites(figure, sites)
    return style(figure, PANEL_HEIGHT * rows + 150, top=100)


def _panel(
    sites: Sequence[str], column: Sequence[Mapping[str, Json]], shown: set[str]
) -> "list[go.Scatter]":
    """The lines of one target; a name enters the legend the first time it is drawn."""
    import plotly.graph_objects as go

    traces = []
    for name, (label, colour, dash) in reversed(list(LINES.items())):
        values = [
            as_float(cell.get(score_column(cell) if name == "score" else name)) for cell in column
        ]
        if all(math.isnan(value) for value in values):
            continue
        error = error_bars(column, values, colour) if name == "score" else None
        traces.append(
            go.Scatter(
                x=[site_label(site) for site in sites],
                y=gaps(values),
                name=label,
                legendgroup=name,
                showlegend=name not in shown,
                mode="lines+markers" if name == "score" else "lines",
                line={"color": colour, "dash": dash, "width": 2.6 if name == "score" else 1.8},
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
    values = [as_float(claims.get((site, target))) for site in sites]
    if all(math.isnan(value) for value in values):
        return []
    first = "predicted" not in shown
    shown.add("predicted")
    return [
        go.Scatter(
            x=[site_label(site) for site in sites],
            y=gaps(values),
            name="predicted",
            legendgroup="predicted",
            showlegend=first,
            mode="markers",
            marker={"symbol": "square-open", "size": 14, "color": "#111", "line": {"width": 1.6}},
            hovertemplate="predicted %{y:.3f} at %{x}<extra></extra>",
        )
    ]


@checked(RecordError)
def grid_figure(scores: "Scores") -> "go.Figure":
    """Three heatmaps of site by target: probe, ceiling, strongest baseline.

    Args:
        scores: the grid.

    Returns:
        The figure; a grid without ceilings has two panels.
    """
    from plotly.subplots import make_subplots

    if not _scored(scores):
        return words_only("Nothing to draw: no cell has a score.")
    sites, targets = _axes(scores.rows)
    cells = _cells(scores.rows)
    grids = {
        "probe": _grid(cells, sites, targets, lambda cell: as_float(cell.get(score_column(cell)))),
        "ceiling": _grid(cells, sites, targets, lambda cell: as_float(cell.get("ceiling"))),
        "strongest baseline": _grid(cells, sites, targets, _strongest),
    }
    grids = {name: grid for name, grid in grids.items() if not _empty(grid)}
    figure = make_subplots(
        1, len(grids), subplot_titles=list(grids), shared_yaxes=True, horizontal_spacing=0.03
    )
    for index, grid in enumerate(grids.values(), start=1):
        figure.add_trace(heatmap(sites, targets, grid), 1, index)
    figure.update_layout(
        coloraxis={"colorscale": "Blues", "cmin": 0, "cmax": 1, "showscale": False}
    )
    first_on_top(figure)
    name_sites(figure, sites)
    return style(figure, 46 * len(targets) + 150)


def _known(scores: "Scores") -> bool:
    """Whether a ceiling is."""
    return any(row.get("ceiling") is not None for row in scores.rows)


def _beside(scores: "Scores") -> str:
    return "the ceiling and " if _known(scores) else ""


def _could(scores: "Scores") -> str:
    return "what any classifier could, " if _known(scores) else ""


def _score_words(scores: "Scores") -> str:
    """What the panels show."""
    return " and ".join(dict.fromkeys(score_word(row) for row in scores.rows))


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


def _scored(scores: "Scores") -> bool:
    """Whether any cell has a score; one whose target is constant has none."""
    return not all(math.isnan(as_float(row.get(score_column(row)))) for row in scores.rows)


def _empty(grid: Sequence[Sequence[float]]) -> bool:
    return all(math.isnan(value) for line in grid for value in line)
