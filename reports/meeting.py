"""One learned pattern beside one predicted subspace: how they meet, and what that says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from ..core import LinrepError, Prediction, Subspace
from ..probes import OverlapNull, overlap_null
from ..probes.geometry.fold_patterns import overlap_interval
from ..probes.geometry.nulls import Anisotropy, exchanged_null
from .values import number
from .verdicts import Verdict

__all__ = [
    "ALIGNED",
    "ELSEWHERE",
    "NO_PATTERN",
    "ComparedSubspaces",
    "ComparisonError",
    "Null",
    "aligned",
    "meet",
    "told_apart",
]

NO_BASIS = (
    "no construction shares this basis: theory predicts ranks, the order of layers and ceilings "
    "here, not directions"
)
ELSEWHERE = "predicted at {} tokens only, and other tokens are probed here"
NO_PATTERN = (
    "there is no pattern to compare: the class means do not differ, or other states fix the class"
)
AMBIGUOUS = (
    "in this grammar the last tokens do not tell the label of their span by themselves, so theory "
    "does not say in which directions labels differ"
)
TOGETHER = "together with values from which these sentences do not tell it"
TIED = (
    "on these sentences the values of {} move only together with others, and nothing of its own is "
    "written here: the direction that is found lies where theory says, but belongs to those others"
)
NOTHING = "no pattern is found, and theory writes nothing here: as predicted"
ALIGNED = 0.9
"""Overlap from which a learned pattern is called aligned with the predicted subspace; less, but
more than chance, is partly aligned."""
AGREEMENT = 0.99
"""Overlap from which a written subspace counts as found: the rest is sampling noise of class
means, which the demo measures at 1e-3 and below."""


class ComparisonError(LinrepError):
    """Results and predictions cannot be laid beside each other."""


@final
@dataclass(frozen=True)
class ComparedSubspaces:
    """Numbers about one learned and one predicted subspace; overlaps are mean squared cosines.

    ``null_exchanged_high`` is ``None`` where no labels were exchanged; ``overlap_low`` and
    ``overlap_high``, the ends of the 95 % interval, where no groups were left out;
    ``null_map_high`` where the predicted subspace was not carried from another basis.
    """

    written: bool
    overlap: float
    contains_learned_in_predicted: float
    contains_predicted_in_learned: float
    null_mean: float
    null_high: float
    null_covariance_high: float
    angle_max: float
    dim_learned: int
    dim_predicted: int
    d_model: int
    null_exchanged_high: float | None = None
    overlap_low: float | None = None
    overlap_high: float | None = None
    null_map_high: float | None = None

    @property
    def beyond_null(self) -> bool:
        """Whether the overlap exceeds every null, at all compared cells together."""
        return self.overlap > self.highest_null

    @property
    def interval(self) -> str:
        """The interval in words; empty where there is none."""
        if self.overlap_low is None or self.overlap_high is None:
            return ""
        return f" [{number(self.overlap_low)}, {number(self.overlap_high)}]"

    @property
    def highest_null(self) -> float:
        """Upper end of the null that is hardest to exceed."""
        further = (self.null_exchanged_high or 0.0, self.null_map_high or 0.0)
        return max(self.null_high, self.null_covariance_high, *further)

    @property
    def as_predicted(self) -> bool:
        """Found where written; at the null's level where not. Through a map: aligned."""
        if self.null_map_high is not None:
            return self.beyond_null and self.overlap >= ALIGNED
        return self.overlap >= AGREEMENT if self.written else not self.beyond_null


@final
@dataclass(frozen=True)
class Null:
    """Overlap of random subspaces with a predicted one: the mean, and what few exceed.

    Uniform subspaces depend on dimensions alone, so those of cells alike are drawn once.
    """

    draws: int
    level: float
    seed: int
    _uniform: dict[tuple[int, int, int], OverlapNull] = field(default_factory=dict, repr=False)

    def __call__(
        self, learned: Subspace, predicted: Subspace, stream: Anisotropy | None
    ) -> tuple[float, float]:
        """Mean and upper end of the overlap of random subspaces like the learned one."""
        k, m = learned.dim, predicted.dim
        if not k or not m:
            return 0.0, 0.0
        if stream is not None:
            null = stream.null(k, m, fixed=predicted, n=self.draws, seed=self.seed)
        else:
            key = k, m, predicted.d_model
            if key not in self._uniform:
                self._uniform[key] = overlap_null(*key, n=self.draws, seed=self.seed)
            null = self._uniform[key]
        return null.mean, null.upper(self.level)


