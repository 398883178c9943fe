"""Summing up a stream: batches in, additive totals out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from ...core.devices import lies_on_gpu, products_on
from ..paths.path import Path
from ..reading.arrays import guarded
from ..reading.words import Words
from .groups import Additive, Group, Make, portable, with_labels
from .work import Work, worker_path

__all__ = ["StreamWork", "Sums", "in_order", "stream_in_worker"]

_ROWS = 4096  # words collected per site before they are summed up
_ROWS_THERE = 65536  # on a GPU, from which each sum brings a [d_model, d_model] matrix back

Totals = dict[tuple[str, int], Any]
"""Per site and group of targets what has been accumulated."""

Makers = list[tuple[int, Tensor | None, Callable[[Any], Additive]]]
"""A group of targets, which of some words it has (None: all), and what sums them up."""


@final
@dataclass(frozen=True, eq=False)
class StreamWork:
    """A range of words to be read and summed up.

    Args:
        work: the range.
        make: turns a batch into statistics.
        groups: the targets there.
    """

    work: Work
    make: Make
    groups: tuple[Group, ...]

    def run(self, path: Path, done: Callable[[int], None]) -> Totals:
        """Read, sum up, forget."""
        sums = Sums(self.make, self.groups)

        def advance(tokens: int) -> None:
            sums.commit()
            done(tokens)

        self.work.read(path, sums.put, advance, sums.spill)
        return sums.flushed()


def stream_in_worker(job: StreamWork) -> Totals:
    """Run a piece in a process of its own, which loads the model once."""
    return job.run(worker_path(job.work), lambda _: None)


@final
@dataclass(frozen=True)
class OnGpu:
    """A GPU where a site's activations are made.

    Args:
        device: which.
        sums: they are summed up there.
        stays: until then they wait there.
    """

    device: torch.device
    sums: bool
    stays: bool


@final
@dataclass(eq=False)
class Sums:
    """The accumulator of one piece: batches in, totals out."""

    make: Make
    groups: tuple[Group, ...]
    totals: Totals = field(default_factory=dict)
    # Words of the batch that is running; thrown away if it has to be repeated.
    batch: dict[str, tuple[np.ndarray, Tensor]] = field(default_factory=dict)
    waiting: dict[str, list[tuple[np.ndarray, Tensor]]] = field(default_factory=dict)
    gpus: dict[str, OnGpu] = field(default_factory=dict)  # sites whose activations are made there
    room: dict[torch.device, float] = field(default_factory=dict)  # bytes there for what waits
    at_hand: tuple[np.ndarray | None, Makers] = (None, [])  # words whose labels have been read
    count: int = 0

    def put(self, site: str, words: Words, values: Tensor) -> None:
        """Words of the batch that is running."""
        if lies_on_gpu(values) and site not in self.gpus:
            self.gpus[site] = self._on_gpu(values)
        # It waits for the end of the batch, and blocks may write into their inputs.
        stays = values.is_cpu or (site in self.gpus and self.gpus[site].stays)
        with torch.inference_mode(False):  # whoever is given a tensor may write into it
            self.batch[site] = words.rows, values.clone() if stays else values.cpu()

    def commit(self) -> None:
        """The batch went through to its end; what waits is summed up where it is enough.

        Raises:
            CaptureError: NaN or infinite activations.
        """
        for site, (rows, values) in self.batch.items():
            self.waiting.setdefault(site, []).append((rows, values))
        self.count += len(next(iter(self.batch.values()))[0])
        self.batch = {}
        there = sum(found.stays for found in self.gpus.values()) == len(self.waiting)
        if self.count >= (_ROWS_THERE if there else _ROWS):
            self.flushed()

    def flushed(self) -> Totals:
        """Sum up what waits.

        Raises:
            CaptureError: NaN or infinite activations.
            Exception: what the sums raise, also where a GPU's memory is too small for them alone.
        """
        for site in tuple(self.waiting):
            try:
                found = self._sums(site, self.waiting[site])
            except Exception as error:
                if not (_full(error) or _full(error.__cause__)) or not self.spill():
                    raise
                found = [each for part in self.waiting[site] for each in self._sums(site, [part])]
            for index, now in found:
                before = self.totals.get((site, index))
                self.totals[site, index] = now if before is None else before + now
        self.waiting, self.count = {}, 0
        return self.totals

    def spill(self) -> bool:
        """A GPU's memory ran out: what waits there goes to memory, and so will all that follows.

        Returns:
            bool: something was there. The batch that was running has to be repeated.
        """
        there = any(found.stays for found in self.gpus.values())
        self.batch = {}
        if there:
            self.gpus = {site: replace(found, stays=False) for site, found in self.gpus.items()}
            for site, parts in self.waiting.items():
                self.waiting[site] = [(rows, values.cpu()) for rows, values in parts]
        return there

    def _sums(self, site: str, parts: list[tuple[np.ndarray, Tensor]]) -> list[tuple[int, Any]]:
        """What words of one site add up to, for each group that has some of them.

        Raises:
            CaptureError: NaN or infinite activations.
        """
        rows = _joined([rows for rows, _ in parts])
        values = parts[0][1] if len(parts) == 1 else torch.cat([part for _, part in parts])
        dtype: Literal["float32", "float64"]
        dtype = "float64" if values.dtype == torch.float64 else "float32"
        values = guarded(site, values, dtype)
        of, makers = self.at_hand
        if of is None or not (rows is of or np.array_equal(of, rows)):
            makers = self._makers(rows)
            self.at_hand = rows, makers
        return [
            (index, make(self._placed(site, values if use is None else values[use])))
            for index, use, make in makers
        ]

    def _on_gpu(self, values: Tensor) -> OnGpu:
        """What becomes of a site's words: they wait where they are made if there is room for all.

        A large model leaves little room on its GPU. Words then wait in memory, and those of one
        site at a time are moved back to where sums are made.
        """
        made_by, device = getattr(portable(self.make), "owner", None), values.device
        if not getattr(made_by, "takes_tensors", False):
            return OnGpu(device, sums=False, stays=False)
        rows = (_ROWS_THERE + 2 * len(values)) * values.shape[1]  # and the last batch
        if device not in self.room:
            # Those of one site are there once more side by side, and twice as float32.
            self.room[device] = products_on(str(device)).room() - rows * (8 + values.element_size())
        self.room[device] -= rows * values.element_size()
        return OnGpu(device, sums=True, stays=self.room[device] >= 0)

    def _placed(self, site: str, values: Tensor) -> np.ndarray | Tensor:
        """Rows as the sums take them: a tensor on the GPU, else an array in memory."""
        found = self.gpus.get(site)
        return values.to(found.device) if found and found.sums else values.cpu().numpy()

    def _makers(self, rows: np.ndarray) -> Makers:
        """For each group that has some of these words: which (None: all), and what sums them up."""
        made: Makers = []
        for index, group in enumerate(self.groups):
            local = rows - group.begin
            use = group.defined[local]
            if use.any():
                every = bool(use.all())
                here = local if every else local[use]
                labels = {name: column[here] for name, column in group.labels.items()}
                some = None if every else torch.from_numpy(use)
                made.append((index, some, with_labels(self.make, labels)))
        return made


def _full(error: BaseException | None) -> bool:
    """Whether a GPU's memory ran out."""
    return isinstance(error, torch.OutOfMemoryError)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """All of them; those of a single batch as they are."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def in_order(results: Any) -> Totals:
    """Merge pieces in the order of the corpus, whatever order they arrive in."""
    totals: Totals = {}
    early: dict[int, Totals] = {}
    following = 0
    for index, piece in results:
        early[index] = piece
        while following in early:
            for key, value in early.pop(following).items():
                totals[key] = value if key not in totals else totals[key] + value
            following += 1
    return totals
