"""A rectangle of a plane in input space: the window through which regions are counted."""

from dataclasses import dataclass
from typing import final

import numpy as np

from ...core import checked
from ...core.arguments import shown
from ...core.decompositions import rank
from ..errors import SliceError
from ..networks.arraylike import ArrayLike, as_real, read_array
from ..networks.box import Box, as_box

__all__ = ["Plane", "as_plane"]


@final
@checked(SliceError)
@dataclass(frozen=True, eq=False)
class Plane:
    """The points ``origin + s u + t v`` with ``lo <= (s, t) <= hi``.

    Args:
        origin: ``[input]``.
        u: ``[input]`` direction of s.
        v: ``[input]`` direction of t, not parallel to ``u``.
        lo: lower ends of s and t; -1 and -1 if not given.
        hi: upper ends of s and t; 1 and 1 if not given.

    Raises:
        SliceError: shapes that differ, NaN or infinite entries, parallel directions.
        BoxError: empty or inverted ends.

    >>> Plane([0, 0, 1], [1, 0, 0], [0, 1, 0]).points(np.array([[0.5, -0.5]])).tolist()
    [[0.5, -0.5, 1.0]]
    """

    origin: ArrayLike
    u: ArrayLike
    v: ArrayLike
    lo: ArrayLike = (-1.0, -1.0)
    hi: ArrayLike = (1.0, 1.0)

    def __post_init__(self) -> None:
        try:
            given = (self.origin, self.u, self.v)
            rows = [np.atleast_1d(as_real(row)) for row in given]
        except (TypeError, ValueError) as error:
            raise SliceError(
                "origin, u and v are numbers, one per input; received "
                f"{', '.join(shown(row) for row in given)}"
            ) from error
        if any(row.ndim != 1 or row.shape != rows[0].shape for row in rows):
            shapes = ", ".join(str(row.shape) for row in rows)
            raise SliceError(f"origin, u and v have one shape [input]; received {shapes}")
        if not all(np.isfinite(row).all() for row in rows):
            raise SliceError("origin, u and v must be finite; received NaN or infinite entries")
        if rank(np.stack(rows[1:])) < 2:
            raise SliceError("u and v are parallel (or zero): they span no plane")
        window = as_box((self.lo, self.hi), 2)
        for name, row in zip(("origin", "u", "v"), rows, strict=True):
            row.setflags(write=False)
            object.__setattr__(self, name, row)
        object.__setattr__(self, "lo", window.ends[0])
        object.__setattr__(self, "hi", window.ends[1])

    @classmethod
    def through(cls, a: ArrayLike, b: ArrayLike, c: ArrayLike) -> "Plane":
        """The plane of three points: a is ``(s, t) = (0, 0)``, b ``(1, 0)``, c ``(0, 1)``.

        The window reaches one unit beyond the triangle's corners: -1 to 2 each way.

        Raises:
            SliceError: points of different dimension, or on one line.
        """
        start, first, second = (read_array(row, "points", SliceError) for row in (a, b, c))
        if not start.shape == first.shape == second.shape:
            raise SliceError(
                f"three points of one dimension make a plane; received shapes {start.shape}, "
                f"{first.shape}, {second.shape}"
            )
        if not all(np.isfinite(row).all() for row in (start, first, second)):
            raise SliceError("points must be finite; received NaN or infinite entries")
        return cls(start, first - start, second - start, (-1.0, -1.0), (2.0, 2.0))

    @property
    def n_inputs(self) -> int:
        """Dimension of the input space."""
        return int(np.asarray(self.origin).size)

    @property
    def frame(self) -> np.ndarray:
        """``[input, 3]``: a point is ``frame @ (X, Y, 1)`` for window coordinates in [-1, 1]."""
        (centre_s, centre_t), (half_s, half_t) = self.centre, self.half
        origin, u, v = (np.asarray(row) for row in (self.origin, self.u, self.v))
        return np.stack([half_s * u, half_t * v, origin + centre_s * u + centre_t * v], axis=1)

    @property
    def centre(self) -> np.ndarray:
        """Middle ``(s, t)`` of the window."""
        return np.asarray((np.asarray(self.lo) + np.asarray(self.hi)) / 2)

    @property
    def half(self) -> np.ndarray:
        """Half the window's sides."""
        return np.asarray((np.asarray(self.hi) - np.asarray(self.lo)) / 2)

    def points(self, st: np.ndarray) -> np.ndarray:
        """Inputs ``[point, input]`` at plane coordinates ``[point, 2]``.

        Raises:
            SliceError: coordinates are no pairs.
        """
        if st.shape[-1:] != (2,):
            raise SliceError(f"plane coordinates are [point, 2]; received shape {st.shape}")
        return np.asarray(self.origin + st @ np.stack([np.asarray(self.u), np.asarray(self.v)]))


def as_plane(where: object, n_inputs: int) -> Plane:
    """Read a :class:`Plane`, or the box ``(lo, hi)`` of a network with two inputs.

    Raises:
        SliceError: a plane of another input space, or a box where the network has not two inputs.
        BoxError: an empty or inverted box.
    """
    if isinstance(where, Plane):
        if where.n_inputs != n_inputs:
            raise SliceError(
                f"the plane lies in {where.n_inputs} dimensions and the network has {n_inputs} "
                "inputs; the two must be equal"
            )
        return where
    if n_inputs != 2:
        raise SliceError(
            f"cells are counted in two dimensions and the network has {n_inputs} inputs; "
            "give a Plane (or use regions_on_segment on a line)"
        )
    box: Box = as_box(where, 2)
    return Plane(np.zeros(2), [1.0, 0.0], [0.0, 1.0], *box.ends)
