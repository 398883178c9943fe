"""The run folder: written whole, read back without the model."""

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..core import CellScore, Subspace, as_path, checked, read_yaml
from .comparison import ComparedSubspaces, Comparison, Row
from .folder import FolderError, fresh_folder
from .record import Check, RecordError, Run, Scores, Study
from .run_files import (
    FORMAT,
    MARK,
    SCORES,
    SETTINGS,
    SUBSPACES,
    StudyFile,
    digest,
    parsed,
    read_json,
    read_manifest,
    study_file,
)
from .values import plain
from .verdicts import RUNGS, Verdict, Verdicts

__all__ = ["dumps", "read_run", "run_json", "write_run"]

SPACES = TypeAdapter(ComparedSubspaces)
EXCHANGE = TypeAdapter(CellScore)


@checked(RecordError)
def write_run(run: Any, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a run and its report to a folder that appears complete or not at all.

    The bytes depend on the run alone: no clock, no machine's paths.

    Args:
        run: the :class:`Run` to write.
        path: a folder that does not exist yet, or is empty.
        overwrite: replace a run that stands there.

    Returns:
        The folder.

    Raises:
        FolderError: something else is there already, or what was given is no run.
    """
    from .write import report

    if not isinstance(run, Run):
        raise FolderError(
            f"a run is written; received {type(run).__name__}: linrep.experiments.run_experiment "
            "makes runs"
        )
    with fresh_folder(path, overwrite=overwrite) as folder:
        _write_data(run, folder)
        for suffix in ("html", "md", "json"):
            report(run, folder / f"report.{suffix}")
    return as_path(path).absolute()


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


def run_json(run: Run) -> dict[str, object]:
    """Everything a report shows, as JSON-able data."""
    return {
        "title": run.title,
        "question": run.question,
        "passed": run.passed,
        "settings": run.settings,
        "made_with": run.manifest,
        "studies": [_study_json(study) for study in run.studies],
    }


def _write_data(run: Run, folder: Path) -> None:
    import yaml

    (folder / "studies").mkdir()
    texts = {SETTINGS: yaml.safe_dump(plain(run.settings), sort_keys=False, allow_unicode=True)}
    for study in run.studies:
        texts[study_file(study.name)] = dumps(_study_json(study))
    texts[SCORES] = _csv(run)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    _write_subspaces(run, folder / SUBSPACES)
    files = {name: digest((folder / name).read_bytes()) for name in [*sorted(texts), SUBSPACES]}
    manifest = {
        "format": FORMAT,
        "title": run.title,
        "question": run.question,
        "studies": [study.name for study in run.studies],
        "made_with": plain(run.manifest),
        "files": files,
    }
    (folder / MARK).write_text(dumps(manifest), encoding="utf-8")


def dumps(value: object) -> str:
    """JSON as runs write it: indented, UTF-8, no NaN."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(run: Run) -> str:
    """All score rows as a spreadsheet; an interval becomes two columns."""
    rows = []
    for study, row in run.rows():
        flat: dict[str, object] = {"study": study.name}
        for name, value in row.items():
            if name == "interval":
                low, high = value if isinstance(value, list) else (None, None)
                flat |= {"interval_low": low, "interval_high": high}
            else:
                flat[name] = value
        rows.append(flat)
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _study_json(study: Study) -> dict[str, object]:
    return {
        "name": study.name,
        "question": study.question,
        "facts": study.facts,
        "checks": [vars(check) for check in study.checks],
        "scores": {
            "rows": study.scores.rows,
            "notes": study.scores.notes,
            "settings": study.scores.settings,
        },
        "comparison": {
            "rows": [_row_json(row) for row in study.comparison.rows],
            "settings": study.comparison.settings,
        },
        "notes": study.notes,
    }


def _row_json(row: Row) -> dict[str, object]:
    found = None if row.subspaces is None else vars(row.subspaces)
    verdicts = {name: vars(getattr(row.verdicts, name)) for name in RUNGS}
    done = None if row.exchange is None else vars(row.exchange)
    return vars(row) | {"verdicts": verdicts, "subspaces": found, "exchange": done}


def _study(data: StudyFile, spaces: Mapping[str, Any]) -> Study:
    rows = tuple(_row(row.model_dump()) for row in data.comparison.rows)
    return Study(
        name=data.name,
        question=data.question,
        facts=data.facts,
        scores=Scores(tuple(data.scores.rows), tuple(data.scores.notes), data.scores.settings),
        comparison=Comparison(rows, data.comparison.settings),
        checks=tuple(Check(**_nan(check.model_dump(), "value")) for check in data.checks),
        notes=tuple(data.notes),
        subspaces=spaces.get(data.name, {}),
    )


def _row(data: Mapping[str, Any]) -> Row:
    verdicts = Verdicts(**{name: Verdict(**data["verdicts"][name]) for name in RUNGS})
    found = data["subspaces"]
    if found is not None:
        found = SPACES.validate_python(_nan(found, "angle_max"))
    done = data["exchange"]
    if done is not None:
        empty = {name: float("nan") for name, value in done.items() if value is None}
        done = EXCHANGE.validate_python(dict(done) | empty)
    return Row(**(dict(data) | {"verdicts": verdicts, "subspaces": found, "exchange": done}))


def _nan(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """JSON has no NaN; give it back to the one field that may be it."""
    return dict(data) | {name: float("nan") if data[name] is None else data[name]}


def _write_subspaces(run: Run, file: Path) -> None:
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    index: list[list[str]] = []
    for study in run.studies:
        for side, spaces in sorted(study.subspaces.items()):
            for (site, target), space in spaces.items():
                key = f"{len(index):06d}"
                arrays[key] = space.basis.copy(order="C")
                index.append([study.name, side, site, target, space.kind, space.provenance])
    # one metadata entry only: the order of several is not fixed, and runs are equal to the byte
    written = save(arrays, metadata={"index": json.dumps(index, ensure_ascii=False)})
    file.write_bytes(written)  # `save_file` would make it unreadable for others


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
