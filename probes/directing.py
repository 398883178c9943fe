"""From what a grid found to directions that can be kept and used."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import Directions, Kind, checked
from .errors import ProbeError
from .grid.results import ProbeResults

__all__ = ["directions_of"]

_HEAD = re.compile(r"(For\w+|LMHeadModel|Model)$")


@checked(ProbeError)
def directions_of(
    results: ProbeResults,
    target: str,
    *,
    acts: Any = None,
    what: str = "means",
    toward: str | None = None,
    sites: Sequence[str] | None = None,
    scale: float = 1.0,
) -> Directions:
    """The directions or subspaces of a target, with what is known of model, tokens and data.

    Args:
        results: of :func:`linrep.probe`; ``"means"`` needs those of ``method="means"``.
        target: one of theirs.
        acts: the activations that were probed; model, norms, positions and data are theirs.
        what: ``"means"``, differences of class means, signed and in the activations' own units;
            ``"pattern"`` or ``"readout"``, subspaces.
        toward: the class to which the direction points, where there are more than two.
        sites: by default all that have one.
        scale: how many times the difference of means is added.

    Raises:
        ProbeError: there is no such target, no such class, or no direction.

    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2 == 0
    >>> X = rng.standard_normal((60, 4)) + 3.0 * y[:, None] * np.eye(4)[1]
    >>> from linrep import probe
    >>> found = directions_of(probe(X, y, method="means", permutations=0), "target")
    >>> found.toward, found.away, int(np.argmax(found.vectors[found.sites[0]]))
    ('True', 'False', 1)
    """
    if target not in results.targets:
        names = ", ".join(results.targets)
        raise ProbeError(f"no target {target!r} was probed: ask for one of {names}")
    wanted = results.sites if sites is None else list(sites)
    known = _known(acts)
    kinds: dict[str, Kind] = {"pattern": "pattern", "readout": "readout"}
    if what in kinds:
        spaces = results.patterns if what == "pattern" else results.readouts
        bases = {s: spaces[s, target].basis for s in wanted if (s, target) in spaces}
        found = {site: basis for site, basis in bases.items() if basis.shape[1]}
        _refuse_none(found, target, what)
        norms = {site: norm for site, norm in known.pop("norm", {}).items() if site in found}
        return Directions(
            found, target, kind=kinds[what], operation="project_out", norm=norms, **known
        )
    if what != "means":
        raise ProbeError(f"what is 'means', 'pattern' or 'readout'; received {what!r}")
    vectors, ends = {}, ("", "")
    for site in wanted:
        listed = results.directions.get((site, target), ())
        named = [one for one in listed if toward in (None, one.toward)]
        if listed and not named or len(named) > 1:
            raise ProbeError(
                f"toward is one of {[one.toward for one in listed]}; received {toward!r}"
            )
        for one in named:
            vectors[site], ends = one.vector, (one.toward, one.away)
    _refuse_none(vectors, target, what)
    norms = {site: norm for site, norm in known.pop("norm", {}).items() if site in vectors}
    return Directions(
        vectors, target, toward=ends[0], away=ends[1], scale=scale, norm=norms, **known
    )


def _refuse_none(found: Any, target: str, what: str) -> None:
    """There is something to keep.

    Raises:
        ProbeError: there is nothing.
    """
    if not found:
        hint = 'probe with method="means"' if what == "means" else "no site has one"
        raise ProbeError(f"{target!r} has no {what} to keep: {hint}")


def _known(acts: Any) -> dict[str, Any]:
    """Model, data, positions and norms of a capture; nothing without one.

    Raises:
        ProbeError: it is no capture.
    """
    if acts is None:
        return {}
    if not all(hasattr(acts, part) for part in ("sites", "kept", "manifest")):
        raise ProbeError(f"acts are what linrep.capture returns; received {type(acts).__name__}")
    made = acts.manifest
    model = made.get("model", {})
    of = "span" if getattr(acts.corpus, "texts", None) is not None else "word"
    token = made.get("settings", {}).get("word_token", "")
    kept = np.asarray(acts.kept, dtype=bool)
    return {
        "model": str(model.get("name", "")),
        "model_type": _HEAD.sub("", str(model.get("class", ""))).lower(),
        "model_hash": str(model.get("fingerprint", "")),
        "data_hash": str(made.get("corpus", {}).get("fingerprint", "")),
        "positions": f"{token} token of each {of}" if token else "",
        "norm": {
            site: float(np.linalg.norm(np.asarray(acts[site], np.float64)[kept], axis=1).mean())
            for site in acts.sites
        },
    }
