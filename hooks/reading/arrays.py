"""Where captured words go: typed arrays, with a guard against values the type cannot hold."""

import math
from collections.abc import Sequence
from functools import cache, partial
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...core.devices import lies_on_gpu
from ..errors import CaptureError
from .landing import AHEAD, Landing
from .settings import Dtype
from .words import Words

__all__ = ["STORED", "Arrays", "guarded", "refuse_not_finite"]

STORED = {
    "float32": torch.float32,
    "float64": torch.float64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
_NUMPY = {"float32": np.float32, "float64": np.float64, "float16": np.float16,
          "bfloat16": np.uint16}  # fmt: skip


def guarded(site: str, values: Float[Tensor, "word d_model"], dtype: Dtype) -> Tensor:
    """The values in the dtype asked for, or an error that says why they would be wrong there.

    Raises:
        CaptureError: NaN or infinite activations, or values beyond the dtype's range.
    """
    wanted = STORED[dtype]
    if _holds(wanted, values.dtype):
        refuse_not_finite(site, values, values.dtype)
        return values if values.dtype is wanted else values.to(wanted)
    if values.numel() == 0:
        return values.to(wanted)
    most = _largest(wanted)
    peak = float(values.abs().amax())
    if np.isfinite(peak) and peak > most:
        raise CaptureError(
            f"{site} holds values up to {peak:.3g}, beyond {dtype}'s largest of {most:.4g}: pass "
            'dtype="bfloat16" (same size) or "float32"'
        )
    refuse_not_finite(site, values, values.dtype)
    return values.to(wanted)


def refuse_not_finite(site: str, values: Float[Tensor, "word d_model"], made: torch.dtype) -> None:
    """Refuse values that are not finite, which a model of dtype ``made`` has made.

    Raises:
        CaptureError: NaN or infinite activations.
    """
    if math.isfinite(values.sum().item()):  # so are its terms; the common, quick way
        return
    if not bool(torch.isfinite(values).all()):
        raise CaptureError(
            f"{site} holds NaN or infinite activations: the model overflows in "
            f"{str(made).removeprefix('torch.')}; load it in bfloat16 or float32"
        )


def _holds(wanted: torch.dtype, own: torch.dtype) -> bool:
    """Whether every finite value of one dtype is finite in the other."""
    return own is wanted or _largest(wanted) >= _largest(own)


@cache
def _largest(dtype: torch.dtype) -> float:
    return float(torch.finfo(dtype).max)


@final
class Arrays:
    """Typed arrays for a range of a corpus' words; rows are written by index, once or again.

    Args:
        sites: names.
        begin: first word of the range.
        end: one past the last.
        d_model: width, or one per site.
        dtype: of the values; bfloat16 lies in 16-bit integers, since NumPy has no such type.
    """

    def __init__(
        self, sites: Sequence[str], begin: int, end: int, d_model: int, dtype: Dtype
    ) -> None:
        self.dtype, self.begin = dtype, begin
        shape = (end - begin, d_model)
        self.arrays = {site: np.zeros(shape, dtype=_NUMPY[dtype]) for site in sites}
        self._tensors = {site: self._tensor(array) for site, array in self.arrays.items()}
        self._landing = Landing()
        self._words: Words | None = None
        self._unseen = slice(0, 0)  # words that nothing has looked at
        self._made: dict[str, torch.dtype] = {}  # there, by site: the model's dtype

    def put(self, site: str, words: Words, values: Tensor) -> None:
        """Write words of a batch, from a GPU while it goes on; :meth:`check` has to follow.

        Raises:
            CaptureError: the site is not as wide as the stream, its values do not fit the dtype, or
                earlier words, which nothing had looked at, are not finite.
        """
        kept = self._tensors[site]
        if values.shape[1] != kept.shape[1]:
            raise CaptureError(
                f"{site} has {values.shape[1]} numbers for each token, and the residual stream has "
                f"{kept.shape[1]}: only places as wide as the stream are captured, "
                "such as resid_post"
            )
        if lies_on_gpu(values):
            self._landing.send(values, partial(self._write, site, words))
        else:
            self._write(site, words, values)

    def _write(self, site: str, words: Words, values: Tensor) -> None:
        """Write words that lie in memory.

        Raises:
            CaptureError: as :meth:`put` says.
        """
        kept = self._tensors[site]
        if words is not self._words:  # all sites of a batch come with the same
            self._words, self._place = words, _place(words, self.begin)
            self._extend()
        if not isinstance(self._place, slice):
            kept.index_copy_(0, self._place, guarded(site, values, self.dtype).cpu())
        elif kept.dtype is values.dtype or _holds(kept.dtype, values.dtype):
            kept[self._place] = values
            self._made[site] = values.dtype
        else:
            kept[self._place] = guarded(site, values, self.dtype)

    def check(self, least: int = 0) -> None:
        """Look at the words that nothing has looked at, where they are at least so many.

        Between two blocks of a tiny model a look at a few numbers takes as long as the block, since
        the processor's caches hold the model: words that follow each other are looked at together.
        The last words may come from a GPU later, unless all are looked at.

        Args:
            least: how many; all of them without.

        Raises:
            CaptureError: NaN or infinite activations, or as :meth:`put` says.
        """
        self._landing.settle(AHEAD if least else 0)
        self._look(least)
        if not self._made:
            self._words = None  # others of the same batch may still come from a GPU

    def _look(self, least: int = 0) -> None:
        """Look at words that have arrived.

        Raises:
            CaptureError: NaN or infinite activations.
        """
        if self._unseen.stop - self._unseen.start < least:
            return
        for site, made in self._made.items():
            refuse_not_finite(site, self._tensors[site][self._unseen], made)
        self._unseen, self._made = slice(0, 0), {}

    def _extend(self) -> None:
        """Words of the next batch, behind those that nothing has looked at."""
        place = self._place
        if isinstance(place, slice):
            if self._made and place.start != self._unseen.stop:
                self._look()
            self._unseen = slice(self._unseen.start if self._made else place.start, place.stop)

    def _tensor(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if self.dtype == "bfloat16" else tensor


def _place(words: Words, begin: int) -> slice | Tensor:
    """Where the words go: a slice where they follow each other, which is copied at once."""
    if words.follow:
        first = int(words.rows[0]) - begin
        return slice(first, first + len(words.rows))
    return torch.from_numpy(words.rows - begin)
