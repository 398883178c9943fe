"""Of which model and which data a study speaks, in a line each; what its targets are."""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from .untested import POINT
from .values import number, plural

if TYPE_CHECKING:
    from .record import Study

__all__ = ["about", "how_to_read", "target_words"]

MODEL: Final = (
    ("model", "{}"),
    ("architecture", "{}"),
    ("blocks", "{} blocks"),
    ("width of the stream", "{} dimensions"),
    ("parameters", "{} parameters"),
    ("training steps", "{} training steps"),
    ("head", "language-model head {}"),
)
DATA: Final = (
    ("process", "{}"),
    ("sentences from", "{}"),
    ("texts from", "{}"),
    ("sentences", "{} sentences"),
    ("texts", "{} texts"),
    ("inputs", "{} inputs drawn at random"),
    ("different sentences", "different sentences: {}"),
    ("tokens", "{} tokens"),
    ("word types", "{} word types"),
    ("documents", "{} documents"),
    ("groups", "{} groups"),
)
TARGETS: Final = (
    (r"height \d+", "Height h of a token: the symbol h levels above it in its tree."),
    (
        r"belief.*",
        "Belief: the exact probabilities of that state given the words so far (at boundary: given "
        "also that its span ends here).",
    ),
    (r"next token", "Next token: the exact probabilities of what comes next."),
    (
        r"(inside|context) height \d+",
        "Inside and context height h: the weights of the symbols that can end here, and of those "
        "that can start next, at that level.",
    ),
)
OF_POINTS: Final = (
    "Active piece of a unit: which of its affine functions is the largest at an input. Cell: a set "
    "of inputs at which every unit has the same active piece. Soft: maxima are softmax averages, "
    "the colder the closer to maxima."
)
LONG: Final = 120
LARGE: Final = 10_000  # from which thousands are set apart
COUNTED: Final = "Blocks are counted from 0: 0–{last} are {n} blocks. "
BRACKETS: Final = (
    "A cell is one target at one place. In brackets stands the 95 % interval of a score by itself; "
    "whether it is more than another score is tested on the same held-out data, for all cells "
    "together."
)


def about(study: "Study") -> list[tuple[str, str]]:
    """The model and the data, each in one line; what is not known of them is left out.

    Args:
        study: with its facts.
    """
    lines = [
        ("Model", _line(study, MODEL)), ("Data", _line(study, DATA)),
        ("Scored on", _held_out(study)),
    ]  # fmt: skip
    return [(name, line) for name, line in lines if line]


def _held_out(study: "Study") -> str:
    """On how much no probe has learned from, at the target that has most of it."""
    told = [(row.get("n_test"), row.get("n_groups")) for row in study.scores.rows]
    sizes = [(int(n), int(g)) for n, g in told if isinstance(n, int | float) and
             isinstance(g, int | float)]  # fmt: skip
    if not sizes:
        return ""
    rows, groups = max(sizes)
    most = "at most " if len({row for row, _ in sizes}) > 1 else ""
    said = f"{most}{rows:,} held-out {plural(study.piece)}"
    documents = study.facts.get("documents")
    whole = isinstance(documents, int) and 1 < groups <= documents
    named = "documents" if whole else "groups"
    return said if groups in (0, rows) else f"{said} in {groups} {named}"


def _line(study: "Study", names: tuple[tuple[str, str], ...]) -> str:
    parts: list[str] = []
    for name, form in names:
        value = study.facts.get(name)
        if value is None or isinstance(value, dict | list):
            continue
        told = f"{value:,}" if isinstance(value, int) and value >= LARGE else number(value)
        if name.endswith(" from") and PurePath(told).is_absolute():
            told = PurePath(told).name  # pages are shown around: the settings have the whole path
        if name in ("sentences", "texts") and parts and told in parts[0].split():
            continue  # where they are from has told how many
        parts.append(form.format(told if len(told) <= LONG else f"{told[:LONG]}..."))
    return ", ".join(parts)


def target_words(study: "Study") -> list[str]:
    """What the targets of a grammar are, those that the study has.

    Args:
        study: with its targets under the names that pages give them.
    """
    if study.piece != "token":
        return [OF_POINTS] if study.piece == POINT else []
    targets = {str(row["target"]) for row in study.scores.rows}
    return [
        words for pattern, words in TARGETS
        if any(re.fullmatch(pattern, target) for target in targets)
    ]  # fmt: skip


def how_to_read(studies: "Sequence[Study]") -> str:
    """What a reader needs for the sentences: how blocks are counted, what stands in brackets.

    Args:
        studies: of a page.

    Returns:
        One line; empty where nothing was probed.
    """
    probed = [study for study in studies if study.scores.rows]
    if not probed:
        return ""
    blocks = [n for n in (study.facts.get("blocks") for study in probed) if isinstance(n, int)]
    most = max(blocks, default=0)
    return (COUNTED.format(last=most - 1, n=most) if most > 1 else "") + BRACKETS
