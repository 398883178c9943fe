"""A study as its pages show it: targets under the names that people use."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .record import Run, Study

__all__ = ["named_run", "named_study"]


def named_run(run: "Run") -> "Run":
    """A run whose targets have the names that its studies give them.

    Args:
        run: as it is kept.
    """
    if not any(study.names for study in run.studies):
        return run
    return replace(run, studies=tuple(named_study(study) for study in run.studies))


def named_study(study: "Study") -> "Study":
    """A study whose targets have the names that it gives them, in scores, verdicts and notes.

    Args:
        study: as it is kept.
    """
    names = study.names
    if not names:
        return study
    rows = tuple(dict(row) | {"target": _name(str(row["target"]), names)} for row in
                 study.scores.rows)  # fmt: skip
    compared = tuple(replace(row, target=_name(row.target, names)) for row in study.comparison.rows)
    scores = replace(
        study.scores, rows=rows, notes=tuple(_said(note, names) for note in study.scores.notes)
    )
    return replace(
        study,
        scores=scores,
        comparison=replace(study.comparison, rows=compared),
        notes=tuple(_said(note, names) for note in study.notes),
        names={},
        transfers=tuple(
            replace(moved, target=_name(moved.target, names)) for moved in study.transfers
        ),
        examples=study.examples and study.examples.named(names),
        classes=tuple(replace(each, target=_name(each.target, names)) for each in study.classes),
        subspaces={
            side: {(site, _name(target, names)): space for (site, target), space in spaces.items()}
            for side, spaces in study.subspaces.items()
        },
    )


def _name(target: str, names: Mapping[str, str]) -> str:
    return names.get(target, target)


def _said(note: str, names: Mapping[str, str]) -> str:
    """A note with the names; the longest first, so that ``height 1`` is not found in ``height 12``.

    >>> _said("height 1: one class; height 12: two", {"height 1": "part of speech"})
    'part of speech: one class; height 12: two'
    """
    alternatives = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(rf"\b({alternatives})\b", lambda found: names[found[1]], note)
