"""Sentences that a report adds where its own numbers call for an explanation."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .drawing.panels import as_float
from .values import Json, and_list, number, place

if TYPE_CHECKING:
    from .record import Scores

__all__ = ["remarks", "twin_above_chance"]

LEVEL = 0.05
WHY = (
    "a random transformer can carry the word and, through attention, words before it, which is "
    "enough for part of a state that few words decide. It has learned nothing of the language; "
    "what counts as decodable has to beat it"
)


def remarks(scores: "Scores") -> tuple[str, ...]:
    """What a reader would stumble over, explained; empty if there is nothing of the kind.

    Args:
        scores: the grid.

    Returns:
        One sentence that names the targets concerned.
    """
    above = twin_above_chance(scores.rows)
    concerned = []
    for target in dict.fromkeys(str(row["target"]) for row in above):
        rows = [row for row in above if str(row["target"]) == target]
        best = max(rows, key=lambda row: as_float(row["random_weights"]))
        sites = "1 site" if len(rows) == 1 else f"{len(rows)} sites"
        concerned.append(
            f"{target} above chance at {sites} (most {place(str(best['site']))}: "
            f"{number(best['random_weights'])}, chance {number(best['chance'])})"
        )
    return (f"Random weights read {and_list(concerned)}: {WHY}.",) if concerned else ()


def twin_above_chance(rows: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """Rows where the interval of the random-weight twin lies above chance.

    The interval is the exact binomial one of Clopper and Pearson (1934) over the held-out tokens,
    95 % over all cells together (Bonferroni). Tokens of a sentence are no independent witnesses, so
    it can be too narrow: it decides whether a sentence of explanation is shown, and nothing else.

    Args:
        rows: a grid of scores; rows of numbers, and those without a twin, chance or the number of
            tokens, are left out.

    Returns:
        The rows concerned.

    >>> row = {"target": "height 1", "chance": 0.33, "n_test": 400}
    >>> [len(twin_above_chance([row | {"random_weights": seen}])) for seen in (0.6, 0.34)]
    [1, 0]
    """
    from scipy.stats import beta

    names = ("random_weights", "chance", "n_test")
    classes = [row for row in rows if row.get("kind") != "number"]  # R2 counts no tokens
    measured = [row for row in classes if all(as_float(row.get(name)) >= 0 for name in names)]
    if not measured:
        return []
    seen, chance, tokens = (np.array([as_float(row[name]) for row in measured]) for name in names)
    hits, tail = seen * tokens, LEVEL / 2 / len(measured)
    some = hits > 0  # the lower end of none is 0
    low = np.zeros(len(measured))
    low[some] = beta.ppf(tail, hits[some], (tokens - hits + 1)[some])
    return [row for row, above in zip(measured, low > chance, strict=True) if above]
