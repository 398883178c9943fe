"""The table of maps that carried predictions into another model's basis."""

from collections.abc import Sequence
from typing import Final

from .row import Row
from .values import number, site_label

__all__ = ["THROUGH_NOTE", "through_table"]

THROUGH_NOTE: Final = (
    "Theory says where the constructed model writes each state; this model has a basis of its own. "
    "A ridge regression of this model's stream on the constructed one's, learned from sentences "
    "from which no pattern was learned, carries the predicted directions here; a direction that "
    "does not help to predict sentences that the map did not see is left out. So what is said of "
    "the place of a state holds up to that map. An overlap has to exceed what maps to untrained "
    "models and maps of exchanged sentences reach."
)
THROUGH_COLUMNS: Final = {
    "reference_site": "map from",
    "r2": "R² of the map",
    "r2_low": "R², low end",
    "r2_high": "R², high end",
    "r2_shuffled_high": "R², upper end of exchanged sentences",
    "r2_twins": "R² of maps to untrained models, largest",
    "r2_back": "R² of the map back",
    "r2_back_twins": "R² back from untrained models, largest",
    "dims": "dimensions that come through",
    "asked": "of",
    "null_twins_high": "overlap, upper end of untrained models",
    "null_shuffled_high": "overlap, upper end of exchanged sentences",
}


def through_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Heads and lines, one for each cell to which a prediction was carried.

    Args:
        rows: of a comparison; others are left out.
    """
    lines = []
    for row in rows:
        if row.through is None:
            continue
        values = vars(row.through) | {
            "reference_site": site_label(row.through.reference_site),
            "overlap": None if row.subspaces is None else row.subspaces.overlap,
        }
        shown = [number(values[name]) for name in ("overlap", *THROUGH_COLUMNS)]
        lines.append([site_label(row.site), row.target, *shown])
    return ["site", "target", "overlap", *THROUGH_COLUMNS.values()], lines
