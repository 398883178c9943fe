"""The table of learned beside predicted subspaces, one line for each cell where both are."""

from collections.abc import Sequence
from dataclasses import asdict

from .row import Row
from .values import number, site_label

__all__ = ["OVERLAP_COLUMNS", "overlap_lines"]

OVERLAP_COLUMNS = {
    "written": "written here",
    "predicted_use": "still read by a later layer",
    "overlap": "overlap",
    "contains_learned_in_predicted": "share of learned in predicted",
    "contains_predicted_in_learned": "share of predicted in learned",
    "null_mean": "null mean",
    "null_high": "null, upper end",
    "null_covariance_high": "null, upper end, in the activations' covariance",
    "overlap_low": "overlap, low end",
    "overlap_high": "overlap, high end",
    "null_exchanged_high": "null, upper end, of exchanged labels",
    "angle_max": "largest angle (rad)",
    "dim_learned": "dim. learned (rank found)",
    "predicted_rank": "rank predicted",
    "dim_predicted": "dim. predicted",
    "predicted_accuracy": "predicted accuracy",
    "as_predicted": "as predicted",
    "told_apart": "told from other values",
    "claim": "claim",
}


def overlap_lines(rows: Sequence[Row]) -> list[list[str]]:
    """Lines of the table, the site and the target in front.

    Args:
        rows: with subspaces; others are left out.
    """
    lines = []
    for row in rows:
        if row.subspaces is None:
            continue
        values = asdict(row.subspaces) | {
            "claim": row.claim,
            "predicted_accuracy": row.predicted_accuracy,
            "predicted_use": row.predicted_use,
            "predicted_rank": row.predicted_rank,
            "told_apart": row.told_apart,
            "as_predicted": _answer(row),
        }
        columns = [number(values[name]) for name in OVERLAP_COLUMNS]
        lines.append([site_label(row.site), row.target, *columns])
    return lines


def _answer(row: Row) -> str:
    """Yes or no where the verdict is one; what could not be tested is neither."""
    state = row.verdicts.aligned.state
    if state == "not tested" and row.subspaces is not None and not row.subspaces.as_predicted:
        return state
    return number(row.subspaces is not None and row.subspaces.as_predicted)
