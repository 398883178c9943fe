"""Some sentences of a corpus: their rows, and their trees, still made on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final, overload

import numpy as np
from jaxtyping import Int

from .errors import LanguageError
from .tree import Tree

__all__ = ["ChosenTrees", "chosen_rows"]


@final
@dataclass(frozen=True, eq=False)
class ChosenTrees(Sequence[Tree]):
    """Some trees of a longer sequence, still made on demand."""

    trees: Sequence[Tree]
    rows: Int[np.ndarray, " chosen"]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Tree: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tree]: ...
    def __getitem__(self, index: int | slice) -> Tree | Sequence[Tree]:
        """One tree, or a shorter sequence."""
        if isinstance(index, slice):
            return ChosenTrees(self.trees, self.rows[index])
        return self.trees[int(self.rows[index])]


def chosen_rows(
    sentences: Any, offsets: Int[np.ndarray, " bound"]
) -> tuple[Int[np.ndarray, " chosen"], Int[np.ndarray, " row"], Int[np.ndarray, " _"]]:
    """Sentences by index, their rows, and where each begins among these.

    Args:
        sentences: indices; negative ones count from the end.
        offsets: where each sentence of the corpus begins, and its number of rows.

    Raises:
        LanguageError: an index outside the corpus, or something else than indices.

    >>> [found.tolist() for found in chosen_rows([-1, 0], np.array([0, 2, 3]))]
    [[1, 0], [2, 0, 1], [0, 1, 3]]
    """
    n = len(offsets) - 1
    given = np.asarray(sentences)
    if given.size and given.dtype.kind not in "iu":
        raise LanguageError(
            f"sentences are selected by their indices; received {given.dtype} values; "
            "turn a mask into indices with np.flatnonzero"
        )
    chosen = given.astype(np.int64).reshape(-1)
    if chosen.size and (chosen.min() < -n or chosen.max() >= n):
        raise LanguageError(
            f"sentence indices lie in 0..{n - 1}; received {chosen.min()}..{chosen.max()}"
        )
    chosen = chosen % max(n, 1)
    sizes = np.diff(offsets)[chosen]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.arange(bounds[-1]) + np.repeat(offsets[chosen] - bounds[:-1], sizes)
    return chosen, rows, bounds
