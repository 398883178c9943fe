"""Where captured words go: typed arrays, with a guard against values the type cannot hold."""

import math
from collections.abc import Sequence
from functools import cache
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import CaptureError
from .settings import Dtype

__all__ = ["STORED", "Arrays", "guarded"]

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
    wanted, own = STORED[dtype], values.dtype
    fits = own is wanted or _largest(wanted) >= _largest(own)
    if fits and math.isfinite(values.sum().item()):  # so are its terms; the common, quick way
        return values if own is wanted else values.to(wanted)
    if values.numel() == 0:
        return values.to(wanted)
    most = _largest(wanted)
    peak = float(values.abs().amax())
    if not np.isfinite(peak):
        raise CaptureError(
            f"{site} holds NaN or infinite activations: the model overflows in "
            f"{str(values.dtype).removeprefix('torch.')}; load it in bfloat16 or float32"
        )
    if peak > most:
        raise CaptureError(
            f"{site} holds values up to {peak:.3g}, beyond {dtype}'s largest of {most:.4g}: pass "
            'dtype="bfloat16" (same size) or "float32"'
        )
    return values.to(wanted)


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
        self._rows, self._place = np.empty(0, dtype=np.int64), _place(np.empty(0, dtype=np.int64))

    def put(self, site: str, rows: np.ndarray, values: Tensor) -> None:
        """Write words of a batch.

        Raises:
            CaptureError: the site is not as wide as the stream, or its values do not fit the dtype.
        """
        ready, kept = guarded(site, values, self.dtype), self._tensors[site]
        ready = ready if ready.is_cpu else ready.cpu()
        if ready.shape[1] != kept.shape[1]:
            raise CaptureError(
                f"{site} has {ready.shape[1]} numbers for each token, and the residual stream has "
                f"{kept.shape[1]}: only places as wide as the stream are captured, "
                "such as resid_post"
            )
        if rows is not self._rows:  # all sites of a batch come with the same rows
            self._rows, self._place = rows, _place(rows - self.begin)
        if isinstance(self._place, slice):
            kept[self._place] = ready
        else:
            kept.index_copy_(0, self._place, ready)

    def _tensor(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if self.dtype == "bfloat16" else tensor


def _place(rows: Int[np.ndarray, " word"]) -> slice | Tensor:
    """The rows as a slice where they follow each other, which is copied at once."""
    first = int(rows[0]) if len(rows) else 0
    if bool((rows == np.arange(first, first + len(rows))).all()):
        return slice(first, first + len(rows))
    return torch.from_numpy(rows)
