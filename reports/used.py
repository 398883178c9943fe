"""The table of exchanges: whether a state is used."""

from collections.abc import Mapping
from typing import Final

from .comparison import Comparison
from .row import Row
from .values import Json, number, site_label

__all__ = ["exchange_table"]

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
