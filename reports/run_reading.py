"""The run folder, read back without the model."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..core import (
    CellScore,
    ErasedRow,
    Invariant,
    SteeredRow,
    Subspace,
    as_path,
    checked,
    read_yaml,
)
from ..probes import Moved, Transfer
from .comparison import ComparedSubspaces, Comparison, Row
from .folder import FolderError
from .record import Check, RecordError, Run, Scores, Study
from .run_files import (
    SETTINGS,
    SUBSPACES,
    StudyFile,
    digest,
    parsed,
    read_json,
    read_manifest,
    study_file,
)
from .through import Through
from .transfer_file import TransferFile
from .verdicts import RUNGS, Verdict, Verdicts

__all__ = ["read_run"]

SPACES = TypeAdapter(ComparedSubspaces)
EXCHANGE = TypeAdapter(CellScore)
THROUGH = TypeAdapter(Through)
ERASED = TypeAdapter(ErasedRow)
INVARIANT = TypeAdapter(Invariant)
STEERED = TypeAdapter(SteeredRow)


@checked(RecordError)
def read_run(path: str | os.PathLike[str]) -> Run:
    """Read a run folder; every file is checked against the checksum in its manifest.

    Args:
        path: a folder that :func:`write_run` made.

    Returns:
        The run, equal to the one written.

    Raises:
        FolderError: the folder holds no run, one of another format, or a damaged file.
    """
    folder = as_path(path)
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise FolderError(f"the run {folder} lacks its file {name}; make the run again")
        if digest(file.read_bytes()) != expected:
            raise FolderError(
                f"{file} is not what the run wrote (its checksum differs): restore it or make the "
                "run again"
            )
    spaces = parsed(folder / SUBSPACES, _read_subspaces)
    settings = parsed(
        folder / SETTINGS, lambda data: _mapping(read_yaml(data.decode("utf-8"), "it"))
    )
    try:
        studies = tuple(
            _study(read_json(folder / study_file(name), StudyFile), spaces)
            for name in manifest.studies
        )
        return Run(manifest.title, manifest.question, settings, manifest.made_with, studies)
    except (RecordError, ValidationError, KeyError) as error:
        raise FolderError(f"the run {folder} contradicts itself: {error}; make it again") from None


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FolderError(f"settings are a mapping; received {type(value).__name__}")
    return value


def _study(data: StudyFile, spaces: Mapping[str, Any]) -> Study:
    rows = tuple(_row(row.model_dump()) for row in data.comparison.rows)
    return Study(
        name=data.name,
        question=data.question,
        facts=data.facts,
        scores=Scores(
            tuple(data.scores.rows),
            tuple(data.scores.notes),
            data.scores.settings,
            {target: one.record() for target, one in data.scores.by_group.items()},
        ),
        comparison=Comparison(rows, data.comparison.settings),
        checks=tuple(Check(**_nan(check.model_dump(), "value")) for check in data.checks),
        notes=tuple(data.notes),
        subspaces=spaces.get(data.name, {}),
        trees=tuple(data.trees),
        erased=tuple(ERASED.validate_python(_nans(row)) for row in data.erased),
        steered=tuple(STEERED.validate_python(_nans(row)) for row in data.steered),
        invariants=tuple(INVARIANT.validate_python(_nans(row)) for row in data.invariants),
        piece=data.piece,
        names=data.names,
        transfers=tuple(_transfer(moved) for moved in data.transfers),
        pictures=data.pictures,
        examples=data.examples,
        classes=data.classes,
    )


def _transfer(data: TransferFile) -> Transfer:
    """A transfer; JSON has no NaN, which stands for what was not measured."""
    rows = []
    for row in data.rows:
        kept = row.model_dump()
        empty = {name: float("nan") for name, value in kept.items() if value is None}
        rows.append(Moved(**(kept | empty)))
    cosines = {site: np.array(table, dtype=float) for site, table in data.cosines.items()}
    return Transfer(data.target, tuple(rows), tuple(data.names), cosines)


def _row(data: Mapping[str, Any]) -> Row:
    verdicts = Verdicts(**{name: Verdict(**data["verdicts"][name]) for name in RUNGS})
    found = data["subspaces"]
    if found is not None:
        found = SPACES.validate_python(_nan(found, "angle_max"))
    done = data["exchange"]
    if done is not None:
        done = EXCHANGE.validate_python(_nans(done))
    said = data["through"]
    if said is not None:
        said = THROUGH.validate_python(said)
    made = {"verdicts": verdicts, "subspaces": found, "exchange": done, "through": said}
    return Row(**(dict(data) | made))


def _nans(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN; give it back to the fields that may be it."""
    return {name: float("nan") if value is None else value for name, value in data.items()}


def _nan(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """JSON has no NaN; give it back to the one field that may be it."""
    return dict(data) | {name: float("nan") if data[name] is None else data[name]}


def _read_subspaces(
    data: bytes,
) -> Mapping[str, Mapping[str, Mapping[tuple[str, str], Subspace]]]:
    from safetensors.numpy import load

    arrays = load(data)
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    spaces: dict[str, dict[str, dict[tuple[str, str], Subspace]]] = {}
    for number, entry in enumerate(json.loads(metadata["index"])):
        words: list[Any] = [str(word) for word in entry]
        study, side, site, target, kind, provenance = words
        cells = spaces.setdefault(study, {}).setdefault(side, {})
        cells[site, target] = Subspace(arrays[f"{number:06d}"], kind, provenance)
    return spaces
