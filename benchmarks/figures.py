"""What benchmarks share: the clock, and how they tell ``run.py`` a figure beside its peer."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, final

__all__ = ["FILE", "Figure", "least_seconds", "read", "tell"]

FILE = "LINREP_FIGURES"
"""Environment variable with the file that figures are appended to; without it none are kept."""


@final
@dataclass(frozen=True)
class Figure:
    """One measured ratio.

    Args:
        part: which benchmark, or which part of one.
        what: what was measured.
        value: of linrep.
        unit: of both values.
        beside: what it stands beside: a peer, or the floor of the work.
        other: value of that.
        ratio: how the two compare, as a median over rounds where rounds were made.
        better: whether a larger or a smaller ratio is better.
        bar: what the ratio is to reach; none where it is only told.
        why: what explains the ratio, where it is not what one would think.
    """

    part: str
    what: str
    value: float
    unit: str
    beside: str
    other: float
    ratio: float
    better: Literal["larger", "smaller"]
    bar: float | None = None
    why: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; ``None`` where there is none."""
        if self.bar is None:
            return None
        return self.ratio >= self.bar if self.better == "larger" else self.ratio <= self.bar

    @property
    def key(self) -> str:
        """Equal for the same figure of two runs."""
        return f"{self.part}: {self.what} beside {self.beside}"


def tell(
    part: str,
    what: str,
    value: float,
    unit: str,
    beside: str,
    other: float,
    *,
    better: Literal["larger", "smaller"],
    ratio: float | None = None,
    bar: float | None = None,
    why: str = "",
) -> None:
    """Append a figure to the file that ``run.py`` named.

    Without a ratio it is ``value / other``.
    """
    file = os.environ.get(FILE)
    if not file:
        return
    told = value / other if ratio is None else ratio
    figure = Figure(part, what, value, unit, beside, other, told, better, bar, why)
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(figure)) + "\n")


def read(file: Path) -> list[Figure]:
    """Figures that a benchmark told."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Figure(**json.loads(line)) for line in lines]


def least_seconds(work: Callable[[], Any], runs: int = 3) -> float:
    """CPU seconds of this process, the least of a few runs."""
    spent = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return min(spent)
