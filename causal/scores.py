"""From the numbers of single pairs to those of a cell: shares, intervals, p-values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from ..core import CellScore
from ..probes.evidence.intervals import bootstrap_weights
from .arms import names_of
from .exchange import NOTHING, ExchangeOutcome
from .judging import Measures
from .pairs import Pairs

__all__ = ["score_cell"]

FOLLOWS = 0.5  # share of the divergence that the counterfactual's own run has to take away
SURE = 0.01  # p-value of any way at all, for answers
NAN = float("nan")


@final
@dataclass(frozen=True, eq=False)
class _Groups:
    """Sums by base sentence."""

    index: Int[np.ndarray, " pair"]
    n: int

    @classmethod
    def of(cls, groups: np.ndarray) -> "_Groups":
        names, index = np.unique(groups, return_inverse=True)
        return cls(index, len(names))

    def sums(self, values: np.ndarray) -> Float[np.ndarray, " group"]:
        return np.bincount(self.index, weights=values, minlength=self.n)

    def mean(self, values: np.ndarray) -> tuple[float, float]:
        """Mean over pairs, and its standard error over groups."""
        sizes = np.bincount(self.index, minlength=self.n)
        mean = float(values.mean())
        rest = self.sums(values) - sizes * mean
        spread = float(np.square(rest).sum()) * self.n / max(self.n - 1, 1)
        return mean, float(np.sqrt(spread)) / len(values)


def score_cell(
    site: str,
    dim: int,
    pairs: Pairs,
    protocol: str,
    found: ExchangeOutcome,
    twin: ExchangeOutcome | None,
    *,
    bootstrap: int,
    seed: int,
) -> CellScore:
    """One cell's row.

    Args:
        site: of the cell.
        dim: dimensions of its subspace.
        pairs: of its target.
        protocol: how much was exchanged.
        found: what came out.
        twin: the same in a random-weight twin.
        bootstrap: resamples for the interval.
        seed: of these.
    """
    arms, moved = found.arms[site], pairs.moved
    groups = _Groups.of(np.asarray(pairs.groups)[moved])
    base, source = (one.loss[moved] for one in (found.base, found.source))
    losses = {name: one.loss[moved] for name, one in arms.items()}
    room, doubt = groups.mean(base - source)
    follows = room > 0 and room >= FOLLOWS * float(base.mean())
    if pairs.expected is None:  # log-odds have no zero to compare with
        follows = _above(room, doubt, groups.n - 1) < SURE
    twins = None if twin is None else twin.base.loss[moved] - twin.arms[site]["edit"].loss[moved]

    def share(values: np.ndarray) -> float:
        return float((base - values).mean()) / room if follows else NAN

    def mean(kind: str) -> np.ndarray:
        named = [losses[name] for name in names_of(list(losses), kind)]
        return np.mean(named, axis=0) if named else np.full(len(base), NAN)

    drawn = [share(losses[name]) for name in names_of(list(losses), "drawn")]
    low, high = (NAN, NAN)
    if follows:
        low, high = _interval(groups, base, source, losses["edit"], bootstrap, seed)
    readout = losses.get("readout", np.full(len(base), NAN))
    lost = np.full(len(base), NAN) if twins is None else base - twins
    return CellScore(
        site=site,
        target=pairs.target,
        measure="log-odds" if pairs.expected is None else "KL",
        protocol=protocol,
        dim=dim,
        n_moved=int(moved.sum()),
        n_equal=int((~moved).sum()),
        n_groups=groups.n,
        base=float(base.mean()),
        source=float(source.mean()),
        edit=float(losses["edit"].mean()),
        whole=float(losses["whole"].mean()),
        readout=float(readout.mean()),
        random=float(mean("random").mean()),
        placebo=float(mean("placebo").mean()),
        drawn=float(mean("drawn").mean()),
        twin=float(lost.mean()),
        share=share(losses["edit"]),
        share_low=low,
        share_high=high,
        share_whole=share(losses["whole"]),
        share_readout=share(readout),
        share_random=share(mean("random")),
        share_placebo=share(mean("placebo")),
        share_drawn=share(mean("drawn")),
        share_drawn_high=max(drawn, default=NAN),
        share_twin=share(lost),
        **_whole_numbers(arms, found.base, moved),
        identity=found.identity[site],
        follows=follows,
        p=_largest_p(groups, found, twin, site, pairs),
    )


def _whole_numbers(
    arms: Mapping[str, Measures], base: Measures, moved: Bool[np.ndarray, " pair"]
) -> dict[str, Any]:
    """Reliability with its two parts, the losses of equal pairs, and extremes."""
    edit, away, equal = arms["edit"], float(base.gap[moved].mean()), ~moved
    complete = drawn = kept = before = after = NAN
    if away > 0:
        gaps = [arms[name].gap[moved].mean() for name in names_of(list(arms), "drawn")]
        complete = float(np.clip(1 - edit.gap[moved].mean() / away, 0.0, 1.0))
        drawn = float(np.clip(1 - np.mean(gaps) / away, 0.0, 1.0)) if gaps else NAN
    if equal.any():
        kept = 1 - float(edit.shift[equal].mean())
        before, after = float(base.loss[equal].mean()), float(edit.loss[equal].mean())
    both = complete + kept
    return {
        "equal_base": before,
        "equal_edit": after,
        "completeness": complete,
        "completeness_drawn": drawn,
        "selectivity": kept,
        "reliability": 2 * complete * kept / both if both > 0 else (0.0 if both == 0 else NAN),
        "error": float(edit.error[moved].max()),
        "error_base": float(base.error[moved].max()),
        "change": float(edit.change.max()),
    }


def _interval(
    groups: _Groups, base: np.ndarray, source: np.ndarray, edit: np.ndarray, draws: int, seed: int
) -> tuple[float, float]:
    """Percentile bootstrap over base sentences of the ratio."""
    if draws < 1 or groups.n < 2:
        return NAN, NAN
    weights = bootstrap_weights(groups.n, draws, np.random.default_rng(seed)).astype(np.float64)
    ways = weights @ groups.sums(base - source)
    gone = weights @ groups.sums(base - edit)
    kept = ways > 0
    if not kept.any():
        return NAN, NAN
    low, high = np.quantile(gone[kept] / ways[kept], [0.025, 0.975])
    return float(low), float(high)


def _above(mean: float, error: float, freedom: int) -> float:
    """One-sided p-value of a mean that is not above 0."""
    if not error > 0:
        return 0.0 if mean > 0 else 1.0
    return float(stats.t.sf(mean / error, max(freedom, 1)))


def _largest_p(
    groups: _Groups, found: ExchangeOutcome, twin: ExchangeOutcome | None, site: str, pairs: Pairs
) -> float:
    """Against random subspaces, the placebo and the twin.

    Distances are total variations (log-odds for answers): of a divergence, any noise that gives
    some probability to what the model holds for impossible takes a large part. A new random
    subspace would differ from those drawn by their spread, so the edit has to lie outside of it
    (Student's prediction), and the sampling of sentences adds its error.
    """
    moved = pairs.moved

    def distance(one: Measures) -> np.ndarray:
        values = one.loss if pairs.expected is None else one.gap
        return np.asarray(values[moved])

    arms = found.arms[site]
    if float(arms["edit"].change.max()) <= NOTHING:
        return 1.0
    edit, ps = distance(arms["edit"]), []
    for kind in ("random", "placebo"):
        rows = [distance(arms[name]) for name in names_of(list(arms), kind)]
        if len(rows) < 2:
            continue
        mean, doubt = groups.mean(np.mean(rows, axis=0) - edit)
        spread = float(np.std([row.mean() for row in rows], ddof=1)) * (1 + 1 / len(rows)) ** 0.5
        freedom = min(len(rows), groups.n) - 1
        ps.append(_above(mean, float(np.hypot(spread, doubt)), freedom))
    if twin is not None:
        gained = distance(twin.base) - distance(twin.arms[site]["edit"])
        mean, doubt = groups.mean(distance(found.base) - edit - gained)
        ps.append(_above(mean, doubt, groups.n - 1))
    return max(ps, default=NAN)
