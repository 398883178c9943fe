"""Maps of site by target side by side: what is present, what is aligned, what is used."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...core import checked
from ..comparison import Comparison
from ..errors import RecordError
from ..record import Scores
from ..row import Row
from ..rungs import strongest_baseline
from ..values import Json, number, score_column
from .accuracy import HIDDEN, has_scores, score_words
from .grids import Maps, map_panels
from .panels import as_float, words_only

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["grid_figure", "maps_caption", "maps_figure"]

Cell = tuple[str, str]


@checked(RecordError)
def grid_figure(scores: Scores) -> "go.Figure":
    """Three heatmaps of site by target: probe, ceiling, strongest baseline.

    Args:
        scores: the grid.

    Returns:
        The figure; a grid without ceilings has two panels.
    """
    if not has_scores(scores):
        return words_only("Nothing to draw: no cell has a score.")
    cells = _cells(scores)
    told: dict[str, Callable[[Mapping[str, Json]], float]] = {
        "probe": lambda cell: as_float(cell.get(score_column(cell))),
        "ceiling": lambda cell: as_float(cell.get("ceiling")),
        "strongest baseline": lambda cell: as_float(strongest_baseline(cell)[1]),
    }
    drawn: Maps = {
        name: ({cell: value(row) for cell, row in cells.items()}, {})
        for name, value in told.items()
    }
    return map_panels(
        {name: made for name, made in drawn.items() if _any(made[0])}, list(cells), {}
    )


@checked(RecordError)
def maps_figure(scores: Scores, comparison: Comparison) -> "go.Figure":
    """What is present, what is aligned and what is used, one map each, where there is one.

    Args:
        scores: the grid of probes.
        comparison: the same cells beside theory, and with their exchanges.

    Returns:
        The figure; what else is known of a cell (ceiling, strongest baseline, the null's upper
        end, the share of the whole state) stands where the mouse is.
    """
    rows = {(row.site, row.target): row for row in comparison.rows}
    cells = _cells(scores)
    present = {cell: as_float(row.get(score_column(row))) for cell, row in cells.items()}
    aligned = {
        cell: row.subspaces.overlap for cell, row in rows.items()
        if row.subspaces and row.verdicts.aligned.state != "not tested"
    }  # fmt: skip
    used = {
        cell: max(0.0, float(row.exchange.share)) for cell, row in rows.items()
        if row.exchange and row.verdicts.causal.state != "not tested"
    }  # fmt: skip
    maps: Maps = {
        f"present: {score_words(scores)}": (present, {c: _beside(r) for c, r in cells.items()}),
        "aligned: overlap with theory": (aligned, {c: _null(r) for c, r in rows.items()}),
        "used: effect share": (used, {c: _whole(r) for c, r in rows.items()}),
    }
    if not _any(present):
        return words_only("Nothing to draw: no cell has a score.")
    frames = {
        1: [cell for cell, row in rows.items() if row.subspaces and row.subspaces.written],
        2: [cell for cell, row in rows.items() if row.predicted_use],
    }
    kept = {name: made for name, made in maps.items() if _any(made[0])}
    placed = {list(kept).index(name): frames.get(i, []) for i, name in enumerate(maps)
              if name in kept}  # fmt: skip
    return map_panels(kept, [*cells, *rows], placed)


def maps_caption(comparison: Comparison) -> str:
    """What the maps show, in one paragraph.

    Args:
        comparison: that they are drawn from.
    """
    rows = comparison.rows
    said = ["Present: the held-out score of the probe."]
    if any(row.subspaces for row in rows):
        said.append(
            "Aligned: the overlap of the subspace that was learned with the one that theory "
            "predicts, 1 where one lies in the other; a frame marks the cells where theory says "
            "that the state is written, and is empty where these sentences could not test it."
        )
    if any(row.exchange for row in rows):
        framed_ = any(row.predicted_use is not None for row in rows)
        said.append(
            "Used: how far an exchange of the learned pattern at a span's last token brings the "
            "model to what it would say had the span been another; 0 is nothing, 1 all of the "
            "way. Random subspaces, too, go a part of the way: the verdicts say where use is shown "
            "beyond them. A state may be read perfectly and not be used."
            + " A frame marks the cells where theory says that it is used, empty if not tested."
            * framed_
        )
    return " ".join(said)


def _cells(scores: Scores) -> dict[Cell, Mapping[str, Json]]:
    return {(str(row["site"]), str(row["target"])): row for row in scores.rows}


def _any(values: Mapping[Cell, float]) -> bool:
    return any(not math.isnan(value) for value in values.values())


def _beside(row: Mapping[str, Json]) -> str:
    name, value = strongest_baseline(row)
    said = f"strongest baseline: {HIDDEN.get(name, (name,))[0]} {number(value)}" if name else ""
    if row.get("ceiling") is None:
        return said
    return f"ceiling {number(row['ceiling'])}, {said}"


def _null(row: Row) -> str:
    """What random subspaces reach, by their 95th percentile."""
    found = row.subspaces
    return "" if found is None else f"null, 95th percentile: {number(found.null_high)}"


def _whole(row: Row) -> str:
    """The most that any subspace can do."""
    done = row.exchange
    if done is None:
        return ""
    return f"random: {number(done.share_random)}, whole state: {number(done.share_whole)}"
