"""Two runs on the same test groups: which cells differ, held to one level over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final
from zlib import crc32

import numpy as np
from jaxtyping import Float
from scipy import stats

from ..probes.evidence.intervals import bootstrap_weights, family_wise
from .by_group import GroupScores
from .record import Run

__all__ = ["DRAWS", "LEVEL", "Paired", "paired"]

Cell = tuple[str, str, str]  # study, site, target

DRAWS: Final = 1999  # sign patterns; resamples are as many
LEVEL: Final = 0.05
FEW: Final = 10  # groups that differ, below which resampling sees too little for an interval
SAME: Final = 1e-9  # rounding of credits

OTHER_TOKENS: Final = "the test tokens are others: another split, other texts, or other labels"
NOT_KEPT: Final = (
    "one of the runs keeps no credit by test group: its texts have no fingerprint, or an older "
    "linrep made it"
)


@final
@dataclass(frozen=True)
class Paired:
    """The difference of one cell between two runs, later less earlier, on the same test groups.

    Args:
        p: chance of so large a difference, in either direction, at any cell of the two runs if
            neither run were better anywhere; ``None`` where it was not tested.
        low: lower end of the 95 % interval of this cell's difference; ``None`` without one.
        high: upper end.
        groups: test groups.
        differ: groups in which the two runs differ.
        why: why it was not tested.
    """

    p: float | None
    low: float | None
    high: float | None
    groups: int
    differ: int
    why: str = ""


def paired(before: Run, after: Run, cells: Sequence[Cell], *, seed: int = 0) -> dict[Cell, Paired]:
    """Test the differences of cells, together.

    For each test group the earlier and the later credit change places at random (exact if the two
    runs are exchangeable within a group); the largest standardised difference over all cells
    gives p-values that hold for all of them (Westfall and Young 1993). All sites of one target on
    the same groups change places together.

    Args:
        before: the earlier run.
        after: the later run.
        cells: (study, site, target) that both have.
        seed: of the draws.
    """
    sides = [_kept(run) for run in (before, after)]
    told: dict[Cell, Paired] = {}
    tested: dict[Cell, tuple[GroupScores, np.ndarray]] = {}
    for cell in cells:
        study, site, target = cell
        old, new = (side.get((study, target)) for side in sides)
        if old is None or new is None or site not in old.credit or site not in new.credit:
            told[cell] = Paired(None, None, None, 0, 0, NOT_KEPT)
        elif old.mark != new.mark or old.tokens != new.tokens:
            told[cell] = Paired(None, None, None, 0, 0, OTHER_TOKENS)
        else:
            difference = np.subtract(new.credit[site], old.credit[site])
            tested[cell] = old, np.where(np.abs(difference) < SAME, 0.0, difference)
    return told | _tested(tested, seed)


def _kept(run: Run) -> dict[tuple[str, str], GroupScores]:
    return {
        (study.name, target): one
        for study in run.studies
        for target, one in study.scores.by_group.items()
    }


def _tested(
    differences: Mapping[Cell, tuple[GroupScores, np.ndarray]], seed: int
) -> dict[Cell, Paired]:
    """p-values over all cells, intervals of each."""
    marks: dict[str, list[Cell]] = {}
    for cell, (held, _) in differences.items():
        marks.setdefault(held.mark, []).append(cell)
    order = [cell for cells in marks.values() for cell in cells]
    if not order:
        return {}
    draws: list[np.ndarray] = []
    ends: dict[Cell, tuple[float | None, float | None]] = {}
    for mark, cells in marks.items():
        table = np.stack([differences[cell][1] for cell in cells])
        tokens = np.asarray(differences[cells[0]][0].tokens)
        rng = np.random.default_rng([seed, crc32(mark.encode())])
        signed = [
            table @ (rng.integers(0, 2, size=(n, table.shape[1]), dtype=np.int8) * 2.0 - 1.0).T
            for n in _chunks(table.shape[1])
        ]
        draws.append(np.abs(np.concatenate(signed, axis=1)))
        ends |= dict(zip(cells, _intervals(table, tokens, rng), strict=True))
    observed = np.array([abs(float(differences[cell][1].sum())) for cell in order])
    p = family_wise(observed, np.concatenate(draws))
    return {
        cell: Paired(
            float(value), *ends[cell], len(differences[cell][1]),
            int(np.count_nonzero(differences[cell][1])),
        )
        for cell, value in zip(order, p, strict=True)
    }  # fmt: skip


def _chunks(n_groups: int) -> list[int]:
    """Draws in parts, whose signs or weights take no more than 32 MB."""
    most = max(4_000_000 // max(n_groups, 1), 1)
    return [min(most, DRAWS - start) for start in range(0, DRAWS, most)]


def _intervals(
    table: Float[np.ndarray, "cell group"],
    tokens: Float[np.ndarray, " group"],
    rng: np.random.Generator,
) -> list[tuple[float | None, float | None]]:
    """Percentile bootstrap over groups, widened for few of them (Hesterberg 2015)."""
    n = len(tokens)
    if n < FEW:
        return [(None, None)] * len(table)
    parts = []
    for draws in _chunks(n):
        weights = bootstrap_weights(n, draws, rng).astype(np.float64)
        parts.append((table @ weights.T) / (weights @ tokens))
    drawn = np.concatenate(parts, axis=1)
    tail = float(stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1)))
    low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=1)
    enough = np.count_nonzero(table, axis=1) >= FEW
    return [
        (float(a), float(b)) if told else (None, None)
        for a, b, told in zip(low, high, enough, strict=True)
    ]
