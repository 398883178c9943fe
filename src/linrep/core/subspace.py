"""A linear subspace of the residual stream, whoever names it: theory, a probe or an eraser."""

from dataclasses import dataclass
from html import escape
from typing import Literal, final

import numpy as np
from jaxtyping import Float

from .arguments import checked
from .decompositions import singular_values, svd
from .errors import LinrepError

__all__ = ["Kind", "Subspace", "SubspaceError"]

Kind = Literal["pattern", "readout"]


class SubspaceError(LinrepError):
    """The directions given do not make a subspace, or two subspaces cannot be compared."""


@final
@checked(SubspaceError)
@dataclass(frozen=True, eq=False)
class Subspace:
    """A subspace with an orthonormal basis, its kind and where it comes from.

    A *pattern* holds the directions in which activations move when a state changes; a
    *readout* holds the directions a classifier reads. Under correlated noise the two differ,
    so methods that compare subspaces refuse to mix them.

    Args:
        basis: ``[d_model, k]`` directions as columns, any scale; orthonormalised at birth by a
            singular value decomposition. Directions of relative singular value below
            ``d_model * eps`` are dropped, so ``k`` may shrink to the rank.
        kind: ``"pattern"`` or ``"readout"``.
        provenance: one line that says who claims this subspace (a theorem, a probe's settings).

    Raises:
        SubspaceError: the basis is not a finite real matrix, or the kind is unknown.

    >>> plane = Subspace(np.eye(4)[:, :2], kind="pattern", provenance="by definition")
    >>> plane.dim, plane.d_model
    (2, 4)
    >>> plane.overlap(Subspace(np.eye(4)[:, :1], kind="pattern"))
    1.0
    """

    basis: np.ndarray  # checked below with a message for users, so not by a shape annotation
    kind: Kind = "pattern"
    provenance: str = ""

    def __post_init__(self) -> None:
        given = np.asarray(self.basis)
        if given.ndim != 2 or given.dtype.kind not in "fiub":
            raise SubspaceError(
                f"a basis is a real matrix [d_model, k]; received {given.dtype} of shape "
                f"{given.shape}"
            )
        given = given.astype(np.float64)
        if not np.isfinite(given).all():
            raise SubspaceError("a basis must be finite; received NaN or infinite entries")
        basis = _orthonormal(given)
        basis.setflags(write=False)
        object.__setattr__(self, "basis", basis)

    @property
    def dim(self) -> int:
        """Number of dimensions, ``k``."""
        return int(self.basis.shape[1])

    @property
    def d_model(self) -> int:
        """Dimension of the space around it."""
        return int(self.basis.shape[0])

    def angles(self, other: "Subspace") -> Float[np.ndarray, " angle"]:
        """Principal angles in radians, ascending, ``min(k, other.k)`` of them.

        Small angles come from the sine, large ones from the cosine, so both are accurate to
        rounding (Björck and Golub, Math. Comp. 27, 1973; Knyazev and Argentati 2002).

        Raises:
            SubspaceError: the spaces or the kinds differ.
        """
        self._comparable(other)
        small, large = (self, other) if self.dim <= other.dim else (other, self)
        cross = large.basis.T @ small.basis
        cosines = singular_values(cross)
        rest = small.basis - large.basis @ cross
        sines = singular_values(rest)[: small.dim][::-1]
        cosines, sines = np.clip(cosines, 0.0, 1.0), np.clip(sines, 0.0, 1.0)
        angles: np.ndarray = np.where(cosines**2 >= 0.5, np.arcsin(sines), np.arccos(cosines))
        return angles

    def overlap(self, other: "Subspace") -> float:
        """Mean squared cosine of the principal angles, in 0..1.

        It is 1 as soon as the smaller subspace lies inside the larger one: read it beside
        :meth:`contains` each way. Zero-dimensional subspaces overlap 0.

        Raises:
            SubspaceError: the spaces or the kinds differ.
        """
        self._comparable(other)
        return self._share(other, min(self.dim, other.dim))

    def contains(self, other: "Subspace") -> float:
        """Share of ``other`` that lies in this subspace: mean squared cosine of its directions.

        Raises:
            SubspaceError: the spaces or the kinds differ.

        >>> line = Subspace(np.eye(3)[:, :1])
        >>> plane = Subspace(np.eye(3)[:, :2])
        >>> plane.contains(line), line.contains(plane)
        (1.0, 0.5)
        """
        self._comparable(other)
        return self._share(other, other.dim)

    def complement(self) -> "Subspace":
        """The orthogonal complement, of the same kind."""
        full, _ = np.linalg.qr(self.basis, mode="complete")
        return Subspace(full[:, self.dim :], self.kind, f"complement of ({self.provenance})")

    def project(self, x: Float[np.ndarray, "token d_model"]) -> Float[np.ndarray, "token d_model"]:
        """Orthogonal projection of each row of ``x`` onto this subspace.

        Raises:
            SubspaceError: rows of another length.
        """
        if x.shape[1] != self.d_model:
            raise SubspaceError(
                f"rows of {self.d_model} dimensions can be projected here; received {x.shape[1]}"
            )
        inside: np.ndarray = (x @ self.basis) @ self.basis.T
        return inside

    def _share(self, other: "Subspace", count: int) -> float:
        if count == 0:
            return 0.0
        return float(min(1.0, np.square(self.basis.T @ other.basis).sum() / count))

    def _comparable(self, other: "Subspace") -> None:
        if self.d_model != other.d_model:
            raise SubspaceError(
                f"subspaces of different spaces cannot be compared: d_model is {self.d_model} "
                f"here and {other.d_model} there"
            )
        if self.kind != other.kind:
            raise SubspaceError(
                f"a {self.kind} cannot be compared with a {other.kind}: under correlated noise "
                "they differ even when both are right; estimate the same kind on both sides"
            )

    def _repr_html_(self) -> str:
        return (
            f"<b>Subspace</b> ({self.kind}): {self.dim} of {self.d_model} dimensions"
            f"<br><small>{escape(self.provenance)}</small>"
        )

    def __repr__(self) -> str:
        return (
            f"Subspace({self.kind}, dim={self.dim}, d_model={self.d_model}, "
            f"provenance={self.provenance!r})"
        )


def _orthonormal(given: Float[np.ndarray, "d_model k"]) -> Float[np.ndarray, "d_model rank"]:
    """Orthonormal basis of the column space; already orthonormal columns are kept as they are."""
    if given.size == 0:
        return np.zeros((len(given), 0))
    top = float(np.abs(given).max(initial=0.0))
    if not 1e-100 < top < 1e100:  # squares would overflow, or vanish
        given = given / (top or 1.0)
    gram = given.T @ given
    eps = float(np.finfo(np.float64).eps)
    if np.abs(gram - np.eye(gram.shape[0])).max() <= 4 * given.shape[0] * eps:
        return given.copy()
    left, singular, _ = svd(given)
    return (
        left[:, singular > singular[0] * max(given.shape) * eps] if singular[0] > 0 else left[:, :0]
    )
