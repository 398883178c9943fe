"""A transformer along a line in its input: logits, and which side every neuron and head is on."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...models import PlainTransformer

__all__ = ["Along", "along", "at_temperature", "stream_before"]


@final
@dataclass(frozen=True, eq=False)
class Along:
    """What a model does along a line.

    Args:
        t: places on the line, 0 to 1.
        logits: at the last position.
        signs: whether each hidden neuron's input is positive, at every position and block read.
        chosen: the key of the largest attention, of every head and query.
    """

    t: Float[np.ndarray, " point"]
    logits: Float[np.ndarray, "point output"]
    signs: Int[np.ndarray, "point unit"]
    chosen: Int[np.ndarray, "point head"]


def at_temperature(model: PlainTransformer, rate: float | None) -> PlainTransformer:
    """A copy in float64 whose attention scores are multiplied by a rate.

    Args:
        model: the model.
        rate: 1 is the model as it is; ``None`` lets attention pick the largest score alone.
    """
    made: Any = copy.deepcopy(model)
    made.double().eval()
    for layer in made.layers:
        layer.attn.hardmax = rate is None
        layer.attn.scale *= 1.0 if rate is None else rate
    found: PlainTransformer = made
    return found


def stream_before(
    model: PlainTransformer, block: int, ids: Int[Tensor, "1 position"]
) -> Float[Tensor, "position d_model"]:
    """The stream of one sentence before a block."""
    with torch.no_grad():
        states: Any = model(ids, output_hidden_states=True).hidden_states
    found: Tensor = states[block][0]
    return found


def along(
    model: PlainTransformer,
    block: int,
    ends: tuple[Float[Tensor, "position d_model"], Float[Tensor, "position d_model"]],
    position: int,
    points: int,
) -> Along:
    """Move the stream at one position from one sentence's to another's; all else stays.

    Args:
        model: in float64.
        block: before which the stream is moved; 0 is the embedding.
        ends: the streams of two sentences of one length there; the first's others stay.
        position: where it is moved.
        points: samples, evenly spaced.
    """
    t = torch.linspace(0, 1, points, dtype=torch.float64)
    stream = ends[0].repeat(points, 1, 1)
    stream[:, position] = (1 - t)[:, None] * ends[0][position] + t[:, None] * ends[1][position]
    ids = torch.zeros(stream.shape[:2], dtype=torch.long)
    with torch.no_grad(), _watched(model, block, stream) as (signs, chosen):
        logits = model(ids).logits[:, -1]
    return Along(
        t.numpy(), logits.numpy(), np.concatenate(signs, axis=1), np.concatenate(chosen, axis=1)
    )


@contextmanager
def _watched(
    model: Any, block: int, stream: Tensor
) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
    """Put the stream in before a block; note signs and choices from there on."""
    signs: list[np.ndarray] = []
    chosen: list[np.ndarray] = []

    def put(_: Any, given: Any) -> Any:
        return (stream, *given[1:])

    def note_signs(_: Any, __: Any, out: Tensor) -> None:
        signs.append((out > 0).flatten(1).numpy().astype(np.int64))

    def note_chosen(_: Any, __: Any, out: Any) -> None:
        chosen.append(out[1].argmax(-1).flatten(1).numpy())

    hooks = [model.layers[block].register_forward_pre_hook(put)]
    for layer in model.layers[block:]:
        gate = layer.mlp.gate_proj if layer.mlp.kind == "reglu" else layer.mlp.up_proj
        hooks.append(gate.register_forward_hook(note_signs))
        hooks.append(layer.attn.register_forward_hook(note_chosen))
    try:
        yield signs, chosen
    finally:
        for hook in hooks:
            hook.remove()
