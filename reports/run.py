"""The run folder: written whole, read back without the model."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..core import Subspace
from .comparison import ComparedSubspaces, Comparison, Row
from .folder import MARK, FolderError, fresh_folder
from .record import Check, Run, Scores, Study
from .values import plain
from .verdicts import RUNGS, Verdict, Verdicts

__all__ = ["dumps", "read_run", "run_json", "write_run"]

FORMAT: Final = 1
SUBSPACES: Final = "subspaces.safetensors"
SETTINGS: Final = "settings.yaml"
FIELDS: Final = {
    "format": int, "title": str, "question": str, "studies": list, "made_with": dict, "files": dict,
}  # fmt: skip
REMEDY: Final = "give a folder that linrep demo, probe or run wrote, or make the run again"


def write_run(run: Run, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a run and its report to a folder that appears complete or not at all.

    The bytes depend on the run alone: no clock, no machine's paths.

    Args:
        run: what to write.
        path: a folder that does not exist yet, or is empty.
        overwrite: replace a run that stands there.

    Returns:
        The folder.

    Raises:
        FolderError: something else is there already.
    """
    from .write import report

    with fresh_folder(path, overwrite=overwrite) as folder:
        _write_data(run, folder)
        for suffix in ("html", "md", "json"):
            report(run, folder / f"report.{suffix}")
    return Path(path).expanduser().absolute()


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read a run folder; every file is checked against the checksum in its manifest.

    Args:
        path: a folder that :func:`write_run` made.

    Returns:
        The run, equal to the one written.

    Raises:
        FolderError: the folder holds no run, one of another format, or a damaged file.
    """
    folder = Path(path).expanduser()
    manifest = _manifest(folder)
    for name, digest in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise FolderError(f"the run {folder} lacks its file {name}; make the run again")
        if _digest(file.read_bytes()) != digest:
            raise FolderError(
                f"{file} is not what the run wrote (its checksum differs): restore it or make the "
                "run again"
            )
    spaces = _read_subspaces(folder / SUBSPACES)
    studies = [
        _study(json.loads((folder / "studies" / f"{name}.json").read_text("utf-8")), spaces)
        for name in manifest["studies"]
    ]
    import yaml

    settings = yaml.safe_load((folder / SETTINGS).read_text("utf-8"))
    return Run(
        manifest["title"], manifest["question"], settings, manifest["made_with"], tuple(studies)
    )


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
        texts[f"studies/{study.name}.json"] = dumps(_study_json(study))
    texts["scores.csv"] = _csv(run)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    _write_subspaces(run, folder / SUBSPACES)
    files = {name: _digest((folder / name).read_bytes()) for name in [*sorted(texts), SUBSPACES]}
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


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(folder: Path) -> dict[str, Any]:
    mark = folder / MARK
    if not mark.is_file():
        raise FolderError(
            f"{folder} holds no run: a folder with {MARK} was expected, as linrep demo, probe and "
            "run write it"
        )
    try:
        manifest = json.loads(mark.read_text("utf-8"))
    except ValueError as error:
        raise FolderError(f"{mark} is not JSON ({error}): {REMEDY}") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise FolderError(
            f"{mark} is not the manifest of a run: a JSON object with {', '.join(FIELDS)} was "
            f"expected; received {_short(manifest)}: {REMEDY}"
        )
    if manifest["format"] != FORMAT:
        raise FolderError(
            f"{folder} holds a run of format {_short(manifest['format'])}; this linrep reads "
            f"format {FORMAT}: make the run again, or read it with the linrep that wrote it"
        )
    wrong = [name for name, kind in FIELDS.items() if not isinstance(manifest.get(name), kind)]
    if wrong:
        raise FolderError(f"{mark} lacks {', '.join(wrong)}, or holds no such thing: {REMEDY}")
    return manifest


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


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
    return vars(row) | {"verdicts": verdicts, "subspaces": found}


def _study(data: Mapping[str, Any], spaces: Mapping[str, Any]) -> Study:
    scores, comparison = data["scores"], data["comparison"]
    return Study(
        name=data["name"],
        question=data["question"],
        facts=data["facts"],
        scores=Scores(tuple(scores["rows"]), tuple(scores["notes"]), scores["settings"]),
        comparison=Comparison(
            tuple(_row(row) for row in comparison["rows"]), comparison["settings"]
        ),
        checks=tuple(Check(**_nan(check, "value")) for check in data["checks"]),
        notes=tuple(data["notes"]),
        subspaces=spaces.get(data["name"], {}),
    )


def _row(data: Mapping[str, Any]) -> Row:
    verdicts = Verdicts(**{name: Verdict(**data["verdicts"][name]) for name in RUNGS})
    found = data["subspaces"]
    if found is not None:
        found = ComparedSubspaces(**_nan(found, "angle_max"))
    return Row(**(dict(data) | {"verdicts": verdicts, "subspaces": found}))


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


def _read_subspaces(file: Path) -> Mapping[str, Mapping[str, Mapping[tuple[str, str], Subspace]]]:
    from safetensors import safe_open

    spaces: dict[str, dict[str, dict[tuple[str, str], Subspace]]] = {}
    with safe_open(file, framework="numpy") as store:
        for number, entry in enumerate(json.loads(store.metadata()["index"])):
            study, side, site, target, kind, provenance = entry
            basis = store.get_tensor(f"{number:06d}")
            cells = spaces.setdefault(study, {}).setdefault(side, {})
            cells[site, target] = Subspace(basis, kind, provenance)
    return spaces
