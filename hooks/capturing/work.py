"""One shard's worth of work: what it needs, how it runs, here or in a worker."""

import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from os import PathLike
from pathlib import Path as Folder
from typing import Any, final

import numpy as np
import torch
from safetensors import SafetensorError
from tqdm.auto import tqdm
from transformers.utils import logging

from ...core import writing
from ...models import load
from ..errors import CaptureError
from ..inputs.alignment import Encoding, Line
from ..inputs.batching import plan, usual
from ..paths.arithmetic import FasterLayers
from ..paths.path import Path
from ..paths.wiring import input_device
from ..reading.arrays import STORED, Arrays
from ..reading.loop import Put, read
from ..reading.prepared import PreparedModel, prepare
from ..reading.settings import CaptureSettings
from ..store.shardfile import write_shard

__all__ = [
    "ModelReference",
    "Work",
    "bounds_of",
    "referred",
    "referred_if",
    "token_bar",
    "work_of",
    "worker_path",
    "write_in_worker",
]

_SHARD_BYTES = 1 << 28
_ROWS = 4096  # words that are looked at together


@final
@dataclass(frozen=True)
class ModelReference:
    """Where a worker finds the model; a model itself is never sent.

    Args:
        source: folder or hub id.
        module: module of the class that was saved there by us; empty: load as anybody would.
        name: its name.
        attention: its attention kernel.
        fingerprint: what the worker must find.
        threads: of torch, the same everywhere, so that sums are added in the same order.
    """

    source: str
    module: str
    name: str
    attention: str | None
    fingerprint: str
    threads: int


