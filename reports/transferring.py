"""Probes trained on one data set and scored on another: the matrix, and its table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .drawing.palette import COSINES, SHARES
from .drawing.panels import Panels, gaps, panels, spelled, style
from .findings import site_of_transfer
from .values import number, site_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..probes import Moved, Transfer
    from .record import Study

__all__ = ["TRANSFER_CAPTION", "TRANSFER_COLUMNS", "transfer_figure", "transfer_lines"]

TRANSFER_CAPTION: Final = (
    "First map: probes trained on the data set of a row and scored on that of a column, with their "
    "95 % intervals and the score of the same probe on a model with random weights (twin); on the "
    "diagonal held-out rows of the same data set. They learn from the training and the validation "
    "part, so that their scores differ a little from those of the grid. Cells in bold are above "
    "chance and above the twin, all probes of the site together. Second map: cosine of the two "
    "data sets' directions (differences of class means; of numbers, their covariance with the "
    "activations). The slider goes through the stream."
)
TRANSFER_COLUMNS: Final = (
    "trained on", "scored on", "score", "interval", "chance", "random-weight twin",
    "cosine of the directions", "above chance and twin", "rows learned from", "rows scored",
)  # fmt: skip


def transfer_lines(moved: "Transfer", site: str) -> list[list[str]]:
    """The table of a site, a line for each probe and scored set.

    Args:
        moved: the transfer.
        site: one of its sites.
    """
    return [
        [
            row.train, row.test, number(row.score), number((row.low, row.high)),
            number(row.chance), number(row.twin), number(_cosine(moved, row)), number(row.above),
            str(row.n_train), str(row.n_test),
        ]
        for row in moved.at(site)
    ]  # fmt: skip


def _cosine(moved: "Transfer", row: "Moved") -> float | None:
    if row.train == row.test or row.train not in moved.names:
        return None
    i, j = moved.names.index(row.train), moved.names.index(row.test)
    return float(moved.cosines[row.site][i, j])


def transfer_figure(study: "Study", moved: "Transfer") -> "go.Figure":
    """Two maps, scores and cosines, with a slider over the sites.

    Args:
        study: that the transfer belongs to.
        moved: one of its transfers.
    """
    import plotly.graph_objects as go

    sources = list(dict.fromkeys(row.train for row in moved.rows))
    shown = site_of_transfer(study, moved)
    maps = {site: _maps(moved, site, sources) for site in moved.sites}
    names = [spelled(name, 18) for name in moved.names]
    figure = panels(
        ["score: trained on (rows), scored on (columns)", "cosine of the directions"],
        height=66 * len(sources), columns=2, width=96 * len(names), apart=True,
        labels=[spelled(name, 18) for name in sources],
    )  # fmt: skip
    places = Panels(figure)
    for index, (name, z, text) in enumerate(maps[shown]):
        rows = sources if index == 0 else moved.names
        trace = go.Heatmap(
            x=names, y=[spelled(row, 18) for row in rows], z=z, text=text,
            texttemplate="%{text}", xgap=2, ygap=2,
            hovertemplate="%{y} to %{x}: %{text}<extra>" + name + "</extra>",
            colorscale=SHARES if index == 0 else COSINES, showscale=False,
            zmin=0 if index == 0 else -1, zmax=1,
        )  # fmt: skip
        places.add(index, trace)
        places.axes(index)[1].update(autorange="reversed")
    figure.update_layout(sliders=[_slider(maps, shown)])
    return style(figure)


def _maps(
    moved: "Transfer", site: str, sources: Sequence[str]
) -> tuple[tuple[str, Any, Any], tuple[str, Any, Any]]:
    """Numbers and words of both maps at a site."""
    rows = {(row.train, row.test): row for row in moved.at(site)}
    cells = [[rows.get((train, test)) for test in moved.names] for train in sources]
    scores = [gaps([np.nan if row is None else row.score for row in line]) for line in cells]
    words = [["" if row is None else _words(row) for row in line] for line in cells]
    cosines = moved.cosines[site].tolist()
    told = [[number(value, 2) for value in line] for line in cosines]
    return ("score", scores, words), ("cosine", [gaps(line) for line in cosines], told)


def _words(row: "Moved") -> str:
    score = number(row.score, 2)
    twin = "" if np.isnan(row.twin) else f"<br>twin {number(row.twin, 2)}"
    told = f"<b>{score}</b>" if row.above else score
    return f"{told}<br>{number((row.low, row.high), 2)}{twin}"


def _slider(maps: dict[str, Any], shown: str) -> dict[str, Any]:
    """A step for each site."""
    steps = [
        {
            "label": site_label(site),
            "method": "restyle",
            "args": [{"z": [z for _, z, _ in both], "text": [text for _, _, text in both]}, [0, 1]],
        }
        for site, both in maps.items()
    ]
    return {"active": list(maps).index(shown), "steps": steps, "pad": {"t": 50},
            "currentvalue": {"prefix": "stream: "}}  # fmt: skip
