"""Directions and subspaces of the stream, with all that another program needs to use them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, final

import numpy as np

from .arguments import checked
from .errors import LinrepError
from .subspace import Kind, Subspace

__all__ = ["DirectionError", "Directions", "Use"]

Use = Literal["add", "project_out", "clamp"]
"""What is done with them: added, taken out, or the part along them set to a size."""


class DirectionError(LinrepError):
    """Directions contradict themselves, or a file holds none."""


@final
@checked(DirectionError)
@dataclass(frozen=True, eq=False)
class Directions:
    """A direction or a subspace at each of several sites, and what they are.

    Args:
        vectors: site -> ``[d_model]`` a direction, whose length and sign count, or ``[d_model, k]``
            a subspace, columns of which span it.
        target: what they are of, ``truth``.
        kind: ``"pattern"`` (activations move along it when the target changes) or ``"readout"`` (a
            probe reads along it).
        toward: the class, or the larger number, to which a direction points; ``""`` for subspaces,
            whose sign is arbitrary.
        away: the class from which it points.
        operation: what they were made for: ``"add"``, ``"project_out"`` or ``"clamp"``.
        scale: times the length of the vector is what is added (or clamped to); of ``project_out``
            the share that is taken out.
        norm: site -> mean norm of the stream where they were estimated; empty where not known.
        positions: the tokens where they were estimated: ``last token of each text``.
        model: its name.
        model_type: its architecture as transformers calls it, ``llama``.
        model_hash: fingerprint of its weights.
        data_hash: fingerprint of the corpus.
        note: whatever else should be known.

    Raises:
        DirectionError: no site, a vector that is not finite or has no length, sites of different
            width, or an unknown kind or operation.

    >>> truth = Directions({"blocks.1.hook_resid_post": np.array([0.0, 3.0])}, "truth", scale=2.0)
    >>> truth.d_model, truth.steering()["strength"]
    (2, {'blocks.1.hook_resid_post': 6.0})
    """

    vectors: Mapping[str, np.ndarray]
    target: str
    kind: Kind = "pattern"
    toward: str = ""
    away: str = ""
    operation: Use = "add"
    scale: float = 1.0
    norm: Mapping[str, float] = field(default_factory=dict)
    positions: str = ""
    model: str = ""
    model_type: str = ""
    model_hash: str = ""
    data_hash: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        kept = {site: _vector(site, given) for site, given in self.vectors.items()}
        if not kept:
            raise DirectionError("directions are one vector for each of some sites; received none")
        widths = {site: len(vector) for site, vector in kept.items()}
        if len(set(widths.values())) > 1:
            raise DirectionError(f"sites of one model have one width; received {widths}")
        numbers = {"scale": self.scale} | {f"norm at {s}": n for s, n in self.norm.items()}
        odd = {name: n for name, n in numbers.items() if not (np.isfinite(n) and n)}
        if odd:
            raise DirectionError(f"scale and norms are finite numbers, not 0; received {odd}")
        if strangers := sorted(set(self.norm) - set(kept)):
            raise DirectionError(f"norms are of the sites {list(kept)}; received {strangers}")
        object.__setattr__(self, "vectors", kept)

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites in their order."""
        return tuple(self.vectors)

    @property
    def d_model(self) -> int:
        """Width of the stream."""
        return len(next(iter(self.vectors.values())))

    def subspace(self, site: str) -> Subspace:
        """What a site's vectors span.

        Raises:
            DirectionError: there is nothing at this site.
        """
        if site not in self.vectors:
            known = ", ".join(self.vectors)
            raise DirectionError(f"no vector at site {site!r}: ask for one of {known}")
        basis = self.vectors[site].reshape(self.d_model, -1)
        return Subspace(basis, self.kind, f"{self.target} ({self.model or 'no model named'})")

    def steering(self) -> dict[str, Any]:
        """The keywords of :func:`linrep.steer` that do what they were made for.

        Raises:
            DirectionError: they are subspaces, which have no sign: take them out with
                :func:`linrep.erase`.
        """
        flat = [site for site, vector in self.vectors.items() if vector.ndim == 2]
        if flat:
            raise DirectionError(
                f"a subspace has no sign, so nothing can be moved along it ({flat[0]}): take it "
                "out, linrep.erase(model, {site: directions.subspace(site)})"
            )
        strength = {
            site: self.scale
            * (1.0 if self.operation == "project_out" else float(np.linalg.norm(vector)))
            for site, vector in self.vectors.items()
        }
        return {
            "directions": dict(self.vectors),
            "strength": strength,
            "norm": 1.0,
            "operation": self.operation,
        }

    def described(self) -> dict[str, Any]:
        """Everything but the vectors, as JSON-able data."""
        told = asdict(self)
        del told["vectors"]
        return told | {"norm": {site: float(n) for site, n in self.norm.items()}}

    def __repr__(self) -> str:
        return (
            f"Directions({self.target!r}, {self.kind}, {len(self.vectors)} sites x {self.d_model}, "
            f"{self.operation}, {self.model or 'no model named'})"
        )


def _vector(site: str, given: Any) -> np.ndarray:
    """A vector or a basis of float64, its own.

    Raises:
        DirectionError: it is something else.
    """
    array = np.asarray(given)
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu" or not array.size:
        raise DirectionError(
            f"at {site!r} a vector [d_model] or a basis [d_model, k] of numbers was expected; "
            f"received {array.dtype} of shape {array.shape}"
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all() or not np.linalg.norm(array, axis=0).all():
        raise DirectionError(
            f"the vector at {site!r} is 0, or holds NaN or infinite numbers: it says no direction; "
            "leave the site out, or look where the vector comes from"
        )
    array.setflags(write=False)
    return array
