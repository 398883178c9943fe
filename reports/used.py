"""Present beside used: the map of exchanges, and their table."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .comparison import Comparison
from .drawing import as_float, first_on_top, framed, heatmap, name_sites, style
from .row import Row
from .values import Json, number, site_label, site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .record import Scores

__all__ = ["exchange_table", "used_caption", "used_figure"]

EXCHANGE_COLUMNS: Final = {
    "dim": "dim.",
    "share": "effect share",
    "interval": "interval",
    "share_whole": "whole state",
    "share_readout": "readout",
    "share_random": "random",
    "share_placebo": "placebo",
    "share_drawn_high": "best drawn from the states",
    "share_twin": "random-weight twin",
    "share_das": "searched for (DAS), held-out sentences",
    "das": "controls of the search",
    "base": "no edit",
    "edit": "exchanged",
    "source": "counterfactual read",
    "equal_edit": "equal pairs, exchanged",
    "reliability": "reliability",
    "isolation_of": "other target, the least left alone",
    "isolation": "its predictions left",
    "isolation_interval": "interval",
    "isolation_whole": "left by the whole state",
    "p": "p",
    "predicted_use": "used, by theory",
}

UNMEASURED: Final = (number(None), number([float("nan")] * 2))


def used_caption(comparison: Comparison) -> str:
    """What the map shows, in one paragraph."""
    framed = any(row.predicted_use is not None for row in comparison.rows)
    return (
        "Present and used. Left: what a probe reads. Middle: how far an exchange of the learned "
        "pattern at a span's last token brings the model to what it would say had the span been "
        "another; 0 is nothing, 1 all of the way. Right: the same for the whole state there, the "
        "most that any subspace can do. A state may be read perfectly and not be used."
        + (" Cells framed in black are those where theory says that it is used." * framed)
    )


def used_figure(scores: "Scores", comparison: Comparison) -> "go.Figure":
    """Three maps of site by target: accuracy, effect share of the pattern, of the whole state.

    Args:
        scores: the grid of probes.
        comparison: rows with exchanges.
    """
    from plotly.subplots import make_subplots

    rows = {(row.site, row.target): row for row in comparison.rows}
    sites = site_order([row.site for row in comparison.rows])
    targets = site_order([row.target for row in comparison.rows])
    read = {(str(r["site"]), str(r["target"])): as_float(r["accuracy"]) for r in scores.rows}

    def share(site: str, target: str, name: str) -> float:
        row = rows.get((site, target))
        done = None if row is None else row.exchange
        return math.nan if done is None else max(0.0, float(getattr(done, name)))

    grids = {
        "present: accuracy": [[read.get((s, t), math.nan) for s in sites] for t in targets],
        "used: effect share": [[share(s, t, "share") for s in sites] for t in targets],
        "whole state": [[share(s, t, "share_whole") for s in sites] for t in targets],
    }
    figure = make_subplots(
        1, 3, subplot_titles=list(grids), shared_yaxes=True, horizontal_spacing=0.03
    )
    for index, grid in enumerate(grids.values(), start=1):
        figure.add_trace(heatmap(sites, targets, grid), 1, index)
    used = [(sites.index(s), targets.index(t)) for (s, t), row in rows.items() if row.predicted_use]
    framed(figure, used, column=2)
    figure.update_layout(
        coloraxis={"colorscale": "Purples", "cmin": 0, "cmax": 1, "showscale": False}
    )
    first_on_top(figure)
    name_sites(figure, sites)
    return style(figure, 46 * len(targets) + 150)


def exchange_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Heads and lines: one line per exchange, without columns that were not measured at all.

    Args:
        comparison: rows with exchanges; without any there are no lines.
    """
    rows = [row for row in comparison.rows if row.exchange is not None]
    values = [_values(row) for row in rows]
    shown = {
        name: head
        for name, head in EXCHANGE_COLUMNS.items()
        if any(number(line[name]) not in UNMEASURED for line in values)
    }
    lines = [
        [site_label(row.site), row.target, *(number(line[name]) for name in shown)]
        for row, line in zip(rows, values, strict=True)
    ]
    return ["site", "target", *shown.values()], lines


def _values(row: Row) -> Mapping[str, Json]:
    done = row.exchange
    assert done is not None  # noqa: S101 - the caller's condition
    return {
        **vars(done),
        "interval": [done.share_low, done.share_high],
        "isolation_of": done.isolation_of or None,
        "isolation_interval": [done.isolation_low, done.isolation_high],
        "das": done.das or None,
        "predicted_use": row.predicted_use,
    }
