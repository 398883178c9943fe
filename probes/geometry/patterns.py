"""Which subspace a target writes (pattern), and which one a classifier reads (readout).

The *pattern* is the column space of class means, at reduced rank in the metric whitened by the
scatter inside the classes: ``Sw^.5 top_r(Sw^-.5 M)``. Targets that go together are estimated
jointly: activations are regressed on the indicators of all of them, and the target keeps only
the movement that the others do not explain. Where activations determine the class exactly, as in
constructed models, only the target's own movement counts
(:mod:`linrep.probes.geometry.own_pattern`).
The *readout* is ``Sw^-.5 top_r(Sw^-.5 M)``, the directions of linear discriminant analysis.
Under correlated noise the two differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from scipy import linalg

from ...core import Subspace, checked
from ...core.decompositions import eigh, pinv_symmetric, svd
from ..errors import ProbeError
from ..inputs.columns import common_scale, feature_matrix
from ..solvers.closed_form import oracle_shrinkage
from .own_pattern import own_moves
from .statistics import Statistics

__all__ = ["TargetDirections", "directions", "pattern_subspace", "readout_subspace"]

FLOOR = 1e-9  # variances below this share of the largest count as this: whitening stays finite
NEGLIGIBLE = 1e-6  # strengths below this share of the largest are rounding
RESOLUTION = float(np.finfo(np.float32).eps)  # share of the whole that float32 activations resolve


@final
@dataclass(frozen=True, eq=False)
class TargetDirections:
    """Movement of class means, strongest first in units of the noise.

    Args:
        pattern: ``[feature, rank]`` directions in which means move.
        readout: ``[feature, rank]`` directions that tell classes apart best.
        strength: ``[rank]`` size of each movement over the noise, descending.
    """

    pattern: Float[np.ndarray, "feature rank"]
    readout: Float[np.ndarray, "feature rank"]
    strength: Float[np.ndarray, " rank"]


def directions(
    statistics: Statistics,
    target: str | None = None,
    *,
    shrinkage: float | None = None,
    geometry: np.ndarray | None = None,
    resolution: float = float(np.finfo(np.float64).eps),
) -> TargetDirections:
    """Directions of one target, given all other targets that the statistics hold.

    Args:
        statistics: of activations and of every target.
        target: the one wanted; may be left out where there is only one.
        shrinkage: share of an isotropic matrix mixed into the scatter inside the classes, 0..1;
            by default the oracle-approximating one (Chen et al. 2010, arXiv:0907.4698).
        geometry: ``[d_model, feature]`` what the features are in activations, if they are not
            activations themselves.
        resolution: relative rounding of the rows behind the cross products. Where the stream has no
            noise, what is left of its scatter is rounding of that size, of either sign.
    """
    size = float(np.trace(statistics.scatter_xx))
    if size and not 1e-120 < size < 1e120:  # squares of squares are taken below
        factor = 2.0 ** (-np.frexp(size)[1] // 2)
        found = directions(
            _scaled(statistics, factor), target, shrinkage=shrinkage, geometry=geometry,
            resolution=resolution,
        )  # fmt: skip
        return TargetDirections(found.pattern / factor, found.readout * factor, found.strength)
    block = statistics.block(target)
    own = np.zeros(len(statistics.mean_z), dtype=bool)
    own[block] = True
    scatter_zz, scatter_xz = statistics.scatter_zz, statistics.scatter_xz
    # What the other targets explain is taken out of both the target and the activations.
    bridge = pinv_symmetric(scatter_zz[np.ix_(~own, ~own)], 1e-10)
    shared = bridge @ scatter_zz[~own][:, own]
    rest_zz = scatter_zz[own][:, own] - scatter_zz[own][:, ~own] @ shared
    rest_xz = scatter_xz[:, own] - scatter_xz[:, ~own] @ shared
    values, vectors = eigh(rest_zz)
    free = values > 1e-9 * max(float(np.trace(scatter_zz[own][:, own])), 1e-300)
    moves = _resolved(rest_xz @ (vectors[:, free] / np.sqrt(values[free])), statistics.scatter_xx)
    other_xz = scatter_xz[:, ~own]
    noise = statistics.scatter_xx - other_xz @ bridge @ other_xz.T - moves @ moves.T
    exclusive = own_moves(moves, noise, statistics.n, geometry)
    # What is left of the scatter is a difference: it is known up to the rounding of the whole.
    # Products of rows that are off by this share are off by less than four times as much.
    unit = max(len(noise) * float(np.finfo(np.float64).eps), 4 * resolution)
    rounding = unit * float(np.trace(statistics.scatter_xx))
    noise[np.diag_indices_from(noise)] += rounding
    found = _canonical(moves, noise, statistics.n, shrinkage)
    return found if exclusive is None else replace(found, pattern=exclusive)


@checked(ProbeError)
def pattern_subspace(
    X: npt.ArrayLike | Statistics,
    y: npt.ArrayLike | None = None,
    rank: int | None = None,
    *,
    others: Mapping[str, npt.ArrayLike] | None = None,
    target: str | None = None,
    shrinkage: float | None = None,
) -> Subspace:
    """The subspace in which activations move when the target's class changes.

    Args:
        X: ``[token, d_model]`` activations, or :class:`Statistics`.
        y: ``[token]`` classes (not with statistics).
        rank: dimensions wanted; by default all in which class means differ
            (classes minus one, less what the other targets leave nothing of).
        others: further targets of the same tokens, estimated jointly.
        target: which target of the statistics.
        shrinkage: see :func:`directions`.

    Raises:
        ProbeError: arguments do not fit each other, or the data are not finite.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 500)
    >>> X = rng.standard_normal((500, 5)); X[:, 2] += 3 * y
    >>> found = pattern_subspace(X, y)
    >>> found.dim, found.overlap(Subspace(np.eye(5)[:, 2:3])) > 0.95
    (1, True)
    """
    return _subspace("pattern", X, y, rank, others, target, shrinkage)


@checked(ProbeError)
def readout_subspace(
    X: npt.ArrayLike | Statistics,
    y: npt.ArrayLike | None = None,
    rank: int | None = None,
    *,
    others: Mapping[str, npt.ArrayLike] | None = None,
    target: str | None = None,
    shrinkage: float | None = None,
) -> Subspace:
    """The subspace that tells the target's classes apart best (linear discriminants).

    Args:
        X: ``[token, d_model]`` activations, or :class:`Statistics`.
        y: ``[token]`` classes (not with statistics).
        rank: dimensions wanted; by default all.
        others: further targets of the same tokens, estimated jointly.
        target: which target of the statistics.
        shrinkage: see :func:`directions`.

    Raises:
        ProbeError: arguments do not fit each other, or the data are not finite.
    """
    return _subspace("readout", X, y, rank, others, target, shrinkage)


def _subspace(
    kind: Literal["pattern", "readout"],
    X: npt.ArrayLike | Statistics,
    y: npt.ArrayLike | None,
    rank: int | None,
    others: Mapping[str, npt.ArrayLike] | None,
    target: str | None,
    shrinkage: float | None,
) -> Subspace:
    if isinstance(X, Statistics):
        if y is not None or others is not None:
            raise ProbeError("statistics hold their targets already: name one with target=")
        statistics = X
    elif y is None:
        raise ProbeError(
            "labels y are missing: give one for each row of X, or Statistics that hold them"
        )
    else:
        target = target or "target"
        if target in (others or {}):
            raise ProbeError(
                f"{target!r} names the target itself and one of the others: call one of them "
                "otherwise"
            )
        features = feature_matrix(X)
        scale = float(common_scale(features))  # a subspace has no size
        features = features if scale == 1.0 else features * scale
        statistics = Statistics.from_arrays(features, {target: y, **(others or {})})
    found = directions(statistics, target, shrinkage=shrinkage)
    matrix = found.pattern if kind == "pattern" else found.readout
    if rank is not None and rank < 0:
        raise ProbeError(f"a rank is not negative; received {rank}")
    kept = matrix[:, :rank] if rank is not None else matrix
    beside = ", ".join(name for name in statistics.classes if name != target)
    text = f"{kind} of {target or 'target'} from {statistics.n} tokens"
    return Subspace(_unit(kept), kind, text + (f", jointly with {beside}" if beside else ""))


def _scaled(statistics: Statistics, factor: float) -> Statistics:
    """Statistics of the features times a factor."""
    return replace(
        statistics,
        mean_x=statistics.mean_x * factor,
        scatter_xx=statistics.scatter_xx * factor * factor,
        scatter_xz=statistics.scatter_xz * factor,
    )


def _resolved(moves: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Movement without the directions that are rounding of the activations.

    Contrasts have length one over the tokens, so a movement is at most the root of the whole
    scatter, and a smaller share of it than float32 resolves is what rounding leaves of nothing.
    """
    if not moves.shape[1]:
        return moves
    _, sizes, contrasts = svd(moves)
    seen = sizes > RESOLUTION * np.sqrt(max(float(np.trace(scatter)), 0.0))
    return moves if seen.all() and len(seen) == moves.shape[1] else moves @ contrasts[seen].T


