"""What theory says of any model of a grammar, whatever its basis: predicted beside measured."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final, Literal, final

import numpy as np

from .arguments import checked
from .errors import LinrepError

__all__ = ["LEAST_UNTRAINED", "Invariant", "InvariantError", "InvariantState", "judged"]

InvariantState = Literal[
    "as predicted", "partly", "not as predicted", "not telling", "not tested"
]  # fmt: skip
LEAST_UNTRAINED: Final = 3  # values that tell how far untrained models spread
NAN: Final = math.nan


class InvariantError(LinrepError):
    """Something predicted cannot be laid beside something measured."""


@final
@checked(InvariantError)
@dataclass(frozen=True, eq=False)
class Invariant:
    """One number that does not depend on the basis of a model, predicted and measured.

    Args:
        name: what was measured.
        target: of which target, or of which two.
        site: where in the stream; empty where it is about several sites.
        predicted: what theory says.
        measured: what the model shows; NaN where it could not be measured.
        low: lower end of its interval; equal to ``measured`` where it has none.
        high: upper end.
        null_low: lower end of where one more untrained model (or chance) would lie.
        null_high: upper end.
        null: what the null is.
        state: ``as predicted``: the interval holds the prediction, and no null reaches it;
            ``partly``: short of the prediction, but nearer than any null; ``not as predicted``;
            ``not telling``: the null shows the same; ``not tested``.
        reason: one sentence.

    Raises:
        InvariantError: an unknown state.

    >>> row = judged("rank", "height 1", "", predicted=3.0, measured=3.0, nulls=(0.0, 0.0, 1.0))
    >>> row.state
    'as predicted'
    """

    name: str
    target: str
    site: str
    predicted: float
    measured: float
    low: float
    high: float
    null_low: float
    null_high: float
    null: str
    state: InvariantState
    reason: str = ""

    def __eq__(self, other: object) -> bool:
        """Equal numbers; what was not measured (NaN) in both counts as equal."""
        if not isinstance(other, Invariant):
            return NotImplemented
        return _comparable(self) == _comparable(other)

    def __hash__(self) -> int:
        return hash(_comparable(self))


def _comparable(row: Invariant) -> tuple[object, ...]:
    return tuple(None if isinstance(v, float) and math.isnan(v) else v for v in astuple(row))


@checked(InvariantError)
def judged(
    name: str,
    target: str,
    site: str,
    *,
    predicted: float,
    measured: float,
    interval: tuple[float, float] | None = None,
    nulls: Sequence[float] = (),
    level: float = 0.05,
    resolution: float = 0.0,
) -> Invariant:
    """Lay one prediction beside a measurement and beside untrained models.

    Untrained models spread; one more of them would lie in Student's prediction interval of those
    measured. A number is telling where the prediction lies outside that interval.

    Args:
        name: what was measured.
        target: of which target.
        site: where.
        predicted: what theory says.
        measured: what the model shows.
        interval: 95 % interval of ``measured``; none for a count.
        nulls: the same of untrained models, at least three.
        level: chance that one more untrained model lies beyond the null on that side.
        resolution: smallest step of the measure (1 of a count): nulls that agree up to it may
            differ by it.

    Returns:
        The row with its state and the sentence for it.

    >>> judged("rank", "height 1", "", predicted=3.0, measured=3.0, nulls=(3.0, 3.0, 3.0)).state
    'not telling'
    >>> judged("rank", "height 1", "", predicted=3.0, measured=2.0, nulls=(2.0, 2.0, 2.0)).state
    'not as predicted'
    >>> judged("rank", "height 1", "", predicted=3.0, measured=3.0).state
    'not tested'
    """
    low, high = interval if interval is not None else (measured, measured)
    null_low, null_high = _null(nulls, level, resolution)
    count = sum(map(math.isfinite, nulls))
    told = f"{count} untrained models" if count else ""

    def row(state: InvariantState, reason: str) -> Invariant:
        return Invariant(
            name, target, site, float(predicted), float(measured), float(low), float(high),
            null_low, null_high, told, state, reason,
        )  # fmt: skip

    if not all(map(math.isfinite, (predicted, measured, low, high))):
        return row("not tested", "it could not be measured")
    if math.isnan(null_low):
        return row(
            "not tested",
            f"{count} untrained models stand beside it, at least {LEAST_UNTRAINED} are needed",
        )
    step = resolution / 2 + 1e-9 * max(1.0, abs(predicted))
    hit = low - step <= predicted <= high + step
    if null_low <= predicted <= null_high:
        return row(
            "not telling" if hit else "not as predicted",
            "untrained models of this shape can show what is predicted as well"
            if hit
            else "the interval does not hold the prediction",
        )
    beyond = low > null_high if predicted > null_high else high < null_low
    if hit:
        return (
            row("as predicted", "the interval holds the prediction, and untrained models do not")
            if beyond
            else row("not telling", "the interval also holds what untrained models show")
        )
    if beyond:
        return row("partly", "nearer to the prediction than untrained models, but short of it")
    return row("not as predicted", "no nearer to the prediction than untrained models")


def _null(nulls: Sequence[float], level: float, resolution: float) -> tuple[float, float]:
    """Where one more would lie."""
    from scipy import stats

    values = np.asarray([value for value in nulls if math.isfinite(value)], dtype=np.float64)
    if len(values) < LEAST_UNTRAINED:
        return NAN, NAN
    spread = max(float(values.std(ddof=1)), resolution / math.sqrt(12))
    reach = float(stats.t.isf(level, len(values) - 1)) * spread * math.sqrt(1 + 1 / len(values))
    centre = float(values.mean())
    return centre - reach, centre + reach
