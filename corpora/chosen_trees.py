"""Some trees of a longer sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final, overload

import numpy as np
from jaxtyping import Int

from .tree import Tree

__all__ = ["ChosenTrees"]


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
