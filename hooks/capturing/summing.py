"""Summing up a stream: batches in, additive totals out, targets grouped by where they exist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, final, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ...core.arguments import shown
from ...core.devices import lies_on_gpu, products_on
from ...core.hints import Unfit, array_like
from ..errors import CaptureError
from ..paths.path import Path
from ..reading.arrays import guarded
from ..reading.words import Words
from .work import Work, worker_path

__all__ = [
    "Additive",
    "Group",
    "Make",
    "StreamWork",
    "grouped",
    "in_order",
    "portable",
    "stream_in_worker",
]

_ROWS = 4096  # words collected per site before they are summed up
_ROWS_THERE = 65536  # on a GPU, from which each sum brings a [d_model, d_model] matrix back


@runtime_checkable
class Additive(Protocol):
    """Merges with another of its kind; :class:`linrep.probes.Statistics` is one."""

    def __add__(self, other: Any, /) -> Any:
        """The two together."""
        ...


Make = Callable[[np.ndarray, Mapping[str, np.ndarray]], Additive]
"""Turns ``[token, d_model]`` and labels per target into something additive.

Rows are NumPy's. A class method whose class says ``takes_tensors = True`` is given those of a model
on a GPU as a tensor there.
"""


@final
@dataclass(frozen=True)
class ClassMethod:
    """A class method by name, so that workers look it up instead of receiving its code."""

    owner: type
    name: str

    def __call__(self, x: np.ndarray, labels: Mapping[str, np.ndarray]) -> Additive:
        made: Additive = getattr(self.owner, self.name)(x, labels)
        return made


def portable(make: Make) -> Make:
    """The same function in a form that workers can look up."""
    owner = getattr(make, "__self__", None)
    return ClassMethod(owner, make.__name__) if isinstance(owner, type) else make


Totals = dict[tuple[str, int], Any]
"""Per site and group of targets what has been accumulated."""


@final
@dataclass(frozen=True, eq=False)
class Group:
    """Targets that are defined at the same words.

    Args:
        defined: ``[token]`` where.
        labels: per target ``[token]``.
        begin: first word of this part of the corpus.
    """

    defined: np.ndarray
    labels: Mapping[str, np.ndarray]
    begin: int = 0

    def part(self, begin: int, end: int) -> "Group":
        """The same for a range of words."""
        labels = {name: values[begin:end] for name, values in self.labels.items()}
        return Group(self.defined[begin:end], labels, begin)


def grouped(targets: Mapping[str, Any], n_words: int) -> list[Group]:
    """Targets by where they are defined.

    Raises:
        CaptureError: no target, or one that is not as long as the corpus.
    """
    if not targets:
        raise CaptureError("stream needs at least one target: {name: labels [token]}")
    masks: dict[bytes, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
    for name, given in targets.items():
        try:
            labels = np.asarray(array_like(given))
        except Unfit as error:
            raise CaptureError(
                f"target {name!r} is no array ({error}): give one label for each word"
            ) from None
        if labels.ndim == 0:
            raise CaptureError(f"target {name!r} has one label per word; received {shown(given)}")
        if len(labels) != n_words:
            raise CaptureError(
                f"target {name!r} has {len(labels)} labels; the corpus has {n_words} words"
            )
        text = labels.dtype.kind in "UO" and labels.ndim == 1
        defined = labels != "" if text else np.ones(n_words, dtype=bool)
        masks.setdefault(defined.tobytes(), (defined, {}))[1][name] = labels
    return [Group(defined, labels) for defined, labels in masks.values()]


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

        self.work.read(path, sums.put, advance)
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
    count: int = 0

    def put(self, site: str, words: Words, values: Tensor) -> None:
        """Words of the batch that is running."""
        if lies_on_gpu(values) and site not in self.gpus:
            self.gpus[site] = self._on_gpu(values)
        # It waits for the end of the batch, and blocks may write into their inputs.
        stays = values.is_cpu or (site in self.gpus and self.gpus[site].stays)
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
        """
        of: np.ndarray | None = None  # the words whose labels are at hand: all sites have the same
        for site, parts in self.waiting.items():
            rows = _joined([rows for rows, _ in parts])
            values = parts[0][1] if len(parts) == 1 else torch.cat([part for _, part in parts])
            dtype: Literal["float32", "float64"]
            dtype = "float64" if values.dtype == torch.float64 else "float32"
            values = guarded(site, values, dtype)
            if of is None or not (rows is of or np.array_equal(of, rows)):
                of, makers = rows, self._makers(rows)
            for index, use, make in makers:
                some = values if use is None else values[torch.from_numpy(use)]
                now = make(self._placed(site, some))
                before = self.totals.get((site, index))
                self.totals[site, index] = now if before is None else before + now
        self.waiting, self.count = {}, 0
        return self.totals

    def _on_gpu(self, values: Tensor) -> OnGpu:
        """What becomes of a site's words: they wait where they are made if there is room for all.

        A large model leaves little room on its GPU. Words then wait in memory, and those of one
        site at a time are moved back to where sums are made.
        """
        made_by, device = getattr(portable(self.make), "owner", None), values.device
        if not getattr(made_by, "takes_tensors", False):
            return OnGpu(device, sums=False, stays=False)
        if device not in self.room:
            self.room[device] = products_on(str(device)).room()
        rows = _ROWS_THERE + 2 * len(values)  # the last batch, and all of one site side by side
        self.room[device] -= rows * values.shape[1] * values.element_size()
        return OnGpu(device, sums=True, stays=self.room[device] >= 0)

    def _placed(self, site: str, values: Tensor) -> np.ndarray | Tensor:
        """Rows as the sums take them: a tensor on the GPU, else an array in memory."""
        found = self.gpus.get(site)
        return values.to(found.device) if found and found.sums else values.cpu().numpy()

    def _makers(
        self, rows: np.ndarray
    ) -> list[tuple[int, np.ndarray | None, Callable[[Any], Additive]]]:
        """For each group that has some of these words: which (None: all), and what sums them up."""
        made = []
        for index, group in enumerate(self.groups):
            local = rows - group.begin
            use = group.defined[local]
            if use.any():
                every = bool(use.all())
                here = local if every else local[use]
                labels = {name: column[here] for name, column in group.labels.items()}
                made.append((index, None if every else use, _with_labels(self.make, labels)))
        return made


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """All of them; those of a single batch as they are."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _with_labels(make: Make, labels: Mapping[str, np.ndarray]) -> Callable[[Any], Additive]:
    """The function of the rows alone; a class that can read labels once does so."""
    method = portable(make)
    if isinstance(method, ClassMethod) and method.name == "from_arrays":
        once = getattr(method.owner, "with_labels", None)
        if once is not None:
            found: Callable[[Any], Additive] = once(labels)
            return found
    return lambda rows: make(rows, labels)


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
