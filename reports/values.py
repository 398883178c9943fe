"""Plain values: what may stand in a run's JSON files, and how numbers are written for people."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..probes.grid.notes import EMBEDDINGS

__all__ = [
    "AROUND",
    "Json",
    "and_list",
    "best_row",
    "number",
    "of_whole_text",
    "place",
    "plain",
    "plural",
    "score_column",
    "score_word",
    "site_label",
    "site_order",
]

if TYPE_CHECKING:
    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
else:  # runtime type checkers cannot follow an alias that names itself
    Json: TypeAlias = object


def plain(value: object) -> Json:
    """Make ``value`` JSON: NumPy scalars and arrays, tuples and NaN (as ``None``) included.

    >>> plain({"a": (1, float("nan")), "b": np.float64(0.5)})
    {'a': [1, None], 'b': 0.5}
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    return str(value)


def number(value: object, digits: int = 3) -> str:
    """Write a number for people; what was not measured is a dash.

    >>> number(0.98765), number(2.2e-16), number(None), number(12000), number((0.1, 0.2))
    ('0.988', '2.2e-16', '–', '12000', '0.100 to 0.200')
    """
    if isinstance(value, tuple | list):
        if len(value) == 2 and all(isinstance(item, float | int) for item in value):
            return f"{number(float(value[0]), digits)} to {number(float(value[1]), digits)}"
        return ", ".join(number(item, digits) for item in value)
    if _missing(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value == 0:
            return "0"
        if value != 0 and not 1e-3 <= abs(value) < 1e5:
            return f"{value:.2g}"
        return f"{value:.{digits}f}"
    return str(value)


AROUND = ("position", "previous_word", "word_identity", "next_word", "n_gram")


def of_whole_text(row: Mapping[str, object]) -> bool:
    """Whether a row is of whole texts: position and words around tell all the same, nothing.

    >>> row = {"bag_of_words": 0.4, "position": 0.5, "previous_word": 0.5}
    >>> of_whole_text(row), of_whole_text(row | {"previous_word": 0.6}), of_whole_text({})
    (True, False, False)
    >>> of_whole_text(row | {"n_gram": float("nan"), "position": 0.5 + 1e-16})
    True
    """
    about = [row.get(name) for name in AROUND]
    known = [float(value) for value in about if isinstance(value, float | int)]
    told = [value for value in known if not math.isnan(value)]
    # the same constant is guessed each time: equal but for rounding
    alike = not told or max(told) - min(told) < 1e-9
    return not _missing(row.get("bag_of_words")) and alike


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def score_column(row: Mapping[str, object]) -> str:
    """The column that holds a row's score: accuracy of classes, R2 of numbers.

    >>> score_column({"accuracy": 0.5}), score_column({"kind": "number", "r2": 0.5})
    ('accuracy', 'r2')
    """
    return "r2" if row.get("kind") == "number" else "accuracy"


def score_word(row: Mapping[str, object]) -> str:
    """What a row's score is called on a page.

    >>> score_word({"kind": "number"})
    'R²'
    """
    return "R²" if row.get("kind") == "number" else "accuracy"


def best_row(rows: Sequence[Mapping[str, Json]]) -> Mapping[str, Json]:
    """The row of the site where a target is read best on validation sentences, first of equals.

    Where a target has no validation score, the first site: scores on the test sentences
    must not choose what they then measure.

    >>> rows = [{"validation": 0.5, "accuracy": 0.9}, {"validation": 0.7, "accuracy": 0.6}]
    >>> best_row(rows)["accuracy"]
    0.6
    """

    def validation(row: Mapping[str, Json]) -> float:
        value = row.get("validation")
        known = isinstance(value, float | int) and not math.isnan(value)
        return float(str(value)) if known else -math.inf

    return max(rows, key=validation)


def site_order(sites: Sequence[str]) -> list[str]:
    """Each site once, in the order first met (capture gives them in the order of the stream).

    >>> site_order(["b", "a", "b"])
    ['b', 'a']
    """
    return list(dict.fromkeys(sites))


def site_label(site: str) -> str:
    """Short name of a site for axes and column heads; the full name stays beside it.

    >>> site_label("blocks.0.hook_resid_pre"), site_label("blocks.3.hook_resid_post")
    ('embedding', 'block 3')
    >>> site_label("blocks.3.hook_resid_mid")
    'block 3 mid'
    """
    if site in EMBEDDINGS:
        return "embedding" if site == EMBEDDINGS[-1] else "embedding of words"
    parts = site.split(".")
    if len(parts) == 3 and parts[0] == "blocks" and parts[2].startswith("hook_resid_"):
        place = parts[2].removeprefix("hook_resid_")
        return f"block {parts[1]}" + ("" if place == "post" else f" {place}")
    return site


def place(site: str, blocks: int | None = None) -> str:
    """Where a site is, in a sentence; blocks are counted from 0, as their names are.

    Args:
        site: its name.
        blocks: how many the model has, where that is known.

    >>> place("blocks.3.hook_resid_post", 12), place("blocks.3.hook_resid_post")
    ('after block 3 of 0–11', 'after block 3')
    >>> place("blocks.0.hook_resid_pre", 12), place("blocks.3.hook_resid_mid", 12)
    ('at the embedding', 'in the middle of block 3 of 0–11')
    """
    label = site_label(site)
    named = re.fullmatch(r"block (\d+)( \w+)?", label)
    if named is None:
        words = label.startswith("embedding")
        return f"at the {label}" if words else f"at {label}"
    where = _WHERE.get(named[2] or "", f"at the{named[2]} of")
    return f"{where} block {named[1]}" + ("" if not blocks else f" of 0–{blocks - 1}")


_WHERE = {"": "after", " mid": "in the middle of", " pre": "before"}


def and_list(items: Sequence[str]) -> str:
    """Names in a sentence.

    >>> and_list(["a", "b", "c"]), and_list(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plural(noun: str) -> str:
    """More of one noun.

    >>> [plural(noun) for noun in ("statement", "city", "day", "class")]
    ['statements', 'cities', 'days', 'classes']
    """
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
