"""Accuracy by layer: the probe with its intervals, the ceiling and the strongest baseline.

Every baseline by itself is in the figure too, hidden until a reader asks for it in the legend.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ...core import checked
from ..comparison import Comparison
from ..errors import RecordError
from ..record import Scores
from ..rungs import strongest_baseline
from ..values import Json, score_column, score_word, site_order
from .palette import BLUE, GREEN, GREY, INK, ORANGE, PINK, SKY, VERMILION
from .panels import (
    Panels,
    as_float,
    error_bars,
    gaps,
    name_sites,
    panels,
    room_below,
    style,
    ticks,
    words_only,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["AT_ONCE", "STRONGEST", "accuracy_figure", "has_scores", "score_words"]

STRONGEST: Final = "strongest baseline"
AT_ONCE: Final = 12
"""Targets of one figure; more stand in further figures, each drawn when it is seen."""

# Name, colour and dash: the dashes tell the lines apart in print and without colours.
HIDDEN: Final[Mapping[str, tuple[str, str, str]]] = {
    "chance": ("chance", GREY, "dot"),
    "position": ("position", ORANGE, "dot"),
    "previous_word": ("previous word", GREEN, "dot"),
    "word_identity": ("word itself", PINK, "dash"),
    "next_word": ("next word", GREEN, "dashdot"),
    "n_gram": ("last three words", GREEN, "dash"),
    "surface": ("surface", ORANGE, "dash"),
    "bag_of_words": ("bag of words", PINK, "dot"),
    "characters": ("characters", PINK, "dashdot"),
    "length": ("length", ORANGE, "dashdot"),
    "embedding": ("embedding", GREY, "dash"),
    "random_weights": ("untrained models", VERMILION, "dash"),
    "control_task": ("control task", SKY, "dash"),
    "shuffled": ("shuffled labels", SKY, "dot"),
}


@checked(RecordError)
def accuracy_figure(
    scores: Scores, comparison: Comparison | None = None, targets: Sequence[str] | None = None
) -> "go.Figure":
    """Lines over layers, one panel per target: accuracy of classes, R2 of numbers.

    Args:
        scores: the grid.
        comparison: adds the accuracy that theory predicts, where it names one.
        targets: those to draw; by default all of them.

    Returns:
        The figure. Drawn at first are the probe, its ceiling, what theory predicts and at each
        site the strongest baseline; the baselines one by one are in the legend.
    """
    rows = [row for row in scores.rows if targets is None or str(row["target"]) in targets]
    if not has_scores(scores) or not rows:
        return words_only("Nothing to draw: no cell has a score.")
    sites = site_order([str(row["site"]) for row in scores.rows])
    drawn = site_order([str(row["target"]) for row in rows])
    if targets is not None:
        drawn = [target for target in site_order(list(targets)) if target in drawn]
    cells = {(str(row["site"]), str(row["target"])): row for row in rows}
    kinds = {target: score_word(cells[site, target]) for site, target in cells}
    mixed = len(set(kinds.values())) > 1
    titles = [f"{target} ({kinds[target]})" if mixed else target for target in drawn]
    figure = panels(
        titles, height=170, columns=3 if len(drawn) == 3 else min(4, len(drawn)),
        width=210 if len(sites) < 40 else 420, labels=["0.00"], below=room_below(sites),
    )  # fmt: skip
    places = Panels(figure)
    low = _lowest(rows)
    for index, target in enumerate(drawn):
        column = [cells.get((site, target), {}) for site in sites]
        places.add(index, *_lines(sites, column), *_predicted(sites, target, comparison))
        places.axes(index)[1].update(range=[low - 0.04, 1.06], dtick=0.25 if low > -1 else None)
    _once(figure)
    words = "score" if mixed else score_words(scores)
    for index in range(0, len(drawn), places.columns):
        places.axes(index)[1].update(title_text=f"held-out {words}")
    name_sites(figure, sites)
    return style(figure)


def _lowest(rows: Sequence[Mapping[str, Json]]) -> float:
    """Where the axes of all targets begin: at 0, or below it where a probe's R2 is."""
    held = [as_float(row.get("r2")) for row in rows]
    return min([0.0, *(value for value in held if not math.isnan(value))])


