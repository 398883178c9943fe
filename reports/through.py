"""Rung 3 in another basis: what a linear map says of where a state should lie, and how sure."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from ..core import Prediction
from ..probes.bases.carrying import Carried
from ..probes.bases.measured import BaseMap, upper_end
from .meeting import ALIGNED, NO_PATTERN, ComparedSubspaces, told_apart
from .values import number, site_label
from .verdicts import Verdict

__all__ = ["Through", "through_verdict"]

UP_TO: Final = "up to a map"
FEW: Final = (
    "{} give no level that a map has to exceed: make the maps with three or more random_weights, "
    "and with shuffles"
)


@final
@dataclass(frozen=True)
class Through:
    """The map that carried a prediction here, in numbers; ``None`` where not measured.

    ``null_twins_high`` and ``null_shuffled_high`` are upper ends of the overlap through maps to
    untrained models, and through maps of exchanged sentences.
    """

    reference_site: str
    r2: float
    r2_low: float | None
    r2_high: float | None
    r2_shuffled_high: float | None
    r2_twins: float | None
    r2_back: float
    r2_back_twins: float | None
    dims: int
    asked: int
    null_twins_high: float | None = None
    null_shuffled_high: float | None = None

    @classmethod
    def of(cls, row: BaseMap, moved: Carried, level: float) -> "Through":
        """The numbers of one map and of what it carried.

        Args:
            row: the map.
            moved: what it carried.
            level: what one more exchange of sentences may exceed.
        """
        return cls(
            row.reference_site,
            row.r2.value,
            _finite(row.r2.low),
            _finite(row.r2.high),
            _finite(upper_end(row.r2.shuffled, level)),
            max(row.r2.twins, default=None),
            row.r2_back.value,
            max(row.r2_back.twins, default=None),
            moved.subspace.dim,
            moved.asked,
        )

    @property
    def words(self) -> str:
        """The map in words."""
        ends = "" if self.r2_low is None else f" [{number(self.r2_low)}, {number(self.r2_high)}]"
        return (
            f"the map from {site_label(self.reference_site)} of the constructed model gives "
            f"{number(self.r2)}{ends} of this stream's variance on sentences that it did not see "
            f"(of exchanged sentences at most {number(self.r2_shuffled_high)}, of untrained models "
            f"up to {number(self.r2_twins)})"
        )


def through_verdict(
    found: ComparedSubspaces | None,
    said: Through,
    decodable: Verdict,
    selective: Verdict,
    claim: Prediction,
) -> Verdict:
    """Rung 3, up to a map.

    Args:
        found: learned and carried subspace; ``None`` where one is missing.
        said: the map.
        decodable: the first rung's answer: without a state there is no place to ask for.
        selective: the second rung's.
        claim: the prediction that was carried.
    """
    for name, verdict in (("decodable", decodable), ("selective", selective)):
        if verdict.state != "yes":  # its numbers stand beside its own rung
            why = f"whether it is {name} was not tested"
            why = why if verdict.state == "not tested" else f"it is not {name}"
            return Verdict(
                "not tested", f"its overlaps, which stand in their table, decide nothing: {why}"
            )
    if said.r2_shuffled_high is None:
        return Verdict("not tested", FEW.format("fewer than three exchanges of sentences"))
    if not said.r2 > said.r2_shuffled_high or (said.r2_low is not None and said.r2_low <= 0.0):
        return Verdict("not tested", f"no map leads here: {said.words}")
    if not said.dims:
        return Verdict(
            "not tested",
            f"nothing of the state comes through the map: {said.words}, but the state adds nothing "
            "to what the rest of the constructed stream gives",
        )
    if found is None:
        return Verdict("not tested", NO_PATTERN)
    if said.r2_twins is None or said.null_twins_high is None:
        return Verdict("not tested", FEW.format("fewer than three untrained models"))
    return _answer(found, said, claim)


def _answer(found: ComparedSubspaces, said: Through, claim: Prediction) -> Verdict:
    overlap = f"overlap {number(found.overlap)}{found.interval}"
    bar, where = number(found.highest_null), "where a linear map puts the state"
    part = (
        "" if said.dims == said.asked else f"; {said.dims} of {said.asked} dimensions came so far"
    )
    up_to = f"; this holds up to the map: {said.words}{part}"
    if not found.beyond_null:
        return Verdict("no", f"{overlap} is no more than chance ({bar}), {where}{up_to}")
    reason = f"{overlap}, chance at most {bar}, {where}"
    if found.overlap < ALIGNED:
        partly = f"partly aligned ({number(found.overlap)}), {UP_TO}"
        return Verdict("no", f"{reason}, below {ALIGNED}{up_to}", partly)
    answer = told_apart(f"{reason}{up_to}", claim)
    if answer.state != "yes":
        return answer
    return Verdict("yes", answer.reason, ", ".join(filter(None, [UP_TO, answer.instead])))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
