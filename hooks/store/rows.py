"""Rows of one site, wherever they lie: in memory, or memory-mapped in several shards."""

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from ..errors import StoreError

__all__ = ["Rows", "widen"]


def widen(stored: np.ndarray, bfloat16: bool) -> np.ndarray:
    """Stored values as numbers NumPy computes with: 16-bit kinds become float32, exactly.

    >>> widen(np.array([0x3F80], dtype=np.uint16), bfloat16=True)
    array([1.], dtype=float32)
    """
    if bfloat16:
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float32) if stored.dtype == np.float16 else stored


@final
class Rows:
    """A ``[token, d_model]`` array that is read from its shards when it is indexed.

    It has ``shape``, ``dtype``, ``ndim``, ``len``, indexing by slice, integer, index array and mask
    along tokens, and becomes an ordinary array under ``np.asarray``. 16-bit shards are read as
    float32. Only what is asked for is read.

    Args:
        parts: one opener per shard; each returns ``[token of the shard, d_model]`` as stored,
            contiguous in memory.
        bounds: first row of each shard, and the end.
        d_model: width.
        dtype: dtype of what indexing returns.
        bfloat16: the stored 16-bit integers are bfloat16.
        leave: one per shard, called by :meth:`read` when it has read there.

    >>> halves = [lambda: np.zeros((2, 3), np.float32), lambda: np.ones((1, 3), np.float32)]
    >>> rows = Rows(halves, [0, 2, 3], 3, np.dtype(np.float32))
    >>> rows.shape, rows[1:].sum(), rows[np.array([2, 0])][:, 0].tolist()
    ((3, 3), np.float32(3.0), [1.0, 0.0])
    """

    ndim = 2

    def __init__(
        self,
        parts: Sequence[Callable[[], np.ndarray]],
        bounds: Sequence[int],
        d_model: int,
        dtype: np.dtype[Any],
        bfloat16: bool = False,
        leave: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._parts, self._bounds, self._bfloat16 = list(parts), np.asarray(bounds), bfloat16
        self._leave = list(leave)
        self.shape = (int(self._bounds[-1]), d_model)
        self.dtype = dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False and len(self._parts) > 1:
            raise ValueError(
                "rows of several shards cannot be joined without a copy: leave copy=False out"
            )
        whole = self._slice(0, len(self))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> np.ndarray:
        rest: Any = ()
        if isinstance(key, tuple):
            key, rest = key[0], key[1:]
        picked = self._pick(key)
        return (
            picked[(slice(None), *rest)]
            if rest and picked.ndim == 2
            else (picked[rest] if rest else picked)
        )

    def read(self, index: np.ndarray) -> np.ndarray:
        """A copy of rows ``[index]`` in that order; of the shards nothing stays in memory.

        Raises:
            IndexError: there is no row of such a number; none are counted from the end.
        """
        flat = np.asarray(index, dtype=np.int64)
        self._check(flat)
        return self._take(flat, leave=True)

    def _pick(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            begin, end, step = key.indices(len(self))
            if step == 1:
                return self._slice(begin, max(begin, end))
            return self._take(np.arange(begin, end, step))
        index = np.asarray(key)
        if index.dtype == bool:
            if index.shape != (len(self),):
                raise IndexError(
                    f"a mask of rows has one value for each of the {len(self)} rows; received "
                    f"shape {index.shape}"
                )
            return self._take(np.flatnonzero(index))
        flat = np.atleast_1d(index).astype(np.int64)
        flat = np.where(flat < 0, flat + len(self), flat)
        self._check(flat)
        taken = self._take(flat)
        return taken[0] if index.ndim == 0 else taken

    def _check(self, index: np.ndarray) -> None:
        if len(index) and (index.min() < 0 or index.max() >= len(self)):
            raise IndexError(
                f"rows are numbered 0 to {len(self) - 1}; received {index.min()} to {index.max()}"
            )

    def _slice(self, begin: int, end: int) -> np.ndarray:
        pieces = []
        for i, part in enumerate(self._parts):
            low, high = int(self._bounds[i]), int(self._bounds[i + 1])
            a, b = max(begin, low), min(end, high)
            if a < b:
                pieces.append(widen(part()[a - low : b - low], self._bfloat16))
        if len(pieces) == 1:
            return pieces[0]
        if not pieces:
            return np.empty((0, self.shape[1]), dtype=self.dtype)
        return np.concatenate(pieces)

    def _take(self, index: np.ndarray, *, leave: bool = False) -> np.ndarray:
        """Rows by index, shard by shard."""
        shard = np.searchsorted(self._bounds, index, side="right") - 1
        touched = np.unique(shard).tolist()
        if len(touched) == 1:
            return self._of_shard(touched[0], index, leave=leave)
        out = np.empty((len(index), self.shape[1]), dtype=self.dtype)
        in_order = bool((shard[1:] >= shard[:-1]).all())
        for i in touched:
            if in_order:
                run = slice(*np.searchsorted(shard, [i, i + 1]))
                self._of_shard(i, index[run], leave=leave, out=out[run])
            else:
                here = shard == i
                out[here] = self._of_shard(i, index[here], leave=leave)
        return out

    def _of_shard(
        self, i: int, index: np.ndarray, *, leave: bool, out: np.ndarray | None = None
    ) -> np.ndarray:
        """A copy of rows that all lie in one shard, into ``out`` if it is given."""
        rows, places = self._parts[i](), index - self._bounds[i]
        if out is None:
            out = widen(rows[places], self._bfloat16)
        elif rows.dtype == out.dtype:
            # The rows exist; "clip" is the mode that copies them once, straight to ``out``.
            np.take(rows, places, axis=0, out=out, mode="clip")
        else:
            out[...] = widen(rows[places], self._bfloat16)
        if leave and self._leave:
            self._leave[i]()
        return out


def absent(name: str) -> Callable[[], np.ndarray]:
    """An opener for a shard that has not been written."""

    def missing() -> np.ndarray:
        raise StoreError(
            f"shard {name} has not been captured yet: repeat the same capture call to resume"
        )

    return missing
