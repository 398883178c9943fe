"""Trees of sampled sentences, built from their layers only when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, final, overload

import numpy as np
from jaxtyping import Int

from ...corpora.tree import Tree
from .growing import Sample

__all__ = ["SampledTrees"]


@final
@dataclass(frozen=True, eq=False)
class SampledTrees(Sequence[Tree]):
    """One tree per sentence; nothing is stored beyond the arrays of the sample.

    Args:
        sample: the sentences and layers.
        terminals: the tokens as strings.
        chosen: ``[sentence]`` which sentences of the sample.
    """

    sample: Sample
    terminals: tuple[str, ...]
    chosen: Int[np.ndarray, " sentence"]

    def __len__(self) -> int:
        return len(self.chosen)

    @overload
    def __getitem__(self, index: int) -> Tree: ...
    @overload
    def __getitem__(self, index: slice) -> "SampledTrees": ...
    def __getitem__(self, index: int | slice) -> "Tree | SampledTrees":
        """The tree of one sentence, or a shorter sequence of trees."""
        if isinstance(index, slice):
            return SampledTrees(self.sample, self.terminals, self.chosen[index])
        sentence = int(self.chosen[index])
        begin, end = (int(x) for x in self.sample.offsets[sentence : sentence + 2])
        level: list[tuple[int, Tree | str]] = [
            (position + 1, self.terminals[token])
            for position, token in enumerate(self.sample.tokens[begin:end].tolist())
        ]
        for height in sorted(self.sample.layers):
            level = self._raise(height, begin, end, level)
        return cast(Tree, level[0][1])  # the root of a sentence is never a token

    def _raise(
        self, height: int, begin: int, end: int, below: list[tuple[int, Tree | str]]
    ) -> list[tuple[int, Tree | str]]:
        """Nodes of one height, each with the position where its span ends, from those below."""
        layer = self.sample.layers[height]
        ends = (np.flatnonzero(layer.boundary[begin:end]) + 1).tolist()
        nodes: list[tuple[int, Tree | str]] = []
        at = 0
        for stop in ends:
            children: list[Tree | str] = []
            while at < len(below) and below[at][0] <= stop:
                children.append(below[at][1])
                at += 1
            last = begin + stop - 1
            if layer.rules[last] < 0:  # the node sits lower and only passes through this height
                nodes.append((stop, children[0]))
            else:
                nodes.append((stop, Tree(layer.names[layer.symbols[last]], tuple(children))))
        return nodes
