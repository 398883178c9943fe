"""Where the words of a batch stand in a model's stream, and their activations there."""

from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from ..inputs.batching import Batch

__all__ = ["WordToken", "Words", "pool"]

WordToken = Literal["last", "first", "mean"]


@final
@dataclass(frozen=True, eq=False)
class Words:
    """The words of a batch, in the flattened positions of its lines.

    Args:
        rows: index in the corpus of each word.
        follow: each index is one more than the one before.
        places: positions of their tokens; ``None``: every position is a word, in order.
        starts: where in ``places`` those of each word begin; ``None``: one place each.
    """

    rows: Int[np.ndarray, " word"]
    follow: bool
    places: Int[Tensor, " piece"] | None
    starts: Int[Tensor, " word"] | None

    @classmethod
    def of(cls, batch: Batch, how: WordToken) -> "Words":
        """The words of a batch, with the tokens that stand for them."""
        rows = np.concatenate([line.rows for line in batch.lines], dtype=np.int64)
        start = stop = None
        if how != "last":
            start = np.concatenate([line.start for line in batch.lines])
        if how != "first":
            stop = np.concatenate([line.stop for line in batch.lines])
        if len(rows) == batch.ids.numel() and _every_token(batch, start, stop):
            return cls(rows, _follow(rows), None, None)
        base = _begins(batch)
        if stop is None:
            return cls(rows, _follow(rows), torch.from_numpy(base + start), None)
        if start is None:
            return cls(rows, _follow(rows), torch.from_numpy(base + stop - 1), None)
        counts = stop - start
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(starts, counts)
        places = np.repeat(base + start, counts) + within
        return cls(rows, _follow(rows), torch.from_numpy(places), torch.from_numpy(starts))

    def on(self, device: torch.device) -> "Words":
        """The same with its places on a device."""
        if self.places is None or self.places.device == device:
            return self
        starts = None if self.starts is None else self.starts.to(device)
        return replace(self, places=self.places.to(device), starts=starts)


def _follow(rows: Int[np.ndarray, " word"]) -> bool:
    return len(rows) > 0 and bool((rows == np.arange(rows[0], rows[0] + len(rows))).all())


def _every_token(batch: Batch, start: np.ndarray | None, stop: np.ndarray | None) -> bool:
    """Whether each token is one word, in order, as in a corpus of a grammar."""
    shape = batch.ids.shape
    if any(len(line.rows) != shape[1] for line in batch.lines):
        return False
    here = np.arange(shape[1])
    first = start is None or bool((start.reshape(shape) == here).all())
    return first and (stop is None or bool((stop.reshape(shape) == here + 1).all()))


def _begins(batch: Batch) -> Int[np.ndarray, " word"]:
    """Flattened position of the first token of each word's line."""
    begins = np.arange(len(batch.lines)) * batch.ids.shape[1]
    if batch.side == "left":
        begins = begins + batch.offsets
    return np.repeat(begins, [len(line.rows) for line in batch.lines])


def pool(
    stream: Float[Tensor, "batch position d_model"], words: Words
) -> Float[Tensor, "word d_model"]:
    """One row per word: the chosen token's, or the mean over its tokens (in float64).

    It may be a view of the stream: copy what has to outlive the hook.
    """
    flat = stream.reshape(-1, stream.shape[-1])
    words = words.on(flat.device)
    if words.places is None:
        return flat
    picked = flat.index_select(0, words.places)
    if words.starts is None:
        return picked
    # Pieces are added in their order, on a GPU as well: index_add_ takes any order there.
    every = torch.arange(len(picked), device=flat.device)
    total = functional.embedding_bag(every, picked.double(), words.starts, mode="sum")
    ends = torch.cat([words.starts[1:], words.starts.new_tensor([len(picked)])])
    return (total / (ends - words.starts)[:, None]).to(flat.dtype)
