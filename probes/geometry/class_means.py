"""Differences of class means: directions with a name, a sign and a size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from ...core import checked
from ..errors import ProbeError
from ..inputs.columns import feature_matrix

__all__ = ["REST", "Direction", "directions_between"]

REST = "the rest"


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class Direction:
    """From the mean activation of one class to that of another.

    Args:
        toward: name of the class that the direction points to.
        away: name of the class that it comes from, or ``"the rest"`` of the classes.
        start: ``[d_model]`` mean activation of ``away``.
        vector: ``[d_model]`` the difference of the means, in the activations' own units: added to
            an activation it moves as far as the means are apart.

    Raises:
        ProbeError: the two vectors are of different lengths.

    >>> step = Direction("true", "false", np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    >>> step.name, step.place([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]).tolist()
    ('true − false', [0.0, 0.5, 1.0])
    """

    toward: str
    away: str
    start: Float[np.ndarray, " d_model"]
    vector: Float[np.ndarray, " d_model"]

    def __post_init__(self) -> None:
        if self.start.shape != self.vector.shape:
            raise ProbeError(
                f"start and vector are of one length; received {self.start.shape} and "
                f"{self.vector.shape}"
            )

    @property
    def name(self) -> str:
        """What it is a difference of."""
        return f"{self.toward} − {self.away}"

    @property
    def size(self) -> float:
        """How far the means are apart."""
        return float(np.linalg.norm(self.vector))

    def place(self, X: npt.ArrayLike) -> Float[np.ndarray, " row"]:
        """``[row]`` where activations lie on the way: 0 at the one mean, 1 at the other.

        Args:
            X: ``[row, d_model]`` activations.

        Raises:
            ProbeError: they have another number of dimensions, or the means do not differ.
        """
        features = feature_matrix(X)
        if features.shape[1] != len(self.vector):
            raise ProbeError(
                f"activations have {features.shape[1]} dimensions, the direction {len(self.vector)}"
            )
        if not self.size > 0:
            raise ProbeError(f"the means of {self.name} do not differ: there is no way to go")
        unit = self.vector / self.size
        found: np.ndarray = (features - self.start) @ (unit / self.size)
        return found


def directions_between(
    means: Float[np.ndarray, "class d_model"],
    counts: Float[np.ndarray, " class"],
    names: Sequence[str],
) -> tuple[Direction, ...]:
    """The directions of a target's classes.

    Args:
        means: of each class.
        counts: training rows of each.
        names: of the classes, in their order.

    Returns:
        Of two classes the one from the first to the second; of several one for each class, from
        the mean of all other rows to its own; none of a single class.

    >>> found = directions_between(np.eye(2), np.array([3.0, 1.0]), ("no", "yes"))
    >>> [(one.name, one.vector.tolist()) for one in found]
    [('yes − no', [-1.0, 1.0])]
    """
    if len(names) < 2:
        return ()
    if len(names) == 2:
        return (Direction(names[1], names[0], means[0], means[1] - means[0]),)
    total, sums = counts.sum(), counts[:, None] * means
    found = []
    for place, name in enumerate(names):
        rest = (sums.sum(axis=0) - sums[place]) / (total - counts[place])
        found.append(Direction(name, REST, rest, means[place] - rest))
    return tuple(found)
