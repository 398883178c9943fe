"""The inner loop: batches through a model, words out of its stream."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
import torch
from torch import Tensor

from ..errors import CaptureError
from ..inputs.alignment import Line
from ..inputs.batching import Batch, collate, out_of_memory
from ..paths.arithmetic import FasterLayers
from ..paths.path import Path, Tap
from .words import Words, WordToken, pool

__all__ = ["Put", "Reader", "read", "read_batch"]

Put = Callable[[str, Words, Tensor], None]
"""Takes a site, words and their activations ``[word, d_model]``, which may be a view of the stream:
what has to outlive the call is copied."""

AHEAD = 1 << 15
"""Token ids that are laid out at once. Between two forward passes the processor's caches hold the
model, so a call of NumPy there takes as long as several calls right after each other."""


class Reader:
    """Taps on a model that hand each site's words on the moment they exist.

    Args:
        path: the way through the model.
        sites: what to read.
        put: receives the words.
        faster: what its layers compute with; by default their own code.
    """

    def __init__(
        self, path: Path, sites: Sequence[str], put: Put, faster: FasterLayers | None = None
    ) -> None:
        self._path, self._sites, self._put = path, tuple(sites), put
        self._faster = FasterLayers(path.model, "model") if faster is None else faster
        self._fired: set[str] = set()
        self._words: Words | None = None  # of the pass that runs; None: another one runs
        self._there: dict[torch.device, Words] = {}  # the same with their places on a device
        self._windows = bool(getattr(path.model.config, "attention_window", None))

    @contextmanager
    def attached(self) -> Iterator[None]:
        """The taps hang, for any number of batches; they are gone on exit.

        Raises:
            CaptureError: the path does not reach a site.
        """
        taps: dict[str, Tap] = {site: partial(self._see, site) for site in self._sites}
        with self._path.attach(taps, stop=True):
            yield

    def run(self, batch: Batch, words: Words) -> None:
        """Run one batch.

        Raises:
            CaptureError: a site never fired, or its tensor is not a stream of this batch.
        """
        self._shape, self._words = batch.ids.shape, words
        self._fired.clear()
        self._there.clear()
        with torch.inference_mode(), self._faster.running():
            self._path.forward(batch)
        self._words = None
        silent = [site for site in self._sites if site not in self._fired]
        if silent:
            raise CaptureError(
                f"{', '.join(silent)} never fired in the forward pass: this model switches the "
                "place off, or runs its blocks in another order than it lists them; choose another "
                "site"
            )

    def _see(self, site: str, stream: Tensor) -> None:
        words, shape = self._words, self._shape
        if words is None:
            return
        if self._windows and stream.ndim == 3:  # Longformer fills its last window behind the words
            stream = stream[:, : shape[1]]
        if stream.ndim != 3 or stream.shape[:2] != shape:
            raise CaptureError(
                f"{site} has shape {tuple(stream.shape)}; expected [batch, position, d_model] "
                f"with batch and position {tuple(shape)}: it is no residual stream "
                "of one vector for each token, so this model is not read: give another"
            )
        self._fired.add(site)
        stream = stream.detach() if stream.requires_grad else stream
        if stream.device not in self._there:
            self._there[stream.device] = words.on(stream.device)
        self._put(site, words, pool(stream, self._there[stream.device]))


def read_batch(
    path: Path,
    batch: Batch,
    sites: Sequence[str],
    how: WordToken,
    put: Put,
    faster: FasterLayers | None = None,
) -> None:
    """Run one batch alone.

    Raises:
        CaptureError: a site never fired, or its tensor is not a stream of this batch.
    """
    reader = Reader(path, sites, put, faster)
    with reader.attached():
        reader.run(batch, Words.of(batch, how))


def read(
    path: Path,
    lines: Sequence[Line],
    batches: Sequence[np.ndarray],
    sites: Sequence[str],
    how: WordToken,
    put: Put,
    *,
    done: Callable[[int], None] = lambda _: None,
    spill: Callable[[], bool] = lambda: False,
    faster: FasterLayers | None = None,
) -> None:
    """Run all batches; a batch that does not fit into memory is halved, and so are later ones.

    ``put`` may see a batch's early sites twice when memory ran out behind them: it must be
    indifferent to that (write rows by index, say).

    Args:
        path: the way through the model.
        lines: all inputs.
        batches: indices of the lines of each batch.
        sites: what to read.
        how: which token stands for a word.
        put: receives the words.
        done: told the number of token ids of each finished batch; passes of the model in there are
            not read.
        spill: called first where memory runs out; says whether it let go of any, so that the batch
            is tried again as it is.
        faster: what its layers compute with; by default their own code.

    Raises:
        CaptureError: memory runs out on a single line, or as :meth:`Reader.run` says.
        RuntimeError: as the model, ``put`` or ``done`` raise it.
        MemoryError: as ``done`` raises it; that of a batch is caught.
    """
    reader = Reader(path, sites, put, faster)
    laid = partial(_Laid.of, lines=lines, pad_id=path.wiring.pad_id, how=how)
    room: int | None = None
    with reader.attached():
        for first in _ahead(batches, laid):
            todo = [first]
            while todo:
                now = todo.pop()
                if room is not None and len(now.indices) > 1 and now.padded > room:
                    todo += [laid(part) for part in reversed(_split(now, room))]
                    continue
                try:
                    reader.run(now.batch, now.words)
                except (RuntimeError, MemoryError) as error:
                    if not out_of_memory(error):
                        raise
                    room = room if spill() else _halve(now, error)
                    _free()
                    todo.append(now)
                    continue
                done(now.tokens)


@final
@dataclass(frozen=True, eq=False)
class _Laid:
    """A batch as the model reads it.

    Args:
        indices: of its lines.
        batch: their token ids.
        words: where their words are.
        tokens: ids in it, without padding.
    """

    indices: np.ndarray
    batch: Batch
    words: Words
    tokens: int

    @classmethod
    def of(cls, indices: np.ndarray, lines: Sequence[Line], pad_id: int, how: WordToken) -> "_Laid":
        batch = collate([lines[i] for i in indices], pad_id)
        return cls(indices, batch, Words.of(batch, how), sum(len(line) for line in batch.lines))

    @property
    def padded(self) -> int:
        """Tokens, padding included."""
        return self.batch.ids.numel()


def _ahead(batches: Sequence[np.ndarray], laid: Callable[[np.ndarray], _Laid]) -> Iterator[_Laid]:
    """All batches in order, laid out several at once."""
    waiting: list[_Laid] = []
    size = 0
    for indices in batches:
        waiting.append(laid(indices))
        size += waiting[-1].padded
        if size >= AHEAD:
            yield from waiting
            waiting, size = [], 0
    yield from waiting


def _split(now: _Laid, room: int) -> list[np.ndarray]:
    """The batch in parts of at most ``room`` padded tokens, or of one line."""
    step = max(1, room * len(now.indices) // now.padded)
    return [now.indices[begin : begin + step] for begin in range(0, len(now.indices), step)]


def _halve(now: _Laid, error: BaseException) -> int:
    if len(now.indices) == 1:
        raise CaptureError(
            f"memory ran out on a single input of {now.padded} tokens: read shorter "
            'windows (long_inputs="window"), fewer sites, or use a larger machine'
        ) from error
    return max(1, now.padded // 2)


def _free() -> None:
    """Hand cached blocks back, so that the halved batch finds room."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
