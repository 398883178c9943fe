"""How far the outputs of a rotated model lie from what they were in the named basis."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ....models import PlainTransformer
from ..passes.log_head import DEAD

__all__ = ["MARGIN", "largest_deviation", "n_trials", "raw_outputs"]

MARGIN = 8.0
"""The largest deviation of any input is taken to be below so many times that of the trials."""

_WORK = 5e9  # multiplications
_MOST = 64
_ROOM = 2**22  # attention weights of a batch


def n_trials(parameters: int, tokens: int) -> int:
    """How many sentences to try: as many as cost about a second, 4 to 64."""
    return max(4, min(_MOST, int(_WORK / (parameters * (tokens + 1)))))


def raw_outputs(model: PlainTransformer, sentences: Sequence[Sequence[int]]) -> list[Tensor]:
    """Scores (or logits) after each position of each sentence, before any are cut or divided."""
    outputs: list[Tensor] = []
    longest = max(map(len, sentences), default=1)
    together = max(1, _ROOM // (model.config.num_attention_heads * longest**2))
    for start in range(0, len(sentences), together):
        some = sentences[start : start + together]
        # Causal: what pads the end of a sentence cannot change it.
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in some])
        with torch.inference_mode():
            states = model(ids, output_hidden_states=True).hidden_states
            rows = model.head(model.final(states[-1])).double()
        outputs += [row[: len(one)] for row, one in zip(rows, some, strict=True)]
    return outputs


def largest_deviation(found: Sequence[Tensor], exact: Sequence[Tensor], output: str) -> float:
    """Largest difference of outputs; of logits, among possible tokens only.

    Infinite where a token is possible in one and impossible in the other: no logit tells how near
    to 0 a score is that has been taken for another. Infinite, too, where a number overflowed.
    """
    worst = 0.0
    for one, other in zip(found, exact, strict=True):
        gap = (one - other).abs()
        if output == "logits":
            dead = other < DEAD
            if not torch.equal(one < DEAD, dead):
                return float("inf")
            gap = gap.masked_fill(dead, 0.0)
        if not bool(gap.isfinite().all()):  # NaN would pass any comparison
            return float("inf")
        worst = max(worst, float(gap.max())) if gap.numel() else worst
    return worst
