"""Two runs beside each other as one page, as Markdown and as JSON."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core import as_path, checked
from .differing import CHANGE_COLUMNS, HOW, SidesOfRuns, beside
from .markdown_parts import as_bullets, as_table, as_text
from .pages import templates
from .pairing import DRAWS, LEVEL
from .record import Run
from .regression import RegressionError
from .run_json import dumps
from .run_reading import read_run
from .write import destination, write_whole

__all__ = [
    "SUFFIXES",
    "DifferenceFile",
    "difference_json",
    "report_difference",
    "write_difference",
]

SUFFIXES: Final = (".html", ".md", ".json")
Cell = tuple[str, str, str]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ChangeFile(_Closed):
    """One (study, site, target) in both runs; differences are the later less the earlier."""

    study: str
    site: str
    target: str
    before: float | None = Field(description="score of the earlier run: accuracy, R2 of numbers.")
    after: float | None = Field(description="score of the later run.")
    difference: float | None
    apart: bool | None = Field(
        description="whether the two intervals are disjoint; no test; null without intervals."
    )
    rung_before: int | None = Field(
        description="highest rung reached, 0 to 4; null where it was not compared."
    )
    rung_after: int | None
    p: float | None = Field(description="holds for all cells together; null where not tested.")
    low: float | None = Field(description="95 % interval of this cell's difference alone.")
    high: float | None
    groups: int = Field(description="test groups that both scored.")
    differ: int = Field(description="of these, groups in which the runs differ.")
    why: str = Field(description="why it was not tested.")
    answer: Literal["higher", "lower", "no difference shown", "not tested"]


class DifferenceFile(_Closed):
    """Two runs beside each other: what ``linrep compare A B --out FILE.json`` writes."""

    format: Literal["linrep comparison 1"] = Field(alias="schema")
    before: str = Field(description="title of the earlier run.")
    after: str = Field(description="title of the later run.")
    level: float = Field(description="chance of one false difference, over all cells together.")
    draws: int = Field(description="of the test.")
    found: list[str] = Field(description="what differs, in sentences.")
    changes: list[ChangeFile] = Field(description="one for each cell of both.")
    only_before: list[Cell] = Field(description="(study, site, target) of the earlier run alone.")
    only_after: list[Cell] = Field(description="of the later run alone.")
    facts: list[tuple[str, str, str]] = Field(description="what differs of language, model, data.")
    settings: dict[str, tuple[Any, Any]] = Field(description="settings that differ.")


@checked(RegressionError)
def report_difference(
    before: Run | str | os.PathLike[str],
    after: Run | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
) -> Path:
    """Write what differs between two runs; no model is needed.

    Args:
        before: the earlier :class:`Run`, or its folder.
        after: the later one.
        path: where to write: ``.html`` is one self-contained page; ``.md`` and ``.json`` say the
            same. An existing file is replaced whole.
        seed: of the draws of the test.

    Returns:
        The file written.

    Raises:
        RegressionError: the runs have nothing in common.
        ReportError: the suffix is none of these, or something stands in the way.
    """
    out = destination(as_path(path), SUFFIXES)
    runs = [one if isinstance(one, Run) else read_run(one) for one in (before, after)]
    return write_difference(beside(*runs, seed=seed), out)


def write_difference(sides: SidesOfRuns, path: Path) -> Path:
    """Write two runs that lie beside each other.

    Args:
        sides: the two runs.
        path: ``.html``, ``.md`` or ``.json``.

    Raises:
        ReportError: the suffix is none of these, or something stands in the way.
    """
    out = destination(path, SUFFIXES)
    made = {".html": _html, ".md": _markdown, ".json": _json}
    write_whole(out, made[out.suffix](sides))
    return out


def difference_json(sides: SidesOfRuns) -> dict[str, Any]:
    """Everything that the page says, as JSON-able data.

    Args:
        sides: the two runs.
    """
    found = sides.found
    return {
        "schema": "linrep comparison 1",
        "before": sides.before.title,
        "after": sides.after.title,
        "level": LEVEL,
        "draws": DRAWS,
        "found": sides.sentences,
        "changes": [asdict(each) | {"answer": each.answer} for each in found.changes],
        "only_before": found.only_before,
        "only_after": found.only_after,
        "facts": sides.facts,
        "settings": found.settings,
    }


def _json(sides: SidesOfRuns) -> str:
    return dumps(difference_json(sides))


def _html(sides: SidesOfRuns) -> str:
    return templates().get_template("difference.html").render(
        sides=sides, how=HOW, columns=CHANGE_COLUMNS,
    )  # fmt: skip


def _markdown(sides: SidesOfRuns) -> str:
    parts = ["# Two runs beside each other", " ".join(sides.sentences)]
    parts += [as_table(["", "A, the earlier run", "B, the later run"], sides.facts)]
    for one in sides.maps:
        lines = sides.lines(one["study"])
        parts += [f"## {one['study']}", as_table(CHANGE_COLUMNS, lines)]
    for head, cells in (("A", sides.found.only_before), ("B", sides.found.only_after)):
        if cells:
            parts += [f"## Only in {head}", as_bullets(", ".join(cell) for cell in cells)]
    if sides.settings:
        parts += ["## Settings that differ", as_table(["setting", "A", "B"], sides.settings)]
    return as_text([*parts, "## How it was compared", HOW])
