"""The part of a pattern that belongs to its target alone.

In a constructed model a state's coordinates are a function of the class: given the class they do
not move at all. Class means then move along them, but also along whatever goes with the class by
the grammar (a sibling's state, a word): the column space of class means is tilted. What moves
with the class *and never within it* is the state's own subspace: class-mean movement less its
projection onto the span of all movement inside the classes. With noise everywhere, as in trained
models, no such directions exist and the pattern stays what it was.
"""

import numpy as np
from jaxtyping import Float
from scipy import linalg

from ...core.decompositions import eigh, pinv, singular_values

__all__ = ["own_moves"]

EXACT = 1.0 - 1e-6  # squared canonical correlation from which a class counts as determined
MOVING = 1e-7  # share of the largest variance: float32 features know no smaller one in a difference
ENOUGH = 2  # examples per direction, at least
REST = 1e-3  # share of a movement that must remain for it to be the target's own


def own_moves(
    moves: Float[np.ndarray, "feature contrast"],
    noise: Float[np.ndarray, "feature feature"],
    n: int,
    geometry: Float[np.ndarray, "d_model feature"] | None = None,
) -> Float[np.ndarray, "feature contrast"] | None:
    """Movement with the class outside the span of movement inside the classes.

    Args:
        moves: scatter of features with orthonormal class contrasts.
        noise: scatter of the features inside the classes, so that ``noise + moves moves^T`` is
            the total.
        n: examples. With fewer than twice as many as directions in which they move, examples
            determine their classes by being few, not by what they are.
        geometry: activations' directions of the features; lengths and angles are taken there.

    Returns:
        The movement, or ``None`` where the activations do not determine the class exactly or
        where nothing of it is the target's own.
    """
    if not moves.shape[1] or not _determined(moves, noise):
        return None
    frame = np.eye(len(noise))
    if geometry is not None:
        _, frame = np.linalg.qr(geometry)
    inside = frame @ noise @ frame.T
    values, vectors = eigh(0.5 * (inside + inside.T))
    size = max(float(values[-1]), float(np.square(frame @ moves).sum()))
    moving = vectors[:, values > MOVING * size]
    if n < ENOUGH * (moving.shape[1] + moves.shape[1]):
        return None
    seen = frame @ moves
    rest = seen - moving @ (moving.T @ seen)
    kept, whole = (singular_values(m) for m in (rest, seen))
    if kept.min() < REST * whole.min():
        return None
    own: np.ndarray = rest if geometry is None else pinv(frame) @ rest
    return own


def _determined(moves: np.ndarray, noise: np.ndarray) -> bool:
    """All class contrasts are linear functions of the features, up to rounding."""
    total = noise + moves @ moves.T
    scale = np.sqrt(np.maximum(np.diag(total), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    total = total / np.outer(scale, scale)
    total[np.diag_indices_from(total)] += 1e-10
    seen = moves / scale[:, None]
    try:
        solved = linalg.cho_solve(linalg.cho_factor(total, lower=True), seen)
    except linalg.LinAlgError:  # rounding made it indefinite: drop what carries nothing
        values, vectors = eigh(total)
        keep = values > 1e-10 * values[-1]
        solved = (vectors[:, keep] / values[keep]) @ (vectors[:, keep].T @ seen)
    shared = seen.T @ solved
    return bool(eigh(shared)[0][0] > EXACT)