@final
@dataclass(frozen=True, eq=False)
class Work:
    """A range of words to be read.

    Args:
        begin: first word.
        end: one past the last.
        lines: the inputs that hold them.
        sites: what to read.
        d_model: width.
        settings: how.
        file: shard to write; ``None`` for streaming.
        model: for workers.
    """

    begin: int
    end: int
    lines: tuple[Line, ...]
    sites: tuple[str, ...]
    d_model: int
    settings: CaptureSettings
    file: Folder | None = None
    model: ModelReference | None = None

    def read(
        self,
        path: Path,
        put: Put,
        done: Callable[[int], None],
        spill: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run the model over the lines (:func:`linrep.hooks.reading.loop.read`)."""
        device = input_device(path.model)
        lengths = [len(line) for line in self.lines]
        size = self.settings.batch_size
        batches = (
            usual(lengths, self.d_model, accelerator=device.type != "cpu")
            if size == "auto"
            else plan(lengths, lines=size)
        )
        faster = FasterLayers(path.model, self.settings.arithmetic)
        how = self.settings.word_token
        read(path, self.lines, batches, self.sites, how, put, done=done, spill=spill, faster=faster)

    def arrays(self, path: Path, done: Callable[[int], None]) -> dict[str, np.ndarray]:
        """The words' activations, per site, in the dtype asked for."""
        arrays = Arrays(self.sites, self.begin, self.end, self.d_model, self.settings.dtype)

        def advance(tokens: int) -> None:
            arrays.check(_ROWS)
            done(tokens)

        self.read(path, arrays.put, advance)
        arrays.check()
        return arrays.arrays

    def write(self, path: Path, done: Callable[[int], None]) -> dict[str, Any]:
        """Read, and write the shard.

        Returns:
            dict[str, Any]: the shard's checksums.

        Raises:
            CaptureError: there is no file to write.
        """
        if self.file is None:
            raise CaptureError("this piece of work names no file to write its shard to")
        arrays = self.arrays(path, done)
        return write_shard(self.file, arrays, self.d_model, self.settings.dtype)


def bounds_of(encoding: Encoding, subject: PreparedModel, settings: CaptureSettings) -> list[int]:
    """Sentences at which shards begin, and the number of sentences."""
    size = settings.shard_words
    if size == "auto":
        itemsize = STORED[settings.dtype].itemsize
        per_word = max(1, subject.d_model * len(subject.sites) * itemsize)
        size = int(np.clip(_SHARD_BYTES // per_word, 1024, 65536))
    bounds, since = [0], 0
    for i, words in enumerate(encoding.sentence_words):
        if since and since + words > size:
            bounds.append(i)
            since = 0
        since += int(words)
    return [*bounds, len(encoding.sentence_words)]


def work_of(encoding: Encoding, subject: PreparedModel, settings: CaptureSettings) -> list[Work]:
    """The capture, cut into shards of whole sentences."""
    bounds = bounds_of(encoding, subject, settings)
    first_word = np.concatenate([[0], np.cumsum(encoding.sentence_words)])
    owner = np.array([line.sentence for line in encoding.lines])
    edges = np.searchsorted(owner, bounds)
    return [
        Work(
            int(first_word[a]),
            int(first_word[b]),
            encoding.lines[edges[i] : edges[i + 1]],
            subject.sites,
            subject.d_model,
            settings,
        )
        for i, (a, b) in enumerate(zip(bounds[:-1], bounds[1:], strict=True))
    ]


def write_in_worker(work: Work) -> dict[str, Any]:
    """Write a shard in a process of its own, which loads the model once."""
    return work.write(worker_path(work), lambda _: None)


@contextmanager
def referred_if(
    needed: bool, model: Any, subject: PreparedModel
) -> Iterator[ModelReference | None]:
    """A reference for workers where there are any."""
    if not needed:
        yield None
        return
    with referred(model, subject) as reference:
        yield reference


@contextmanager
def referred(model: Any, subject: PreparedModel) -> Iterator[ModelReference]:
    """A reference to the model for workers; an instance is saved to a folder for the while.

    Raises:
        CaptureError: the model cannot be saved, since it has been bridged.
    """
    config = subject.path.model.config
    attention = getattr(config, "_attn_implementation", None)
    threads = torch.get_num_threads()
    if isinstance(model, (str, PathLike)):
        yield ModelReference(str(model), "", "", None, subject.fingerprint, threads)
        return
    inner = load(model).model
    if hasattr(inner, "original_model"):
        raise CaptureError(
            "a bridge cannot be sent to workers: pass the model, its folder or its hub id"
        )
    kind = type(inner)
    with tempfile.TemporaryDirectory(prefix="linrep-model-") as folder:
        with writing(
            "the model for the workers", folder, SafetensorError,
            remedy="make room there, or name another folder for temporary files in TMPDIR",
        ):  # fmt: skip
            inner.save_pretrained(folder)
        yield ModelReference(
            folder, kind.__module__, kind.__name__, attention, subject.fingerprint, threads
        )


def worker_path(work: Work) -> Path:
    """The model of a piece of work, loaded once per process.

    Raises:
        CaptureError: what lies there now is another model.
    """
    if work.model is None:
        raise CaptureError("this piece of work refers to no model for its worker")
    return _loaded(work.model, replace(work.settings, sites=work.sites))


@lru_cache(maxsize=1)
def _loaded(reference: ModelReference, settings: CaptureSettings) -> Path:
    torch.set_num_threads(reference.threads)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = reference.source
    if reference.module:
        kind = getattr(importlib.import_module(reference.module), reference.name)
        model = kind.from_pretrained(model, attn_implementation=reference.attention)
    subject = prepare(model, settings, words=False)
    if subject.fingerprint != reference.fingerprint:
        raise CaptureError(
            f"the model at {reference.source} is not the one the capture began with: it changed "
            "in between, or another machine sees another folder there"
        )
    return subject.path


@contextmanager
def token_bar(total: int, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar in tokens, with tokens per second and time left; silent when nobody watches."""
    if not show or not sys.stderr.isatty():
        yield lambda _: None
        return
    with tqdm(
        total=total, desc="capture", unit="tok", unit_scale=True, leave=False, file=sys.stderr
    ) as bar:

        def advance(tokens: int) -> None:
            bar.update(tokens)

        yield advance
