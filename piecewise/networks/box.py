"""A box of inputs: what a region count or an error bound is about."""

from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np

from ...core import checked
from ...core.arguments import shown
from ...core.limits import available_memory, refuse_large
from ..errors import BoxError
from .arraylike import ArrayLike, as_real, read_array

__all__ = ["Box", "as_box"]

MOST = 10**9  # points at once


@final
@checked(BoxError)
@dataclass(frozen=True, eq=False)
class Box:
    """The inputs ``x`` with ``lo <= x <= hi`` in every coordinate, of positive volume.

    Args:
        lo: ``[input]`` lower ends.
        hi: ``[input]`` upper ends, each above its lower end.

    Raises:
        BoxError: NaN or infinite ends, shapes that differ, an empty or inverted side.

    >>> Box([0, 0], [1, 2]).contains(np.array([[0.5, 2.0], [0.5, 2.1]])).tolist()
    [True, False]
    """

    lo: ArrayLike
    hi: ArrayLike

    def __post_init__(self) -> None:
        ends = (read_array(end, "the ends of a box", BoxError) for end in (self.lo, self.hi))
        lo, hi = (np.atleast_1d(end) for end in ends)
        if lo.ndim != 1 or lo.shape != hi.shape or lo.size == 0:
            raise BoxError(
                f"a box has two ends of one shape [input]; received {lo.shape} and {hi.shape}"
            )
        if not (np.isfinite(lo).all() and np.isfinite(hi).all()):
            raise BoxError(f"a box has finite ends; received lo={lo.tolist()}, hi={hi.tolist()}")
        if not (lo < hi).all():
            axis = int(np.argmax(~(lo < hi)))
            raise BoxError(
                f"the box is empty or inverted along input {axis}: lo={lo[axis]}, hi={hi[axis]}; "
                "each lo must be below its hi"
            )
        with np.errstate(over="ignore"):
            wide = ~np.isfinite(hi - lo)
        if wide.any():
            axis = int(np.argmax(wide))
            raise BoxError(
                f"the box is too wide for float64 along input {axis}: from {lo[axis]} to {hi[axis]}"
            )
        for name, end in (("lo", lo), ("hi", hi)):
            end.setflags(write=False)
            object.__setattr__(self, name, end)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """``(lo, hi)`` as arrays ``[input]``."""
        return np.asarray(self.lo), np.asarray(self.hi)

    @property
    def dim(self) -> int:
        """Number of inputs."""
        return int(self.ends[0].size)

    def contains(self, x: np.ndarray) -> np.ndarray:
        """Whether each row of ``x`` ``[point, input]`` lies in the box: bool ``[point]``.

        Raises:
            BoxError: rows of another length.
        """
        lo, hi = self.ends
        if x.shape[-1:] != lo.shape:
            raise BoxError(f"points have {lo.size} coordinates here; received shape {x.shape}")
        return np.asarray(((x >= lo) & (x <= hi)).all(axis=-1))

    def require(self, x: np.ndarray) -> None:
        """Refuse points outside the box.

        Raises:
            BoxError: some row of ``x`` is outside, or is NaN.
        """
        missing = np.isnan(x).any(axis=-1)
        if missing.any():
            raise BoxError(
                f"{int(missing.sum())} of {len(x)} inputs are NaN, first in row "
                f"{int(np.argmax(missing))}: NaN lies in no box; drop those rows"
            )
        inside = self.contains(x)
        if not inside.all():
            first, outside = int(np.argmax(~inside)), int((~inside).sum())
            lo, hi = self.ends
            raise BoxError(
                f"{outside} of {len(x)} inputs lie outside the box, first in row {first}: "
                f"{np.asarray(x)[first].tolist()}; the box is lo={lo.tolist()}, hi={hi.tolist()}; "
                "bounds hold inside only: construct with a wider box (a call of the transformer "
                "itself takes outside='allow' as well)"
            )

    def sample(self, n: int, seed: int) -> np.ndarray:
        """``n`` uniform points ``[point, input]``.

        Raises:
            BoxError: a negative number of points, or one that no memory holds.
        """
        if not 0 <= n <= MOST:
            raise BoxError(f"the number of points, n, lies in 0..{MOST}; received {n}")
        lo, hi = self.ends
        what = f"a sample of {n} points of {lo.size} inputs"
        refuse_large(BoxError, 8 * n * lo.size, available_memory(), what, "take fewer points")
        points: np.ndarray = np.random.default_rng(seed).uniform(lo, hi, size=(n, lo.size))
        return points


@checked(BoxError)
def as_box(box: object, n_inputs: int) -> Box:
    """Read ``(lo, hi)``, scalars or arrays, as a :class:`Box` of ``n_inputs`` inputs.

    Raises:
        BoxError: not two ends, or ends of another dimension.

    >>> as_box((0, 1), 3).dim
    3
    """
    if isinstance(box, Box):
        made = box
    else:
        try:
            ends = [as_real(end) for end in cast(Any, box)]
            lo_end, hi_end = ends
        except (TypeError, ValueError) as error:
            raise BoxError(
                f"a box is a pair (lo, hi) of numbers or arrays [input]; received {shown(box)}"
            ) from error
        made = Box(*(np.full(n_inputs, end) if end.ndim == 0 else end for end in (lo_end, hi_end)))
    if made.dim != n_inputs:
        raise BoxError(
            f"the box has {made.dim} coordinates and the network {n_inputs} inputs; "
            "give scalars, or one end per input"
        )
    return made
