"""What random subspaces overlap: the level that a finding must exceed."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float

from ..core import Subspace
from .errors import ProbeError

__all__ = ["OverlapNull", "overlap_null"]

FLAT = 1e-12  # variance of draws that are all one number


@final
@dataclass(frozen=True, eq=False)
class OverlapNull:
    """Overlaps (mean squared cosines) of random subspaces.

    Args:
        draws: ``[draw]`` sampled overlaps, ascending.
        metric: ``"euclidean"``: directions uniform on the sphere; ``"covariance"``: directions
            drawn from the activations' own covariance, the harder null.
    """

    draws: Float[np.ndarray, " draw"]
    metric: Literal["euclidean", "covariance"]

    @property
    def mean(self) -> float:
        """Expected overlap."""
        return float(self.draws.mean())

    @property
    def high(self) -> float:
        """95th percentile."""
        return float(np.quantile(self.draws, 0.95))

    def upper(self, level: float) -> float:
        """What a random overlap exceeds with this probability, also far beyond the draws.

        A Beta distribution with the mean and the variance of the draws: exact for ``k = 1`` and
        directions uniform on the sphere, an approximation elsewhere.

        >>> null = overlap_null(k=1, m=4, d=40, n=2000)
        >>> from scipy.stats import beta
        >>> abs(null.upper(0.001) / beta.isf(0.001, 2, 18) - 1) < 0.1
        True
        """
        from scipy import stats

        mean, variance = self.mean, float(self.draws.var())
        if variance <= FLAT or not 0.0 < mean < 1.0:
            return float(self.draws.max())
        size = max(mean * (1.0 - mean) / variance - 1.0, FLAT)
        return float(stats.beta.isf(level, mean * size, (1.0 - mean) * size))

    def p_value(self, overlap: float) -> float:
        """``(1 + draws at least as large) / (1 + draws)``."""
        return float((1 + (self.draws >= overlap - 1e-12).sum()) / (1 + len(self.draws)))


def overlap_null(
    k: int,
    m: int,
    d: int | None = None,
    *,
    n: int = 1000,
    covariance: np.ndarray | None = None,
    fixed: Subspace | None = None,
    seed: int = 0,
) -> OverlapNull:
    """Overlap of a random ``k``-dimensional with an ``m``-dimensional subspace of ``R^d``.

    Without a covariance the expected overlap is ``max(k, m) / d``, and for ``k = 1`` it is
    Beta(m / 2, (d - m) / 2) distributed. Activations are anisotropic, so that null is too easy:
    give their ``covariance`` to draw directions from it.

    Args:
        k: dimensions of the random subspace (the learned one's).
        m: dimensions of the other one (the predicted one's).
        d: dimension of the space; may be left out where ``covariance`` or ``fixed`` tells it.
        n: draws.
        covariance: ``[d, d]`` covariance of the activations.
        fixed: the other subspace itself; without it, it is drawn as well.
        seed: of the draws.

    Raises:
        ProbeError: dimensions contradict each other.

    >>> null = overlap_null(k=2, m=4, d=40, n=2000)
    >>> abs(null.mean - 4 / 40) < 0.01
    True
    """
    size = d if d is not None else _size(covariance, fixed)
    if fixed is not None and (fixed.d_model != size or fixed.dim != m):
        raise ProbeError(
            f"the fixed subspace has {fixed.dim} of {fixed.d_model} dimensions, not {m} of {size}"
        )
    if not (0 < k <= size and 0 < m <= size and n > 0):
        raise ProbeError(f"needs 0 < k, m <= d and n > 0; received k={k}, m={m}, d={size}, n={n}")
    rng = np.random.default_rng(seed)
    root = None if covariance is None else _root(np.asarray(covariance, dtype=np.float64), size)
    draws = np.empty(n)
    other = None if fixed is None else fixed.basis
    for index in range(n):
        one = _random_basis(rng, size, k, root)
        if fixed is None:
            # By symmetry any subspace will do where directions are uniform.
            other = np.eye(size)[:, :m] if root is None else _random_basis(rng, size, m, root)
        draws[index] = np.square(other.T @ one).sum() / min(k, m) if other is not None else 0.0
    return OverlapNull(np.sort(draws), "euclidean" if covariance is None else "covariance")


def _size(covariance: np.ndarray | None, fixed: Subspace | None) -> int:
    if covariance is not None:
        return len(covariance)
    if fixed is not None:
        return fixed.d_model
    raise ProbeError("the dimension d is missing: give d, a covariance or a fixed subspace")


def _root(covariance: np.ndarray, d: int) -> np.ndarray:
    if covariance.shape != (d, d) or not np.isfinite(covariance).all():
        raise ProbeError(f"covariance is a finite [{d}, {d}] matrix; received {covariance.shape}")
    values, vectors = np.linalg.eigh(covariance)
    keep = values > d * np.finfo(np.float64).eps * max(values[-1], 0.0)
    out: np.ndarray = vectors[:, keep] * np.sqrt(values[keep])
    return out


def _random_basis(rng: np.random.Generator, d: int, k: int, root: np.ndarray | None) -> np.ndarray:
    if root is None:
        return np.linalg.qr(rng.standard_normal((d, k)))[0]
    # A covariance of rank below k cannot span k dimensions: then its whole range is taken.
    width = min(k, root.shape[1])
    basis: np.ndarray = np.linalg.qr(root @ rng.standard_normal((root.shape[1], width)))[0]
    return basis
