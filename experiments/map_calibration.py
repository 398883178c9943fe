"""What would be said through maps of models that hold nothing of a theory, and of those that do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from ..core import Prediction
from ..probes import linear_maps, probe
from ..probes.bases.measured import upper_end
from ..reports import compare
from ..reports.theory import carried_from

__all__ = ["MappedPage", "mapped_page"]

LEVEL = 0.05


@final
@dataclass(frozen=True)
class MappedPage:
    """What one page would say, were every cell of it decodable and selective.

    Args:
        aligned: a learned pattern lies where a map puts the state, with an overlap of 0.9 or more,
            beyond every null.
        beyond: an overlap, however small, is beyond every null.
        r2: a map there or back has a higher R2 than one more untrained model would have on one page
            in twenty, over all its maps together.
        overlaps: the largest overlap of each target.
    """

    aligned: bool
    beyond: bool
    r2: bool
    overlaps: tuple[float, ...]


def mapped_page(
    acts: Any,
    twins: Sequence[Any],
    reference: Any,
    predictions: Sequence[Prediction],
    corpus: Any,
    heights: Sequence[int],
    *,
    patterns: str = "targets",
    maps_from: tuple[Any, Sequence[Any], Any, Any] | None = None,
    seed: int = 0,
) -> MappedPage:
    """One model beside a theory in another basis, with maps and patterns of unlike sentences.

    The first two rungs are not asked: they refuse most models that hold no state, and what is
    counted here is what the map itself would let pass.

    Args:
        acts: activations of the model.
        twins: of untrained models of its shape.
        reference: of the constructed model.
        predictions: about the constructed model.
        corpus: sentences that all of them read.
        heights: targets.
        patterns: as :func:`linrep.probe` takes it; ``"joint"`` ones are learned from all rows.
        maps_from: activations, those of twins, those of the reference, and the corpus of another
            sample, from which maps are learned; by default rows from which no pattern was.
        seed: of all draws.
    """
    found = probe(
        acts, corpus, heights=heights, positions="boundary", controls=(), permutations=0,
        bootstrap=0, patterns=patterns, seed=seed,
    )  # fmt: skip
    learned = found.learned_from
    rows_of_maps = None if maps_from or learned is None else ~learned
    stream, untrained, theirs, sentences = maps_from or (acts, twins, reference, corpus)
    maps = linear_maps(
        stream, theirs, sentences, random_weights=list(untrained), heights=heights, seed=seed,
        reference_sites=carried_from(predictions), rows=rows_of_maps,
    )  # fmt: skip
    rows = [
        row
        for row in compare(found, predictions, through=maps, seed=seed).rows
        if row.subspaces is not None and row.through is not None and row.through.dims
    ]
    beyond = [row for row in rows if row.subspaces and row.subspaces.beyond_null]
    level = LEVEL / (2 * len(maps.rows))
    higher = [
        measured.value > upper_end(measured.twins, level)
        for row in maps.rows
        for measured in (row.r2, row.r2_back)
    ]
    best: dict[str, float] = {}
    for row in rows:
        if row.subspaces:
            best[row.target] = max(best.get(row.target, 0.0), row.subspaces.overlap)
    return MappedPage(
        any(row.subspaces is not None and row.subspaces.as_predicted for row in beyond),
        bool(beyond),
        any(higher),
        tuple(best.values()),
    )
