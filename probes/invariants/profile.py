"""Where in a span its label can be read, beside what can be known there."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...core import height_target
from ...grammars import Grammar
from ..grid.probe import probe
from ..inputs.protocols import ActivationsLike
from ..inputs.reading import as_array
from .materials import Materials
from .measured import MeasuredInvariant

__all__ = ["profile"]

INSIDE, EVERY = "accuracy before the span ends", "accuracy at every token of the span"
LAST = "accuracy at the last token"


def profile(materials: Materials) -> Iterator[MeasuredInvariant]:
    """Accuracy before a span ends and at its last token, each beside its ceiling.

    Ceilings are the grammar's exact posteriors: no probe can do better.
    """
    asked = {height: _targets(materials.corpus, height) for height in materials.heights}
    sites = list(dict.fromkeys(materials.site(height) for height in materials.heights))
    kinds = {
        f"{kind}, {height_target(height)}": (height, kind, *labels)
        for height, told in asked.items()
        for kind, labels in told.items()
    }
    if not kinds:
        return
    model, *twins = (
        _scores(acts, materials, sites, kinds) for acts in (materials.acts, *materials.twins)
    )
    for name, (height, kind, *_) in kinds.items():
        site = materials.site(height)
        score = model.score(site, name)
        yield MeasuredInvariant(
            kind, height_target(height), site, score.ceiling, score.value, score.interval,
            tuple(twin.score(site, name).value for twin in twins),
            resolution=1 / max(score.n_test, 1), note=f"chance {score.chance:.3f}",
        )  # fmt: skip


def _scores(
    acts: ActivationsLike,
    materials: Materials,
    sites: list[str],
    kinds: Mapping[str, tuple[Any, ...]],
) -> Any:
    """The grid of one model."""
    labelled = {name: np.where(materials.kept, told[2], "") for name, told in kinds.items()}
    return probe(
        {site: as_array(acts[site], f"activations at {site!r} are [token, d]") for site in sites},
        materials.corpus,
        targets=labelled,
        ceilings={name: ceiling for name, (*_, ceiling) in kinds.items()},
        controls=(), permutations=0, bootstrap=200, jackknife=0, seed=materials.seed,
    )  # fmt: skip


def _targets(corpus: Any, height: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Kind of token -> labels there (elsewhere none) and the largest posteriors."""
    if not isinstance(getattr(corpus, "grammar", None), Grammar):
        return {}  # nobody knows what can be known
    labels, ends = corpus.labels(height), corpus.boundary(height)
    by_prefix = corpus.max_posterior(height, "prefix")
    at_end = corpus.max_posterior(height, "boundary")
    # Where a node ends is known from the position alone if symbols have one length each.
    told = all(len(lengths) == 1 for lengths in corpus.grammar.binary.lengths)
    inside = ~ends if told else np.ones(len(ends), dtype=bool)
    found = {
        (INSIDE if told else EVERY): (np.where(inside, labels, ""), by_prefix),
        LAST: (np.where(ends, labels, ""), at_end),
    }
    return {kind: pair for kind, pair in found.items() if len(set(pair[0].tolist()) - {""}) > 1}
