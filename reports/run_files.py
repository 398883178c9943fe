"""The files of a run folder: their names, the schema of each, and one error for whatever is wrong.

A run may come from anywhere. So names that a manifest lists are plain names inside the folder,
every file has a schema, and what does not meet it is refused with its place.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..core import LinrepError
from ..core.versions import other_version
from ..probes import Examples
from .by_group import GroupFile
from .classes import Classes
from .pictures import Picture
from .transfer_file import TransferFile
from .values import score_column

__all__ = [
    "DATA",
    "FORMAT",
    "MARK",
    "MORE_REPORTS",
    "REMEDY",
    "REPORTS",
    "SCHEMA",
    "SCORES",
    "SETTINGS",
    "SUBSPACES",
    "FolderError",
    "ManifestFile",
    "StudyFile",
    "digest",
    "members",
    "parsed",
    "read_json",
    "read_manifest",
    "study_file",
]

FORMAT: Final = 1
SCHEMA: Final = "linrep report 1"
"""Name and number of what ``report.json`` holds: its first entry."""

MARK: Final = "manifest.json"
"""The file that makes a folder a run."""

SUBSPACES: Final = "subspaces.safetensors"
SETTINGS: Final = "settings.yaml"
SCORES: Final = "scores.csv"
REPORTS: Final = ("report.html", "report.md", "report.json")
MORE_REPORTS: Final = ("card.md", "report.pdf", "report.png")
"""Reports that are written only when they are asked for."""
DATA: Final = (SETTINGS, SCORES, SUBSPACES)
REMEDY: Final = "give a folder that linrep demo, probe or run wrote, or make the run again"

Made = TypeVar("Made")
Model = TypeVar("Model", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[^./\\|\x00][^/\\|\x00]*$")]


class FolderError(LinrepError):
    """A folder cannot be written to, or does not hold what it should."""


class _File(BaseModel):
    """What a file holds; more than that is refused, so that nothing is read past."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ManifestFile(_File):
    """``manifest.json``."""

    format: Literal[1]
    title: str
    question: str
    studies: Annotated[list[Name], Field(min_length=1)]
    made_with: dict[str, Any]
    files: dict[str, str]


class CheckFile(_File):
    """A number that had to be reached."""

    name: str
    value: float | None
    relation: Literal["<=", ">="]
    limit: float
    meaning: str


class _ScoreRow(BaseModel):
    """What every row of scores has; the other columns are plain values of any name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, bool | int | float | str | list[float | None] | None]

    site: str
    target: str
    kind: Literal["class", "number"] | None = None
    accuracy: float | None = None
    r2: float | None = None
    interval: Annotated[list[float | None], Field(min_length=2, max_length=2)] | None = None


def _as_it_is(row: dict[str, Any]) -> dict[str, Any]:
    """Checked, with its columns in their order.

    Raises:
        ValueError: it has no score.
    """
    _ScoreRow.model_validate(row)
    if row.get(score_column(row)) is None and score_column(row) == "accuracy":
        raise ValueError("a row of scores has an accuracy, or kind 'number'")
    return row


class ScoresFile(_File):
    """The grid of probes."""

    rows: list[Annotated[dict[str, Any], AfterValidator(_as_it_is)]]
    notes: list[str]
    settings: dict[str, Any]
    by_group: dict[str, GroupFile] = {}


class VerdictFile(_File):
    """One rung."""

    state: Literal["yes", "no", "not tested"]
    reason: str
    instead: str = ""


class RowFile(_File):
    """One (site, target) of the comparison."""

    site: str
    target: str
    verdicts: dict[Literal["decodable", "selective", "aligned", "causal"], VerdictFile] = Field(
        min_length=4
    )
    subspaces: dict[str, bool | int | float | str | None] | None
    predicted_accuracy: float | None
    predicted_rank: int | None
    claim: str
    source: str
    exchange: dict[str, bool | int | float | str | None] | None = None
    predicted_use: bool | None = None
    tied: str = ""
    own: bool = True
    through: dict[str, int | float | str | None] | None = None


class ComparisonFile(_File):
    """Learned beside predicted."""

    rows: list[RowFile]
    settings: dict[str, Any]


class StudyFile(_File):
    """``studies/NAME.json``."""

    name: Name
    question: str
    facts: dict[str, Any]
    checks: list[CheckFile]
    scores: ScoresFile
    comparison: ComparisonFile
    notes: list[str]
    trees: list[str] = []
    erased: list[dict[str, int | float | str | None]] = []
    steered: list[dict[str, int | float | str | None]] = []
    invariants: list[dict[str, float | str | None]] = []
    piece: str = "token"
    names: dict[str, str] = {}
    transfers: list[TransferFile] = []
    pictures: tuple[Picture, ...] = ()
    examples: Examples | None = None
    classes: tuple[Classes, ...] = ()


def study_file(name: str) -> str:
    """Name of a study's file inside the folder."""
    return f"studies/{name}.json"


