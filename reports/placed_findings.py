"""Sentences about models in a basis of their own: where states lie up to a map, and their use."""

from collections import Counter
from typing import TYPE_CHECKING, Final

from .finding import Detail, Finding
from .meeting import ALIGNED
from .values import and_list, best_row, number, place

if TYPE_CHECKING:
    from .record import Study
    from .row import Row

__all__ = ["invariant_findings", "placed_findings", "used_findings"]

NAMED: Final = 3  # numbers that are named one by one
STATES: Final = {
    "as predicted": "are as theory predicts and not as in untrained models",
    "partly": "are so in part",
    "not as predicted": "are not as theory predicts",
    "not tested": "could not be tested",
    "not telling": "are the same in untrained models or by chance (they tell nothing)",
}


def placed_findings(study: "Study") -> list[Finding]:
    """Whether states lie where a linear map from the constructed model puts them.

    Args:
        study: of a model beside theory.

    Returns:
        One sentence; none where nothing was carried over, or nowhere could it be asked.
    """
    rows = [
        row for row in study.comparison.rows
        if row.through is not None and row.subspaces is not None
        and row.verdicts.aligned.state != "not tested"
    ]  # fmt: skip
    held = [row for row in rows if row.verdicts.aligned.state == "yes"]
    if not rows:
        return []
    if not held:
        most = max(rows, key=_overlap)
        return [
            Finding(
                f"At none of the {len(rows)} cells at which this could be asked does a state lie "
                f"where a linear map from the constructed model puts it (overlap at most "
                f"{_told(most)}, {most.target} {place(most.site)}; {number(ALIGNED)} and more than "
                "chance gives are required)"
            )
        ]
    details = tuple(
        Detail(f"{row.target}: overlap {_told(row)} {place(row.site)}", row.site, row.target)
        for row in held
    )
    said = (
        f"At {len(held)} of the {len(rows)} cells at which this could be asked the state lies "
        "where a linear map from the constructed model puts it"
    )
    return [Finding(said, details)]


def invariant_findings(study: "Study") -> list[Finding]:
    """How many numbers that do not depend on a basis are as theory predicts.

    Args:
        study: of a model beside theory.

    Returns:
        One sentence; none where no such number was measured.
    """
    rows = study.invariants
    if not rows:
        return []
    counts = Counter(row.state for row in rows)
    told = [f"{n} {STATES.get(state, state)}" for state, n in counts.most_common()]
    held = [f"{row.name} of {row.target}" for row in rows if row.state == "as predicted"]
    named = f" ({and_list(held)})" if 0 < len(held) <= NAMED else ""
    said = (
        f"Of {len(rows)} numbers that do not depend on the model's basis, {'; '.join(told)}{named}"
    )
    return [Finding(said)]


def used_findings(study: "Study") -> list[Finding]:
    """Whether the model uses what can be read, target by target.

    Args:
        study: in which states may have been exchanged.

    Returns:
        Sentences; none where no exchange could be judged.
    """
    asked: dict[str, list[Row]] = {}
    for row in study.comparison.rows:
        if row.exchange is not None and row.verdicts.causal.state != "not tested":
            asked.setdefault(row.target, []).append(row)
    details, without = [], []
    for target, rows in asked.items():
        used = [row for row in rows if row.verdicts.causal.state == "yes"]
        if not used:
            without.append(target)
            continue
        row = _shown(study, used)
        details.append(Detail(f"{target}: {_share(row)}, {_count(used, rows)}", row.site, target))
    found = []
    if details:
        names = and_list([detail.target for detail in details])
        said = f"The model uses {names}: an exchange of the pattern changes what it says next"
        found.append(Finding(said, tuple(details)))
    if without:
        found.append(
            Finding(
                f"That the model uses {and_list(without)} is not shown: at no place where it was "
                "tested does an exchange of the pattern do what the language asks for"
            )
        )
    return found


def _shown(study: "Study", used: "list[Row]") -> "Row":
    """The place that is told: where the target is read best by validation, else the first."""
    rows = [row for row in study.scores.rows if row["target"] == used[0].target]
    best = str(best_row(rows)["site"]) if rows else ""
    return next((row for row in used if row.site == best), used[0])


def _share(row: "Row") -> str:
    done = row.exchange
    if done is None:
        return ""
    ends = number((done.share_low, done.share_high))
    return f"{number(done.share)} [{ends}] of the way {place(row.site)}"


def _count(used: "list[Row]", rows: "list[Row]") -> str:
    return f"used at {len(used)} of {len(rows)} places"


def _overlap(row: "Row") -> float:
    return 0.0 if row.subspaces is None else row.subspaces.overlap


def _told(row: "Row") -> str:
    if row.subspaces is None:
        return ""
    return f"{number(row.subspaces.overlap)}{row.subspaces.interval.replace(', ', ' to ')}"
