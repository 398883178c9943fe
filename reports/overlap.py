"""The picture of learned beside predicted subspaces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core import checked
from .drawing.grids import Maps, map_panels
from .drawing.panels import words_only
from .meeting import ComparisonError
from .row import Row

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
    met = {(row.site, row.target): row.subspaces for row in rows if row.subspaces}
    if not met:
        predicted = any(row.predicted_rank is not None for row in rows)
        reason = (
            "no predicted cell has a learned pattern"
            if predicted
            else "there are no predictions about these cells"
        )
        return words_only(f"No overlap to draw: {reason}.")
    maps: Maps = {
        "learned against predicted": ({cell: found.overlap for cell, found in met.items()}, {}),
        "null, 95th percentile": ({cell: found.null_high for cell, found in met.items()}, {}),
    }
    written = [cell for cell, found in met.items() if found.written]
    return map_panels(maps, [(row.site, row.target) for row in rows], {0: written})