def meet(
    learned: Subspace,
    claim: Prediction,
    stream: Anisotropy,
    null: Null,
    chance: Sequence[np.ndarray] = (),
    without: Sequence[np.ndarray] = (),
) -> ComparedSubspaces:
    """Numbers about one learned and one predicted subspace.

    Args:
        learned: the pattern.
        claim: the prediction.
        stream: covariance of the activations.
        null: what random subspaces reach.
        chance: patterns of exchanged labels; none, no such null.
        without: patterns without one part of the groups each; none, no interval.

    Raises:
        ComparisonError: they are subspaces of unlike streams.
    """
    predicted = claim.subspace
    if learned.d_model != predicted.d_model:
        raise ComparisonError(
            f"{claim.target} at {claim.site}: the activations have {learned.d_model} dimensions, "
            f"the prediction {predicted.d_model}; they come from different models"
        )
    angles = learned.angles(predicted)
    mean, high = null(learned, predicted, None)
    harder = null(learned, predicted, stream)[1]
    exchanged = exchanged_null(chance, learned.dim, predicted) if learned.dim else None
    ends = overlap_interval(learned, without, predicted) or (None, None)
    return ComparedSubspaces(
        written=claim.written,
        overlap=learned.overlap(predicted),
        contains_learned_in_predicted=predicted.contains(learned),
        contains_predicted_in_learned=learned.contains(predicted),
        null_mean=mean,
        null_high=high,
        null_covariance_high=harder,
        angle_max=float(angles[-1]) if angles.size else float("nan"),
        dim_learned=learned.dim,
        dim_predicted=predicted.dim,
        d_model=learned.d_model,
        null_exchanged_high=exchanged.upper(null.level) if exchanged else None,
        overlap_low=ends[0],
        overlap_high=ends[1],
    )


def aligned(
    found: ComparedSubspaces | None,
    *,
    claimed: bool,
    absent: bool = False,
    still: Verdict | None = None,
    elsewhere: str | None = None,
    claim: Prediction | None = None,
) -> Verdict:
    """Rung 3: the learned pattern lies where theory says.

    Where a corpus does not tell a target's values from others, and nothing of the target itself is
    written, a pattern that lies where the others are is no finding about the target.

    Args:
        found: the two subspaces, ``None`` where one is missing.
        claimed: theory predicts something about the cell.
        absent: what it predicts is that no combination of the target's values is written here.
        still: the answer where the target does not vary.
        elsewhere: why what it predicts is about other tokens.
        claim: the prediction, which says what the target is tied to.
    """
    if found is None and absent:
        return Verdict("no", NOTHING)
    if found is None and claimed and still is not None:
        return still
    if found is None:
        return Verdict("not tested", NO_PATTERN if claimed else elsewhere or NO_BASIS)
    met = found.beyond_null and found.overlap >= ALIGNED
    if found.written and not met and claim is not None and claim.ambiguous:
        return Verdict("not tested", AMBIGUOUS)
    overlap = f"overlap {number(found.overlap)}{found.interval}"
    bar = number(found.highest_null)
    where = "where theory writes the state" if found.written else "where theory writes nothing"
    if not found.beyond_null:
        return Verdict("no", f"{overlap} is no more than chance ({bar}), {where}")
    reason = f"{overlap}, chance at most {bar}, {where}"
    if not found.written:
        return Verdict("no", f"{reason}: refuted", "found where theory writes nothing")
    if met:
        return told_apart(reason, claim)
    partly = f"partly aligned ({number(found.overlap)})"
    return Verdict("no", f"{reason}, below {ALIGNED}", partly)


def told_apart(reason: str, claim: Prediction | None) -> Verdict:
    """The answer of an overlap that is large enough: of the target, or of what it is tied to.

    Args:
        reason: of the answer.
        claim: the prediction.
    """
    if claim is None or not claim.tied:
        return Verdict("yes", reason)
    if claim.own:
        return Verdict("yes", f"{reason}, {TOGETHER}", "with what it is tied to")
    return Verdict("not tested", TIED.format(claim.target), "tied to what is written here")
