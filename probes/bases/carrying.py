"""A subspace of one model's stream, carried into another's by a linear map."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core import Subspace
from ...core.decompositions import eigh, svd
from .cross import CrossStatistics, Splits
from .measured import jackknifed
from .ridge import HeldOutFit

__all__ = ["Carried", "Fit", "carry_subspace"]


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """What is kept of a map, to carry subspaces with.

    Args:
        splits: statistics of the folds, reference to model.
        found: the map.
        twins: ``[input, output]`` the map to each random-weight twin.
        shuffled: likewise to the model's stream with sentences exchanged, for each draw.
    """

    splits: Splits
    found: HeldOutFit
    twins: tuple[Float[np.ndarray, "input output"], ...]
    shuffled: tuple[Float[np.ndarray, "input output"], ...]


@final
@dataclass(frozen=True, eq=False)
class Carried:
    """Where a subspace of the reference comes out in a model's stream.

    Args:
        site: of the model.
        reference_site: of the reference.
        subspace: directions that come through, strongest first; none where nothing does.
        shares: ``[direction]`` of the variance along each that the rest of the map leaves, the
            share that the carried state gives on held-out sentences.
        lows: ``[direction]`` lower ends of their 95 % intervals; a direction comes through where
            this is above 0.
        asked: dimensions of the subspace that was carried.
        twins: ordered bases of the same subspace carried into each random-weight twin's stream.
        shuffled: likewise through the maps of exchanged sentences.
    """

    site: str
    reference_site: str
    subspace: Subspace
    shares: Float[np.ndarray, " direction"]
    lows: Float[np.ndarray, " direction"]
    asked: int
    twins: tuple[Float[np.ndarray, "d_model _"], ...]
    shuffled: tuple[Float[np.ndarray, "d_model _"], ...]

    @property
    def lost(self) -> int:
        """Dimensions of which nothing comes through."""
        return self.asked - self.subspace.dim

    def __str__(self) -> str:
        return (
            f"{self.subspace.dim} of {self.asked} dimensions come through the map from "
            f"{self.reference_site} to {self.site}"
        )


def carry_subspace(fit: Fit, space: Subspace, site: str, reference_site: str) -> Carried:
    """Carry a subspace through a map.

    If ``y`` is about ``A x``, movement of ``x`` in the subspace moves ``y`` in the span of ``A V``.
    Its directions are those of the movement that the rows show, strongest first; one that does not
    help to predict held-out sentences is noise of the map, and is left out.

    Args:
        fit: the map.
        space: of the reference's stream.
        site: of the model.
        reference_site: of the reference.
    """
    whole = fit.splits.whole
    moved = space.basis @ _root(space.basis.T @ whole.scatter_xx @ space.basis / max(whole.n, 1))
    ordered = _ordered(fit.found.weights, moved)
    shares, lows = _shares(fit, space, ordered)
    through = lows > 0.0
    text = f"{space.provenance}, carried from {reference_site} to {site}"
    return Carried(
        site,
        reference_site,
        Subspace(ordered[:, through], space.kind, text),
        shares,
        lows,
        space.dim,
        tuple(_ordered(weights, moved) for weights in fit.twins),
        tuple(_ordered(weights, moved) for weights in fit.shuffled),
    )


def _root(scatter: np.ndarray) -> np.ndarray:
    values, vectors = eigh(scatter)
    root: np.ndarray = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def _ordered(weights: np.ndarray, moved: np.ndarray) -> Float[np.ndarray, "d_model _"]:
    """Orthonormal directions of the movement that comes out, strongest first."""
    if not moved.shape[1]:
        return np.zeros((weights.shape[1], 0))
    left, sizes, _ = svd(weights.T @ moved)
    return left[:, sizes > 1e-6 * max(float(sizes[0]), np.finfo(np.float64).tiny)]


def _shares(
    fit: Fit, space: Subspace, along: np.ndarray
) -> tuple[Float[np.ndarray, " direction"], Float[np.ndarray, " direction"]]:
    """Share that the state gives of what the rest of the map leaves, along each direction."""
    errors: list[np.ndarray] = []
    before: list[np.ndarray] = []
    inside = space.basis @ space.basis.T
    learned = zip(fit.splits.parts, fit.splits.rests, fit.found.without, strict=True)
    for part, rest, weights in learned:
        seen = part.about(rest.mean_x, rest.mean_y)
        full = weights @ along
        errors.append(_squares(seen, full, along))
        before.append(_squares(seen, full - inside @ full, along))
    found = [
        jackknifed(np.array([e[i] for e in errors]), np.array([b[i] for b in before]))
        for i in range(along.shape[1])
    ]
    shares, lows = (np.array([each[i] for each in found]) for i in (0, 1))
    return shares, np.where(np.isfinite(lows), lows, -np.inf)


def _squares(seen: CrossStatistics, weights: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Squared errors along each direction of predictions ``weights.T x``."""
    own = ((seen.scatter_yy @ along) * along).sum(axis=0)
    cross = ((seen.scatter_xy @ along) * weights).sum(axis=0)
    made = ((seen.scatter_xx @ weights) * weights).sum(axis=0)
    errors: np.ndarray = np.maximum(own - 2 * cross + made, 0.0)
    return errors
