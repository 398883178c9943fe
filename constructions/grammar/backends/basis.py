"""Coordinates as directions of the residual stream, rotated if the model is."""

from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Float

from ....core import Subspace
from ..program.program import Program
from ..settings import ConstructionSettings
from .position_codes import position_scheme
from .rotation import rotation_matrix

__all__ = ["Basis"]


@final
class Basis:
    """Where the coordinates of a program lie in the stream of its model.

    Args:
        settings: of the model.
        program: of the model.
    """

    def __init__(self, settings: ConstructionSettings, program: Program) -> None:
        code = (
            position_scheme(settings.position_code, program.n_max).code.numpy().astype(np.float64)
        )
        self._code = code[:, :0] if settings.backend == "sparse" else code
        self._named = len(program.registry)
        self.width = self._named + self._code.shape[1]
        seed = settings.rotation
        self.rotation = None if seed is None else rotation_matrix(self.width, seed)

    def directions(self, coordinates: Sequence[int]) -> Float[np.ndarray, "coordinate d_model"]:
        """What one unit of each coordinate adds to the stream."""
        rows = np.zeros((len(coordinates), self.width))
        rows[np.arange(len(coordinates)), list(coordinates)] = 1.0
        return self._turned(rows)

    def positions(self, places: Sequence[int]) -> Float[np.ndarray, "place d_model"]:
        """What the position code adds to the stream at each position, BOS being 0."""
        rows = np.zeros((len(places), self.width))
        rows[:, self._named :] = self._code[np.minimum(list(places), len(self._code) - 1)]
        return self._turned(rows)

    def subspace(
        self, coordinates: Sequence[int], inside: Float[np.ndarray, "coordinate k"], why: str
    ) -> Subspace:
        """Combinations of coordinates as a subspace."""
        return Subspace(self.directions(coordinates).T @ inside, "pattern", why)

    def span(self, coordinates: Sequence[int], why: str) -> Subspace:
        """Span of coordinates."""
        return self.subspace(coordinates, np.eye(len(coordinates)), why)

    def _turned(self, rows: Float[np.ndarray, "row d_model"]) -> Float[np.ndarray, "row d_model"]:
        return rows if self.rotation is None else rows @ self.rotation
