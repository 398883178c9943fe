"""The model, its untrained twins and the sentences that invariants are measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from ...core import height_target
from ..errors import ProbeError
from ..geometry.fold_patterns import FOLDS, deal
from ..grid.results import ProbeResults
from ..inputs.protocols import ActivationsLike
from ..inputs.reading import as_array, check_activations, check_corpus, read_kept

__all__ = ["Materials", "materials_of"]


@final
@dataclass(frozen=True, eq=False)
class Materials:
    """What is measured.

    Args:
        results: the grid of probes of the model.
        acts: its activations.
        twins: activations of untrained models of its shape, on the same sentences.
        corpus: the sentences.
        kept: ``[token]`` tokens with an activation of every model.
        heights: of the ancestors, those that were probed and have two labels or more.
        fold: ``[token]`` part of the sentences.
        seed: of every draw.
    """

    results: ProbeResults
    acts: ActivationsLike
    twins: tuple[ActivationsLike, ...]
    corpus: Any
    kept: np.ndarray
    heights: tuple[int, ...]
    fold: np.ndarray
    seed: int

    def site(self, height: int) -> str:
        """Where the ancestor of a height is read best, by validation sentences."""
        return self.results.best_site(height_target(height))

    def streams(self, site: str, rows: np.ndarray) -> list[np.ndarray]:
        """``[row, d_model]`` of the model, then of each twin, in float64."""
        what = f"activations at {site!r} are [token, d]"
        return [
            as_array(acts[site], what)[rows].astype(np.float64) for acts in (self.acts, *self.twins)
        ]


def materials_of(
    results: ProbeResults,
    acts: ActivationsLike,
    corpus: Any,
    twins: Sequence[ActivationsLike],
    seed: int,
) -> Materials:
    """What is measured, of the heights that were probed.

    Args:
        results: a grid of probes.
        acts: what it was made from.
        corpus: the sentences.
        twins: activations of untrained models.
        seed: of every draw.

    Raises:
        ProbeError: activations or sentences are something else, or of other tokens.
    """
    check_corpus(corpus)
    if results.settings.get("positions") != "boundary":
        raise ProbeError(
            "invariants are measured where spans end; these results are of tokens "
            f"{results.settings.get('positions')!r}: probe(..., positions='boundary')"
        )
    n = len(np.asarray(corpus.words))
    kept = np.ones(n, dtype=bool)
    for each, what in [(acts, "activations"), *((twin, "the untrained model's") for twin in twins)]:
        check_activations(each, what)
        kept &= read_kept(each, n, f"{what} have", "capture this corpus")
    known = {height_target(height): height for height in corpus.heights}
    heights = sorted(known[target] for target in results.targets if target in known)
    several = [h for h in heights if len(set(corpus.labels(h).tolist()) - {""}) > 1]
    fold = deal(np.asarray(corpus.sentence_ids), FOLDS, np.random.default_rng(seed))
    return Materials(results, acts, tuple(twins), corpus, kept, tuple(several), fold, seed)
