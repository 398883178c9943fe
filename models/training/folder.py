"""The folder of a training: its settings, its checkpoints, where it stands, and its model."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import Any, final

from safetensors import SafetensorError, safe_open

from ...core import as_path, refuse_full, writing
from ...core.versions import other_version
from .errors import TrainingError
from .loop import Loop
from .state import read_state, write_state

__all__ = ["TrainingFolder", "save_model", "steps_done"]

FORMAT = 1  # of the note and of the state beside it
NOTE, STATE, CHECKPOINTS = "training.json", "state.safetensors", "checkpoints"
SAMPLE = "sample"  # the setting that is a digest of the sentences to learn from, no number to type
PARTIAL = ".partial-"
SECONDS = 10.0  # between two states, at least
SHARE = 0.05  # of the time, at most, goes into writing them


@final
class TrainingFolder:
    """Everything in it is whole at any moment; what is being written has another name.

    Args:
        path: the folder.
        settings: what decides the training, as JSON has it.
        copies: models that will be written, for the look at the disk.
        size: bytes of one.
    """

    def __init__(
        self, path: str | os.PathLike[str], settings: Mapping[str, Any], copies: int, size: int
    ) -> None:
        self.path = as_path(path).absolute()
        self._settings = json.loads(json.dumps(settings))
        self._needed = copies * size
        self._due = time.monotonic() + SECONDS

    def look(self, *, resume: bool) -> dict[str, Any] | None:
        """See whether a training can begin or go on here; nothing is written.

        Args:
            resume: go on where an interrupted training stands; a new folder begins at the start.

        Returns:
            What a finished training noted; ``None`` if there is work to do.

        Raises:
            TrainingError: something else lies there, or a training of other settings.
            DiskError: there is no room.
        """
        if self.path.exists() and not self.path.is_dir():
            raise TrainingError(f"{self.path} is a file; a folder was expected: name another path")
        everything = [*self.path.iterdir()] if self.path.is_dir() else []
        if all(each.name.startswith(PARTIAL) for each in everything):
            refuse_full(self.path, self._needed, "the trained model")
            return None
        note = self._read()
        if not resume:
            remedy = "name another folder"
            if not note["finished"]:
                remedy += ", or go on where it stands: resume=True (--resume on the command line)"
            raise TrainingError(
                f"the folder {self.path} holds a training already; nothing was written: {remedy}"
            )
        self._compare(note["settings"])
        return note if note["finished"] else None

    def open(self, loop: Loop) -> None:
        """Make the folder if it is new; put the loop where the last state says, if there is one."""
        with writing("the training", self.path.parent):
            self.path.mkdir(parents=True, exist_ok=True)
            for left in [*self.path.glob(f"{PARTIAL}*"), *self.path.glob(f"*/{PARTIAL}*")]:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        if (self.path / STATE).exists():
            read_state(loop, self.path / STATE)
        elif not (self.path / NOTE).exists():
            self._note({"finished": False})

    def _read(self) -> dict[str, Any]:
        """The note of the training that stands there.

        Raises:
            TrainingError: there is none, or one of another format.
        """
        file = self.path / NOTE
        try:
            note: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            note["finished"], note["settings"].items(), index(note["format"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise TrainingError(
                f"the folder {self.path} is not empty and holds no training ({NOTE} cannot be "
                "read); nothing was written: name another folder"
            ) from error
        if (written := note["format"]) != FORMAT:
            raise TrainingError(
                f"the folder {self.path} holds a training of format {written!r:.20}; this linrep "
                f"reads format {FORMAT}: {other_version(written, FORMAT)}, or name another folder"
            )
        return note

    def _compare(self, before: Mapping[str, Any]) -> None:
        """Refuse to go on with other settings.

        Raises:
            TrainingError: with those that differ.
        """
        names = sorted({*before, *self._settings})
        other = [
            "the sentences to learn from are others"
            if name == SAMPLE
            else f"{name} was {before.get(name)!r:.60} and is {self._settings.get(name)!r:.60}"
            for name in names
            if before.get(name) != self._settings.get(name)
        ]
        if other:
            raise TrainingError(
                f"the training in {self.path} has other settings: {'; '.join(other)}: give those "
                "with which it began, or name another folder"
            )

    def _note(self, told: Mapping[str, Any]) -> None:
        """Write the note, whole."""
        text = json.dumps({"format": FORMAT, "settings": self._settings, **told}, indent=1)
        partial = self.path / f"{PARTIAL}{NOTE}"
        with writing("the training", self.path):
            partial.write_text(text + "\n", encoding="utf-8")
            os.replace(partial, self.path / NOTE)

    def keep(self, loop: Loop, *, now: bool = False) -> None:
        """Write the state, if it is time.

        Args:
            loop: between two steps.
            now: whether or not.
        """
        begun = time.monotonic()
        if now or begun >= self._due:
            write_state(loop, self.path / STATE)
            took = time.monotonic() - begun
            self._due = begun + took + max(SECONDS, took / SHARE)

    def checkpoint(self, model: Any, step: int) -> None:
        """Save a model on the way: an ordinary folder; one that is there already is the same."""
        folder = self.path / CHECKPOINTS / f"step-{step}"
        if not folder.exists():
            partial = folder.with_name(f"{PARTIAL}{folder.name}")
            with writing("a checkpoint", self.path):
                partial.mkdir(parents=True, exist_ok=True)
            save_model(model, partial)
            with writing("a checkpoint", self.path):
                os.replace(partial, folder)

    def finish(self, model: Any, told: Mapping[str, Any]) -> None:
        """The last model, then the note that says so; the state goes."""
        partial = self.path / f"{PARTIAL}model"
        with writing("the trained model", self.path):
            partial.mkdir(exist_ok=True)
        save_model(model, partial)
        with writing("the trained model", self.path):
            for file in sorted(partial.iterdir(), key=lambda each: each.name == "config.json"):
                os.replace(file, self.path / file.name)  # config.json last: it makes it a model
            partial.rmdir()
        self._note({"finished": True, **told})
        self.clear()

    def clear(self) -> None:
        """A finished training needs no state."""
        with contextlib.suppress(OSError):
            (self.path / STATE).unlink(missing_ok=True)


def steps_done(path: str | os.PathLike[str]) -> int | None:
    """Steps of an interrupted training; ``None`` where a folder has no state to go on from.

    >>> steps_done("no/such/folder") is None
    True
    """
    try:
        with safe_open(as_path(path) / STATE, framework="pt") as opened:
            return int(opened.get_slice("losses").get_shape()[0])
    except (SafetensorError, OSError):
        return None


def save_model(model: Any, folder: Path) -> None:
    """``save_pretrained``, with weights that may be read by whom the configuration may.

    Raises:
        DiskError: it cannot be written.
    """
    with writing("the trained model", folder, SafetensorError):
        model.save_pretrained(folder)
        mode = (folder / "config.json").stat().st_mode & 0o777
        for weights in folder.glob("*.safetensors"):
            weights.chmod(mode)
