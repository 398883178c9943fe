"""Sentences as token ids: one tensor for all, and the batches drawn from it."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ...core import checked
from .errors import TrainingError

__all__ = ["IGNORED", "Batches", "batch_ids"]

IGNORED = -100  # the label PyTorch's cross-entropy skips


@checked(TrainingError)
def batch_ids(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], *, eos: bool = False
) -> tuple[Int[Tensor, "batch position"], Int[Tensor, "batch position"]]:
    """Token ids with BOS in front (and EOS behind if asked), padded right, and their mask.

    Raises:
        TrainingError: a word is not in the vocabulary.

    >>> words = ["<bos>", "a", "b", "<eos>"]
    >>> ids, mask = batch_ids([["a"], ["b", "a"]], words)
    >>> ids.tolist(), mask.tolist()
    ([[0, 1, 3], [0, 2, 1]], [[1, 1, 0], [1, 1, 1]])
    """
    index = {word: i for i, word in enumerate(vocabulary)}
    bos, end = 0, len(vocabulary) - 1
    unknown = sorted({word for sentence in sentences for word in sentence} - set(index))
    if unknown:
        raise TrainingError(
            f"words outside the vocabulary: {unknown[:5]}; it has {list(vocabulary)[:8]}"
        )
    longest = 1 + max((len(sentence) for sentence in sentences), default=0) + eos
    ids = torch.full((len(sentences), longest), end)
    mask = torch.zeros_like(ids)
    for row, sentence in enumerate(sentences):
        tokens = [bos, *(index[word] for word in sentence), *([end] if eos else [])]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask


@final
class Batches:
    """Sentences drawn at random, with replacement, from a seed of their own.

    Args:
        ids: of all sentences, BOS to EOS.
        mask: 1 where there is a token.
        size: sentences at a time.
        seed: of the order.
    """

    def __init__(
        self,
        ids: Int[Tensor, "sentence position"],
        mask: Int[Tensor, "sentence position"],
        size: int,
        seed: int,
    ) -> None:
        self._ids, self._lengths = ids, mask.sum(1)
        self._mask, self._size = mask, min(size, len(ids))
        self.order = np.random.default_rng(seed)

    def draw(
        self,
    ) -> tuple[Int[Tensor, "batch read"], Int[Tensor, "batch read"], Int[Tensor, "batch read"]]:
        """The tokens read, their mask, and the tokens that follow (ignored where padded)."""
        rows = torch.from_numpy(self.order.integers(0, len(self._ids), self._size))
        longest = int(self._lengths[rows].max())
        ids, kept = self._ids[rows, :longest], self._mask[rows, :longest]
        return ids[:, :-1], kept[:, :-1], ids[:, 1:].masked_fill(kept[:, 1:] == 0, IGNORED)
