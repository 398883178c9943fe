"""The random-weight baseline over several twins: one draw of weights can be a lucky one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..grammars import Corpus
from ..hooks import Activations
from ..probes import ProbeResults, probe

__all__ = ["best_of_twins"]


def best_of_twins(
    results: ProbeResults, twins: Sequence[Activations], corpus: Corpus, **grid: Any
) -> ProbeResults:
    """Raise the random-weight baseline of each cell to the best of further twins.

    In small models random weights differ a good deal in what a probe can read from them: a
    random model may beat one other, but hardly the best of several.

    Args:
        results: a grid with its controls.
        twins: activations of further random-weight twins.
        corpus: their corpus.
        **grid: the grid's own settings (heights, positions, method, C, seed, engine).

    Returns:
        The results, with ``random_weights`` the highest accuracy among all twins.
    """
    best = {(s.site, s.target): s.random_weights for s in results.scores}
    for twin in twins:
        found = probe(twin, corpus, controls=(), permutations=0, bootstrap=0, **grid)
        for score in found.scores:
            cell = (score.site, score.target)
            best[cell] = max(best[cell], score.accuracy)
    scores = tuple(replace(s, random_weights=best[s.site, s.target]) for s in results.scores)
    return replace(results, scores=scores)
