"""Sentences about a constructed model: whether each state is where the theorem puts it."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .finding import Finding
from .meeting import ALIGNED, NOTHING
from .rungs import GIVEN, UNTRAINED
from .values import number, place

if TYPE_CHECKING:
    from .record import Study
    from .row import Row

__all__ = ["constructed", "constructed_findings"]


def constructed(study: "Study") -> bool:
    """Whether theory speaks of the very basis of the model: its weights were computed.

    Args:
        study: of any model.
    """
    return any(row.subspaces is not None and row.through is None for row in study.comparison.rows)


def constructed_findings(study: "Study") -> list[Finding]:
    """What the verdicts say of the predictions, counted over the cells.

    Args:
        study: of a constructed model.

    Returns:
        Where states are, whether probes read them there, whether they are used as theory says;
        what was not compared, read or exchanged at all is not spoken of.
    """
    rows = study.comparison.rows
    written = [row for row in rows if row.subspaces is not None and row.subspaces.written]
    found = [*_placed(rows, written), *_read(study, written), *_used(rows)]
    return [*found, *_tied(written)] if found else []


def _placed(rows: "Sequence[Row]", written: "Sequence[Row]") -> list[Finding]:
    asked = [row for row in written if row.verdicts.aligned.state != "not tested" and _told(row)]
    held = [row for row in asked if row.verdicts.aligned.state == "yes"]
    empty = [row for row in rows if _nothing_written(row)]
    false = [row for row in empty if row.subspaces is not None and row.subspaces.beyond_null]
    parts = []
    if asked:
        least = min(asked, key=_overlap)
        parts.append(
            f"{len(held)} of {len(asked)} cells in which theory writes a state hold it (lowest "
            f"overlap of the learned with the predicted subspace {number(_overlap(least))}"
            f"{_interval(least)}, {_cell(least)}){_joint(held)}"
        )
    if empty:
        none = f"{len(false) or 'none'} of the {len(empty)} cells in which it writes nothing"
        parts.append(f"{none} {'do' if len(false) > 1 else 'does'}")
    if not parts:
        return []
    good = len(held) == len(asked) and not false
    lead = "Not every state is where the theorem puts it"
    if good and not asked:
        lead = "Nothing was found where the theorem writes nothing"
    elif good:
        lead = "Every state that could be compared is where the theorem puts it"
    elif len(held) == len(asked):
        lead = "A state was found where the theorem writes none"
    elif asked and not held:
        lead = "No state was found where the theorem puts it"
    return [Finding(f"{lead}: {', and '.join(parts)}", good=good)]


def _joint(held: "Sequence[Row]") -> str:
    """How many are there only together with what they are tied to."""
    tied = sum(bool(row.verdicts.aligned.instead) for row in held)
    together = "together with other states from which these sentences do not tell them"
    return f", {tied} of them only {together}" if tied else ""


def _told(row: "Row") -> bool:
    """Whether chance would not do as well as theory asks: else nothing is said of a cell."""
    found = row.subspaces
    return found is None or found.beyond_null or found.overlap < ALIGNED


def _tied(written: "Sequence[Row]") -> list[Finding]:
    """Cells where what was found may be another state's."""
    left = [row for row in written if row.verdicts.aligned.state == "not tested"]
    chance = [row for row in written if row not in left and not _told(row)]
    found = []
    if left:
        cells = "1 further cell" if len(left) == 1 else f"{len(left)} further cells"
        found.append(
            Finding(
                f"In {cells} these sentences do not tell the state from others that are written "
                "there, so that nothing is said here"
            )
        )
    if chance:
        cells = "1 further cell" if len(chance) == 1 else f"{len(chance)} further cells"
        found.append(Finding(f"In {cells} chance alone would give as large an overlap"))
    return found


def _nothing_written(row: "Row") -> bool:
    if row.subspaces is not None:
        return not row.subspaces.written
    return row.verdicts.aligned.reason == NOTHING


def _read(study: "Study", written: "Sequence[Row]") -> list[Finding]:
    asked = [row for row in written if row.verdicts.decodable.state != "not tested"]
    read = [row for row in asked if row.verdicts.decodable.state == "yes"]
    if not asked:
        return []
    said = (
        "A linear probe reads the state, beyond chance, shuffled labels and untrained models, in "
        f"{len(read) or 'none'} of the {len(asked)} cells in which it is written and this was "
        "tested"
    )
    twins = [row for row in asked if row.verdicts.decodable.reason.startswith(UNTRAINED)]
    if read:
        scores = {(str(row["site"]), str(row["target"])): row for row in study.scores.rows}
        told = [scores[row.site, row.target] for row in read if (row.site, row.target) in scores]
        classes = [row for row in told if row.get("kind") != "number"]
        if classes:
            least = min(classes, key=lambda row: float(str(row["accuracy"])))
            ceiling = least.get("ceiling")
            above = "" if ceiling is None else f", ceiling {number(ceiling)}"
            said += (
                f" (lowest accuracy {number(least['accuracy'])} "
                f"[{number(least.get('interval'))}]{above})"
            )
    if twins:
        others = "the other" if len(twins) == len(asked) - len(read) else "another"
        said += f"; in {others} {len(twins)} it is read from untrained models as well"
        if all(row.verdicts.decodable.reason.endswith(GIVEN) for row in twins):
            said += ", since words give it away"
    return [Finding(said)]


def _used(rows: "Sequence[Row]") -> list[Finding]:
    asked = [
        row for row in rows
        if row.exchange is not None and row.verdicts.causal.state != "not tested"
    ]  # fmt: skip
    needed = [row for row in asked if row.predicted_use is True]
    idle = [row for row in asked if row.predicted_use is False]
    parts = []
    if needed:
        used = [row for row in needed if row.verdicts.causal.state == "yes"]
        parts.append(
            f"they are shown to carry the state in {len(used)} of the {len(needed)} cells in which "
            f"a later layer still reads it (not in the others: {_causes(needed)})"
            if len(used) < len(needed)
            else f"they carry the state in all {len(needed)} cells in which a later layer still "
            "reads it"
        )
    if idle:
        used = [row for row in idle if row.verdicts.causal.state == "yes"]
        parts.append(f"in {len(used) or 'none'} of the {len(idle)} in which none does")
    if not parts:
        return []
    return [Finding(f"Exchanges of the pattern between sentences: {', and '.join(parts)}")]


def _causes(rows: "Sequence[Row]") -> str:
    """Why use is not shown, the commonest cause first."""
    reasons = [row.verdicts.causal.reason for row in rows if row.verdicts.causal.state == "no"]
    causes = Counter(re.split(r": | \(", reason, maxsplit=1)[0] for reason in reasons)
    alone = len(causes) == 1
    told = [cause if alone else f"{cause}, {n}" for cause, n in causes.most_common()]
    return "; ".join(told)


def _overlap(row: "Row") -> float:
    return 0.0 if row.subspaces is None else row.subspaces.overlap


def _interval(row: "Row") -> str:
    return "" if row.subspaces is None else row.subspaces.interval.replace(", ", " to ")


def _cell(row: "Row") -> str:
    return f"{row.target} {place(row.site)}"
