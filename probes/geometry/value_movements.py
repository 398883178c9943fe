"""How values move together on a corpus: columns are read block by block, each once."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from jaxtyping import Float

from ...core import checked
from ...core.decompositions import svd
from ..errors import ProbeError
from .value_patterns import Movements

__all__ = ["movements", "movements_of_blocks"]

CONSTANT = 64 * float(np.finfo(np.float64).eps)
"""Movement relative to size from which a float64 value is no constant: rounding of a few sums."""


@checked(ProbeError)
def movements(
    values: Float[np.ndarray, "row column"],
    groups: Mapping[str, Sequence[int]],
    names: Sequence[str] | None = None,
    *,
    dtype: str | np.dtype = "float64",
) -> Movements:
    """How values move together on a corpus.

    Movements smaller than the square root of the activations' relative rounding count as none: the
    error of a coefficient is the rounding divided by the movement, so both stay below that root.

    Args:
        values: ``[row, column]`` numbers, one row for each activation.
        groups: target -> its columns; columns of no target take part in the regression.
        names: of the columns, for reasons.
        dtype: of the activations.

    Raises:
        ProbeError: a value is not finite, or a group names a column that is not there.

    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> found = movements(np.column_stack([x, x[:, 0]]), {"a": [0], "b": [1]}, ["p", "q", "r"])
    >>> found.combinations("b").reason, found.combinations("a").reason
    ('', 'equal on this corpus, up to a factor: p is r; compared together with what it is tied to')
    """
    return movements_of_blocks([values], groups, names, dtype=dtype)


def movements_of_blocks(
    blocks: Iterable[np.ndarray],  # of any number of columns each
    groups: Mapping[str, Sequence[int]],
    names: Sequence[str] | None = None,
    *,
    dtype: str | np.dtype = "float64",
) -> Movements:
    """The same of columns that come in blocks, of which one is held at a time.

    What stays in memory is one column for each *kind* of movement: of the coordinates of a large
    grammar most are constant on a corpus, or move as another does.

    Args:
        blocks: ``[row, column]`` each, in the order of the columns.
        groups: target -> its columns.
        names: of all columns.
        dtype: of the activations.

    Raises:
        ProbeError: a value is not finite, or a group names a column that is not there.
    """
    seen = _Seen()
    for block in blocks:
        seen.take(block)
    columns = len(seen.kinds)
    beyond = [i for group in groups.values() for i in group if not 0 <= i < columns]
    if beyond:
        raise ProbeError(f"there are columns 0..{columns - 1}; a target names {beyond[0]}")
    unit = seen.unit()
    left, sizes, right = svd(unit)
    smallest = float(np.sqrt(np.finfo(np.dtype(dtype)).eps)) * float(sizes.max(initial=0.0))
    kept = sizes > smallest
    return Movements(
        names if names is not None else tuple(map(str, range(columns))),
        {name: tuple(int(i) for i in group) for name, group in groups.items()},
        np.array(seen.scale),
        np.array(seen.kinds, dtype=np.int64),
        left[:, kept],
        sizes[kept],
        right[kept].T,
        float(np.finfo(np.dtype(dtype)).eps),
    )


STEPS = 2**42  # a thousand roundings of a column of length one


class _Seen:
    """Columns met so far (mutable): their lengths and kinds, and the first of each kind."""

    def __init__(self) -> None:
        self.scale: list[float] = []
        self.kinds: list[int] = []
        self._known: dict[bytes, int] = {}
        self._first: list[np.ndarray] = []
        self._rows = 0

    def take(self, block: Float[np.ndarray, "row column"]) -> None:
        """Columns of one block.

        Raises:
            ProbeError: a value is not finite.
        """
        if not np.isfinite(block).all():
            raise ProbeError("values are finite numbers: leave rows out where one is undefined")
        self._rows = len(block)
        centred = block - block.mean(axis=0) if len(block) else block
        size = np.abs(block).max(axis=0, initial=0.0)
        scale = np.linalg.norm(centred, axis=0)
        scale = np.where(scale > CONSTANT * size * np.sqrt(max(len(block), 1)), scale, 0.0)
        self.scale += scale.tolist()
        self.kinds += [
            self._kind(centred[:, column] / scale[column]) if scale[column] else -1
            for column in range(len(scale))
        ]

    def _kind(self, column: Float[np.ndarray, " row"]) -> int:
        """The kind of a centred column of length one."""
        # Columns that differ in rounding only; where they straddle a step, the rank finds it. A
        # wider step would take columns for one that differ: what the stream holds of their
        # difference would be found at other values, while a movement too small to count is
        # orthogonal to all that do.
        steps = np.rint(column * STEPS).astype(np.int64).tobytes()
        key = blake2b(steps, digest_size=20).digest()
        if key not in self._known:
            self._known[key] = len(self._first)
            self._first.append(column - column.mean())
        return self._known[key]

    def unit(self) -> Float[np.ndarray, "row kind"]:
        """One column of length one for each kind."""
        if not self._first:
            return np.zeros((self._rows, 0))
        return np.column_stack(self._first)
