"""The four rungs: decodable, selective, aligned, causal; each answered yes, no or not tested."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, final

from ..probes.account import EMBEDDINGS
from .values import number

__all__ = [
    "RUNGS",
    "State",
    "Verdict",
    "Verdicts",
    "baselines",
    "decodable",
    "selective",
    "strongest_baseline",
]

State = Literal["yes", "no", "not tested"]

RUNGS: Final = ("decodable", "selective", "aligned", "causal")

BASELINES: Final = (
    "chance",
    "position",
    "previous_word",
    "word_identity",
    "embedding",
    "random_weights",
)


@final
@dataclass(frozen=True)
class Verdict:
    """One rung's answer and the reason in one sentence."""

    state: State
    reason: str

    def __str__(self) -> str:
        return f"{self.state} ({self.reason})"


@final
@dataclass(frozen=True)
class Verdicts:
    """All four answers for one (site, target).

    >>> yes, no = Verdict("yes", "far above"), Verdict("no", "at the null")
    >>> untested = Verdict("not tested", "nothing was erased")
    >>> Verdicts(yes, yes, no, untested).rung, Verdicts(yes, untested, yes, untested).word
    (2, 'aligned')
    >>> Verdicts(no, yes, yes, untested).rung, Verdicts(no, yes, yes, untested).sentence
    (0, 'not decodable: at the null')
    >>> Verdicts(yes, untested, yes, untested).sentence
    'aligned (selective: not tested)'
    """

    decodable: Verdict
    selective: Verdict
    aligned: Verdict
    causal: Verdict

    @property
    def rung(self) -> int:
        """Highest rung answered yes with no "no" below it: 0 (none) to 4 (causal).

        A rung that was not tested neither lifts nor stops the climb; :attr:`untested`
        names it, and reports show it beside the rung.
        """
        height = 0
        for index, name in enumerate(RUNGS, start=1):
            state = getattr(self, name).state
            if state == "no":
                break
            if state == "yes":
                height = index
        return height

    @property
    def word(self) -> str:
        """Name of the rung reached; ``"not decodable"`` or ``"not tested"`` if there is none."""
        if self.rung:
            return RUNGS[self.rung - 1]
        return "not tested" if self.decodable.state == "not tested" else "not decodable"

    @property
    def sentence(self) -> str:
        """The word, with why there is none, or with the rungs below that were not tested."""
        return self.short if self.rung else f"{self.word}: {self.decodable.reason}"

    @property
    def short(self) -> str:
        """The word, with the rungs below that were not tested."""
        return self.word + (f" ({', '.join(self.untested)}: not tested)" if self.untested else "")

    @property
    def untested(self) -> tuple[str, ...]:
        """Rungs at or below the one reached that were not tested."""
        return tuple(name for name in RUNGS[: self.rung] if getattr(self, name).state != "yes")


def _value(row: Mapping[str, object], name: str) -> float | None:
    """A number of the row, ``None`` where it was not measured."""
    value = row.get(name)
    if not isinstance(value, float | int) or isinstance(value, bool) or math.isnan(value):
        return None
    return float(value)


def _low(row: Mapping[str, object]) -> float | None:
    interval = row.get("interval")
    if not isinstance(interval, tuple | list) or len(interval) != 2:
        return None
    low = interval[0]
    return float(low) if isinstance(low, float | int) and not math.isnan(low) else None


def baselines(row: Mapping[str, object]) -> dict[str, float | None]:
    """What a probe has to beat, ``None`` where not measured; the embedding is none for itself.

    >>> list(baselines({"site": "blocks.0.hook_resid_pre", "chance": 0.5}).items())[:2]
    [('chance', 0.5), ('position', None)]
    """
    names = [name for name in BASELINES if name != "embedding" or row.get("site") not in EMBEDDINGS]
    return {name: _value(row, name) for name in names}


def strongest_baseline(row: Mapping[str, object]) -> tuple[str, float | None]:
    """Name and value of the strongest baseline measured, ``("", None)`` if there is none."""
    measured = {name: value for name, value in baselines(row).items() if value is not None}
    best = max(measured, key=lambda name: measured[name], default="")
    return best, measured.get(best)


