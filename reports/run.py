"""The run folder: written whole, with its report."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..core import as_path, checked
from .folder import FolderError, fresh_folder
from .record import RecordError, Run
from .run_files import (
    FORMAT,
    MARK,
    SCORES,
    SETTINGS,
    SUBSPACES,
    digest,
    study_file,
)
from .run_json import dumps, study_json
from .values import plain
from .write import report

__all__ = ["write_run"]


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


def _write_data(run: Run, folder: Path) -> None:
    import yaml

    (folder / "studies").mkdir()
    texts = {SETTINGS: yaml.safe_dump(plain(run.settings), sort_keys=False, allow_unicode=True)}
    for study in run.studies:
        texts[study_file(study.name)] = dumps(study_json(study))
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
