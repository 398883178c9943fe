"""What is lost when a state is taken out, and what a push along it does: the tables."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..core import ErasedRow, SteeredRow
from .values import Json, number, site_label

__all__ = [
    "ARMS",
    "ERASED_COLUMNS",
    "STEERED_COLUMNS",
    "by_target",
    "erased_lines",
    "most_lost",
    "steered_lines",
]

ARMS: Final = {
    "none": "nothing erased",
    "subspace": "the learned pattern",
    "leace": "LEACE",
    "random": "random, equal dimension",
    "variance": "random, equal variance",
}
ERASED_COLUMNS: Final = (
    "erased", "at", "how", "dim.", "variance removed", "loss (nats)", "divergence of the output",
    "read here", "read best later", "chance", "other target that loses most", "read without",
    "read with",
)  # fmt: skip
STEERED_COLUMNS: Final = {
    "target": "target", "site": "at", "toward": "towards", "away": "from", "strength": "strength",
    "effect": "change of the log-odds", "effect_error": "standard error",
    "wrong": "share that moves the wrong way", "damage": "damage (nats per token)",
    "perplexity": "perplexity", "n": "beginnings", "norm": "mean norm",
}  # fmt: skip


def erased_lines(rows: Sequence[ErasedRow]) -> list[list[str]]:
    """One line per erased target and way of erasing.

    Args:
        rows: of a study.
    """
    lines = []
    for target, by_arm in by_target(rows).items():
        for arm, some in by_arm.items():
            own = [row for row in some if row.read == target]
            here = next(row for row in own if row.read_at == row.site)
            later = [row for row in own if row.read_at != row.site]
            best = max(later, key=lambda row: row.accuracy, default=None)
            loser = _loser(by_arm, arm, target)
            lost: list[Json] = [None, None, None]
            if loser is not None:
                before, after = loser
                lost = [f"{after.read}, {site_label(after.read_at)}", before, after.accuracy]
            values = [here.dim, here.removed, here.loss, here.kl, here.accuracy]
            shown = "–" if best is None else f"{number(best.accuracy)} ({site_label(best.read_at)})"
            lines.append(
                [target, site_label(here.site), ARMS[arm], *map(number, values), shown,
                 number(here.chance), *map(number, lost)]
            )  # fmt: skip
    return lines


def steered_lines(rows: Sequence[SteeredRow]) -> list[list[str]]:
    """One line per target and strength.

    Args:
        rows: of a study.
    """
    lines = []
    for row in rows:
        values: Mapping[str, Json] = {**vars(row), "site": site_label(row.site)}
        lines.append([number(values[name]) for name in STEERED_COLUMNS])
    return lines


def by_target(rows: Sequence[ErasedRow]) -> dict[str, dict[str, list[ErasedRow]]]:
    """Erased target -> way of erasing -> its rows.

    Args:
        rows: of a study.
    """
    found: dict[str, dict[str, list[ErasedRow]]] = {}
    for row in rows:
        found.setdefault(row.target, {}).setdefault(row.arm, []).append(row)
    return found


def _loser(
    by_arm: Mapping[str, Sequence[ErasedRow]], arm: str, target: str
) -> tuple[float, ErasedRow] | None:
    """Of all other targets and sites the one that loses most: accuracy before, and its row."""
    before = {(row.read, row.read_at): row.accuracy for row in by_arm.get("none", ())}
    others = [
        row for row in by_arm[arm] if row.read != target and (row.read, row.read_at) in before
    ]
    if not others:
        return None
    worst = max(others, key=lambda row: before[row.read, row.read_at] - row.accuracy)
    return before[worst.read, worst.read_at], worst


def most_lost(by_arm: Mapping[str, Sequence[ErasedRow]], target: str) -> str:
    """Which other target loses most by the learned pattern; empty if there is none.

    Args:
        by_arm: the rows of one erased target.
        target: which.
    """
    found = _loser(by_arm, "subspace", target) if "subspace" in by_arm else None
    return "" if found is None else found[1].read
