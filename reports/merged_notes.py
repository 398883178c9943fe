"""Notes said once: what holds for several targets or studies is one sentence that names them."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .remarks import remarks
from .values import and_list

if TYPE_CHECKING:
    from .record import Run, Study

__all__ = ["merged", "notes_of", "notes_of_run"]

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")


def notes_of_run(run: "Run") -> list[str]:
    """What a reader needs to judge the numbers of a run, each sentence once.

    Args:
        run: what is shown.

    Returns:
        Sentences; one that does not hold of all studies names those of which it does.
    """
    owners: dict[str, list[str]] = {}
    for study in run.studies:
        for note in notes_of(study):
            owners.setdefault(note, []).append(study.name)
    every = len(run.studies)
    return [
        note if len(names) == every else f"In {and_list(names)}: {note}"
        for note, names in owners.items()
    ]


def notes_of(study: "Study") -> list[str]:
    """The notes of one study, each once, targets named together.

    Args:
        study: with its targets under the names that pages give them.
    """
    targets = list(dict.fromkeys(str(row["target"]) for row in study.scores.rows))
    return merged([*study.notes, *remarks(study.scores), *study.scores.notes], targets)


def merged(notes: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Notes that say the same of several targets as one; numbers that differ as their range.

    Args:
        notes: sentences; those of one target begin with its name and a colon.
        targets: the names.

    >>> merged(["a: 3 of 9 left", "codelength: none", "b: 4 of 9 left"], ["a", "b"])
    ['a and b: 3 and 4 of 9 left', 'codelength: none']
    """
    known = sorted(targets, key=len, reverse=True)
    kinds: dict[tuple[bool, str], dict[str, list[str]]] = {}
    for note in dict.fromkeys(notes):
        target = next((name for name in known if note.startswith(f"{name}: ")), "")
        said = note.removeprefix(f"{target}: ") if target else note
        pattern = NUMBER.sub("0", said) if target else said
        kinds.setdefault((bool(target), pattern), {}).setdefault(said, []).append(target)
    return [
        f"{_names(variants, targets)}: {_joined(list(variants))}" if about else next(iter(variants))
        for (about, _), variants in kinds.items()
    ]


def _names(variants: Mapping[str, Sequence[str]], targets: Sequence[str]) -> str:
    """The targets of a note in the order of the page."""
    owners = {target for owned in variants.values() for target in owned}
    return and_list([target for target in targets if target in owners])


def _joined(variants: Sequence[str]) -> str:
    """Sentences that differ in numbers alone as one."""
    numbers = list(zip(*(NUMBER.findall(said) for said in variants), strict=True))
    values = iter([_span(column) for column in numbers])
    return NUMBER.sub(lambda _: next(values), variants[0])


def _span(column: Sequence[str]) -> str:
    distinct = sorted(dict.fromkeys(column), key=float)
    if len(distinct) < 3:
        return and_list(distinct)
    return f"{distinct[0]} to {distinct[-1]}"
