"""The same training at every point of a grid, on any engine; what is finished is not done again."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import pandas as pd
import torch

from ..core import Engine, as_path, checked, progress, running, writing
from ..models import TrainingError, train
from .languages import make_grammar
from .settings_base import SettingsError
from .sweep_settings import SweepSettings

__all__ = ["SweepRow", "SweepTable", "run_sweep"]

TABLE = "sweep.json"


@final
@checked(SettingsError)
@dataclass(frozen=True)
class SweepRow:
    """One training of a sweep.

    Args:
        name: of its folder.
        architecture: ``plain``, ``gpt2`` or ``llama``.
        depth: blocks.
        width: of the stream.
        seed: of sample, weights and order.
        steps: done.
        loss: mean cross-entropy of the last measured steps, nats per token.
        kl: at the end, nats per token; ``None`` where the language gives no exact distribution.
        floor: entropy of the exact distributions, nats per token.
        seconds: wall time of the training, from where it was resumed.
    """

    name: str
    architecture: str
    depth: int
    width: int
    seed: int
    steps: int
    loss: float
    kl: float | None
    floor: float | None
    seconds: float


@final
@checked(SettingsError)
@dataclass(frozen=True)
class SweepTable:
    """The trainings of a sweep, in the order of the grid.

    Args:
        rows: one per training.
        folder: where each has a folder of its name.

    >>> row = SweepRow("plain-d1-w64-s0", "plain", 1, 64, 0, 100, 0.5, 0.01, 0.49, 2.0)
    >>> SweepTable((row,), "runs/sweep").to_frame()[["depth", "steps", "kl"]]
       depth  steps    kl
    0      1    100  0.01
    """

    rows: tuple[SweepRow, ...]
    folder: str

    def to_frame(self) -> pd.DataFrame:
        """A table with a row per training."""
        return pd.DataFrame(
            [asdict(row) for row in self.rows], columns=list(SweepRow.__dataclass_fields__)
        )


@dataclass(frozen=True)
class _Job:
    """One training, as a worker gets it."""

    settings: SweepSettings
    point: dict[str, Any]
    folder: Path


@checked(SettingsError)
def run_sweep(
    settings: SweepSettings,
    folder: str | os.PathLike[str],
    *,
    engine: str | Engine = "local",
) -> SweepTable:
    """Train at every point of a grid; each training is a folder of its own, below the given one.

    Called again, it skips what is finished, goes on with what was interrupted, and begins what is
    new (a larger grid). Each training runs on one thread, so that it ends in the same bytes on
    every engine.

    Args:
        settings: language, training and grid.
        folder: where the trainings go, and ``sweep.json`` with the table.
        engine: ``local``, ``processes:N``, ``ray``, ``ray://host:port`` or a running engine.

    Returns:
        The table.

    Raises:
        SettingsError: the folder holds something else, or a training of other settings.
    """
    out = as_path(folder).absolute()
    _refuse_strangers(out)
    jobs = [_Job(settings, point, out) for point in settings.points]
    found: dict[int, SweepRow] = {}
    for i, job in enumerate(jobs):
        if (row := _read_row(job)) is not None:
            found[i] = row
    todo = [i for i in range(len(jobs)) if i not in found]
    if todo:
        make_grammar(settings.language)  # a slip of the pen shows before anything is made
    with writing("the sweep", out.parent):
        out.mkdir(parents=True, exist_ok=True)
    with running(engine) as runner:
        done = runner.map(_trained, [jobs[i] for i in todo])
        for place, row in progress(done, "trainings", total=len(todo), unit="training"):
            found[todo[place]] = row
    table = SweepTable(tuple(found[i] for i in range(len(jobs))), str(folder))
    told = {"settings": settings.model_dump(mode="json"), "rows": [asdict(r) for r in table.rows]}
    _write(out / TABLE, told)
    return table


def _trained(job: _Job) -> SweepRow:
    """Train at one point, or go on there; the row is written when the training is whole.

    Raises:
        SettingsError: with the name of the training, what is wrong with it.
    """
    point, begun = job.point, time.monotonic()
    own = {
        "architecture": point["architecture"], "num_hidden_layers": point["depth"],
        "hidden_size": point["width"], "seed": point["seed"],
    }  # fmt: skip
    grammar: Any = make_grammar(job.settings.language)
    try:
        with _one_thread():
            made = train(
                grammar, folder=job.folder / point["name"], resume=True,
                **job.settings.common, **own,
            )  # fmt: skip
    except TrainingError as error:
        raise SettingsError(f"{point['name']}: {error}") from error
    last = made.log.rows[-1]
    row = SweepRow(
        **point, steps=len(made.losses), loss=last.loss, kl=last.kl, floor=made.log.floor,
        seconds=round(time.monotonic() - begun, 3),
    )  # fmt: skip
    _write(_row_file(job), {"settings": _decides(job), "row": asdict(row)})
    return row


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch computes on one thread while this lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _row_file(job: _Job) -> Path:
    return job.folder / f"{job.point['name']}.json"


def _decides(job: _Job) -> dict[str, Any]:
    """What a row depends on, as JSON has it."""
    grid = {"architectures", "depths", "widths", "seeds"}
    told: dict[str, Any] = job.settings.model_dump(mode="json", exclude=grid)
    return told | job.point


def _read_row(job: _Job) -> SweepRow | None:
    """The row of a training that is finished.

    Raises:
        SettingsError: it is of other settings.
    """
    file = _row_file(job)
    try:
        told = json.loads(file.read_text("utf-8"))
        before, row = dict(told["settings"]), SweepRow(**told["row"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # made anew; the training beside it is looked at by itself
    now = _decides(job)
    other = [
        f"{name} was {before.get(name)!r:.60} and is {now.get(name)!r:.60}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if other:
        raise SettingsError(
            f"{file} is of other settings: {'; '.join(other)}: name another folder, or give those "
            "settings"
        )
    return row


def _refuse_strangers(out: Path) -> None:
    """Refuse a folder that is no sweep's.

    Raises:
        SettingsError: something else lies there.
    """
    if out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is a file; a folder was expected: name another path")
    held = [*out.iterdir()] if out.is_dir() else []
    if held and not any((each / "training.json").is_file() for each in held if each.is_dir()):
        raise SettingsError(
            f"the folder {out} is not empty and holds no sweep; nothing was written: name another "
            "folder"
        )


def _write(file: Path, told: dict[str, Any]) -> None:
    """JSON, whole or not at all."""
    partial = file.with_name(f".partial-{file.name}")
    with writing("the sweep", file.parent):
        partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, file)
