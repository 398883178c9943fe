"""Two runs beside each other: what changed, and whether it is more than noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ..core import LinrepError, checked
from .record import Run
from .values import Json, score_column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "RegressionError", "RunDifference", "compare_runs"]

ROUNDING = 1e-6
"""Scores move by about 1e-8 where another library adds up the same float32 numbers: no change."""


class RegressionError(LinrepError):
    """Two runs have nothing in common to compare."""


@final
@dataclass(frozen=True)
class Change:
    """Accuracy of one (study, site, target) before and after.

    ``apart`` tells whether the two intervals are disjoint: a change beyond the noise of
    either measurement. (Overlapping intervals do not prove equality.) A difference within rounding
    is none, however short the intervals are.
    """

    study: str
    site: str
    target: str
    before: float
    after: float
    difference: float
    apart: bool
    rung_before: int
    rung_after: int


@final
@dataclass(frozen=True)
class RunDifference:
    """Cells of both runs, cells of one only, settings that differ."""

    changes: tuple[Change, ...]
    only_before: tuple[tuple[str, str, str], ...]
    only_after: tuple[tuple[str, str, str], ...]
    settings: Mapping[str, tuple[Json, Json]]

    @property
    def worse(self) -> tuple[Change, ...]:
        """Cells that fell beyond the intervals, or lost a rung."""
        return tuple(
            change
            for change in self.changes
            if (change.apart and change.difference < 0) or change.rung_after < change.rung_before
        )

    def to_frame(self) -> "pd.DataFrame":
        """One row per cell that both runs have."""
        import pandas as pd

        return pd.DataFrame([vars(change) for change in self.changes])


@checked(RegressionError)
def compare_runs(before: Run, after: Run) -> RunDifference:
    """Compare two runs cell by cell.

    Args:
        before: the earlier run.
        after: the later run.

    Returns:
        Changes in the order of the earlier run.

    Raises:
        RegressionError: no (study, site, target) is in both; of two runs without any, no study.
    """
    old, new = _cells(before), _cells(after)
    common = [cell for cell in old if cell in new]
    bare = not old and not new  # runs of sizes, or of languages too small to probe
    names = [{study.name for study in run.studies} for run in (before, after)]
    if not common and not (bare and names[0] & names[1]):
        raise RegressionError(
            "the two runs share no (study, site, target): "
            f"{', '.join(s.name for s in before.studies)} against "
            f"{', '.join(s.name for s in after.studies)}"
        )
    return RunDifference(
        tuple(_change(cell, old[cell], new[cell]) for cell in common),
        tuple(cell for cell in old if cell not in new),
        tuple(cell for cell in new if cell not in old),
        _different(_flat(before.settings), _flat(after.settings)),
    )


def _cells(run: Run) -> dict[tuple[str, str, str], Mapping[str, Json]]:
    rungs = {
        (study.name, row.site, row.target): row.verdicts.rung
        for study in run.studies
        for row in study.comparison.rows
    }
    cells: dict[tuple[str, str, str], Mapping[str, Json]] = {}
    for study, row in run.rows():
        cell = (study.name, str(row["site"]), str(row["target"]))
        cells[cell] = dict(row) | {"rung": rungs.get(cell, 0)}
    return cells


def _change(cell: tuple[str, str, str], old: Mapping[str, Json], new: Mapping[str, Json]) -> Change:
    before, after = _float(old.get(score_column(old))), _float(new.get(score_column(new)))
    apart = before != after
    ends_old, ends_new = old.get("interval"), new.get("interval")
    if isinstance(ends_old, list) and isinstance(ends_new, list):
        apart = _float(ends_old[1]) < _float(ends_new[0]) or _float(ends_new[1]) < _float(
            ends_old[0]
        )
    apart = apart and not abs(after - before) <= ROUNDING  # NaN stays apart
    rungs = int(_float(old["rung"])), int(_float(new["rung"]))
    return Change(*cell, before, after, after - before, apart, *rungs)


def _float(value: Json) -> float:
    return float(value) if isinstance(value, float | int) else float("nan")


def _flat(value: Json | Mapping[str, Json], path: str = "") -> dict[str, Json]:
    """Nested settings as dotted names.

    >>> _flat({"a": {"b": 1}, "c": [2]})
    {'a.b': 1, 'c.0': 2}
    """
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list):
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {path: value}
    flat: dict[str, Json] = {}
    for name, item in items:
        flat |= _flat(item, f"{path}.{name}" if path else name)
    return flat


def _different(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, tuple[Json, Json]]:
    names = list(dict.fromkeys([*old, *new]))
    return {n: (old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)}
