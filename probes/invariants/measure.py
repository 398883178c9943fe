"""All invariants of a model beside what theory predicts and what untrained models show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from ...core import CellScore, Invariant, Prediction, checked, judged, progress
from ..errors import ProbeError
from ..grid.results import ProbeResults
from .layers import first_sites, first_written, use_rows
from .materials import materials_of
from .measured import MeasuredInvariant, states
from .profile import profile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Invariants", "measure_invariants"]


@final
@dataclass(frozen=True, eq=False)
class Invariants:
    """What was predicted and measured, one row per number.

    Args:
        rows: in the order of their kinds.
        notes: what could not be measured, and why.
    """

    rows: tuple[Invariant, ...]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> "pd.DataFrame":
        """One row per number."""
        import pandas as pd

        return pd.DataFrame(
            [vars(row) for row in self.rows], columns=[*Invariant.__dataclass_fields__]
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format="{:.3f}".format))


@checked(ProbeError)
def measure_invariants(
    results: ProbeResults,
    acts: Any,
    corpus: Any,
    predictions: Iterable[Prediction] = (),
    *,
    random_weights: Any = (),
    exchanges: Any = None,
    level: float = 0.05,
    seed: int = 0,
) -> Invariants:
    """Lay what theory says of any model of a grammar beside what one model shows.

    A trained model writes its states in a basis of its own, so that subspaces of a construction
    cannot be laid on its own. These numbers do not depend on the basis: in which layer a state is
    first read, how many dimensions it has, how even its classes lie, whether two heights share
    dimensions, what can be read before the end of a span and at it, and whether the pattern
    carries what the whole state carries. Each stands beside the same number of untrained models;
    with it theory is as predicted only where these do not show the same.

    Args:
        results: a grid of probes of heights, at the last tokens of spans.
        acts: the activations that it was made from.
        corpus: the sentences of a grammar.
        predictions: of a construction of the same grammar: in which block states are written.
        random_weights: activations of three untrained models or more, on the same sentences.
        exchanges: what :func:`linrep.interchange` found for the patterns of ``results``.
        level: chance, over all rows together, that an untrained model shows what is said of this.
        seed: of every draw.

    Returns:
        A row per number.

    Raises:
        ProbeError: no height with two labels was probed, or arguments do not fit each other.
    """
    twins = _several(random_weights)
    materials = materials_of(results, acts, corpus, twins, seed)
    if not materials.heights:
        raise ProbeError(
            "invariants are those of a grammar's states: probe(acts, corpus, heights=[...]) at "
            f"heights with two labels or more; these results have {', '.join(results.targets)}"
        )
    claims = list(predictions)
    measured: list[MeasuredInvariant] = []
    notes = []
    for kind in progress((states, profile), "invariants", unit="kind"):
        try:
            measured.extend(kind(materials))
        except ProbeError as error:
            notes.append(f"invariants: not measured: {error}")
    cells: dict[tuple[str, str], CellScore] = dict(getattr(exchanges, "cells", {}))
    share = level / (len(measured) + len(cells) + 1)  # all rows together: 1 is the order
    rows = [
        *first_sites(materials, first_written(claims), share),
        *(_judged(one, share) for one in measured),
        *use_rows(materials, cells, share),
    ]
    return Invariants(tuple(rows), tuple(notes))


def _several(given: Any) -> Sequence[Any]:
    if hasattr(given, "sites"):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise ProbeError(
            "random_weights: activations of untrained models, or a list of them, were expected; "
            f"received {type(given).__name__}"
        ) from None


def _judged(one: MeasuredInvariant, level: float) -> Invariant:
    row = judged(
        one.name, one.target, one.site, predicted=one.predicted, measured=one.value,
        interval=one.interval, nulls=one.nulls, level=level, resolution=one.resolution,
    )  # fmt: skip
    return replace(row, reason=f"{row.reason}; {one.note}") if one.note else row
