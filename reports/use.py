"""The fourth rung: whether the model uses the state, answered from one exchange."""

import math
from typing import Final

from ..core import CellScore, Prediction
from .values import number
from .verdicts import Verdict

__all__ = ["LEAST_PAIRS", "LEAST_SHARE", "UNREAD", "causal"]

LEAST_SHARE: Final = 0.05
"""A smaller part of the way to the counterfactual is no use, however significant."""

LEAST_PAIRS: Final = 20
"""Base sentences of moved pairs below which nothing is said."""

DISTURBED: Final = 0.5
"""Equal pairs that lose more than this part of what moved pairs gain are disturbed."""

NOTHING_FOLLOWS: Final = 0.01
"""Nats: a smaller divergence of the counterfactual leaves nothing to see."""

UNREAD: Final = (
    "it is not shown to be decodable here, so that its exchanges (in their table) decide nothing"
)
UNUSED: Final = "not used from here"
UNSHOWN: Final = "use not shown"


def causal(
    row: CellScore | None, *, level: float = 0.05, claim: Prediction | None = None, why: str = ""
) -> Verdict:
    """Rung 4: the model uses what stands in the subspace, as the target's state.

    Yes, if the exchange brings the model at least a twentieth of the way to the counterfactual,
    further than random subspaces, the placebo and a random-weight twin do (``p`` at most
    ``level``), no less far than subspaces drawn from the states themselves do on average, and equal
    pairs are left in peace.

    Args:
        row: the exchange at this site; ``None`` if none was made.
        level: chance of taking one for used that is not; over several cells, their share of it.
        claim: what theory says, named in the reason.
        why: why no exchange was made.

    >>> causal(None, why="nothing was exchanged").state
    'not tested'
    """
    if row is None:
        return Verdict("not tested", why)
    if row.n_groups < LEAST_PAIRS:
        return Verdict(
            "not tested",
            f"{row.n_groups} sentences could be exchanged with another label, at least "
            f"{LEAST_PAIRS} are needed: sample more",
        )
    if not row.identity:
        return Verdict(
            "not tested",
            "putting in the base's own state changed the output: the edit is not clean",
        )
    if row.measure == "KL" and row.base < NOTHING_FOLLOWS:
        return Verdict(
            "not tested",
            "in this language what comes later hardly depends on the state (another one changes "
            f"the answer by {number(row.base)} nats), so that its use cannot be seen",
        )
    if not row.follows:
        return Verdict(
            "not tested",
            "the model does not follow the language closely enough: even where it reads the "
            f"counterfactual itself, it comes only from {number(row.base)} to "
            f"{number(row.source)} ({_unit(row)})",
        )
    said = f"an exchange goes {number(row.share)} of the way ({_beside(row)})"
    fault = _fault(row, level)
    if fault:
        instead = UNUSED if _weak(row) else UNSHOWN
        return Verdict("no", f"{fault}: {said}{_theory(claim)}", instead)
    if math.isnan(row.p):
        return Verdict("not tested", f"no control was run: {said}")
    return Verdict("yes", f"{said}; p = {number(row.p)}{_theory(claim)}")


def _fault(row: CellScore, level: float) -> str:
    """What speaks against use; empty if nothing does."""
    way = row.completeness if row.measure == "KL" else row.share
    if _weak(row):
        return "the exchange changes nothing" if row.change <= 1e-9 else "hardly any effect"
    if not math.isnan(row.p) and row.p > level:
        return (
            "not shown to do more than random subspaces, the placebo and a random-weight twin "
            f"(p = {number(row.p)}; for all cells together at most {number(level)} is asked)"
        )
    # A divergence rewards noise; total variation does not, and log-odds have no such corner.
    kl = row.measure == "KL"
    drawn = row.completeness_drawn if kl else row.share_drawn
    if way < drawn:
        return (
            "subspaces drawn at random from the states do more on average "
            f"({number(drawn)} against {number(way)})"
        )
    lost = row.equal_edit - row.equal_base
    if not math.isnan(lost) and lost > DISTURBED * (row.base - row.edit):
        return "pairs with equal labels are disturbed as well"
    return ""


def _weak(row: CellScore) -> bool:
    """Whether the exchange goes less than the least share of the way."""
    way = row.completeness if row.measure == "KL" else row.share
    return min(row.share, way) < LEAST_SHARE


def _unit(row: CellScore) -> str:
    return "nats of divergence" if row.measure == "KL" else "log-odds"


def _beside(row: CellScore) -> str:
    """The controls in one line."""
    parts = {
        "whole state": row.share_whole,
        "readout": row.share_readout,
        "random": row.share_random,
        "placebo": row.share_placebo,
        "twin": row.share_twin,
        f"predictions of {row.isolation_of} left": row.isolation,
    }
    return ", ".join(f"{name} {number(x)}" for name, x in parts.items() if not math.isnan(x))


def _theory(claim: Prediction | None) -> str:
    if claim is None or claim.used is None:
        return ""
    return "; theory says that it is " + ("used here" if claim.used else "not used here")
