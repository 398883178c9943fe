"""Patterns of a grammar's states in untrained models, estimated as a grid estimates them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..geometry.patterns import directions
from ..geometry.statistics import Statistics
from ..grid.targets import ClassTarget, make_targets

__all__ = ["LATE", "twin_patterns"]

LATE = 63  # positions from here on count as one, as in a grid
Cell = tuple[str, str]


def twin_patterns(
    twins: Sequence[Any],
    sites: Sequence[str],
    corpus: Any,
    heights: Sequence[int] | None,
    positions: Any,
    rows: Bool[np.ndarray, " token"],
) -> dict[Cell, tuple[Float[np.ndarray, "d_model _"], ...]]:
    """(site, target) -> ordered orthonormal bases, one for each twin.

    Each target is estimated jointly with the others and with the position, on the rows given: those
    from which no map was learned.

    Args:
        twins: activations of random-weight twins.
        sites: to look at.
        corpus: tokens with labels.
        heights: of the targets; all by default.
        positions: as :func:`linrep.probe` takes them.
        rows: ``[token]`` to learn from.
    """
    asked = tuple(corpus.heights) if heights is None else tuple(heights)
    wanted = [
        target
        for target in make_targets(corpus, asked, None, positions)
        if isinstance(target, ClassTarget)
    ]
    place = np.minimum(np.asarray(corpus.positions), LATE)
    beside = {target.name: target.codes for target in wanted} | {"position": place}
    found: dict[Cell, tuple[np.ndarray, ...]] = {}
    for target in wanted:
        here = np.flatnonzero(target.mask & rows)
        codes = {name: each[here] for name, each in beside.items()}
        told = {name: each.astype(str) for name, each in codes.items() if len(np.unique(each)) > 1}
        if target.name not in told:
            continue
        for site in sites:
            found[site, target.name] = tuple(
                _pattern(np.asarray(twin[site][here]), told, target.name)
                for twin in twins
                if site in twin.sites
            )
    return found


def _pattern(
    stream: np.ndarray, targets: dict[str, np.ndarray], name: str
) -> Float[np.ndarray, "d_model _"]:
    statistics = Statistics.from_arrays(stream, targets)
    basis: np.ndarray = np.linalg.qr(directions(statistics, name).pattern)[0]
    return basis
