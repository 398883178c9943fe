"""How alike two streams are: linear CKA, canonical correlations and Procrustes, from statistics."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core.decompositions import singular_values, svd
from .cross import CrossStatistics, Splits
from .ridge import Solver

__all__ = ["Canonical", "canonical", "linear_cka", "mean_square", "procrustes"]


def linear_cka(found: CrossStatistics) -> float:
    """Linear centred kernel alignment (Kornblith et al. 2019), in 0..1; NaN if nothing moves.

    The kernels of all pairs of rows are never made: their inner products are squared lengths of
    the cross products.
    """
    size = float(np.linalg.norm(found.scatter_xx) * np.linalg.norm(found.scatter_yy))
    return float(np.square(found.scatter_xy).sum()) / size if size else float("nan")


@final
@dataclass(frozen=True, eq=False)
class Canonical:
    """Canonical directions of two streams.

    Args:
        correlations: ``[k]`` descending; ``k`` is the smaller of the two ranks.
        left: ``[input, k]`` directions that give ``x`` unit scatter.
        right: ``[output, k]`` likewise for ``y``.
    """

    correlations: Float[np.ndarray, " k"]
    left: Float[np.ndarray, "input k"]
    right: Float[np.ndarray, "output k"]


def canonical(found: CrossStatistics, x: Solver, y: Solver) -> Canonical:
    """Canonical correlations of the rows learned from (Hotelling 1936).

    Args:
        found: statistics of both.
        x: the first stream's scatter taken apart; directions below the rank threshold are left
            out, since a correlation of rounding is none.
        y: the second's.
    """
    one, other = x.axes / np.sqrt(x.values), y.axes / np.sqrt(y.values)
    left, sizes, right = svd(one.T @ found.scatter_xy @ other)
    return Canonical(np.clip(sizes, 0.0, 1.0), one @ left, other @ right.T)


def mean_square(made: Canonical, seen: CrossStatistics) -> float:
    """Mean squared correlation of pairs of canonical directions on rows not learned from.

    A correlation of the other sign counts as 0.
    """
    if not len(made.correlations):
        return float("nan")
    together = ((seen.scatter_xy.T @ made.left) * made.right).sum(axis=0)
    sizes = [
        np.maximum(((scatter @ each) * each).sum(axis=0), 0.0)
        for each, scatter in ((made.left, seen.scatter_xx), (made.right, seen.scatter_yy))
    ]
    size = np.sqrt(sizes[0] * sizes[1])
    moves = size > 1e-12 * max(float(size.max()), np.finfo(np.float64).tiny)
    found = np.clip(np.where(moves, together / np.where(moves, size, 1.0), 0.0), 0.0, 1.0)
    return float(np.square(found).mean())


def procrustes(
    splits: Splits,
) -> tuple[float, Float[np.ndarray, " fold"], Float[np.ndarray, " fold"]]:
    """The best rotation, reflection and one scale that bring ``x`` onto ``y``.

    Where dimensions differ, the smaller stream gets dimensions of zeros (Ding et al. 2021), so
    that the rows' R2 is the same both ways.

    Args:
        splits: statistics of the folds.

    Returns:
        R2 on all rows, and squared errors and deviations on each fold of what was learned
        without it.
    """
    whole, k = splits.whole, len(splits.parts)
    size = float(np.trace(whole.scatter_xx) * np.trace(whole.scatter_yy))
    r2 = float(singular_values(whole.scatter_xy).sum()) ** 2 / size if size else float("nan")
    errors, spreads = np.empty(k), np.empty(k)
    for fold, (part, rest) in enumerate(zip(splits.parts, splits.rests, strict=True)):
        left, sizes, right = svd(rest.scatter_xy)
        moved = float(np.trace(rest.scatter_xx))
        scale = float(sizes.sum()) / moved if moved else 0.0
        seen = part.about(rest.mean_x, rest.mean_y)
        spreads[fold] = np.trace(seen.scatter_yy)
        gain = float(np.vdot(left @ right, seen.scatter_xy))
        errors[fold] = spreads[fold] - 2 * scale * gain
        errors[fold] += scale**2 * float(np.trace(seen.scatter_xx))
    return r2, errors, spreads
