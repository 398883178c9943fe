"""Patterns of labels that sentences have exchanged: what a target without a state would show.

The pattern is estimated again for each exchange of labels, from the same rows and beside the same
other targets. Only the estimate of the noise is simpler: without a state the scatter inside the
classes is the whole scatter.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float

from ...core.decompositions import eigh, pinv_symmetric, svd
from .statistics import Statistics

__all__ = ["EXCHANGES", "chance_moves"]

EXCHANGES = 20
"""Exchanges of labels per target: their mean and variance are all that is asked of them."""
FLOOR = 1e-9  # variances below this share of the largest count as this
FREE = 1e-9  # contrasts below this share of the target's scatter: the other targets fix them


def chance_moves(
    statistics: Statistics,
    target: str,
    drawn: Iterable[tuple[Float[np.ndarray, "column feature"], Float[np.ndarray, "column other"]]],
) -> Iterator[Float[np.ndarray, "feature rank"]]:
    """For each exchange of labels the movement of the features with them, strongest first.

    Args:
        statistics: of centred features whose scatter is diagonal, and of all targets.
        target: the one whose labels are exchanged.
        drawn: for each exchange the products of its columns with the features, and with the centred
            columns of the other targets. The columns themselves need not be centred.
    """
    own = np.zeros(len(statistics.mean_z), dtype=bool)
    own[statistics.block(target)] = True
    scatter = statistics.scatter_zz[own][:, own]
    bridge = pinv_symmetric(statistics.scatter_zz[~own][:, ~own], 1e-10)
    beside = statistics.scatter_xz[:, ~own].T
    variances = np.diag(statistics.scatter_xx) / max(statistics.n, 1)
    unit = np.sqrt(np.maximum(variances, FLOOR * max(float(variances.max(initial=0.0)), 1e-300)))
    for sums, together in drawn:
        explained = together @ bridge
        moved = (sums - explained @ beside).T
        rest = scatter - explained @ together.T
        yield _strongest(moved, rest, unit, float(np.trace(scatter)))


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