def _lines(sites: Sequence[str], column: Sequence[Mapping[str, Json]]) -> "list[go.Scatter]":
    """The lines of one target, those that are hidden at first below the others."""
    traces = []
    for name, (label, colour, dash) in HIDDEN.items():
        values = [as_float(cell.get(name)) for cell in column]
        if any(not math.isnan(value) for value in values):
            line = _line(sites, values, label, colour, dash)
            traces.append(line.update(visible="legendonly"))
    strongest = [strongest_baseline(cell) for cell in column]
    values = [as_float(value) for _, value in strongest]
    if any(not math.isnan(value) for value in values):
        line = _line(sites, values, STRONGEST, VERMILION, "dot")
        told = [HIDDEN.get(name, (name,))[0] for name, _ in strongest]
        line.update(text=told, hovertemplate="%{text} %{y:.3f} at %{x}<extra></extra>")
        traces.append(line)
    ceiling = [as_float(cell.get("ceiling")) for cell in column]
    if any(not math.isnan(value) for value in ceiling):
        traces.append(_line(sites, ceiling, "ceiling", INK, "dash"))
    values = [as_float(cell.get(score_column(cell))) for cell in column]
    probe = _line(sites, values, "probe", BLUE, "solid", width=2.4)
    bars = error_bars(column, values, BLUE)
    traces.append(probe.update(mode="lines+markers", marker={"size": 6}, error_y=bars))
    return traces


def _line(
    sites: Sequence[str],
    values: Sequence[float],
    label: str,
    colour: str,
    dash: str,
    width: float = 1.7,
) -> "go.Scatter":
    import plotly.graph_objects as go

    return go.Scatter(
        x=ticks(sites), y=gaps(values), name=label, legendgroup=label, mode="lines",
        line={"color": colour, "dash": dash, "width": width},
        hovertemplate=f"{label} %{{y:.3f}} at %{{x}}<extra></extra>",
    )  # fmt: skip


def _predicted(
    sites: Sequence[str], target: str, comparison: Comparison | None
) -> "list[go.Scatter]":
    """Open squares where theory names an accuracy: the staircase."""
    import plotly.graph_objects as go

    rows = (comparison or Comparison(())).rows
    claims = {(row.site, row.target): row.predicted_accuracy for row in rows}
    values = [as_float(claims.get((site, target))) for site in sites]
    if all(math.isnan(value) for value in values):
        return []
    return [
        go.Scatter(
            x=ticks(sites), y=gaps(values), name="predicted", legendgroup="predicted",
            mode="markers",
            marker={"symbol": "square-open", "size": 12, "color": INK, "line": {"width": 1.4}},
            hovertemplate="predicted %{y:.3f} at %{x}<extra></extra>",
        )
    ]  # fmt: skip


def _once(figure: "go.Figure") -> None:
    """A name stands in the legend once, those that are drawn first."""
    order = ("probe", "predicted", "ceiling", STRONGEST)
    met: set[str] = set()
    for trace in figure.data:
        place = order.index(trace.name) if trace.name in order else len(order)
        trace.update(showlegend=trace.name not in met, legendrank=900 + place)
        met.add(trace.name)


def has_scores(scores: Scores) -> bool:
    """Whether any cell has a score; one whose target is constant has none.

    Args:
        scores: the grid.
    """
    return not all(math.isnan(as_float(row.get(score_column(row)))) for row in scores.rows)


def score_words(scores: Scores) -> str:
    """What the panels show, in words.

    Args:
        scores: the grid.
    """
    return " and ".join(dict.fromkeys(score_word(row) for row in scores.rows))
