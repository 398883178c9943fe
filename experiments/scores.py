"""A grid of probes as the plain rows of a study."""

from typing import Any

from ..probes import ProbeResults
from ..reports import Scores
from ..reports.by_group import group_scores
from ..reports.values import plain

__all__ = ["scores_of"]


def scores_of(results: ProbeResults) -> Scores:
    """The grid as plain rows."""
    rows = results.to_frame().to_dict("records")
    return Scores(
        tuple({str(name): plain(value) for name, value in row.items()} for row in rows),
        results.notes,
        {str(name): plain(value) for name, value in results.settings.items()},
        group_scores(results.held_out, mark) if (mark := _fingerprint(results)) else {},
    )


def _fingerprint(results: ProbeResults) -> str:
    """Of the texts that were probed; empty where it is not known."""
    made: Any = results.settings.get("manifest") or {}
    return str(made.get("corpus", {}).get("fingerprint", ""))