def _canonical(
    moves: np.ndarray, noise: np.ndarray, n: int, shrinkage: float | None
) -> TargetDirections:
    """Reduced-rank directions of ``moves`` in the metric of ``noise``."""
    noise = _shrunken(0.5 * (noise + noise.T) / max(n, 1), n, shrinkage)
    moves = moves / np.sqrt(max(n, 1))
    size = max(float(np.diag(noise).max(initial=0.0)), float(np.square(moves).sum()))
    noise[np.diag_indices_from(noise)] += FLOOR * size + np.finfo(np.float64).tiny
    solved = _solve(noise, moves, FLOOR * size)
    # Sw^.5 u and Sw^-.5 u of the singular vectors u of Sw^-.5 M, without the roots of Sw.
    values, vectors = eigh(moves.T @ solved)
    top = max(float(values[-1]), 0.0) if len(values) else 0.0
    seen = np.flatnonzero(values > NEGLIGIBLE**2 * top)[::-1] if top > 0 else np.zeros(0, int)
    strength = np.sqrt(values[seen])
    return TargetDirections(
        pattern=moves @ vectors[:, seen] / strength,
        readout=solved @ vectors[:, seen] / strength,
        strength=strength,
    )


def _solve(noise: np.ndarray, moves: np.ndarray, floor: float) -> np.ndarray:
    """``noise^-1 @ moves``; eigenvalues that rounding made negative count as the floor."""
    try:
        found: np.ndarray = linalg.cho_solve(linalg.cho_factor(noise, lower=True), moves)
    except linalg.LinAlgError:
        values, vectors = eigh(noise)
        found = vectors @ ((vectors.T @ moves) / np.maximum(values, floor)[:, None])
    return found


def _shrunken(noise: np.ndarray, n: int, shrinkage: float | None) -> np.ndarray:
    d = len(noise)
    mean = float(np.trace(noise)) / max(d, 1)
    if shrinkage is None:
        shrinkage = oracle_shrinkage(mean * d, float(np.square(noise).sum()), d, n)
    if not 0.0 <= shrinkage <= 1.0:
        raise ProbeError(f"shrinkage lies in 0..1; received {shrinkage}")
    shrunken: np.ndarray = (1 - shrinkage) * noise + shrinkage * mean * np.eye(d)
    return shrunken


def _unit(matrix: np.ndarray) -> np.ndarray:
    """Columns of length one, so that strong directions do not hide weak ones."""
    lengths = np.linalg.norm(matrix, axis=0)
    scaled: np.ndarray = matrix[:, lengths > 0] / lengths[lengths > 0]
    return scaled
