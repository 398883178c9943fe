"""Statistics of two streams that read the same rows: collect once per fold, derive every map.

Rows are read in blocks and never beside each other (no matrix of rows by rows): what is kept are
counts, means and centred scatter, in float64, one set for each fold of the groups. Sets of several
folds add up (Chan, Golub and LeVeque 1983).
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import add
from typing import Any, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from ..errors import ProbeError
from ..geometry.sums import CentredSums
from ..inputs.columns import LARGEST, feature_matrix

__all__ = ["CrossStatistics", "Side", "Splits", "cross_statistics", "crossed", "side_of"]

ROWS = 8192  # of a block: bounds the float64 copies


@final
@dataclass(frozen=True, eq=False)
class CrossStatistics:
    """Counts, means and centred scatter of rows ``x`` of one stream and ``y`` of another.

    Args:
        n: rows seen.
        mean_x: ``[input]``.
        mean_y: ``[output]``.
        scatter_xx: ``[input, input]`` sum of ``(x - mean_x)(x - mean_x)^T``.
        scatter_xy: ``[input, output]``.
        scatter_yy: ``[output, output]``.

    >>> x, y = np.array([[0.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [5.0]])
    >>> whole = CrossStatistics.from_arrays(x, y)
    >>> one, other = (CrossStatistics.from_arrays(x[k], y[k]) for k in (slice(1), slice(1, 3)))
    >>> bool(np.allclose(whole.scatter_xy, (one + other).scatter_xy)), whole.n
    (True, 3)
    """

    n: int
    mean_x: Float[np.ndarray, " input"]
    mean_y: Float[np.ndarray, " output"]
    scatter_xx: Float[np.ndarray, "input input"]
    scatter_xy: Float[np.ndarray, "input output"]
    scatter_yy: Float[np.ndarray, "output output"]

    @classmethod
    def from_arrays(cls, X: npt.ArrayLike, Y: npt.ArrayLike) -> "CrossStatistics":
        """Statistics of rows that stand in the same order.

        Args:
            X: ``[token, input]``.
            Y: ``[token, output]``.

        Raises:
            ProbeError: lengths differ, or a value is not finite.
        """
        return cross_statistics(X, Y)[0]

    def __add__(self, other: "CrossStatistics") -> "CrossStatistics":
        both = self._sums() + other._sums()
        return CrossStatistics(both.n, both.mean_x, both.mean_z, both.xx, both.xz, both.zz)

    def _sums(self) -> CentredSums:
        return CentredSums(
            self.n, self.mean_x, self.mean_y, self.scatter_xx, self.scatter_xy, self.scatter_yy
        )

    @property
    def turned(self) -> "CrossStatistics":
        """The same with ``x`` and ``y`` in each other's place."""
        return CrossStatistics(
            self.n, self.mean_y, self.mean_x, self.scatter_yy, self.scatter_xy.T, self.scatter_xx
        )

    def about(
        self, mean_x: Float[np.ndarray, " input"], mean_y: Float[np.ndarray, " output"]
    ) -> "CrossStatistics":
        """Scatter around other points than the means, such as those of the rows learned from."""
        dx, dy = self.mean_x - mean_x, self.mean_y - mean_y
        return CrossStatistics(
            self.n,
            mean_x,
            mean_y,
            self.scatter_xx + self.n * np.outer(dx, dx),
            self.scatter_xy + self.n * np.outer(dx, dy),
            self.scatter_yy + self.n * np.outer(dy, dy),
        )


@final
@dataclass(frozen=True, eq=False)
class Splits:
    """Statistics of the folds, and of all rows but one fold's or two neighbours'.

    Args:
        parts: of each fold.
        whole: of all.
        rests: of all but each fold.
        pairs: of all but each fold and the next one; the first follows the last.
    """

    parts: tuple[CrossStatistics, ...]
    whole: CrossStatistics
    rests: tuple[CrossStatistics, ...]
    pairs: tuple[CrossStatistics, ...]

    @classmethod
    def of(cls, parts: Sequence[CrossStatistics]) -> "Splits":
        """Add up what is learned from: sums from either end, nothing is taken away again.

        Args:
            parts: of three folds or more.
        """
        before, after = list(accumulate(parts)), list(accumulate(reversed(parts)))[::-1]
        middle, k = reduce(add, parts[1:-1]), len(parts)

        def without(start: int, end: int) -> CrossStatistics:
            ends = [*before[max(start - 1, 0) : start], *after[end : end + 1]]
            return reduce(add, ends)

        rests = tuple(without(i, i + 1) for i in range(k))
        pairs = (*(without(i, i + 2) for i in range(k - 1)), middle)
        return cls(tuple(parts), before[-1], rests, pairs)

    @property
    def turned(self) -> "Splits":
        """The same with the two streams in each other's place."""
        turn = operator.attrgetter("turned")
        return Splits(
            tuple(map(turn, self.parts)),
            self.whole.turned,
            tuple(map(turn, self.rests)),
            tuple(map(turn, self.pairs)),
        )


@final
@dataclass(frozen=True, eq=False)
class Side:
    """One stream with its counts, means and scatter in each fold.

    Args:
        rows: ``[row, d_model]`` the stream, read in blocks.
        parts: row numbers of each fold.
        means: per fold ``[d_model]``.
        scatters: per fold ``[d_model, d_model]``.
    """

    rows: Any
    parts: tuple[Int[np.ndarray, " _"], ...]
    means: tuple[Float[np.ndarray, " d_model"], ...]
    scatters: tuple[Float[np.ndarray, "d_model d_model"], ...]


def cross_statistics(
    X: npt.ArrayLike, Y: npt.ArrayLike, folds: npt.ArrayLike | None = None
) -> tuple[CrossStatistics, ...]:
    """Statistics of two streams, one for each fold.

    Args:
        X: ``[token, input]`` one stream.
        Y: ``[token, output]`` the other, its rows in the same order.
        folds: ``[token]`` whole numbers from 0, negative for rows that are left out; all rows are
            one fold where none are given.

    Raises:
        ProbeError: lengths differ, or a value is not finite.
    """
    x, y = feature_matrix(X), feature_matrix(Y)
    if len(x) != len(y):
        raise ProbeError(f"two streams read the same rows; received {len(x)} and {len(y)} rows")
    dealt = np.zeros(len(x), dtype=np.int64) if folds is None else np.asarray(folds)
    if dealt.shape != (len(x),) or dealt.dtype.kind not in "iu":
        raise ProbeError(
            f"folds are one whole number per row, [{len(x)}]; received {dealt.dtype} of shape "
            f"{dealt.shape}"
        )
    parts = [np.flatnonzero(dealt == fold) for fold in range(int(dealt.max(initial=0)) + 1)]
    return crossed(side_of(x, parts), side_of(y, parts))


def side_of(rows: Any, parts: Sequence[Int[np.ndarray, " _"]]) -> Side:
    """Means and scatter of one stream in each fold.

    Args:
        rows: ``[row, d_model]``.
        parts: row numbers of each fold.

    Raises:
        ProbeError: a value is not finite, or its square is not.
    """
    d = rows.shape[1]
    means, scatters = [], []
    for part in parts:
        mean = np.zeros(d)
        for block in _blocks(part):
            here = np.asarray(rows[block], dtype=np.float64)
            largest = max(float(here.max(initial=0.0)), -float(here.min(initial=0.0)))
            if not largest <= LARGEST:  # NaN as well
                raise ProbeError(
                    "a stream holds NaN, infinite or overly large values: drop those rows, or mend "
                    "what made them"
                )
            mean += here.sum(axis=0)
        mean /= max(len(part), 1)
        scatter = np.zeros((d, d))
        for block in _blocks(part):
            here = np.asarray(rows[block], dtype=np.float64) - mean
            scatter += here.T @ here
        means.append(mean)
        scatters.append(scatter)
    return Side(rows, tuple(parts), tuple(means), tuple(scatters))


def crossed(x: Side, y: Side) -> tuple[CrossStatistics, ...]:
    """Statistics of two streams whose own are known, fold by fold."""
    found = []
    for index, part in enumerate(x.parts):
        mean_x, mean_y = x.means[index], y.means[index]
        together = np.zeros((len(mean_x), len(mean_y)))
        for block in _blocks(part):
            here = np.asarray(x.rows[block], dtype=np.float64) - mean_x
            together += here.T @ (np.asarray(y.rows[block], dtype=np.float64) - mean_y)
        found.append(
            CrossStatistics(
                len(part), mean_x, mean_y, x.scatters[index], together, y.scatters[index]
            )
        )
    return tuple(found)


def _blocks(part: np.ndarray) -> list[np.ndarray]:
    return [part[start : start + ROWS] for start in range(0, len(part), ROWS)]
