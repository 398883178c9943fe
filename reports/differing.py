"""What two runs say beside each other, in sentences and tables: for the page, Markdown and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

from .pairing import LEVEL
from .record import Run
from .regression import ROUNDING, Change, RunDifference, compare_runs
from .values import Json, number, place, score_column, site_label, site_order

__all__ = ["CHANGE_COLUMNS", "HOW", "SidesOfRuns", "beside"]

SHOWN: Final = 5  # cells that a sentence names
CHANGE_COLUMNS: Final = (
    "target", "site", "A", "B", "B less A", "interval", "p, all cells", "groups that differ",
    "answer", "rung",
)  # fmt: skip
HOW: Final = (
    "Differences are B less A. Where both runs scored the same test groups, A and B change places "
    "at random in each group; a cell differs where its difference is larger than what this gives, "
    f"at {LEVEL:.0%} over all cells together (Westfall and Young). “No difference shown” does not "
    "say that there is none. The interval (95 %, test groups drawn again) is that of its cell "
    "alone. Both say how sure the difference is on these test groups and these two fitted probes; "
    "what another split or another training of the model would give is not in them. Where the test "
    "groups are others, nothing is tested: the two scores stand with their own intervals."
)


@final
@dataclass(frozen=True, eq=False)
class SidesOfRuns:
    """Two runs and what differs between them.

    Args:
        before: A, the earlier run; targets under the names of pages.
        after: B, the later run.
        found: cell by cell.
    """

    before: Run
    after: Run
    found: RunDifference

    @property
    def sentences(self) -> list[str]:
        """What is found, in the order of a first screen."""
        found = self.found
        tested = len(found.changes) - len(found.untested)
        told = [f"{_count(len(found.changes), 'cell')} {'is' if len(found.changes) == 1 else 'are'}"
                " in both runs."]  # fmt: skip
        if tested:
            told += _answers(found, tested, self.name)
        told += [
            f"{_count(count, 'cell')} {'was' if count == 1 else 'were'} not tested: {why}."
            for why, count in _counted(each.why for each in found.untested).items()
        ]
        told += _rungs(found.changes)
        if found.only_before or found.only_after:
            told.append(
                f"Only in A: {_count(len(found.only_before), 'cell')}; only in B: "
                f"{_count(len(found.only_after), 'cell')}."
            )
        return told

    def name(self, change: Change) -> str:
        """A cell in words.

        Args:
            change: of the cell.
        """
        study = f" ({change.study})" if len(self.before.studies) > 1 else ""
        return f"{self.target(change.study, change.target)} {place(change.site)}{study}"

    def said(self, change: Change) -> str:
        """A cell and what became of it, on one line.

        Args:
            change: of the cell.
        """
        rungs = f", rung {number(change.rung_before)} to {number(change.rung_after)}" * (
            change.rung_before != change.rung_after
        )
        return f"{self.name(change)}: {_change(change)}{rungs}; {_answered(change)}"

    def target(self, study: str, target: str) -> str:
        """What pages call a target.

        Args:
            study: that it belongs to.
            target: as settings have it.
        """
        names = next((one.names for one in self.before.studies if one.name == study), {})
        return names.get(target, target)

    @property
    def maps(self) -> list[dict[str, Any]]:
        """For each study the differences, target by site."""
        made = []
        for study in dict.fromkeys(each.study for each in self.found.changes):
            cells = {(c.site, c.target): c for c in self.found.changes if c.study == study}
            sites = site_order([site for site, _ in cells])
            lines = [
                {"target": self.target(study, target), "cells": [
                    _cell(cells.get((site, target))) for site in sites]}
                for target in site_order([target for _, target in cells])
            ]  # fmt: skip
            heads = [{"name": site, "label": site_label(site)} for site in sites]
            made.append({"study": study, "sites": heads, "lines": lines})
        return made

    def lines(self, study: str) -> list[list[str]]:
        """The table of a study's cells, under :data:`CHANGE_COLUMNS`.

        Args:
            study: its name.
        """
        return [
            [self.target(study, c.target), site_label(c.site), self._scored(self.before, c),
             self._scored(self.after, c), signed(c.difference), _interval(c), number(c.p),
             f"{c.differ} of {c.groups}" if c.tested else "–", _answered(c),
             number(c.rung_after) if c.rung_before == c.rung_after
             else f"{number(c.rung_before)} → {number(c.rung_after)}"]
            for c in self.found.changes if c.study == study
        ]  # fmt: skip

    def _scored(self, run: Run, change: Change) -> str:
        """The score of a cell in one run, with its own interval."""
        row = self._rows[run is self.after].get((change.study, change.site, change.target), {})
        ends = number(row.get("interval"))
        score = number(row.get(score_column(row)))
        return score if ends in ("–", "– to –") else f"{score} [{ends}]"

    @cached_property
    def _rows(self) -> tuple[Mapping[tuple[str, str, str], Mapping[str, Json]], ...]:
        return tuple(
            {(study.name, str(row["site"]), str(row["target"])): row for study, row in run.rows()}
            for run in (self.before, self.after)
        )

    @property
    def facts(self) -> list[list[str]]:
        """What the two runs are of, where they differ: name, A, B."""
        told = [["title", self.before.title, self.after.title]]
        after = {study.name: study for study in self.after.studies}
        for study in self.before.studies:
            other = after.get(study.name)
            names = dict.fromkeys([*study.facts, *(other.facts if other else {})])
            start = f"{study.name}: " if len(self.before.studies) > 1 else ""
            told += [
                [start + name, number(study.facts.get(name)), number(other.facts.get(name))]
                for name in names if other and study.facts.get(name) != other.facts.get(name)
            ]  # fmt: skip
        return [line for line in told if line[0] == "title" or line[1] != line[2]]

    @property
    def settings(self) -> list[list[str]]:
        """Settings that differ: name, A, B."""
        return [[name, _short(old), _short(new)]
                for name, (old, new) in self.found.settings.items()]  # fmt: skip


def beside(before: Run, after: Run, *, seed: int = 0) -> SidesOfRuns:
    """Lay two runs beside each other.

    Args:
        before: A, the earlier run.
        after: B, the later run.
        seed: of the draws of the test.
    """
    return SidesOfRuns(before, after, compare_runs(before, after, seed=seed))


def signed(value: float) -> str:
    """A difference with its sign.

    >>> signed(0.0312), signed(-0.0312), signed(0.0), signed(float("nan"))
    ('+0.031', '−0.031', '0', '–')
    """
    shown = number(0.0 if abs(value) < ROUNDING else abs(value))
    return shown if shown in ("0", "–") else f"{'−' if value < 0 else '+'}{shown}"


def _answers(found: RunDifference, tested: int, name: Any) -> list[str]:
    """What the paired test says."""
    differ = sorted(found.different, key=lambda each: -abs(each.difference))
    where = f"of the {_count(tested, 'cell')} scored on the same test groups"
    if not any(each.differ for each in found.changes):
        return [f"No test group differs in how much is right, at any {where}."]
    if not differ:
        return [f"No difference is shown at any {where}."]
    told = "; ".join(f"{name(each)}: {_change(each)}" for each in differ[:SHOWN])
    more = f"; and {len(differ) - SHOWN} more" if len(differ) > SHOWN else ""
    higher = sum(each.answer == "higher" for each in differ)
    return [
        f"{len(differ)} {where} differ at {LEVEL:.0%} over all cells together ({higher} higher in "
        f"B, {len(differ) - higher} lower): {told}{more}."
    ]


def _answered(each: Change) -> str:
    """The answer; without a test whether the two intervals overlap."""
    if each.tested:
        return each.answer
    if each.apart is None:
        return "not tested; no intervals"
    return f"not tested; intervals {'apart' if each.apart else 'overlap'}"


def _change(each: Change) -> str:
    interval = _interval(each)
    ends = "" if interval == "–" else f" [{interval}]"
    p = "" if each.p is None else ", p < 0.001" if each.p < 0.001 else f", p = {number(each.p)}"
    change = f"{signed(each.difference)}{ends}{p}"
    return f"{number(each.before)} in A, {number(each.after)} in B ({change})"


def _rungs(changes: Sequence[Change]) -> list[str]:
    """How many cells reach another rung."""
    rungs = [
        (each.rung_before, each.rung_after) for each in changes
        if each.rung_before is not None and each.rung_after is not None
    ]  # fmt: skip
    lost = sum(after < before for before, after in rungs)
    won = sum(after > before for before, after in rungs)
    if not lost + won:
        every = "Every cell" if len(rungs) == len(changes) else "Every cell with verdicts in both"
        return [f"{every} reaches the same rung in both."] if rungs else []
    return [
        f"B reaches a lower rung at {_count(lost, 'cell')} and a higher one at "
        f"{_count(won, 'cell')}; a verdict that crosses its level is no test of a difference."
    ]


def _cell(change: Change | None) -> dict[str, str] | None:
    """One cell of a map."""
    if change is None:
        return None
    marks = {"higher": "▲", "lower": "▼", "not tested": "?", "no difference shown": ""}
    kinds = {"higher": "higher", "lower": "lower", "not tested": "untested"}
    return {
        "word": signed(change.difference), "mark": marks[change.answer],
        "kind": kinds.get(change.answer, "same"),
        "note": f"{number(change.before)} → {number(change.after)}",
        "title": f"{change.answer}{': ' + change.why if change.why else ''}",
    }  # fmt: skip


def _interval(change: Change) -> str:
    if change.low is None or change.high is None:
        return "–"
    return f"{signed(change.low)} to {signed(change.high)}"


def _counted(values: Any) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _short(value: Json) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
