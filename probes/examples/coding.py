"""What probes said of the words of a text, as one short line of text.

A run holds thousands of answers, and its page holds them again. An entry per word, a blank between:

- ``-``: no answer is asked for here, or the word is no test row;
- ``98``: right, with a probability of 98 %;
- ``3:80:7``: class 3 was predicted with 80 %, the true class had 7 %;
- ``3:80:-``: likewise, and the true class was not learned, so that it has no probability;
- ``=`` and ``!3``: right, and class 3 predicted, by a probe without probabilities;
- ``0.52,0.1;87``: numbers predicted (one for each column), and a credit of 0.87: 1 is exact, 0 as
  far off as the numbers are spread.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = [
    "SILENT",
    "Said",
    "entries",
    "read_number",
    "read_said",
    "write_number",
    "write_said",
    "written",
]

SILENT = "-"
CLASS = re.compile(
    r"=|(?P<right>\d{1,3})|!(?P<other>\d{1,9})"
    r"|(?P<wrong>\d{1,9}):(?P<sure>\d{1,3}):(?P<true>\d{1,3}|-)"
)
NUMBER = re.compile(r"([^;\s]+);(-?\d{1,12})")
WORST = -9999  # credits below this many percent are written as this
NAN = float("nan")


@final
@dataclass(frozen=True)
class Said:
    """One entry, read.

    Args:
        wrong: code of the class that was predicted instead of the true one; ``None``: right.
        confidence: probability of the class predicted; NaN for a probe without probabilities.
        score: probability of the true class, likewise; 0 where that was not learned.
    """

    wrong: int | None
    confidence: float
    score: float


def write_said(code: int, right: bool, confidence: float, score: float) -> str:
    """An entry of a class target.

    Args:
        code: of the class predicted.
        right: whether it is the true one.
        confidence: probability of the class predicted, NaN where there is none.
        score: probability of the true class, NaN where there is none.

    >>> write_said(3, False, 0.8, 0.07), write_said(3, True, 0.98, 0.98)
    ('3:80:7', '98')
    """
    if math.isnan(confidence):
        return "=" if right else f"!{code}"
    if right:
        return str(_percent(confidence))
    return f"{code}:{_percent(confidence)}:{SILENT if math.isnan(score) else _percent(score)}"


def read_said(entry: str) -> Said:
    """An entry of a class target that is not silent.

    Raises:
        ValueError: it is none.

    >>> read_said("3:80:7")
    Said(wrong=3, confidence=0.8, score=0.07)
    """
    found = CLASS.fullmatch(entry)
    if found is None:
        raise ValueError(f"no answer of a probe: {entry!r}")
    if found["wrong"]:
        score = 0.0 if found["true"] == SILENT else _share(found["true"])
        return Said(int(found["wrong"]), _share(found["sure"]), score)
    if found["other"]:
        return Said(int(found["other"]), NAN, NAN)
    share = _share(found["right"]) if found["right"] else NAN
    return Said(None, share, share)


def write_number(values: Sequence[float] | np.ndarray, credit: float) -> str:
    """An entry of a number target.

    >>> write_number([0.52, 0.1], 0.87)
    '0.52,0.1;87'
    """
    return f"{written(values)};{round(max(100 * credit, WORST))}"


def written(values: Sequence[float] | np.ndarray) -> str:
    """Numbers in four digits each, a comma between.

    >>> written([1 / 3, 2.0])
    '0.3333,2'
    """
    return ",".join(f"{float(value):.4g}" for value in values)


def read_number(entry: str) -> tuple[str, float]:
    """Numbers as they are written, and the credit.

    Raises:
        ValueError: it is no such entry.

    >>> read_number("0.52,0.1;87")
    ('0.52,0.1', 0.87)
    """
    found = NUMBER.fullmatch(entry)
    if found is None:
        raise ValueError(f"no answer of a probe of numbers: {entry!r}")
    for value in found[1].split(","):
        float(value)
    return found[1], int(found[2]) / 100


def entries(line: str) -> list[str]:
    """The entries of a line."""
    return line.split(" ") if line else []


def _percent(share: float) -> int:
    return min(100, max(0, round(100 * share)))


def _share(percent: str) -> float:
    share = int(percent) / 100
    if share > 1:
        raise ValueError(f"a probability is at most 100 %: {percent!r}")
    return share
