"""Patterns of labels that sentences have exchanged: what a target without a state would show.

The pattern is estimated again for each exchange of labels, from the same rows and beside the same
other targets. Only the estimate of the noise is simpler: without a state the scatter inside the
classes is the whole scatter.
"""

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int
from scipy import sparse

from ...core.decompositions import eigh, pinv_symmetric, svd

__all__ = ["EXCHANGES", "chance_moves", "indicators"]

EXCHANGES = 20
"""Exchanges of labels per target: their mean and variance are all that is asked of them."""
FLOOR = 1e-9  # variances below this share of the largest count as this
FREE = 1e-9  # contrasts below this share of the target's scatter: the other targets fix them


def indicators(codes: npt.ArrayLike, k: int) -> sparse.csr_array:
    """``[token, class]`` ones where the token has the class, without the zeros.

    >>> indicators([1, 0, 1], 2).toarray()
    array([[0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    place = np.asarray(codes)
    n = len(place)
    return sparse.csr_array((np.ones(n), place, np.arange(n + 1)), shape=(n, k))


def chance_moves(
    rows: Float[np.ndarray, "token feature"],
    variances: Float[np.ndarray, " feature"],
    own: sparse.csr_array | Float[np.ndarray, "token column"],
    others: Float[np.ndarray, "token other"],
    sources: Int[np.ndarray, "draw token"],
) -> list[Float[np.ndarray, "feature rank"]]:
    """For each exchange of labels the movement of the features with them, strongest first.

    Args:
        rows: centred features whose scatter is diagonal.
        variances: mean square of each feature.
        own: columns of the target: :func:`indicators` of its classes, or its numbers.
        others: centred columns of the targets beside it.
        sources: for each token the token whose label it gets.
    """
    n = len(rows)
    mean = np.asarray(own.sum(axis=0)) / max(n, 1)
    whole = np.asarray(own.T @ (own.toarray() if isinstance(own, sparse.csr_array) else own))
    scatter = whole - n * np.outer(mean, mean)
    bridge = pinv_symmetric(others.T @ others, 1e-10)
    beside = others.astype(rows.dtype).T @ rows
    unit = np.sqrt(np.maximum(variances, FLOOR * max(float(variances.max(initial=0.0)), 1e-300)))
    found = []
    for source in sources:
        labels = own[source].T  # rows and others are centred, so that these need not be
        together = labels @ others
        explained = together @ bridge
        moved = (labels @ rows - explained.astype(rows.dtype) @ beside).T
        rest = scatter - explained @ together.T
        found.append(_strongest(moved.astype(np.float64), rest, unit, float(np.trace(scatter))))
    return found


def _strongest(
    moved: np.ndarray, scatter: np.ndarray, unit: np.ndarray, whole: float
) -> Float[np.ndarray, "feature rank"]:
    """Movement with the contrasts that the other targets leave free, by size in units of spread."""
    values, vectors = eigh(scatter)
    free = values > FREE * max(whole, 1e-300)
    moves: np.ndarray = moved @ (vectors[:, free] / np.sqrt(values[free]))
    if not moves.size:
        return moves
    _, sizes, turned = svd(moves / unit[:, None])
    found: np.ndarray = moves @ turned[sizes > 1e-6 * sizes[0]].T
    return found
