"""Inputs of a network: read, and as a corpus in which every point is a sentence of one word."""

import hashlib
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from ...core.arguments import shown
from ...core.caching import cached_property
from .error import MaxoutError

__all__ = ["PointCorpus", "read_inputs"]


def read_inputs(x: Any, n_inputs: int) -> Tensor:
    """Inputs ``[point, input]`` as a tensor; a tensor is returned as it is.

    Raises:
        MaxoutError: no numbers, or another shape.
    """
    try:
        given = x if isinstance(x, Tensor) else torch.from_numpy(np.array(x, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise MaxoutError(
            f"inputs are numbers in rows of equal length; received {shown(x)}"
        ) from error
    if given.is_meta or given.layout != torch.strided or given.is_complex():
        raise MaxoutError("inputs are real numbers, in a dense tensor that holds them")
    if given.ndim != 2 or given.shape[1] != n_inputs:
        raise MaxoutError(f"inputs have shape [point, {n_inputs}]; received {tuple(given.shape)}")
    return given


@final
@dataclass(frozen=True, eq=False)
class PointCorpus:
    """What probes and activation stores ask of a corpus, for real-valued inputs.

    There are no words and no heights: targets are given by name, positions and words are the same
    for every point, so baselines that read them sit at the majority rate.

    Args:
        x: ``[point, input]``.

    >>> corpus = PointCorpus(np.zeros((3, 2)))
    >>> corpus.n_tokens, corpus.sentence_ids.tolist()
    (3, [0, 1, 2])
    """

    x: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @property
    def n_tokens(self) -> int:
        """Points."""
        return len(self.x)

    @property
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """One word per point."""
        return (("point",),) * len(self.x)

    @cached_property
    def words(self) -> np.ndarray:
        """``[point]`` all alike."""
        return np.full(len(self.x), "point")

    @cached_property
    def sentence_ids(self) -> np.ndarray:
        """``[point]`` each its own."""
        return np.arange(len(self.x))

    @cached_property
    def text_ids(self) -> np.ndarray:
        """``[point]`` equal for equal points: what the model reads there."""
        _, same = np.unique(np.asarray(self.x), axis=0, return_inverse=True)
        return same.reshape(-1)

    @cached_property
    def positions(self) -> np.ndarray:
        """``[point]`` zeros."""
        return np.zeros(len(self.x), dtype=np.int64)

    @property
    def heights(self) -> tuple[int, ...]:
        """None: targets are given by name."""
        return ()

    def labels(self, height: int) -> np.ndarray:
        """``[point]`` undefined at any height."""
        del height
        return np.full(len(self.x), "")

    def boundary(self, height: int) -> np.ndarray:
        """``[point]`` false at any height."""
        del height
        return np.zeros(len(self.x), dtype=bool)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of the points."""
        return hashlib.sha256(np.asarray(self.x, dtype=np.float64).tobytes()).hexdigest()
