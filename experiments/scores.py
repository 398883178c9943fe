"""A grid of probes as the plain rows of a study."""

from ..probes import ProbeResults
from ..reports import Scores
from ..reports.values import plain

__all__ = ["scores_of"]


def scores_of(results: ProbeResults) -> Scores:
    """The grid as plain rows."""
    rows = results.to_frame().to_dict("records")
    return Scores(
        tuple({str(name): plain(value) for name, value in row.items()} for row in rows),
        results.notes,
        {str(name): plain(value) for name, value in results.settings.items()},
    )
