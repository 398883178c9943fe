"""What does not depend on a model's basis: predicted, measured and untrained, as a table."""

import math
from collections.abc import Sequence
from typing import Final

from ..core import Invariant
from .values import number, site_label

__all__ = ["INVARIANT_COLUMNS", "INVARIANT_MEANING", "invariant_lines"]

INVARIANT_COLUMNS: Final = (
    "what", "of", "at", "predicted", "measured", "interval", "untrained or chance", "verdict",
    "why",
)  # fmt: skip
INVARIANT_MEANING: Final = (
    "A trained model writes its states in a basis of its own, so these numbers are such as do not "
    "depend on the basis. Each is predicted by theory (of accuracies: the grammar's exact "
    "posteriors) and stands beside the same number of untrained models of this shape, as the range "
    "in which one more of them would lie (by Student's t: it may reach past what is possible, such "
    "as an accuracy of 1); of orders it is the chance of the order, of effects of "
    "exchanges the range of random, drawn and placebo subspaces. “As predicted”: the interval "
    "holds the prediction, and that range does not reach it. “Not telling”: untrained models show "
    "the same, so that the number says nothing about what this model has learned."
)


def invariant_lines(rows: Sequence[Invariant]) -> list[list[str]]:
    """A line for each number.

    Args:
        rows: of a study.
    """
    return [
        [
            row.name, row.target, site_label(row.site) if row.site else "–",
            number(row.predicted), number(row.measured), _range(row.low, row.high),
            _range(row.null_low, row.null_high), row.state, row.reason,
        ]
        for row in rows
    ]  # fmt: skip


def _range(low: float, high: float) -> str:
    """Two ends; nothing where there are none, or where they are one."""
    if math.isnan(low) or math.isnan(high):
        return "–"
    return number(low) if low == high else f"{number(low)} to {number(high)}"
