"""Where numbers are written, many of them at once: one regression of the stream on all values.

The stream is regressed on every value that it may hold, so what goes along with a value is not
taken for it. Values of a grammar are often tied on a corpus: constant, equal to one another, or
sums of others. Which combinations of coefficients a corpus determines is exact linear algebra
(*estimable functions*): those in the row space of the centred values. Per target either

* its *own* combinations are compared, those that involve no other target's values, or
* where it has none, its *tied* ones: its values' projections on the row space, whose directions
  are those of everything that is tied to them, together.

Both sides of a comparison are taken through the same combinations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ...core import Subspace
from ...core.decompositions import eigh, pinv, svd
from ..errors import ProbeError

__all__ = ["Combinations", "Movements"]

Directions: TypeAlias = Any
"""``[column, d_model]``: an array, or a sparse matrix of SciPy, whose stubs tell the two apart."""

MOVING = 3e-5  # part of a target's combination within the row space from which on it is looked at
MARGIN = 16.0  # times the expected rounding of a projection: what is larger was put there


@final
@dataclass(frozen=True, eq=False)
class Combinations:
    """What a corpus tells about one target's coefficients.

    Args:
        weights: ``[kind, rank]`` orthonormal combinations over the kinds of values that differ.
        own: whether no other target's values take part.
        moving: dimensions in which the target's values vary at all.
        reason: why not every column is told apart, in words; empty if all are.
    """

    weights: Float[np.ndarray, "kind rank"]
    own: bool
    moving: int
    reason: str = ""

    @property
    def rank(self) -> int:
        """Dimensions that are compared."""
        return int(self.weights.shape[1])


@final
@dataclass(frozen=True, eq=False)
class Movements:
    """How values move together on a corpus, as ``movements`` finds it.

    Args:
        names: of the columns.
        groups: target -> its columns.
        scale: ``[column]`` length of each centred column, 0 where it is constant.
        kinds: ``[column]`` which kind of movement a column has, -1 for constants; columns that
            are equal up to shift and positive factor are of one kind.
        left: ``[row, rank]`` orthonormal movements.
        sizes: ``[rank]`` their sizes, descending.
        right: ``[kind, rank]`` what they are made of.
        unit: relative rounding of one activation.
    """

    names: Sequence[str]
    groups: Mapping[str, tuple[int, ...]]
    scale: Float[np.ndarray, " column"]
    kinds: np.ndarray
    left: Float[np.ndarray, "row rank"]
    sizes: Float[np.ndarray, " rank"]
    right: Float[np.ndarray, "kind rank"]
    unit: float = float(np.finfo(np.float64).eps)

    def combinations(self, target: str) -> Combinations:
        """What can be identified of a target; rank 0 where its values are constant.

        Raises:
            ProbeError: there is no such target.
        """
        if target not in self.groups:
            names = ", ".join(self.groups)
            raise ProbeError(f"no target {target!r} has patterns here: ask for one of {names}")
        known = self.__dict__.setdefault("_combinations", {})
        if target not in known:
            known[target] = self._combine(target)
        found: Combinations = known[target]
        return found

    def shares(self, target: str) -> Float[np.ndarray, " column"]:
        """How much each column takes part in what is compared of a target; 0 where it does not."""
        weights = np.linalg.norm(self.combinations(target).weights, axis=1)
        found: np.ndarray = np.where(self.kinds >= 0, weights[self.kinds], 0.0)
        return found

    def projections(
        self, stream: Float[np.ndarray, "row d_model"]
    ) -> Float[np.ndarray, "rank d_model"]:
        """The stream along each movement: all that patterns need of a site."""
        x = np.asarray(stream, dtype=np.float64)
        found: np.ndarray = self.left.T @ (x - x.mean(axis=0))
        return found

    def learned(
        self, target: str, projections: Float[np.ndarray, "rank d_model"], rounding: float
    ) -> Subspace:
        """The pattern of a target's identified combinations.

        Args:
            target: its name.
            projections: of the stream, :meth:`projections`.
            rounding: size of the rounding of one activation.
        """
        moves = self._axes(target)[0].T @ projections
        return self._subspace(moves, rounding, f"regression on {len(self.names)} values")

    def predicted(self, target: str, directions: Directions, rounding: float) -> Subspace:
        """The same combinations of named directions.

        Args:
            target: its name.
            directions: ``[column, d_model]`` what one unit of each column adds to the stream; 0
                where it is not written. A sparse matrix where streams are wide.
            rounding: as for :meth:`learned`: what is smaller could not be found.
        """
        _, inverse, own = self._axes(target)
        return self._subspace(inverse.T @ (own.T @ self.by_kind(directions)), rounding, "named")

    def by_kind(self, directions: Directions) -> Directions:
        """Directions of columns of one kind, added up, per unit of movement."""
        return self._gathering @ directions

    @cached_property
    def _gathering(self) -> sparse.csr_matrix:
        """``[kind, column]`` lengths of the columns of each kind."""
        moving = np.flatnonzero(self.kinds >= 0)
        shape = len(self.right), len(self.kinds)
        return sparse.csr_matrix((self.scale[moving], (self.kinds[moving], moving)), shape=shape)

    def _axes(self, target: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Orthonormal axes of a target's movement, the way from combinations to them, those."""
        weights = self.combinations(target).weights
        # Coefficients of the combinations are weights' right / sizes of the projections. Those that
        # take part in the smallest movements are huge. Combinations are turned so that the first
        # alone takes part in the smallest, the first two in the next, and so on: what is huge then
        # leaves no rounding in the others, as columns are orthogonalised one after the other.
        turn, graded = np.linalg.qr(weights.T @ self.right[:, ::-1])
        axes, triangle = np.linalg.qr((graded[:, ::-1] / self.sizes).T)
        return axes, pinv(triangle), weights @ turn

    def _subspace(self, moves: np.ndarray, rounding: float, why: str) -> Subspace:
        """Directions of movements that are more than rounding.

        Rounding errors of the rows, projected on orthonormal movements, make a matrix whose largest
        singular value is about their size times the sum of the roots of its sides. The movements
        are off by float64's rounding of the largest of them, which adds that share of the whole
        stream: its longest row times the root of the rows.
        """
        d = moves.shape[1]
        ratio = float(np.finfo(np.float64).eps) / self.unit
        rounding *= 1.0 + ratio * float(self.sizes[:1].sum() * np.sqrt(len(self.left)))
        if not moves.shape[0]:
            return Subspace(np.zeros((d, 0)), "pattern", why)
        _, sizes, along = svd(moves)
        seen = sizes > MARGIN * rounding * (np.sqrt(len(self.sizes)) + np.sqrt(d))
        return Subspace(along[seen].T, "pattern", why)

    def _combine(self, target: str) -> Combinations:
        columns = np.array(self.groups[target], dtype=int)
        moving = columns[self.kinds[columns] >= 0]
        kinds = np.unique(self.kinds[moving])
        if not len(kinds):
            return Combinations(np.zeros((len(self.right), 0)), True, 0, "constant here")
        among = set(columns.tolist())
        pure = np.array([self._members(kind) <= among for kind in kinds.tolist()])
        own = self._own(kinds[pure])
        _, sizes, along = svd(self.right[kinds])
        moves = sizes > MOVING
        dimensions, why = int(moves.sum()), self._reason(columns, own, int(moves.sum()))
        if own.shape[1]:
            return Combinations(own, True, dimensions, why)
        # Of its values' projections on the row space, an orthonormal basis.
        return Combinations(self.right @ along[moves].T, False, dimensions, why)

    @cached_property
    def _outside(self) -> float:
        """Squared share outside the row space that rounding gives a combination inside it.

        Products of orthonormal vectors are off by the rounding times their length, and the row
        space is turned by the rounding of the largest movement beside the smallest. What lies
        further outside is not determined: its coefficient holds a share of other values, divided
        by the smallest movement.
        """
        eps = float(np.finfo(np.float64).eps)
        turned = MARGIN * eps * float(self.sizes[0] / self.sizes[-1]) if len(self.sizes) else 0.0
        return MARGIN * eps * len(self.right) + turned**2

    def _own(self, kinds: np.ndarray) -> np.ndarray:
        """Combinations of these kinds alone that lie in the row space.

        Combinations of k kinds outside a row space of rank r come from a matrix of k by k; those of
        movements that no other kind takes part in from one of r by r. The smaller is taken.
        """
        rows = self.right[kinds]
        few = len(kinds) <= rows.shape[1]
        shared = rows @ rows.T if few else rows.T @ rows
        values, vectors = eigh(np.eye(len(shared)) - 0.5 * (shared + shared.T))
        inside = vectors[:, values < self._outside]
        weights = np.zeros((len(self.right), inside.shape[1]))
        weights[kinds] = inside if few else rows @ inside
        return weights

    @cached_property
    def _by_kind(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for column, kind in enumerate(self.kinds.tolist()):
            found.setdefault(kind, set()).add(column)
        return found

    def _members(self, kind: int) -> set[int]:
        return self._by_kind[kind]

    def _reason(self, columns: np.ndarray, own: np.ndarray, dimensions: int) -> str:
        """Which columns a corpus does not tell apart from what else, in words."""
        still = [c for c in columns.tolist() if self.kinds[c] < 0]
        alone = np.square(own).sum(axis=1) if own.shape[1] else np.zeros(len(self.right))
        among = set(columns.tolist())
        equal, sums = [], []
        for column in columns[self.kinds[columns] >= 0].tolist():
            kind = int(self.kinds[column])
            others = self._members(kind) - among
            if others:
                equal.append((column, min(others)))
            elif alone[kind] < 1 - self._outside:
                sums.append(column)
        named = self.names
        parts = []
        if still:
            parts.append(f"constant here: {_few(still, named.__getitem__)}")
        if equal:
            twins = _few(equal, lambda two: f"{named[two[0]]} is {named[two[1]]}")
            parts.append(f"equal on this corpus, up to a factor: {twins}")
        if sums:
            told = _few(sums, named.__getitem__)
            parts.append(f"told from other values only in combination: {told}")
        if own.shape[1] and own.shape[1] < dimensions:
            parts.append(f"{own.shape[1]} of {dimensions} dimensions are its own and compared")
        if not own.shape[1]:
            parts.append("compared together with what it is tied to")
        return "; ".join(parts)


def _few(given: Sequence[Any], named: Callable[[Any], str], most: int = 4) -> str:
    """Some by name, and how many more there are."""
    more = f" and {len(given) - most} more" if len(given) > most else ""
    return ", ".join(named(one) for one in given[:most]) + more
