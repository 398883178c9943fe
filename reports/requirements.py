"""Requirements on a run, written as one short text each: ``accuracy>=0.99@blocks.3.*``."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, final

from ..core import LinrepError, checked
from .record import Run
from .values import Json, number

__all__ = ["Outcome", "Requirement", "RequirementError", "check_run"]

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}
FORM = "COLUMN(>=|<=|>|<|==)NUMBER[@SITE][/TARGET], for example 'accuracy>=0.99@blocks.3.*'"
PATTERN = re.compile(
    r"\s*(?P<column>\w+)\s*(?P<sign>>=|<=|==|>|<)\s*(?P<limit>[-+.\deE]+)\s*"
    r"(@\s*(?P<site>[^/]+?)\s*)?(/\s*(?P<target>.+?)\s*)?"
)


class RequirementError(LinrepError):
    """A requirement cannot be read, or speaks of nothing in the run."""


CLASS_SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "nll", "v_information")
NUMBER_SCORES = ("r2", "spearman")


@final
@dataclass(frozen=True)
class Requirement:
    """One column of the scores or of the comparison, a bound, and the cells it is about.

    >>> Requirement.from_text("accuracy>=0.99@blocks.3.*/height 2")
    Requirement(column='accuracy', sign='>=', limit=0.99, site='blocks.3.*', target='height 2')
    """

    column: str
    sign: str
    limit: float
    site: str = "*"
    target: str = "*"

    @classmethod
    @checked(RequirementError)
    def from_text(cls, text: str) -> "Requirement":
        """Read a requirement.

        Args:
            text: ``COLUMN SIGN NUMBER [@SITE] [/TARGET]``; site and target may hold wildcards.

        Returns:
            The requirement.

        Raises:
            RequirementError: the text has another form.
        """
        match = PATTERN.fullmatch(text)
        try:
            limit = float(match["limit"]) if match else None
        except ValueError:
            limit = None
        if match is None or limit is None:
            raise RequirementError(f"cannot read the requirement {text!r}; expected {FORM}")
        return cls(
            match["column"], match["sign"], limit, match["site"] or "*", match["target"] or "*"
        )

    def holds(self, value: Json) -> bool:
        """Whether a measured value meets the bound; what was not measured does not."""
        if isinstance(value, bool) or not isinstance(value, float | int):
            return False
        return OPERATORS[self.sign](float(value), self.limit)

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.limit:g}@{self.site}/{self.target}"


@final
@dataclass(frozen=True)
class Outcome:
    """One requirement at one cell."""

    requirement: str
    study: str
    site: str
    target: str
    value: Json
    passed: bool

    def __str__(self) -> str:
        state = "ok" if self.passed else "FAILED"
        shown = "not tested" if self.value is None else number(self.value)
        place = ", ".join(part for part in (self.study, self.site, self.target) if part)
        return f"{state}: {self.requirement}: {shown} ({place})"


@checked(RequirementError)
def check_run(run: Run, requirements: tuple[Requirement, ...]) -> tuple[Outcome, ...]:
    """Hold a run to requirements.

    Args:
        run: a run.
        requirements: what it has to meet.

    Returns:
        One outcome per requirement and matching cell, and one per check of the run's own.

    Raises:
        RequirementError: a requirement names a column that is not there, or matches no cell: a
            check that can never fail is a mistake, as is one of a column of text.
    """
    outcomes = [
        Outcome(f"{check.name} {check.relation} {check.limit:g}", study.name, "", "",
                check.value, check.passed)
        for study in run.studies
        for check in study.checks
    ]  # fmt: skip
    cells = _cells(run)
    for requirement in requirements:
        matched = [
            (study, site, target, values)
            for study, site, target, values in cells
            if fnmatchcase(site, requirement.site) and fnmatchcase(target, requirement.target)
        ]
        if not cells:
            raise RequirementError(
                f"{requirement} speaks of probed cells, and the run has none: check it without "
                "requirements of your own, its own checks are then held to"
            )
        if not matched:
            sites = ", ".join(dict.fromkeys(site for _, site, _, _ in cells))
            targets = ", ".join(dict.fromkeys(target for _, _, target, _ in cells))
            raise RequirementError(
                f"{requirement} matches no cell: the run has the sites {sites} and the targets "
                f"{targets}; name one of each, or patterns with *"
            )
        known = sorted({name for _, _, _, values in cells for name in values})
        if requirement.column not in known:
            raise RequirementError(
                f"{requirement}: the run has no column {requirement.column!r}; it has "
                f"{', '.join(known)}"
            )
        texts = {v for *_, row in matched if isinstance(v := row.get(requirement.column), str)}
        if texts:
            raise RequirementError(
                f"{requirement}: the column {requirement.column!r} holds text, such as "
                f"{min(texts)!r:.40}, which no number bounds: name a column of numbers, such as "
                "accuracy"
            )
        asked = [cell for cell in matched if not _of_another_kind(requirement.column, cell[3])]
        for study, site, target, values in asked or matched:
            value = values.get(requirement.column)
            outcomes.append(
                Outcome(str(requirement), study, site, target, value, requirement.holds(value))
            )
    return tuple(outcomes)


def _of_another_kind(column: str, row: Mapping[str, Json]) -> bool:
    """Whether the column is a score of classes and the target a number, or the other way round."""
    return column in (CLASS_SCORES if row.get("kind") == "number" else NUMBER_SCORES)


def _cells(run: Run) -> list[tuple[str, str, str, Mapping[str, Json]]]:
    cells: list[tuple[str, str, str, Mapping[str, Json]]] = []
    for study in run.studies:
        compared = {
            (row["site"], row["target"]): row
            for row in study.comparison.to_frame().to_dict("records")
        }
        for row in study.scores.rows:
            site, target = str(row["site"]), str(row["target"])
            extra = {str(k): v for k, v in compared.get((site, target), {}).items()}
            cells.append((study.name, site, target, extra | dict(row)))
    return cells
