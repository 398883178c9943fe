"""Ridge regression of one stream on another, scored on folds of which it saw nothing.

Everything follows from the statistics of the folds: the error of a map on held-out rows is a
quadratic form in their scatter, so no row is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core.decompositions import eigh
from .cross import CrossStatistics, Splits

__all__ = ["PENALTIES", "RANK", "HeldOutFit", "Solver", "Solvers", "fit_folds"]

PENALTIES = (0.0, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Penalties compared, as shares of the mean variance of the directions that move; 0 is least
squares."""

RANK = 1e-9
"""Directions with less than this share of the largest variance count as not there: they are what
rounding to float32 leaves (a share of 1e-14) rather than what a model writes."""


@final
@dataclass(frozen=True, eq=False)
class Solver:
    """The inputs' scatter taken apart, for any number of streams and penalties.

    Args:
        axes: ``[input, rank]`` directions in which the inputs move.
        values: ``[rank]`` scatter along each.
    """

    axes: Float[np.ndarray, "input rank"]
    values: Float[np.ndarray, " rank"]

    @classmethod
    def of(cls, scatter: Float[np.ndarray, "input input"]) -> "Solver":
        """Take a scatter apart; directions below :data:`RANK` are left out."""
        values, vectors = eigh(scatter)
        keep = values > RANK * max(float(values[-1]) if len(values) else 0.0, 0.0)
        return cls(vectors[:, keep], values[keep])

    def weights(
        self, scatter: Float[np.ndarray, "input output"], penalty: float
    ) -> Float[np.ndarray, "input output"]:
        """Weights of the map ``y = weights.T x`` at one penalty, of least length where free."""
        found: np.ndarray = self.axes @ self._inside(scatter, penalty)
        return found

    def errors(
        self,
        scatter: Float[np.ndarray, "input output"],
        seen: CrossStatistics,
        penalties: Sequence[float],
    ) -> Float[np.ndarray, " penalty"]:
        """Sum of squared errors on other rows for each penalty.

        Args:
            scatter: of the rows learned from.
            seen: other rows, about the means of those learned from.
            penalties: to compare.
        """
        learned = self.axes.T @ scatter
        within = (self.axes.T @ seen.scatter_xx @ self.axes) * (learned @ learned.T)
        across = (learned * (self.axes.T @ seen.scatter_xy)).sum(axis=1)
        whole = float(np.trace(seen.scatter_yy))
        inverses = [1.0 / (self.values + self._strength(penalty)) for penalty in penalties]
        found = [whole - 2 * float(d @ across) + float(d @ within @ d) for d in inverses]
        return np.array(found)

    def _strength(self, penalty: float) -> float:
        return penalty * float(self.values.mean()) if len(self.values) else 0.0

    def _inside(self, scatter: np.ndarray, penalty: float) -> Float[np.ndarray, "rank output"]:
        scale = self.values + self._strength(penalty)
        found: np.ndarray = (self.axes.T @ scatter) / scale[:, None]
        return found


@final
@dataclass(frozen=True, eq=False)
class HeldOutFit:
    """A map of all folds, and what maps without each fold do there.

    Args:
        weights: ``[input, output]`` of all folds.
        penalty: of that map.
        errors: ``[fold]`` squared errors on each fold of the map that saw nothing of it.
        spreads: ``[fold]`` squared deviations there from the mean of the rows learned from.
        without: per fold ``[input, output]`` the map that saw nothing of it.
    """

    weights: Float[np.ndarray, "input output"]
    penalty: float
    errors: Float[np.ndarray, " fold"]
    spreads: Float[np.ndarray, " fold"]
    without: tuple[Float[np.ndarray, "input output"], ...]


class Solvers:
    """Solvers of one stream's scatter without one fold, without two, and of all.

    One stream is regressed on by many others: its scatter is taken apart once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], Solver] = {}

    def of(self, left: tuple[int, ...], scatter: np.ndarray) -> Solver:
        """The solver of the rows without these folds."""
        if left not in self._known:
            self._known[left] = Solver.of(scatter)
        return self._known[left]


def fit_folds(
    splits: Splits,
    solvers: Solvers,
    penalties: Sequence[float] = PENALTIES,
) -> HeldOutFit:
    """Ridge maps of ``y`` on ``x``: of all folds, and without each.

    The penalty of the map without a fold is chosen on the next fold, by a map that saw neither;
    that of all folds by their held-out errors together.

    Args:
        splits: statistics of the folds, three or more.
        solvers: of this ``x``, shared with other ``y``.
        penalties: to compare.
    """
    errors, spreads, without = [], [], []
    table = np.zeros(len(penalties))
    k = len(splits.parts)
    for fold, (part, rest, both) in enumerate(
        zip(splits.parts, splits.rests, splits.pairs, strict=True)
    ):
        after = (fold + 1) % k
        tried = solvers.of((fold, after), both.scatter_xx).errors(
            both.scatter_xy, splits.parts[after].about(both.mean_x, both.mean_y), penalties
        )
        solver = solvers.of((fold,), rest.scatter_xx)
        seen = part.about(rest.mean_x, rest.mean_y)
        here = solver.errors(rest.scatter_xy, seen, penalties)
        best = int(tried.argmin())
        errors.append(max(float(here[best]), 0.0))
        spreads.append(float(np.trace(seen.scatter_yy)))
        without.append(solver.weights(rest.scatter_xy, penalties[best]))
        table += here
    penalty = penalties[int(table.argmin())]
    whole = splits.whole
    weights = solvers.of((), whole.scatter_xx).weights(whole.scatter_xy, penalty)
    return HeldOutFit(weights, penalty, np.array(errors), np.array(spreads), tuple(without))
