"""Clauses of a sentence about one target: its score, its rivals, and at which places it is read."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .rungs import EMBEDDED, UNSEEN
from .untested import POINT
from .values import (
    AROUND,
    and_list,
    number,
    of_whole_text,
    place,
    score_column,
    score_word,
    site_label,
)
from .verdicts import Verdicts

if TYPE_CHECKING:
    from .record import Study
    from .values import Json

__all__ = [
    "beyond_surface",
    "kinds",
    "partly",
    "score_there",
    "untrained",
    "where_read",
]

FEW, SHORT = 3, 16  # classes, and letters of a name, that a sentence has room for
NAMED: Final = 4  # places that are named one by one
MOSTLY: Final = 0.5  # of what the probe has over chance: if the surface has as much, it is most
RARER: Final = 0.1  # of accuracy, from which it is said what it is with all classes alike
APART: Final = 0.02  # of scores that a reader takes for different


def kinds(study: "Study", name: str) -> str:
    """The names of a target's classes, where they are few and short.

    Args:
        study: of the target.
        name: of the target.
    """
    found = next((kept.names for kept in study.classes if kept.target == name), ())
    if not 1 < len(found) <= FEW or any(len(each) > SHORT for each in found):
        return ""
    return f" ({' or '.join(found)})"


def where_read(study: "Study", rows: "Sequence[Mapping[str, Json]]") -> str:
    """From which place on, where it is read at every later one; else at how many places.

    Args:
        study: of the target, which is read somewhere.
        rows: of the target, in the order of the stream.
    """
    read = [_state(study, row, "decodable") == "yes" for row in rows]
    if len(rows) < 2:
        return ""
    blocks = _blocks(study)
    if blocks is not None and len(rows) < blocks:  # of the blocks between nothing is known
        named = and_list([site_label(str(row["site"])) for row, yes in zip(rows, read, strict=True)
                          if yes])  # fmt: skip
        some = f": {named}" if sum(read) <= NAMED else ""
        return f" at {sum(read)} of the {len(read)} places that were looked at{some}"
    first = read.index(True)
    if not all(read[first:]) or first == len(read) - 1:
        return f" at {sum(read)} of {len(read)} places"
    where = place(str(rows[first]["site"]), blocks)
    return f" from {where.removeprefix('after ').removeprefix('at ')} on"


def partly(study: "Study", rows: "Sequence[Mapping[str, Json]]", here: Verdicts) -> tuple[str, str]:
    """At how many places it is read beyond the surface, where that is not wherever it is read.

    Args:
        study: of the target.
        rows: of the target, in the order of the stream.
        here: the verdicts of the place that is told.

    Returns:
        Where it is so at the place that is told; else at how many others, as a clause of its own.
    """
    read = [row for row in rows if _state(study, row, "decodable") == "yes"]
    more = [row for row in read if _state(study, row, "selective") == "yes"]
    if not 0 < len(more) < len(read):
        return "", ""
    named = and_list([site_label(str(row["site"])) for row in more])
    where = f"at {len(more)} of {len(rows)} places" + f" ({named})" * (len(more) <= NAMED)
    if here.selective.state == "yes":
        return where, ""
    return "", f"it is beyond that {where}"


def score_there(row: "Mapping[str, Json]", study: "Study") -> str:
    """The score with its interval, with all classes alike where that is much less, and where.

    Args:
        row: of a score grid.
        study: of the row.
    """
    value, column = row.get(score_column(row)), row.get("balanced_accuracy")
    said = f"{score_word(row)} {number(value)}"
    ends = number(row.get("interval"))
    said += "" if "–" in ends else f" [{ends}]"
    if isinstance(value, float) and isinstance(column, float) and value - column > RARER:
        said += f", balanced accuracy {number(column)},"
    return f"{said} {place(str(row['site']), _blocks(study))}"


def untrained(row: "Mapping[str, Json]", rows: "Sequence[Mapping[str, Json]]") -> str:
    """What the best untrained model gives at the same place, and where it gives more, elsewhere.

    Args:
        row: of the place that is told.
        rows: of the target.
    """
    n = row.get("n_twins")
    count = f"{int(n)} " if isinstance(n, int | float) and n > 1 else ""
    here = row.get("random_weights")
    told = [value for value in (each.get("random_weights") for each in rows)
            if isinstance(value, float)]  # fmt: skip
    most = max(told, default=0.0)
    more = isinstance(here, float) and most > here + APART
    there = " there" if len(rows) > 1 else ""
    said = f"{count}untrained models{there} at most {number(here)}"
    return f"{said}, at other places up to {number(most)}" if more else said


def beyond_surface(row: "Mapping[str, Json]", verdicts: Verdicts, piece: str) -> tuple[str, str]:
    """How much of it the surface has, with a gap for its score, and that score.

    Args:
        row: of the place that is told.
        verdicts: of that place.
        piece: what one row of the data is.
    """
    whole = of_whole_text(row)
    what = (
        "its words, letters and length"
        if whole
        else f"the {piece} itself, its neighbours and its position"
    )
    surface = number(_most(row))
    answer = verdicts.selective
    if piece == POINT:
        return "", ""
    if answer.state == "not tested":
        untold = f"whether that is more than {what} tell was not tested"
        return f"but {answer.instead or untold}: {answer.reason}", ""
    if answer.state == "no" and answer.reason.startswith(UNSEEN):
        seen = "texts" if whole else f"{piece}s"
        return f"but at {seen} that were never trained on it is not shown to be read", ""
    if answer.state == "no" and answer.reason.startswith(EMBEDDED):
        held = number(row.get("embedding"))
        return "but it is not shown to be more than the embedding gives{value}", held
    if answer.state == "no" and _share(row) < MOSTLY:
        return f"but it is not shown to be more than {what} give{{value}}", surface
    if answer.state == "no":
        told = "that is mostly lexical" if whole else f"not beyond the {piece}"
        return f"but {told}: {what} alone give most of it{{value}}", surface
    score, most = row.get(score_column(row)), _most(row)
    if isinstance(score, float) and most is not None and most >= score:
        together = number(row.get("surface"))
        return (
            f"beyond what {what} give together{{value}}, but one of them gives {surface}",
            together,
        )
    if _share(row) < MOSTLY:
        return f"beyond what {what} give{{value}}", surface
    return f"beyond what {what} give{{value}}, though these give most of it", surface


def _most(row: "Mapping[str, Json]") -> float | None:
    """What the surface gives, or one of its parts where that gives more on the test data."""
    parts = (*AROUND, "bag_of_words", "characters", "length", "surface")
    told = [value for value in map(row.get, parts) if isinstance(value, float)]
    return max((value for value in told if not math.isnan(value)), default=None)


def _share(row: "Mapping[str, Json]") -> float:
    """What the surface has over chance, of what the probe has."""
    named = (row.get(score_column(row)), _most(row), row.get("chance"))
    if not all(isinstance(value, int | float) for value in named):
        return 0.0
    score, surface, chance = (float(str(value)) for value in named)
    return (surface - chance) / (score - chance) if score > chance else 0.0


def _state(study: "Study", row: "Mapping[str, Json]", rung: str) -> str:
    found = study.comparison.verdicts.get((str(row["site"]), str(row["target"])))
    return "not tested" if found is None else str(getattr(found, rung).state)


def _blocks(study: "Study") -> int | None:
    """How many blocks the model has."""
    told = study.facts.get("blocks")
    return told if isinstance(told, int) and not isinstance(told, bool) else None
