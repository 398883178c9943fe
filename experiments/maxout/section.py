"""One question of the maxout experiment and its answer."""

from dataclasses import dataclass
from typing import Any, final

from ...reports import Check

__all__ = ["Section"]


@final
@dataclass(frozen=True)
class Section:
    """One question and its answer.

    Args:
        title: the question.
        text: what was done and what to see.
        figure: a plotly figure, or nothing to draw.
        checks: numbers that had to be reached.
        data: what the figure shows, JSON-able.
    """

    title: str
    text: str
    figure: Any
    checks: tuple[Check, ...]
    data: dict[str, Any]
