"""Exchanges of many cells as one typed result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, final

from ..core import CellScore
from .isolation import IsolationRow
from .pairs import Pairs

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["InterchangeResult"]

SHOWN = ("base", "edit", "whole", "readout", "random", "placebo", "drawn", "source")


@final
@dataclass(frozen=True, eq=False)
class InterchangeResult:
    """One row per (site, target), the controls beside every number.

    Args:
        rows: in the order of the sites.
        settings: how it was made.
        pairs: of each target.
        notes: what was left out, and why.
        isolation: what each exchange left of each other target; the rows carry the least of them.
        cost: per target how many blocks were run, times tokens: bases, sources and edits, without
            the twin and the isolation.
    """

    rows: tuple[CellScore, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    pairs: Mapping[str, Pairs] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    isolation: tuple[IsolationRow, ...] = ()
    cost: Mapping[str, int] = field(default_factory=dict)

    @property
    def cells(self) -> Mapping[tuple[str, str], CellScore]:
        """(site, target) -> its row."""
        return {(row.site, row.target): row for row in self.rows}

    def to_frame(self) -> "pd.DataFrame":
        """One row per (site, target).

        Losses are called by their measure: ``kl_base`` where the counterfactual is exact,
        ``log_odds_base`` where answers are compared; in a frame of both, ``base`` and so on.
        """
        import pandas as pd

        kinds = {row.measure for row in self.rows}
        start = {"KL": "kl_", "log-odds": "log_odds_"}[kinds.pop()] if len(kinds) == 1 else ""
        names = (*SHOWN, "twin", "equal_base", "equal_edit")
        frame = pd.DataFrame([asdict(row) for row in self.rows])
        return frame.rename(columns={name: start + name for name in names})

    def plot(self) -> "go.Figure":
        """Effect share by site, one panel per target, with every control."""
        from .figures import share_figure

        return share_figure(self.rows)

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        columns = [str(name) for name in frame]
        names = ["site", "target", "dim", *[n for n in columns if n.endswith(SHOWN)]]
        chosen = [n for n in columns if n in names or n.startswith("share")]
        return str(frame[chosen].to_html(index=False, float_format=lambda x: f"{x:.3f}"))
