"""What theory says about the cells of a grid: directly, or carried into another model's basis."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from ..core import Prediction, Subspace
from ..core.prediction import by_tokens
from ..probes import BaseMaps
from ..probes.bases.carrying import Carried
from ..probes.bases.measured import upper_end
from .meeting import ELSEWHERE, ComparedSubspaces, ComparisonError
from .through import Through

__all__ = ["Theory", "carried_from", "carried_theory", "direct_theory"]

Cell = tuple[str, str]
NO_SITE = "no map leads here from a site of the constructed model at which theory writes the state"


@final
@dataclass(frozen=True, eq=False)
class Theory:
    """Claims about cells of a grid.

    Args:
        claims: by cell.
        elsewhere: why there is none, by cell.
        through: what was carried, by cell; empty where claims are about this very basis.
        carried: the same with all that its nulls need.
    """

    claims: Mapping[Cell, Prediction]
    elsewhere: Mapping[Cell, str]
    through: Mapping[Cell, Through] = field(default_factory=dict)
    carried: Mapping[Cell, tuple[Carried, Sequence[np.ndarray]]] = field(default_factory=dict)

    def held(
        self, cell: Cell, found: ComparedSubspaces | None, learned: Subspace | None, level: float
    ) -> tuple[ComparedSubspaces | None, Through | None]:
        """The overlap and the map's numbers, with what overlaps through other maps reach.

        Untrained models: their own patterns beside what maps to them carry. Exchanged sentences:
        the learned pattern beside what their maps carry. As many dimensions are compared.

        Args:
            cell: site and target.
            found: the overlap.
            learned: the pattern.
            level: what one more draw may exceed.
        """
        said = self.through.get(cell)
        if said is None or found is None or learned is None:
            return found, said
        carried, patterns = self.carried[cell]
        k, m = learned.dim, carried.subspace.dim
        of_twins = [
            _overlap(pattern[:, :k], basis[:, :m])
            for pattern, basis in zip(patterns, carried.twins, strict=True)
        ]
        of_shuffled = [_overlap(learned.basis, basis[:, :m]) for basis in carried.shuffled]
        ends = [min(upper_end(each, level), 1.0) for each in (of_twins, of_shuffled)]
        said = replace(said, null_twins_high=ends[0], null_shuffled_high=ends[1])
        return replace(found, null_map_high=max(ends)), said


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    count = min(one.shape[1], other.shape[1])
    return float(np.square(one.T @ other).sum()) / count if count else 0.0


def direct_theory(
    predictions: Iterable[Prediction],
    elsewhere: Iterable[Prediction],
    cells: Sequence[Cell],
    probed: object,
) -> Theory:
    """Claims about the very basis that was probed.

    Args:
        predictions: claims.
        elsewhere: further ones, about other tokens.
        cells: of the grid.
        probed: tokens that were probed.

    Raises:
        ComparisonError: two predictions contradict each other, or none is about a cell.
    """
    here, aside = by_tokens(predictions, probed)
    claims = _by_cell(here)
    _refuse_strangers({*claims, *((p.site, p.target) for p in aside)}, cells)
    others = {(p.site, p.target): ELSEWHERE.format(p.positions) for p in (*aside, *elsewhere)}
    return Theory(claims, others)


def carried_theory(
    maps: object,
    predictions: Iterable[Prediction],
    cells: Sequence[Cell],
    results: Any,
    level: float,
) -> Theory:
    """Claims about a reference, carried through maps to every cell.

    Each state is carried from the first site of the reference at which all of it is written: what
    theory writes later is made from the state, and a map from there would give its effect to that.

    Args:
        maps: of the grid's activations on the reference's.
        predictions: about the reference.
        cells: of the grid.
        results: the grid.
        level: chance, over all cells, of taking a map for one that is none.

    Raises:
        ComparisonError: they are no maps, lead to no site that was probed, or were learned from
            the rows that patterns were learned from.
    """
    if not isinstance(maps, BaseMaps):
        raise ComparisonError(
            f"through= takes what linrep.linear_maps returns; received {type(maps).__name__}"
        )
    if not {site for site, _ in cells} & set(maps.sites):
        raise ComparisonError(
            f"no map leads to a site that was probed: maps lead to {', '.join(maps.sites)[:200]}"
        )
    _refuse_shared_rows(maps, results)
    here, aside = by_tokens(predictions, results.settings.get("positions"))
    known = _by_cell(here)
    others = {p.target: ELSEWHERE.format(p.positions) for p in aside}
    claims: dict[Cell, Prediction] = {}
    why: dict[Cell, str] = {}
    through: dict[Cell, Through] = {}
    carried: dict[Cell, tuple[Carried, Sequence[np.ndarray]]] = {}
    for site, target in cells:
        cell = (site, target)
        about = {s: claim for (s, name), claim in known.items() if name == target}
        if target in others and not about:
            why[cell] = others[target]
        claim = _first_whole(about, maps.reference_sites) if site in maps.sites else None
        if claim is None:
            if about:
                why[cell] = NO_SITE
            continue
        moved = maps.carry(claim, site)
        through[cell] = Through.of(maps.at(site, claim.site), moved, level / len(cells))
        carried[cell] = moved, maps.twin_patterns.get(cell, ())[: len(moved.twins)]
        if len(carried[cell][1]) < len(moved.twins):  # their patterns are not known
            carried[cell] = replace(moved, twins=()), ()
        claims[cell] = replace(
            claim, site=site, subspace=moved.subspace, rank=moved.subspace.dim, accuracy=None,
            used=None, exact=None,
        )  # fmt: skip
    return Theory(claims, why, through, carried)


def carried_from(predictions: Iterable[Prediction]) -> tuple[str, ...]:
    """Sites of a reference from which its states are carried: give them to ``linear_maps``.

    For each target the first site at which all of its state is written.

    Args:
        predictions: about the reference, in the order of its forward pass.
    """
    known = [claim for claim in predictions if claim.subspace.kind == "pattern"]
    order = tuple(dict.fromkeys(claim.site for claim in known))
    targets = dict.fromkeys(claim.target for claim in known)
    first = [
        _first_whole({p.site: p for p in known if p.target == target}, order) for target in targets
    ]
    wanted = {claim.site for claim in first if claim is not None}
    return tuple(site for site in order if site in wanted)


def _first_whole(about: Mapping[str, Prediction], sites: Sequence[str]) -> Prediction | None:
    """The claim of the first site at which the whole state is written."""
    written = [about[site] for site in sites if site in about and about[site].written]
    whole = max((claim.rank for claim in about.values() if claim.written), default=0)
    first = [claim for claim in written if claim.rank == whole] or written
    return first[0] if first else None


def _refuse_shared_rows(maps: BaseMaps, results: Any) -> None:
    """No row is both one that maps and one that patterns were learned from.

    Raises:
        ComparisonError: some are.
    """
    learned = getattr(results, "learned_from", None)
    if learned is None or len(learned) != len(maps.used) or not (learned & maps.used).any():
        return
    marks = [
        (held.get("manifest") or {}).get("corpus", {}).get("fingerprint")
        for held in (maps.settings, results.settings)
    ]
    if None not in marks and marks[0] != marks[1]:
        return
    raise ComparisonError(
        f"{int((learned & maps.used).sum())} tokens were learned from by the maps and by the "
        "patterns: the same noise would stand on both sides, and an untrained model would align; "
        "make the maps with rows=~results.learned_from, or of another sample of sentences"
    )


def _by_cell(predictions: Iterable[Prediction]) -> dict[Cell, Prediction]:
    claims: dict[Cell, Prediction] = {}
    for claim in predictions:
        if claim.subspace.kind != "pattern":
            continue
        cell = (claim.site, claim.target)
        if cell in claims:
            raise ComparisonError(
                f"two predictions about {claim.target} at {claim.site}: {claims[cell].claim!r} and "
                f"{claim.claim!r}; compare them one at a time"
            )
        claims[cell] = claim
    return claims


def _refuse_strangers(claims: Collection[Cell], cells: Sequence[Cell]) -> None:
    if claims and not set(claims) & set(cells):
        sites = sorted({site for site, _ in claims})
        raise ComparisonError(
            f"no prediction is about a (site, target) that was probed: predictions name the sites "
            f"{', '.join(sites[:4])}; probed were {', '.join(sorted({s for s, _ in cells})[:4])}. "
            "Predictions about a model in another basis are compared through=linear_maps(...)"
        )
