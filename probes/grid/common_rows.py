"""Rows that the targets of a grid have in common, so that one pass serves all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from ..errors import ProbeError
from ..evidence.splits import Split
from ..inputs.blocks import Blocks
from ..solvers.features import KnownMoments
from ..solvers.moments import edges, looks

__all__ = ["CommonRows", "common_rows", "own_rows", "scaled_alike"]

SHARE = 0.5  # of all training rows: a target with fewer is fitted to its own rows alone
FACTOR = 1.1  # of standard deviations, at most; a penalty changes by its square


@final
@dataclass(frozen=True, eq=False)
class CommonRows:
    """Rows that are read for a target, and which of them are its own.

    Args:
        rows: training, validation and test rows that are read.
        places: places of the target's own rows among them; ``None`` where all are its own.

    >>> rows = CommonRows((np.arange(3),) * 3, (np.array([0, 2]),) * 3)
    >>> rows.spread(np.array([4, 5]), 0).tolist()
    [4, -1, 5]
    >>> rows.own(2).tolist()
    [0, 2]
    """

    rows: tuple[np.ndarray, np.ndarray, np.ndarray]
    places: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        """Equal for targets that read the same rows."""
        train, validation, test = self.rows
        return train.tobytes(), validation.tobytes(), test.tobytes()

    def spread(self, codes: Int[np.ndarray, " own"], part: int) -> Int[np.ndarray, " row"]:
        """Codes of the target's own rows as codes of all rows that are read, -1 at the others.

        Args:
            codes: of its own rows.
            part: 0 for training rows, 1 for validation rows, 2 for test rows.
        """
        if self.places is None:
            return codes
        found = np.full(len(self.rows[part]), -1, dtype=np.int32)
        found[self.places[part]] = codes
        return found

    def own(self, part: int) -> Int[np.ndarray, " own"] | None:
        """Places of the target's own rows among those that are read; ``None``: they are all."""
        return None if self.places is None else self.places[part]


def own_rows(parts: Sequence[Int[np.ndarray, " _"]]) -> CommonRows:
    """A target's own training, validation and test rows, and no others."""
    train, validation, test = parts
    return CommonRows((train, validation, test))


def common_rows(
    order: Int[np.ndarray, " token"],
    kept: np.ndarray,
    split: Split,
    parts: Sequence[Int[np.ndarray, " _"]],
) -> CommonRows:
    """All rows of the split, where the target has at least half of the training rows.

    Given the split, they do not depend on which other targets stand in the grid. A target with
    fewer rows reads its own.

    Args:
        order: ``[token]`` row of each token.
        kept: ``[row]`` rows that may be used.
        split: of the rows.
        parts: the target's own training, validation and test tokens, as places in ``order``.
    """
    usable = kept[order]
    wide = [
        np.flatnonzero(usable & part[order]) for part in (split.train, split.validation, split.test)
    ]
    mine = [len(some) for some in parts]
    if mine[0] < SHARE * len(wide[0]) or mine == [len(all_) for all_ in wide]:
        return own_rows([order[places] for places in parts])
    train, validation, test = (order[places] for places in wide)
    own = [np.searchsorted(all_, some) for all_, some in zip(wide, parts, strict=True)]
    return CommonRows((train, validation, test), (own[0], own[1], own[2]))


def scaled_alike(common: CommonRows, known: KnownMoments) -> bool:
    """Whether all rows scale each feature nearly as the target's own rows do.

    Where they do not, a penalty would mean something else: a first token without a label may be a
    hundred times as large as the others, and all of what the target reads would be divided by it.

    Args:
        common: the rows, and which are the target's own.
        known: the site.
    """
    if common.places is None:
        return True
    train, validation, test = (
        np.delete(rows, own) for rows, own in zip(common.rows, common.places, strict=True)
    )
    try:
        moments = known.of(common.rows[0])
        for rows in (validation, test):
            blocks = known.blocks(rows)
            for _, block in blocks.placed():
                edges(block, looks(blocks, known.place))
    except ProbeError:  # the target's own rows say by themselves whether they can be read
        return False
    scale = moments.unit * np.sqrt(np.maximum(np.diag(moments.scatter), 0.0))
    varies = scale > 0
    sums, squares = np.zeros((2, len(scale)))
    with np.errstate(over="ignore", invalid="ignore"):  # then they are not alike
        for _, block in Blocks(known.matrix, train, known.size):
            rows = (block - moments.mean) / np.where(varies, scale, 1.0)
            sums += rows.sum(axis=0)
            squares += np.square(rows).sum(axis=0)
        n = len(common.places[0])
        # In these units all rows together have mean 0 and mean square 1.
        own = (n + len(train) - squares) / n - np.square(sums / n)
        return bool(((own >= FACTOR**-2) & (own <= FACTOR**2))[varies].all())
