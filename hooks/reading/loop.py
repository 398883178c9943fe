"""The inner loop: batches through a model, words out of its stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import CaptureError
from ..inputs.alignment import Line
from ..inputs.batching import Batch, collate, out_of_memory
from ..paths.path import Path, Tap

__all__ = ["Put", "WordToken", "pool", "read", "read_batch"]

WordToken = Literal["last", "first", "mean"]
Put = Callable[[str, np.ndarray, Tensor], None]
"""Takes a site, word indices ``[word]`` and their activations ``[word, d_model]``."""


@final
@dataclass(frozen=True, eq=False)
class Gather:
    """Where the words of a batch stand in its flattened positions."""

    rows: Int[np.ndarray, " word"]
    places: Int[Tensor, " piece"]
    owner: Int[Tensor, " piece"] | None  # index of the word each place belongs to; None: one each
    whole: bool = False  # the places are all positions, in order: nothing to pick

    @classmethod
    def of(cls, batch: Batch, how: WordToken) -> "Gather":
        # Few calls, for a tiny model runs hardly longer than they do.
        lines, width = batch.lines, batch.ids.shape[1]
        rows = np.concatenate([line.rows for line in lines], dtype=np.int64)
        begins = np.arange(len(lines)) * width
        if batch.side == "left":
            begins = begins + batch.offsets
        base = np.repeat(begins, [len(line.rows) for line in lines])
        if how == "first":
            return cls._one_each(rows, base + np.concatenate([line.start for line in lines]), batch)
        stop = base + np.concatenate([line.stop for line in lines])
        if how == "last":
            return cls._one_each(rows, stop - 1, batch)
        start = base + np.concatenate([line.start for line in lines])
        counts = stop - start
        owner = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(start, counts) + within
        return cls(rows, torch.from_numpy(places), torch.from_numpy(owner))

    @classmethod
    def _one_each(cls, rows: np.ndarray, places: np.ndarray, batch: Batch) -> "Gather":
        size = batch.ids.numel()
        whole = len(places) == size and bool((places == np.arange(size)).all())
        return cls(rows, torch.from_numpy(places), None, whole)


def pool(
    stream: Float[Tensor, "batch position d_model"], gather: Gather
) -> Float[Tensor, "word d_model"]:
    """One row per word: the chosen token's, or the mean over its tokens (in float64).

    It may be a view of the stream: copy what has to outlive the hook.
    """
    flat = stream.reshape(-1, stream.shape[-1])
    if gather.whole:
        return flat
    picked = flat.index_select(0, gather.places.to(flat.device))
    if gather.owner is None:
        return picked
    owner = gather.owner.to(flat.device)
    total = torch.zeros(
        (len(gather.rows), flat.shape[-1]), dtype=torch.float64, device=flat.device
    ).index_add_(0, owner, picked.double())
    return (total / torch.bincount(owner, minlength=len(gather.rows))[:, None]).to(flat.dtype)


def read_batch(path: Path, batch: Batch, sites: Sequence[str], how: WordToken, put: Put) -> None:
    """Run one batch and hand each site's words to ``put`` the moment they exist.

    Raises:
        CaptureError: a site never fired, or its tensor is not a stream of this batch.
    """
    gather, shape = Gather.of(batch, how), batch.ids.shape
    windows = bool(getattr(path.model.config, "attention_window", None))
    fired: set[str] = set()

    def see(site: str, stream: Tensor) -> None:
        if windows and stream.ndim == 3:  # Longformer fills its last window behind the words
            stream = stream[:, : shape[1]]
        if stream.ndim != 3 or stream.shape[:2] != shape:
            raise CaptureError(
                f"{site} has shape {tuple(stream.shape)}; expected [batch, position, d_model] "
                f"with batch and position {tuple(shape)}: it is no residual stream "
                "of one vector for each token, so this model is not read: give another"
            )
        fired.add(site)
        put(site, gather.rows, pool(stream.detach(), gather))

    taps: dict[str, Tap] = {site: partial(see, site) for site in sites}
    with torch.inference_mode(), path.attach(taps, stop=True):
        path.forward(batch)
    silent = [site for site in sites if site not in fired]
    if silent:
        raise CaptureError(
            f"{', '.join(silent)} never fired in the forward pass: this model switches the place "
            "off, or runs its blocks in another order than it lists them; choose another site"
        )


def read(
    path: Path,
    lines: Sequence[Line],
    batches: Sequence[np.ndarray],
    sites: Sequence[str],
    how: WordToken,
    put: Put,
    *,
    done: Callable[[int], None] = lambda _: None,
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
        done: told the number of token ids of each finished batch.

    Raises:
        CaptureError: memory runs out on a single line.
        RuntimeError: whatever else the model raises.
        MemoryError: never, it is caught.
    """
    pad_id = path.wiring.pad_id
    room: int | None = None
    for indices in batches:
        todo = [indices]
        while todo:
            now = todo.pop()
            if room is not None and len(now) > 1 and _padded(now, lines) > room:
                todo += reversed(_split(now, lines, room))
                continue
            batch = collate([lines[i] for i in now], pad_id)
            try:
                read_batch(path, batch, sites, how, put)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                room = _halve(now, lines, error)
                _free()
                todo.append(now)
                continue
            done(sum(len(line) for line in batch.lines))


def _padded(indices: np.ndarray, lines: Sequence[Line]) -> int:
    """Tokens of a batch, padding included."""
    return len(indices) * max(1, *(len(lines[int(i)]) for i in indices))


def _split(indices: np.ndarray, lines: Sequence[Line], room: int) -> list[np.ndarray]:
    """The batch in parts of at most ``room`` padded tokens, or of one line."""
    step = max(1, room * len(indices) // _padded(indices, lines))
    return [indices[begin : begin + step] for begin in range(0, len(indices), step)]


def _halve(indices: np.ndarray, lines: Sequence[Line], error: BaseException) -> int:
    if len(indices) == 1:
        raise CaptureError(
            f"memory ran out on a single input of {_padded(indices, lines)} tokens: read shorter "
            'windows (long_inputs="window"), fewer sites, or use a larger machine'
        ) from error
    return max(1, _padded(indices, lines) // 2)


def _free() -> None:
    """Hand cached blocks back, so that the halved batch finds room."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
