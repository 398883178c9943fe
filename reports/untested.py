"""What was not tested, why, and what would change the answers: made from the verdicts' reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from .meeting import NO_BASIS
from .verdicts import RUNGS, Verdict

if TYPE_CHECKING:
    from .record import Study

__all__ = ["POINT", "Untested", "further_reasons", "remedies", "untested", "untested_lines"]

ASKED: Final = {
    "decodable": "Whether a target can be read",
    "selective": "Whether it is more than the words around give",
    "aligned": "Whether it lies where theory puts it",
    "causal": "Whether the model uses it",
}
EVIDENT: Final = "the embedding holds the word and its position only"
POINT: Final = "input"
"""What one row is called where rows are points of a space of numbers, and no texts."""
OF_POINTS: Final = {
    "selective": "an input is a point of numbers: there are no words around it",
    "aligned": "the theorem says at which layer an active piece is linear, not in which subspace",
}
UNPREDICTED: Final = "no theory says where a model that was not constructed writes it"
EXCHANGE: Final = (
    "Exchange states between sentences: that tells whether the model uses them. For a grammar: "
    "linrep probe --causal yes. For pairs of texts: linrep.minimal_pairs and linrep.interchange."
)
OF_TEXTS: Final = (
    "Exchange states between pairs of texts (linrep.minimal_pairs, linrep.interchange): that tells "
    "whether the model uses them."
)
BESIDE: Final = (
    "Compare with a constructed model of the same grammar through a linear map (linrep experiment "
    "trained)."
)
REMEDIES: Final = (
    (
        "has not learned its language",
        "Train the model longer, or take a larger one (linrep train).",
    ),
    (
        "no states ",
        EXCHANGE,
    ),
    (
        "sentences could be exchanged",
        "Sample more sentences, so that more of them can be exchanged.",
    ),
    (
        "untrained model",
        "Probe more untrained models of this shape (settings: probes, twins).",
    ),
    ("no p-value can be", "Shuffle the labels more often (--permutations 200)."),
    ("no labels were shuffled", "Shuffle the labels (--permutations 200)."),
    ("test groups, at least", "Give more groups (documents, sentences) to test on."),
    ("constant on this corpus", "Take other heights, other tokens, or a larger language."),
    (
        "tell it already",
        "Take a corpus in which the words around do not give the label away.",
    ),
    ("the model does not follow the language", "Train the model longer: it does not yet follow the "
     "language closely enough for an exchange to be judged."),
    (
        "was not measured",
        "Measure the controls that are missing (settings, under probes: controls).",
    ),
    ("move only together with others", "Sample sentences that tell the values apart."),
    (
        "theory predicts ranks",
        BESIDE,
    ),
)  # fmt: skip


@final
@dataclass(frozen=True)
class Untested:
    """One reason for which a rung was not tested at some cells.

    Args:
        rung: which.
        reason: why, without the numbers of single cells.
        cells: at how many cells.
        of: how many cells there are.
        targets: which targets they belong to.
    """

    rung: str
    reason: str
    cells: int
    of: int
    targets: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        where = "all cells" if self.cells == self.of else f"{self.cells} of {self.of} cells"
        named = ", ".join(self.targets[:4]) + (", ..." if len(self.targets) > 4 else "")
        about = "" if self.cells == self.of or not named else f" ({named})"
        return f"{ASKED[self.rung]}, at {where}{about}: {self.reason}."


def untested(studies: "Sequence[Study]") -> list[Untested]:
    """Why rungs were not tested, each reason once, over all studies, in the order of the rungs.

    Args:
        studies: with their targets under the names that pages give them.
    """
    found: dict[tuple[str, str], list[str]] = {}
    cells = 0
    for study in studies:
        for row in study.comparison.rows:
            cells += 1
            for rung in RUNGS:
                verdict: Verdict = getattr(row.verdicts, rung)
                if verdict.state == "not tested":
                    reason = _general(rung, verdict.reason, study, row.target)
                    found.setdefault((rung, reason), []).append(row.target)
    entries = [
        Untested(rung, reason, len(targets), cells, tuple(dict.fromkeys(targets)))
        for (rung, reason), targets in found.items()
    ]
    return sorted(entries, key=lambda entry: (RUNGS.index(entry.rung), -entry.cells))


def untested_lines(studies: "Sequence[Study]") -> list[str]:
    """A line for each rung that was not tested everywhere: at how many cells, mostly why.

    Args:
        studies: with their targets under the names that pages give them.
    """
    lines = []
    entries = untested(studies)
    for rung in RUNGS:
        mine = [entry for entry in entries if entry.rung == rung and entry.reason != EVIDENT]
        if not mine:
            continue
        cells, most = sum(entry.cells for entry in mine), mine[0]
        where = "at all cells" if cells == most.of else f"at {cells} of {most.of} cells"
        lines.append(f"{ASKED[rung]}, {where}{_why(mine)}.")
    return lines


def _why(mine: Sequence[Untested]) -> str:
    """The reason, both of two, or the commonest of several."""
    if len(mine) == 1:
        return f": {mine[0].reason}"
    if len(mine) == 2:
        return ": " + "; ".join(f"at {entry.cells}, {entry.reason}" for entry in mine)
    return f". Mostly ({mine[0].cells}): {mine[0].reason}"


def further_reasons(studies: "Sequence[Study]") -> list[str]:
    """Every reason that :func:`untested_lines` does not say in the same words.

    Args:
        studies: with their targets under the names that pages give them.
    """
    entries = untested(studies)
    told = {
        entry for rung in RUNGS
        if len(mine := [e for e in entries if e.rung == rung and e.reason != EVIDENT]) < 3
        for entry in mine
    }  # fmt: skip
    return [entry.sentence for entry in entries if entry not in told]


def _general(rung: str, reason: str, study: "Study", target: str) -> str:
    """A reason without what is special to one cell: its numbers in brackets, its target's name."""
    if study.piece == POINT:
        reason = OF_POINTS.get(rung, reason)
    if study.piece != "token" and reason == NO_BASIS:
        return UNPREDICTED
    bare = re.sub(r" ?\([^()]*\d[^()]*\)", "", reason)
    bare = bare.replace(f"values of {target} ", "values of the target ")
    return bare.replace("the map from", "a map from") if "map" in bare else bare


def remedies(studies: "Sequence[Study]") -> list[str]:
    """What would change an answer, the commonest cause first.

    Args:
        studies: with their verdicts.

    Returns:
        Sentences; none where every rung was tested at every cell.
    """
    counts: dict[str, int] = {}
    for entry in untested(studies):
        for sign, remedy in REMEDIES:
            if sign in entry.reason:
                counts[remedy] = counts.get(remedy, 0) + entry.cells
                break
    told = sorted(counts, key=lambda remedy: -counts[remedy])
    grammatical = any(study.piece == "token" for study in studies)
    rows = [row for study in studies for row in study.comparison.rows]
    if any(row.through for row in rows) or not any("grammar" in study.facts for study in studies):
        told = [line for line in told if line != BESIDE]
    if any(row.exchange for row in rows) or all(study.piece == POINT for study in studies):
        told = [line for line in told if line != EXCHANGE]
    return told if grammatical else [OF_TEXTS if line == EXCHANGE else line for line in told]
