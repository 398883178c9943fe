"""Two runs beside each other: what changed, and whether it is more than noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, final

from ..core import LinrepError, checked
from .pairing import LEVEL, Paired, paired
from .record import Run
from .values import Json, score_column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "RegressionError", "RunDifference", "compare_runs"]

ROUNDING: Final = 1e-6
"""Scores move by about 1e-8 where another library adds up the same float32 numbers: no change."""
ChangeAnswer = Literal["higher", "lower", "no difference shown", "not tested"]


class RegressionError(LinrepError):
    """Two runs have nothing in common to compare."""


@final
@dataclass(frozen=True)
class Change:
    """The score of one (study, site, target) before and after: accuracy, or R2 of numbers.

    ``apart`` tells whether the two intervals are disjoint: a change beyond the noise of
    either measurement; ``None`` where one has no interval. A rung is ``None`` where a run was not
    compared. (Overlapping intervals do not prove equality; a difference within
    rounding is none, however short they are.) Where both runs scored the
    same test groups, the difference itself is tested: ``p`` holds for all cells of the two runs
    together, ``low`` and ``high`` are the 95 % interval of this cell's difference alone; where they
    did not, ``why`` says so.
    """

    study: str
    site: str
    target: str
    before: float
    after: float
    difference: float
    apart: bool | None
    rung_before: int | None
    rung_after: int | None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    groups: int = 0
    differ: int = 0
    why: str = ""

    @property
    def tested(self) -> bool:
        """Whether the difference was tested on the same test groups."""
        return self.p is not None

    @property
    def answer(self) -> ChangeAnswer:
        """What the paired test says at 5 %, over all cells together."""
        if self.p is None:
            return "not tested"
        if self.p > LEVEL or self.difference == 0:
            return "no difference shown"
        return "higher" if self.difference > 0 else "lower"

    @property
    def worse(self) -> bool:
        """A rung was lost, or the score fell: by the test, else beyond both intervals if any."""
        fell = self.answer == "lower"
        if not self.tested:
            fell = self.difference < -ROUNDING and self.apart is not False
        if self.rung_before is None or self.rung_after is None:
            return fell
        return fell or self.rung_after < self.rung_before


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
        """Cells that fell, or lost a rung."""
        return tuple(change for change in self.changes if change.worse)

    @property
    def different(self) -> tuple[Change, ...]:
        """Cells whose scores differ by the paired test."""
        return tuple(each for each in self.changes if each.answer in ("higher", "lower"))

    @property
    def untested(self) -> tuple[Change, ...]:
        """Cells whose difference could not be tested."""
        return tuple(each for each in self.changes if not each.tested)

    def to_frame(self) -> "pd.DataFrame":
        """One row per cell that both runs have."""
        import pandas as pd

        names = list(Change.__dataclass_fields__)
        rows = [vars(each) | {"answer": each.answer} for each in self.changes]
        return pd.DataFrame(rows, columns=[*names, "answer"])


@checked(RegressionError)
def compare_runs(before: Run, after: Run, *, seed: int = 0) -> RunDifference:
    """Compare two runs cell by cell.

    Where both scored the same test groups (the same texts, labels and split), the differences are
    tested in pairs, one level over all cells; else they stand side by side with their intervals.

    Args:
        before: the earlier run.
        after: the later run.
        seed: of the draws of the test.

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
    tests = paired(before, after, common, seed=seed)
    return RunDifference(
        tuple(_change(cell, old[cell], new[cell], tests[cell]) for cell in common),
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
        cells[cell] = dict(row) | {"rung": rungs.get(cell)}
    return cells


def _change(
    cell: tuple[str, str, str], old: Mapping[str, Json], new: Mapping[str, Json], test: Paired
) -> Change:
    before, after = _float(old.get(score_column(old))), _float(new.get(score_column(new)))
    apart = _apart(_ends(old), _ends(new))
    if apart and abs(after - before) <= ROUNDING:
        apart = False
    lost, won = (rung if isinstance(rung, int) else None for rung in (old["rung"], new["rung"]))
    return Change(*cell, before, after, after - before, apart, lost, won, **vars(test))


def _ends(row: Mapping[str, Json]) -> tuple[float, float]:
    """Both ends of an interval, NaN where there is none."""
    ends = row.get("interval")
    return (_float(ends[0]), _float(ends[1])) if isinstance(ends, list) else (math.nan, math.nan)


def _apart(old: tuple[float, float], new: tuple[float, float]) -> bool | None:
    """Whether two intervals are disjoint; ``None`` where one is missing."""
    if any(math.isnan(end) for end in (*old, *new)):
        return None
    return old[1] < new[0] or new[1] < old[0]


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