def digest(data: bytes) -> str:
    """SHA-256, as the manifest lists it."""
    return hashlib.sha256(data).hexdigest()


def parsed(file: Path, make: Callable[[bytes], Made]) -> Made:
    """What a file holds, or one error that names it, whatever is wrong with it.

    Args:
        file: the file.
        make: from its bytes to what it holds; any exception means that it holds something else.

    Raises:
        FolderError: it cannot be read, or holds something else.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FolderError(f"cannot read {file}: {error.strerror}: {REMEDY}") from None
    try:
        return make(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FolderError(
            f"{file} does not hold what it should: {place:.200}: {first['msg']:.300}; received "
            f"{first['input']!r:.60}: {REMEDY}"
        ) from None
    except FolderError:
        raise
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FolderError(f"{file} is not JSON ({error}): {REMEDY}") from None
    except LinrepError as error:
        raise FolderError(f"{file} does not hold what it should: {error}: {REMEDY}") from None
    except Exception as error:  # a file from anywhere breaks its parser in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FolderError(
            f"{file} does not hold what it should ({reason:.200}): {REMEDY}"
        ) from None


def read_json(file: Path, schema: type[Model]) -> Model:
    """A JSON file that meets its schema.

    Raises:
        FolderError: it does not.
    """
    return parsed(file, lambda data: schema.model_validate(json.loads(data.decode("utf-8"))))


def read_manifest(folder: Path) -> ManifestFile:
    """The manifest of a run folder; the files that it lists are those of a run.

    Raises:
        FolderError: there is none, or it is that of something else.
    """
    mark = folder / MARK
    if not mark.is_file():
        raise FolderError(_no_run(folder))
    raw = parsed(mark, lambda data: json.loads(data.decode("utf-8")))
    if not isinstance(raw, dict) or "format" not in raw:
        raise FolderError(
            f"{mark} is not the manifest of a run: a JSON object with "
            f"{', '.join(ManifestFile.model_fields)} was expected; received {raw!r:.60}: {REMEDY}"
        )
    if (written := raw["format"]) != FORMAT:
        known = isinstance(written, int)
        raise FolderError(
            f"{folder} holds a run of format {written!r:.40}; this linrep reads format {FORMAT}: "
            f"{other_version(written, FORMAT) + ', or make the run again' if known else REMEDY}"
        )
    manifest = read_json(mark, ManifestFile)
    expected = {*DATA, *map(study_file, manifest.studies)}
    if set(manifest.files) != expected:
        odd = sorted(set(manifest.files) ^ expected)
        raise FolderError(
            f"{mark} lists other files than a run has: {', '.join(odd)[:200]} is missing or too "
            f"much: {REMEDY}"
        )
    return manifest


def members(folder: Path) -> frozenset[str]:
    """Names of all files that a run keeps in its folder, reports included.

    Raises:
        FolderError: the folder holds no run.
    """
    return frozenset({MARK, *REPORTS, *MORE_REPORTS, *read_manifest(folder).files})


def _no_run(folder: Path) -> str:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        return f"{folder} {what}; the folder of a run was expected: {REMEDY}"
    return (
        f"{folder} holds no run: a folder with {MARK} was expected, as linrep demo, probe and "
        "run write it"
    )
