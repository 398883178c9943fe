"""What an exchange of states did at one site for one target: a row, as data."""

import math
from dataclasses import astuple, dataclass
from typing import final

__all__ = ["CellScore"]


@final
@dataclass(frozen=True, eq=False)
class CellScore:
    """What the exchange of one subspace at one site does.

    Losses are means over moved pairs: the KL divergence in nats from the counterfactual to the
    output, or, for pairs with answers, the log-odds of the base's answer over the source's. A
    *share* is the part of the way from no edit to the counterfactual's own run: 0 where an edit
    does nothing, 1 where the model speaks as if the span had been the source's.

    Args:
        site: where.
        target: what.
        measure: ``KL`` or ``log-odds``.
        protocol: ``last token`` or ``whole span``.
        dim: dimensions of the subspace.
        n_moved: pairs whose labels differ.
        n_equal: pairs whose labels are equal.
        n_groups: base sentences of moved pairs.
        base: loss without an edit.
        source: loss of the counterfactual's own run, the best this model can do.
        edit: loss with the exchange.
        whole: with the whole state exchanged.
        readout: with the readout exchanged; NaN if none was given.
        random: mean over random subspaces of equal dimension.
        placebo: mean over random subspaces moved exactly as far as the edit.
        drawn: mean over subspaces drawn from the states, as patterns of shuffled labels are.
        twin: loss gained by the same exchange in a random-weight twin, taken from ``base``.
        share: effect share of the exchange; NaN where the model does not follow the language.
        share_low: lower end of its interval, resampling base sentences.
        share_high: upper end.
        share_whole: effect share of the whole state.
        share_readout: of the readout.
        share_random: of random subspaces, mean.
        share_placebo: of the placebo, mean.
        share_drawn: of drawn subspaces, mean.
        share_drawn_high: of the best of them.
        share_twin: of the twin, on this model's scale.
        equal_base: loss of equal pairs without an edit; NaN if there are none.
        equal_edit: loss of equal pairs with the exchange: it should stay.
        completeness: how much of the distance to the counterfactual is gone, 0 to 1.
        completeness_drawn: the same of subspaces drawn from the states, mean.
        selectivity: one minus how far equal pairs are moved (total variation), 0 to 1.
        reliability: harmonic mean of the two.
        error: largest difference of a probability from the counterfactual's, moved pairs.
        error_base: the same without an edit.
        change: largest change of a probability by the exchange, all pairs.
        identity: the base's own state, put in, leaves every bit of the output.
        follows: the counterfactual's own run comes at least half of the way.
        p: of the exchange doing no more than random subspaces, the placebo and the twin: the
            largest of three p-values. 1 where the exchange changes no output; random controls
            are then not run.
        isolation: share of the predictions of another target's probe that the exchange leaves, at
            this site and all later ones; of the other target that is left least. NaN where no
            other target is decoded, or none is known.
        isolation_low: lower end of its interval, resampling base sentences.
        isolation_high: upper end.
        isolation_whole: what the exchange of the whole state leaves of the same target.
        isolation_of: which other target.
        share_das: effect share of a subspace of equal dimension that was searched for (DAS), on
            base sentences that it was not learned from; NaN if none was.
        das: what the controls of the search say; empty if there was none.
    """

    site: str
    target: str
    measure: str
    protocol: str
    dim: int
    n_moved: int
    n_equal: int
    n_groups: int
    base: float
    source: float
    edit: float
    whole: float
    readout: float
    random: float
    placebo: float
    drawn: float
    twin: float
    share: float
    share_low: float
    share_high: float
    share_whole: float
    share_readout: float
    share_random: float
    share_placebo: float
    share_drawn: float
    share_drawn_high: float
    share_twin: float
    equal_base: float
    equal_edit: float
    completeness: float
    completeness_drawn: float
    selectivity: float
    reliability: float
    error: float
    error_base: float
    change: float
    identity: bool
    follows: bool
    p: float
    isolation: float = math.nan
    isolation_low: float = math.nan
    isolation_high: float = math.nan
    isolation_whole: float = math.nan
    isolation_of: str = ""
    share_das: float = math.nan
    das: str = ""

    def __eq__(self, other: object) -> bool:
        """Equal numbers; what was not measured (NaN) in both counts as equal."""
        if not isinstance(other, CellScore):
            return NotImplemented
        return _comparable(astuple(self)) == _comparable(astuple(other))

    def __hash__(self) -> int:
        return hash(_comparable(astuple(self)))


def _comparable(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(None if isinstance(v, float) and math.isnan(v) else v for v in values)
