"""Where the words of a batch stand in a model's stream, and their activations there."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

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
        owner: which word each place belongs to; ``None``: one place each.
    """

    rows: Int[np.ndarray, " word"]
    follow: bool
    places: Int[Tensor, " piece"] | None
    owner: Int[Tensor, " piece"] | None

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
        owner = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(base + start, counts) + within
        return cls(rows, _follow(rows), torch.from_numpy(places), torch.from_numpy(owner))


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
    if words.places is None:
        return flat
    picked = flat.index_select(0, words.places.to(flat.device))
    if words.owner is None:
        return picked
    owner = words.owner.to(flat.device)
    total = torch.zeros(
        (len(words.rows), flat.shape[-1]), dtype=torch.float64, device=flat.device
    ).index_add_(0, owner, picked.double())
    return (total / torch.bincount(owner, minlength=len(words.rows))[:, None]).to(flat.dtype)
