"""What must not be found: states at sites where theory says that nothing writes them."""

import math
from collections.abc import Sequence

import numpy as np

from ..core import Prediction
from ..grammars import Corpus
from ..hooks import Activations
from ..probes import ProbeResults, overlap_null
from ..reports import Check
from .exactness import EXACT

__all__ = ["beyond_null", "largest_share", "stream_check"]

TAIL = 10  # draws of the null that lie beyond the corrected level


def largest_share(acts: Activations, corpus: Corpus, claim: Prediction) -> float:
    """Largest coordinate in the predicted subspace, relative to the longest activation.

    Args:
        acts: activations of the corpus.
        corpus: tells which tokens the claim is about.
        claim: the prediction.

    Returns:
        0 up to the rounding of the activations if nothing is written.
    """
    rows = np.asarray(acts.kept).copy()
    if claim.positions == "boundary":
        rows &= corpus.boundary(int(claim.target.removeprefix("height ")))
    stream = np.asarray(acts[claim.site], dtype=np.float64)[rows]
    longest = float(np.linalg.norm(stream, axis=1).max(initial=0.0))
    inside = float(np.abs(stream @ claim.subspace.basis).max(initial=0.0))
    return inside / longest if longest > 0 else 0.0


def stream_check(acts: Activations, corpus: Corpus, absent: Sequence[Prediction]) -> Check:
    """The largest share of the stream in subspaces where nothing is written.

    Args:
        acts: activations of the corpus.
        corpus: tells which tokens the claims are about.
        absent: claims that nothing is written, at least one.
    """
    precision = float(np.finfo(acts[absent[0].site].dtype).eps)
    return Check(
        "stream: largest share in the predicted subspace at the "
        f"{len(absent)} cells where nothing is written",
        max(largest_share(acts, corpus, claim) for claim in absent),
        "<=",
        max(EXACT, precision),
        "before the state is written the stream has no component in its subspace; what "
        "remains, relative to the longest activation, is the rounding of the activations",
    )


def beyond_null(
    results: ProbeResults, claims: Sequence[Prediction], *, level: float, seed: int = 0
) -> tuple[bool, ...]:
    """Whether learned and predicted subspace meet more than random ones, for each claim.

    With many cells some would by chance, so each is tested at ``level`` divided by their number,
    against both nulls of the comparison (:func:`linrep.probes.overlap_null`).

    Args:
        results: the learned patterns and the covariances.
        claims: predictions about cells of the grid.
        level: probability that any cell is beyond, if all are random.
        seed: of the random subspaces.

    Returns:
        One answer per claim; ``False`` where no pattern was learned.
    """
    corrected = level / max(len(claims), 1)
    draws = math.ceil(TAIL / corrected)
    answers = []
    for claim in claims:
        learned, predicted = results.patterns.get((claim.site, claim.target)), claim.subspace
        if learned is None or not learned.dim or not predicted.dim:
            answers.append(False)
            continue
        overlap = learned.overlap(predicted)
        nulls = (
            overlap_null(
                learned.dim, predicted.dim, covariance=covariance, fixed=predicted, n=draws,
                seed=seed,
            )
            for covariance in (None, results.covariances[claim.site])
        )  # fmt: skip
        answers.append(all(null.p_value(overlap) <= corrected for null in nulls))
    return tuple(answers)
