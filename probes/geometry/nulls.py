"""What random subspaces overlap: the level that a finding must exceed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float

from ...core import Subspace, checked
from ...core.decompositions import eigh
from ...core.limits import MOST_DRAWS
from ..errors import ProbeError

__all__ = ["Anisotropy", "OverlapNull", "exchanged_null", "overlap_null"]

FLAT = 1e-12  # variance of draws that are all one number
BLOCK = 2**22  # numbers of the draws that are taken apart together: 32 MiB
MOST = 2**31  # numbers held at once, those of one subspace or of all draws: 16 GiB


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class OverlapNull:
    """Overlaps (mean squared cosines) of random subspaces.

    Args:
        draws: ``[draw]`` sampled overlaps, ascending.
        metric: ``"euclidean"``: directions uniform on the sphere; ``"covariance"``: directions
            drawn from the activations' own covariance, the harder null; ``"exchanged"``: patterns
            of labels that sentences have exchanged.

    Raises:
        ProbeError: there are no draws, or one is not finite.
    """

    draws: Float[np.ndarray, " draw"]
    metric: Literal["euclidean", "covariance", "exchanged"]

    def __post_init__(self) -> None:
        if not len(self.draws) or not np.isfinite(self.draws).all():
            raise ProbeError(f"draws are finite numbers, at least one; received {self.draws!r}")

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
        >>> bool(abs(null.upper(0.001) / beta.isf(0.001, 2, 18) - 1) < 0.1)
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


@checked(ProbeError, most={"n": 100 * MOST_DRAWS})  # many cells ask for the far tail
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
            f"the fixed subspace has {fixed.dim} of {fixed.d_model} dimensions; m and d say "
            f"{m} of {size}: give m={fixed.dim} and d={fixed.d_model}, or another subspace"
        )
    if not (0 < k <= size and 0 < m <= size and n > 0):
        raise ProbeError(
            "k and m, the dimensions of the two subspaces, lie in 1..d, and the number of draws n "
            f"is at least 1; received k={k}, m={m}, d={size}, n={n}"
        )
    if max(n, 2 * min(k, m) ** 2) > MOST:
        raise ProbeError(f"n={n} draws with k={k} and m={m} do not fit in memory: take fewer")
    rng = np.random.default_rng(seed)
    if covariance is None:
        return OverlapNull(np.sort(_uniform(rng, k, m, size, n)), "euclidean")
    return Anisotropy.of(covariance, size).null(k, m, n=n, fixed=fixed, seed=seed)


def exchanged_null(patterns: Sequence[np.ndarray], k: int, fixed: Subspace) -> OverlapNull | None:
    """Overlap of the patterns of exchanged labels with a subspace.

    Args:
        patterns: ordered bases ``[d_model, rank]``, one for each exchange.
        k: dimensions of the learned pattern, at most: as many of each are compared.
        fixed: the predicted subspace.

    Returns:
        The null; ``None`` where no exchange leaves a pattern.
    """
    kept = [basis[:, :k] for basis in patterns if basis[:, :k].shape[1]]
    if not kept or not fixed.dim:
        return None
    draws = [
        float(np.square(fixed.basis.T @ basis).sum()) / min(basis.shape[1], fixed.dim)
        for basis in kept
    ]
    return OverlapNull(np.sort(np.minimum(draws, 1.0)), "exchanged")


def _size(covariance: np.ndarray | None, fixed: Subspace | None) -> int:
    if covariance is not None:
        return len(covariance) if covariance.ndim else 0
    if fixed is not None:
        return fixed.d_model
    raise ProbeError("the dimension d is missing: give d, a covariance or a fixed subspace")


def _uniform(
    rng: np.random.Generator, k: int, m: int, d: int, n: int
) -> Float[np.ndarray, " draw"]:
    """Overlaps of uniform subspaces, at a cost that does not grow with ``d``.

    By symmetry the larger one may be the first coordinates, so that the overlap is the share of
    the smaller one's orthonormal basis that lies in those rows. Random rows beyond as many as there
    are columns count by their triangular factor alone (Bartlett 1933).
    """
    k, m = min(k, m), max(k, m)
    draws = np.empty(n)
    for index in range(n):
        inside = _factor(rng, m, k)
        basis = np.linalg.qr(np.vstack([inside, _factor(rng, d - m, k)]))[0]
        draws[index] = np.square(basis[: len(inside)]).sum() / k
    return draws


def _factor(rng: np.random.Generator, rows: int, k: int) -> Float[np.ndarray, "row k"]:
    """Standard normal rows ``[rows, k]``, or the triangular factor of as many, if less is enough.

    >>> _factor(np.random.default_rng(0), 10**7, 2).shape
    (2, 2)
    """
    if rows <= k:
        return rng.standard_normal((rows, k))
    factor = np.triu(rng.standard_normal((k, k)), 1)
    factor[np.diag_indices(k)] = np.sqrt(rng.chisquare(rows - np.arange(k)))
    return factor


@final
@dataclass(frozen=True, eq=False)
class Anisotropy:
    """A covariance taken apart, for any number of nulls of one site.

    Args:
        axes: ``[d_model, rank]`` orthonormal directions in which anything moves.
        sizes: ``[rank]`` root of the variance along each.
    """

    axes: Float[np.ndarray, "d_model rank"]
    sizes: Float[np.ndarray, " rank"]

    @classmethod
    def of(cls, covariance: np.ndarray, d: int) -> "Anisotropy":
        """Take a ``[d, d]`` covariance apart.

        Raises:
            ProbeError: it is no finite matrix of that size.
        """
        usable = covariance.shape == (d, d) and covariance.dtype.kind in "fiub"
        if not (usable and np.isfinite(covariance).all()):
            raise ProbeError(
                f"covariance is a finite [{d}, {d}] matrix of numbers; received "
                f"{covariance.dtype} of shape {covariance.shape}"
            )
        largest = float(np.abs(covariance.astype(np.float64)).max(initial=0.0))
        if largest == 0.0:  # nothing moves: what is drawn has no dimensions and overlaps nothing
            return cls(np.zeros((d, 0)), np.zeros(0))
        values, vectors = eigh(covariance / largest)  # directions alone matter, not sizes
        keep = values > d * np.finfo(np.float64).eps * max(values[-1], 0.0)
        return cls(vectors[:, keep], np.sqrt(values[keep]))

    def null(
        self, k: int, m: int, *, n: int = 1000, fixed: Subspace | None = None, seed: int = 0
    ) -> OverlapNull:
        """Overlaps of ``k`` directions drawn from the covariance with ``m`` others.

        Args:
            k: dimensions of the random subspace.
            m: dimensions of the other one.
            n: draws.
            fixed: the other subspace; without it, it is drawn as well.
            seed: of the draws.
        """
        rng = np.random.default_rng(seed)
        rank = len(self.sizes)
        # A covariance of rank below k cannot span k dimensions: then its whole range is taken.
        widths = [min(k, rank), 0 if fixed is not None else min(m, rank)]
        draws = np.empty(n)
        inside = None if fixed is None else fixed.basis.T @ self.axes
        step = max(1, BLOCK // max(rank * sum(widths), 1))
        for start in range(0, n, step):
            count = min(step, n - start)
            drawn = rng.standard_normal((count, rank * sum(widths)))
            one, other = np.split(drawn, [rank * widths[0]], axis=1)
            here = self._bases(one.reshape(count, rank, widths[0]))
            there = (
                self._bases(other.reshape(count, rank, widths[1])).transpose(0, 2, 1)
                if inside is None
                else inside
            )
            draws[start : start + count] = np.square(there @ here).sum(axis=(1, 2)) / min(k, m)
        return OverlapNull(np.sort(draws), "covariance")

    def _bases(self, drawn: Float[np.ndarray, "draw rank k"]) -> Float[np.ndarray, "draw rank k"]:
        """Orthonormal bases of the drawn directions, in coordinates of the axes."""
        bases: np.ndarray = np.linalg.qr(self.sizes[:, None] * drawn)[0]
        return bases
