"""What a model says next, as probabilities, whatever its output is."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..constructions.grammar.passes.log_head import DEAD
from ..models import PlainTransformer, probabilities

__all__ = ["ReadOut", "head_of", "read_out", "two_words"]

ReadOut = Callable[[Float[Tensor, "row vocab"]], Float[Tensor, "row vocab"]]


def read_out(model: Any) -> ReadOut:
    """How outputs become probabilities: scores are divided by their sum, logits exponentiated.

    A constructed model gives no probability to BOS; after an impossible prefix its row is zeros.
    """
    config = model.config
    if not isinstance(model, PlainTransformer):
        return _softmax
    noted = getattr(config, "linrep", None) or {}
    constructed = noted.get("construction") == "grammar"
    if config.readout != "logits":
        floor = float(config.score_floor)
        # Probabilities were cut at the floor before they were normalised.
        cut = 0.0 if config.readout == "probabilities" else floor
        return lambda rows: probabilities(_without_bos(rows.double(), 0.0), cut)
    return _dead_or_softmax if constructed else _softmax


def _softmax(rows: Tensor) -> Tensor:
    return rows.double().softmax(-1)


def _without_bos(rows: Tensor, value: float) -> Tensor:
    kept = rows.clone()
    kept[:, 0] = value
    return kept


def _dead_or_softmax(rows: Tensor) -> Tensor:
    kept = _without_bos(rows.double(), -torch.inf)
    found = kept.softmax(-1)
    found[kept[:, 1:].amax(-1) < DEAD] = 0.0
    return found


def head_of(model: Any) -> nn.Module | None:
    """The unembedding, where the model names it."""
    try:
        found = model.get_output_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    return found if isinstance(found, nn.Module) else None


def two_words(
    head: nn.Linear, states: Float[Tensor, "output d_model"], pick: Int[Tensor, "output 2"]
) -> Float[Tensor, "output 2"]:
    """The logits of two words alone, instead of all."""
    chosen = pick.to(states.device)
    found = (head.weight[chosen] @ states[:, :, None])[..., 0]
    return found if head.bias is None else found + head.bias[chosen]
