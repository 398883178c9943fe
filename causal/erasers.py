"""Ways of taking a state out: the subspace, LEACE, and the controls of amnesic probing."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ..core import Subspace
from ..probes import Eraser

__all__ = ["Erase", "erasers_of"]

TRIES = 40  # random subspaces among which those of alike variance are looked for
DRAWS = 4  # random subspaces of each kind that are taken out

Erase: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Takes states ``[state, d_model]``; returns them without something."""


def erasers_of(
    states: Float[np.ndarray, "token d_model"],
    labels: Shaped[np.ndarray, " token"],
    train: Bool[np.ndarray, " token"],
    subspace: Subspace,
    seed: int,
) -> dict[str, tuple[Erase | None, float]]:
    """Erasers by name, with the share of variance that each takes out; random ones are numbered.

    Args:
        states: at the site, of the words that have a label.
        labels: of the target.
        train: tokens that LEACE is fitted on.
        subspace: what is taken out.
        seed: of the random subspaces.
    """
    rng = np.random.default_rng(seed)
    centred = states - states.mean(axis=0)
    whole = float(np.square(centred).sum())

    def share(space: Subspace) -> float:
        return float(np.square(centred @ space.basis).sum()) / whole if whole else 0.0

    d, k = subspace.d_model, subspace.dim
    # Any random subspace may by chance hold much of what a probe reads: several, and their mean.
    random = [Subspace(rng.standard_normal((d, k))) for _ in range(TRIES)]
    # Mixtures of random directions with directions of the states reach any variance.
    mixed = [
        Subspace(
            (1 - w) * space.basis
            + w * _unit(centred.T @ rng.standard_normal((len(centred), max(k, 1)))[:, :k])
        )
        for space, w in zip(random, np.linspace(0, 1, TRIES), strict=True)
    ]
    alike = sorted(mixed, key=lambda space: abs(share(space) - share(subspace)))
    leace = Eraser.fit(states[train], labels[train])
    mean = states.mean(axis=0)
    arms: dict[str, tuple[Erase | None, float]] = {"none": (None, 0.0)}
    arms["subspace"] = (_centred(subspace, mean), share(subspace))
    for name, spaces in (("random", random), ("variance", alike)):
        for i, space in enumerate(spaces[:DRAWS]):
            arms[f"{name} {i}"] = (_centred(space, mean), share(space))
    taken = float(np.square(states - leace(states)).sum()) / whole if whole else 0.0
    return arms | {"leace": (leace, taken)}


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=0, keepdims=True)
    scaled: np.ndarray = matrix / np.where(lengths > 0, lengths, 1.0)
    return scaled


def _centred(space: Subspace, mean: np.ndarray) -> Erase:
    """Takes a subspace out, the mean kept."""

    def eraser(rows: np.ndarray) -> np.ndarray:
        away: np.ndarray = rows - (rows - mean) @ space.basis @ space.basis.T
        return away

    return eraser
