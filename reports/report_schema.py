"""``report.json``: its schema, typed to the last column, published as JSON Schema.

A reader checks ``schema`` first. A field with a default may be added under the same number; the
number rises when one is removed, renamed, or means something else.
"""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from ..core import CellScore, ErasedRow, Invariant, SteeredRow, checked
from ..probes import Score
from .described import described
from .difference_page import DifferenceFile
from .errors import RecordError
from .meeting import ComparedSubspaces
from .run_files import (
    CheckFile,
    ComparisonFile,
    RowFile,
    StudyFile,
)
from .through import Through

__all__ = ["ReportFile", "SchemaOf", "known_file", "report_schema"]

SchemaOf = Literal["report", "comparison"]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Open(BaseModel):
    """Further columns are plain values of any name."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, bool | int | float | str | list[float | None] | None]


class _ScoreColumns(_Open):
    accuracy: float | None = Field(
        default=None, description="share of the test tokens that are right; null for numbers."
    )
    share: float | None = Field(
        default=None, description="share of the way from chance to the ceiling."
    )
    kind: Literal["class", "number"] | None = Field(
        default=None, description='"class" or "number"; null is "class".'
    )


ScoreRow: Final = described(Score, "ScoreRow", _ScoreColumns)
Exchanged: Final = described(CellScore, "Exchange", _Closed)
Compared: Final = described(ComparedSubspaces, "Subspaces", _Closed)
Carried: Final = described(Through, "Through", _Closed)
Erased: Final = described(ErasedRow, "Erased", _Closed)
Steered: Final = described(SteeredRow, "Steered", _Closed)
Constant: Final = described(Invariant, "Invariant", _Closed)


def _typed(name: str, base: type[BaseModel], about: str, **entries: Any) -> type[BaseModel]:
    """A file's schema with typed rows in it."""
    return create_model(name, __base__=base, __doc__=about, **entries)


ComparedRow: Final = _typed(
    "ComparedRow", RowFile, "One (site, target): verdicts, and learned beside predicted.",
    subspaces=(Compared | None, Field(description="null where theory predicts no place.")),
    exchange=(Exchanged | None, Field(None, description="what an exchange of states did.")),
    through=(Carried | None, Field(None, description="the map from another basis.")),
)  # fmt: skip


class ReportedScores(_Closed):
    """The grid of probes."""

    rows: list[ScoreRow] = Field(description="one for each (site, target).")  # type: ignore[valid-type]
    notes: list[str] = Field(description="what was not tested or left out, and why.")
    settings: dict[str, Any] = Field(description="of the probes.")


ReportedComparison: Final = _typed(
    "Comparison", ComparisonFile, "Learned beside predicted.",
    rows=(list[ComparedRow], Field(description="in the order of the scores.")),  # type: ignore[valid-type]
)  # fmt: skip


class ReportedCheck(CheckFile):
    """A number that had to be reached."""

    passed: bool = Field(description="whether it was.")


ReportedStudy: Final = _typed(
    "Study", StudyFile, "One question put to one model.",
    found=(list[str], Field(description="what was found, in sentences made from the verdicts.")),
    checks=(list[ReportedCheck], Field(description="numbers that had to be reached.")),
    scores=(ReportedScores, Field(description="the grid of probes.")),
    comparison=(ReportedComparison, Field(description="the verdicts, and what they rest on.")),
    erased=(list[Erased], Field([], description="what erasing did.")),  # type: ignore[valid-type]
    steered=(list[Steered], Field([], description="what steering did.")),  # type: ignore[valid-type]
    invariants=(list[Constant], Field([], description="what holds in any basis.")),  # type: ignore[valid-type]
)  # fmt: skip


class ReportFile(_Closed):
    """``report.json``: everything that the page of a run says, for machines."""

    format: Literal["linrep report 1"] = Field(
        alias="schema", description="name and number of this format."
    )
    title: str = Field(description="heading of the page.")
    question: str = Field(description="what was asked, in plain words.")
    passed: bool = Field(description="whether every check of every study holds.")
    settings: dict[str, Any] = Field(description="the experiment, as settings.yaml has it.")
    made_with: dict[str, Any] = Field(description="versions, fingerprints, seeds.")
    studies: Annotated[list[ReportedStudy], Field(min_length=1)] = Field(  # type: ignore[valid-type]
        description="one or more, of different names."
    )
    untested: list[str] = Field(description="what was not tested: a line for each rung.")
    reasons: list[str] = Field(description="why, each reason once, with the cells concerned.")
    remedies: list[str] = Field(description="what would change an answer, the commonest first.")
    notes: list[str] = Field(description="all notes of the page, each once.")
    citation: str = Field(description="BibTeX of this page.")
    commands: dict[str, str] = Field(description="how the page is made again: command, meaning.")
    words: dict[str, str] = Field(description="words used, and what they mean.")


@checked(RecordError)
def report_schema(of: SchemaOf = "report") -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file that linrep writes for machines.

    Args:
        of: ``report``: ``report.json``; ``comparison``: two runs beside each other
            (:func:`linrep.report_difference`).

    >>> [report_schema(of)["properties"]["schema"]["const"] for of in ("report", "comparison")]
    ['linrep report 1', 'linrep comparison 1']
    """
    model: type[BaseModel] = ReportFile if of == "report" else DifferenceFile
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:linrep:{of}:1",
        **model.model_json_schema(by_alias=True),
    }


def known_file(asked: str) -> SchemaOf:
    """A file that has a schema, by its name.

    Args:
        asked: ``report`` or ``comparison``.

    Raises:
        RecordError: there is no such file.
    """
    for name in get_args(SchemaOf):
        if asked == name:
            found: SchemaOf = name
            return found
    raise RecordError(
        f"schemas are those of {' and '.join(get_args(SchemaOf))}; received {asked!r:.60}"
    )