def decodable(
    row: Mapping[str, object], *, level: float = 0.05, permutations: int | None = None
) -> Verdict:
    """Rung 1: the interval lies above chance and above the strongest baseline measured.

    The embedding is no baseline for itself. Where a permutation test was made, its p-value for
    all cells together (``p_family``, or ``q`` in grids without it) has to be at most ``level`` as
    well. With fewer than ``1 / level - 1`` permutations no p-value can be: then it was not tested.

    Args:
        row: one row of a score grid.
        level: chance, over all cells, of taking one for decodable that is not.
        permutations: how many were made, if known.

    Returns:
        The answer, with the numbers.

    >>> row = {"site": "blocks.1.hook_resid_post", "interval": (0.7, 0.8), "chance": 0.3}
    >>> decodable(row | {"position": 0.4}).state, decodable(row | {"position": 0.75}).state
    ('yes', 'no')
    >>> decodable({"site": "blocks.1.hook_resid_post"}).state
    'not tested'
    """
    low = _low(row)
    if low is None:
        return Verdict("not tested", "the accuracy has no interval")
    best, bar = strongest_baseline(row)
    if bar is None:
        return Verdict("not tested", "neither chance nor any baseline was measured")
    label = best.replace("_", " ")
    rival = label if best == "chance" else f"the strongest baseline, {label},"
    if low <= bar:
        return Verdict("no", f"the interval starts at {number(low)}; {rival} reaches {number(bar)}")
    name = "q" if _value(row, "p_family") is None else "p_family"
    p = _value(row, name)
    if permutations and p is not None and (1 + permutations) * level < 1:
        return Verdict(
            "not tested",
            f"with {permutations} permutations no p-value can be {number(level)} or less: at least "
            f"{math.ceil(1 / level) - 1} are needed",
        )
    if p is not None and p > level:
        shown = "q" if name == "q" else "p over all cells"
        return Verdict("no", f"not told from shuffled labels: {shown} = {number(p)}")
    missing = [name.replace("_", " ") for name, v in baselines(row).items() if v is None]
    without = f"; not measured: {', '.join(missing)}" if missing else ""
    return Verdict(
        "yes",
        f"the interval starts at {number(low)}, above {rival} at {number(bar)}{without}",
    )


def selective(row: Mapping[str, object], *, word_types: int | None, features: int) -> Verdict:
    """Rung 2: better than on a control task, and shorter to describe.

    A control task gives every word type a random class (Hewitt and Liang 2019). It has no
    power where a linear probe can solve it exactly, which is so if there are no more word
    types than features: then the rung was not tested.

    Args:
        row: one row of a score grid.
        word_types: distinct words in the corpus, if known.
        features: dimensions that the probe reads.

    Returns:
        The answer, with the numbers.

    >>> row = {"interval": (0.7, 0.8), "control_task": 0.5, "codelength": 10.0}
    >>> selective(row, word_types=900, features=64).state
    'yes'
    >>> selective(row | {"control_codelength": 9.0}, word_types=900, features=64).state
    'no'
    >>> selective(row, word_types=3, features=64).state
    'not tested'
    """
    low, control = _low(row), _value(row, "control_task")
    if low is None or control is None:
        return Verdict("not tested", "no control task was run")
    if word_types is not None and word_types <= features:
        return Verdict(
            "not tested",
            f"with {word_types} word types and {features} dimensions a linear probe can solve "
            "any control task by reading the word, so the comparison has no power",
        )
    bits, control_bits = _value(row, "codelength"), _value(row, "control_codelength")
    if low <= control:
        return Verdict("no", f"the control task reaches {number(control)}")
    if bits is not None and control_bits is not None and bits >= control_bits:
        return Verdict(
            "no",
            f"no shorter to describe than the control task: {number(bits, 0)} against "
            f"{number(control_bits, 0)} bits",
        )
    code = "" if bits is None or control_bits is None else ", and is shorter to describe"
    return Verdict("yes", f"beats the control task ({number(control)}){code}")
