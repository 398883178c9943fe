"""Damaged folders of runs: each is refused in one message, or read and reported.

    python benchmarks/fuzz_runs.py                # 1,000 of each kind
    python benchmarks/fuzz_runs.py --n 100000 --seed 7

One file of a folder is damaged; most times the manifest's checksums are made to fit again, so that
what lies behind them is reached. What is read is held to requirements, compared with the whole run
and reported in Markdown and JSON, and now and then as a page. What is counted is explained in
fuzzing.py.
"""

import json
import random
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzzing import JSON_WORDS, Reader, damaged_bytes, damaged_json, damaged_text, main

from linrep.core import Prediction, Subspace
from linrep.reports import (
    Check,
    Requirement,
    Run,
    Scores,
    Study,
    check_run,
    compare,
    compare_runs,
    read_run,
    write_run,
)
from linrep.reports.html import render_html
from linrep.reports.markdown import render_markdown
from linrep.reports.report_json import run_json
from linrep.reports.run_files import DATA, MARK, digest
from linrep.reports.run_json import dumps
from linrep.reports.values import plain

WANTED = (Requirement.from_text("accuracy>=0.5"), Requirement.from_text("accuracy>=0.9@*.1.*"))
SITES = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post")
STUDY = "studies/planted.json"
VALUES = [0.5, "blocks.0.hook_resid_post", "height 1", "yes", "not tested", [0.1, 0.2], [None, 1]]


@dataclass
class Grid:
    """What ``compare`` needs of probe results."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    patterns: dict[tuple[str, str], Subspace] = field(default_factory=dict)
    covariances: dict[str, np.ndarray] = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=lambda: {"word_types": 900})

    def to_frame(self) -> pd.DataFrame:
        """The scores as a table."""
        return pd.DataFrame(self.rows)


def planted() -> Run:
    """A small run with known answers, made without a model."""
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))[0]
    grid = Grid(covariances={site: np.eye(12) for site in SITES})
    for layer, site in enumerate(SITES):
        for height in (1, 2):
            target, written = f"height {height}", layer >= height
            true = Subspace(frame[:, 2 * height : 2 * height + 2])
            grid.rows.append(
                {"site": site, "target": target, "accuracy": 0.9 if written else 0.4, "nll": 0.1}
                | {"interval": (0.3, 0.95), "chance": 0.3, "ceiling": 1.0, "random_weights": 0.4}
                | {"position": 0.3, "control_task": 0.5, "p": 0.01, "q": 0.02, "n_train": 70}
                | {"n_test": 20, "n_classes": 3, "shuffled": 0.3, "codelength": float("nan")}
            )
            grid.patterns[site, target] = true
            grid.predictions.append(
                Prediction(site, target, true, written, "all", 2, None, "P1", "test")
            )
    rows = tuple(
        {str(k): plain(v) for k, v in row.items()} for row in grid.to_frame().to_dict("records")
    )
    spaces = {(p.site, p.target): p.subspace for p in grid.predictions}
    study = Study(
        name="planted",
        question="Is it found?",
        facts={"tokens": 900, "model": "none"},
        scores=Scores(rows, ("a note",), {"seed": 0}),
        comparison=compare(grid, grid.predictions, draws=5),
        checks=(Check("error", 2e-16, "<=", 1e-12, "exact up to rounding"),),
        notes=("one note",),
        subspaces={"learned": grid.patterns, "predicted": spaces},
    )
    return Run("Planted", "What?", {"seed": 0, "heights": [1, 2]}, {"linrep": "test"}, (study,))


def signed(folder: Path) -> None:
    """Make the checksums of a manifest fit, if there still is one."""
    try:
        manifest = json.loads((folder / MARK).read_bytes())
        for name in manifest["files"]:
            manifest["files"][name] = digest((folder / name).read_bytes())
        (folder / MARK).write_text(json.dumps(manifest))
    except (ValueError, KeyError, TypeError, OSError, AttributeError, RecursionError):
        pass


def damaged(name: str, data: bytes, chance: random.Random) -> tuple[bytes, str]:
    """The bytes of one file, damaged as befits it."""
    if name.endswith(".safetensors"):
        size = int.from_bytes(data[:8], "little")
        if chance.random() < 0.7:  # its header is JSON, with JSON inside
            head, done = damaged_json(data[8 : 8 + size].decode(), chance, [*JSON_WORDS, '\\"'])
            return len(head).to_bytes(8, "little") + head + data[8 + size :], f"header: {done}"
        return damaged_bytes(data, chance)
    if name.endswith(".json"):
        return damaged_json(data.decode(), chance, JSON_WORDS, VALUES)
    if chance.random() < 0.3:
        return damaged_bytes(data, chance)
    text, done = damaged_text(data.decode(), chance, [*JSON_WORDS, "&a ", "*a", "- ", ": ", "!!x "])
    return text.encode("utf-8", "surrogatepass"), done


def readers(scratch: Path) -> list[Reader]:
    """The folder of a run with any of its files damaged, the study's most often."""
    whole, copy = write_run(planted(), scratch / "whole"), scratch / "copy"
    before = read_run(whole)
    shutil.copytree(whole, copy)
    names = [MARK, MARK, STUDY, STUDY, STUDY, *DATA]
    spoiled = {MARK}

    def damage(chance: random.Random) -> tuple[Path, str]:
        while spoiled:
            name = spoiled.pop()
            shutil.copyfile(whole / name, copy / name)
        name = chance.choice(names)
        spoiled.update({name, MARK})
        data, done = damaged(name, (whole / name).read_bytes(), chance)
        (copy / name).write_bytes(data)
        if fitting := chance.random() < 0.9:
            signed(copy)
        return copy, f"{name}: {done}{'' if fitting else ', its checksum left'}"

    def read(folder: Path) -> list[Any]:
        run = read_run(folder)
        outcomes = check_run(run, WANTED)
        text = dumps(run_json(run))
        pages = [render_html(run)[:100]] if len(text) % 50 == 0 else []
        compared = repr(compare_runs(before, run))
        return [text, render_markdown(run), compared, [vars(o) for o in outcomes], *pages]

    return [Reader("run folders", damage, read, read(whole))]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
