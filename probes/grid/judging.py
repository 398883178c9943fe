"""The p-values of a grid that need all its cells: against shuffled labels and every rival."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import final

import numpy as np
from jaxtyping import Float

from ..evidence.intervals import benjamini_hochberg, family_wise, permutation_p
from ..evidence.rivals import LEAST_GROUPS, beats, beats_untrained, group_differences
from .notes import EMBEDDINGS
from .number_site import NumberCell
from .numbers import NumberPlan
from .plan import Plan
from .score import Score
from .site import Cell

__all__ = ["Judged", "judge"]

GUESSES = ("position", "previous_word", "word_identity")
LEAST_UNSEEN = 50  # tokens of words unseen in training below which nothing is said about them


@final
@dataclass(frozen=True, eq=False)
class Judged:
    """One cell with what is needed to judge it.

    Args:
        score: its numbers.
        plan: its target.
        cell: what the probe said.
        twins: ``[twin, test]`` credits of each random-weight twin; ``None`` without any.
    """

    score: Score
    plan: Plan | NumberPlan
    cell: Cell | NumberCell
    twins: np.ndarray | None

    @property
    def right(self) -> Float[np.ndarray, " test"]:
        """Credits of the probe: of classes 1 where it is right, else 0; of numbers shares of R2."""
        return self.plan.credit(self.cell.predicted)

    def over(self, rival: str) -> Float[np.ndarray, " test"] | None:
        """What the probe gets right beyond a guess, if that was made."""
        if rival not in self.plan.guesses:
            return None
        found: np.ndarray = self.right - self.plan.right(rival)
        return found

    def over_seen(self, rival: str) -> Float[np.ndarray, " test"] | None:
        """Beyond a guess at the tokens whose words were trained on; zero elsewhere.

        A label that each word has once for all is told by the words themselves wherever they were
        met; what a probe knows of new words makes it no less a label of words.
        """
        over = self.over(rival)
        seen = ~self.plan.unseen
        return over * seen if over is not None and seen.any() else None

    def left_by_surface(self) -> Float[np.ndarray, " test"] | None:
        """What a probe without any error would get right beyond the surface."""
        return 1.0 - self.plan.right("surface") if "surface" in self.plan.guesses else None

    def over_twins(self) -> Float[np.ndarray, " test"] | None:
        """Beyond the mean of the random-weight twins."""
        return None if self.twins is None else self.right - self.twins.mean(axis=0)

    def over_controls(self) -> Float[np.ndarray, " test"] | None:
        """Beyond the control tasks, each as a share of the way from its chance to its ceiling.

        Nothing can be said where the ceiling is not known: a label that depends on more than the
        model can see may be read as well as it can be, and still less often than random classes
        of words are.
        """
        if self.cell.control_right is None or np.isnan(self.score.ceiling):
            return None
        chance, ceiling = self.plan.control_way
        way, control_way = self.score.ceiling - self.score.chance, ceiling - chance
        if way <= 1e-9 or control_way <= 1e-9:
            return None
        share = (self.right - self.score.chance) / way
        found: np.ndarray = share - (self.cell.control_right - chance) / control_way
        return found

    def over_unseen(self) -> Float[np.ndarray, " test"] | None:
        """Beyond chance at the tokens whose words were never trained on; zero elsewhere."""
        unseen = self.plan.unseen
        groups = len(np.unique(self.plan.groups[2][unseen]))
        if unseen.sum() < LEAST_UNSEEN or groups < LEAST_GROUPS:
            return None
        found: np.ndarray = (self.right - self.plan.right("position")) * unseen
        return found


def judge(
    cells: Sequence[Judged],
    controls: Sequence[str],
    *,
    permutations: bool,
    seed: int,
    hidden: Sequence[str] = (),
) -> tuple[Score, ...]:
    """Fill the columns that need the whole grid; those of controls not asked for are emptied.

    Args:
        cells: of the grid.
        controls: asked for.
        permutations: labels were exchanged.
        seed: of the signs.
        hidden: further columns to empty.
    """
    if not cells:
        return ()
    tested = [not judged.plan.constant for judged in cells]
    columns = _rivals(cells, tested, controls, seed)
    columns |= _shuffled(cells, tested, permutations)
    hidden = [*hidden, *(name for name in GUESSES if name not in controls)]
    hidden += ["next_word", "n_gram"] if "previous_word" not in controls else []
    embedding = {c.score.target: c.score.value for c in cells if c.score.site in EMBEDDINGS}
    finished = []
    for index, judged in enumerate(cells):
        changes = {name: float(values[index]) for name, values in columns.items()}
        changes |= dict.fromkeys(hidden, float("nan"))
        if "embedding" in controls:
            changes["embedding"] = embedding.get(judged.score.target, float("nan"))
        else:
            changes["p_embedding"] = float("nan")
        if judged.twins is not None:
            changes["random_weights"] = float(judged.twins.mean(axis=1).max())
        twins = 0 if judged.twins is None else len(judged.twins)
        finished.append(replace(judged.score, **changes, n_twins=twins))  # type: ignore[arg-type]
    return tuple(finished)


def _rivals(
    cells: Sequence[Judged], tested: Sequence[bool], controls: Sequence[str], seed: int
) -> dict[str, Float[np.ndarray, " cell"]]:
    """p-values against everything that answers the same test tokens."""
    groups = [judged.plan.groups[2] for judged in cells]
    at_embedding = {c.score.target: c.right for c in cells if c.score.site in EMBEDDINGS}

    def sums(over: Callable[[Judged], np.ndarray | None]) -> np.ndarray:
        asked = [over(j) if able else None for j, able in zip(cells, tested, strict=True)]
        return group_differences(asked, groups)

    def over_embedding(judged: Judged) -> np.ndarray | None:
        other = at_embedding.get(judged.score.target)
        return None if other is None else judged.right - other

    rivals = {
        "p_surface": lambda judged: judged.over("surface"),
        "p_perfect": Judged.left_by_surface,
        "p_embedding": over_embedding,
        "p_control": Judged.over_controls,
        "p_unseen": Judged.over_unseen,
    }
    found = {name: beats(sums(over), seed=seed) for name, over in rivals.items()}
    for rival in ("surface", "word_identity") if "surface" in controls else ():
        seen = beats(sums(methodcaller("over_seen", rival)), seed=seed)
        found["p_surface"] = np.fmax(found["p_surface"], seen)  # NaN where no word was trained on
    twins = max((len(j.twins) for j in cells if j.twins is not None), default=0)
    untrained = np.full((twins, len(cells)), np.nan)
    for index, judged in enumerate(cells):
        if judged.twins is not None and tested[index]:
            untrained[: len(judged.twins), index] = judged.twins.mean(axis=1)
    values = np.array([judged.score.value for judged in cells])
    numbers = np.array([isinstance(judged.plan, NumberPlan) for judged in cells])
    tokens = np.array([len(judged.plan.test) for judged in cells], dtype=np.float64)
    # Both doubts have to be gone: other test texts, and other random weights.
    found["p_untrained"] = np.maximum(
        beats(sums(Judged.over_twins), seed=seed),
        beats_untrained(values, untrained, tokens, seed=seed, numbers=numbers),
    )
    return found


def _shuffled(
    cells: Sequence[Judged], tested: Sequence[bool], permutations: bool
) -> Mapping[str, Float[np.ndarray, " cell"]]:
    """p-values against labels exchanged between groups: alone, over the grid, and as a rate."""
    nothing = np.full(len(cells), np.nan)
    p, family = nothing.copy(), nothing.copy()
    drawn = {
        index: judged.plan.null.statistic(judged.cell.predicted)
        for index, judged in enumerate(cells)
        if permutations and tested[index] and judged.plan.null.testable
    }
    if drawn:
        seen, draws = zip(*drawn.values(), strict=True)
        p[list(drawn)] = [permutation_p(*each) for each in drawn.values()]
        family[list(drawn)] = family_wise(np.array(seen), np.stack(draws))
    return {"p": p, "q": benjamini_hochberg(p), "p_family": family}
