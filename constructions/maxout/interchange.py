"""Interventions whose outcome theory knows: replace one unit's value, or choose its piece."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...core import checked
from .error import MaxoutError
from .transformer import MaxoutTransformer

__all__ = ["choose_piece", "interchange", "soft_interchange"]

Hook = tuple[str, Callable[[Tensor, Any], Tensor | None]]


@checked(MaxoutError)
def interchange(
    t: MaxoutTransformer,
    x: Float[np.ndarray, "point input"],
    source: Float[np.ndarray, "_ input"],
    layer: int,
    unit: int,
) -> np.ndarray:
    """Outputs ``[point, output]`` with one unit's activation taken from other inputs.

    Replaces coordinate ``X_u`` of the stream after attention ``layer`` (``resid_mid``) on every
    token, through what attention adds: TransformerLens's ``hook_resid_mid`` is the MLP's input,
    and an edit there would pass the stream by. The other way, zeroing a head, does not zero the
    unit: its value is ``Z_u - X_u``, so the old X stays.

    Args:
        t: the transformer.
        x: ``[point, input]``.
        source: ``[point, input]`` where the unit's value comes from.
        layer: from 1.
        unit: from 0.

    Raises:
        MaxoutError: no such layer or unit, or another number of sources than inputs.
    """
    site, coordinate = _place(t, layer, unit), t.layout.x(unit)
    _require_sources(x, source)
    taken = torch.from_numpy(t.activations(source, [site])[site][:, coordinate])

    before: list[Tensor] = []

    def remember(stream: Tensor, hook: Any) -> None:
        del hook
        before.append(stream[:, :, coordinate])

    def edit(added: Tensor, hook: Any) -> Tensor:
        del hook
        changed = added.clone()
        changed[:, :, coordinate] = taken.to(added)[:, None] - before.pop()
        return changed

    block = f"blocks.{layer}"
    hooks: list[Hook] = [(f"{block}.hook_resid_pre", remember), (f"{block}.hook_attn_out", edit)]
    return _run(t, x, hooks)


@checked(MaxoutError)
def choose_piece(
    t: MaxoutTransformer, x: np.ndarray, layer: int, unit: int, piece: int
) -> np.ndarray:
    """Outputs ``[point, output]`` when one head attends to one piece only, whatever its score.

    Raises:
        MaxoutError: no such layer, unit or piece.
    """
    _place(t, layer, unit)
    rank = t.layout.ranks[layer - 1][unit]
    if not 0 <= piece < rank:
        raise MaxoutError(f"layer {layer} unit {unit} has pieces 0..{rank - 1}; received {piece}")
    token = t.layout.group(layer)[piece]

    def edit(pattern: Tensor, hook: Any) -> Tensor:
        del hook
        changed = pattern.clone()
        changed[:, unit] = 0.0
        changed[:, unit, :, token] = 1.0
        return changed

    return _run(t, x, [(f"blocks.{layer}.attn.hook_pattern", edit)])


@checked(MaxoutError)
def soft_interchange(
    t: MaxoutTransformer,
    x: Float[np.ndarray, "point input"],
    source: Float[np.ndarray, "_ input"],
    layer: int,
    unit: int,
) -> np.ndarray:
    """What :func:`interchange` must give, by the soft recursion.

    Raises:
        MaxoutError: no such layer or unit, or another number of sources than inputs.
    """
    _place(t, layer, unit)
    _require_sources(x, source)
    soft = t.soft
    hidden, taken = soft.hidden(x)[layer - 1].copy(), soft.hidden(source)[layer - 1]
    hidden[:, unit] = taken[:, unit]
    return soft.resume(hidden, layer)


def _require_sources(x: np.ndarray, source: np.ndarray) -> None:
    """Refuse another number of sources than inputs.

    Raises:
        MaxoutError: with both numbers.
    """
    if len(source) != len(x):
        raise MaxoutError(
            f"every input needs one source; received {len(x)} inputs and {len(source)} sources"
        )


def _place(t: MaxoutTransformer, layer: int, unit: int) -> str:
    widths = t.layout.widths
    if not (1 <= layer <= len(widths) and 0 <= unit < widths[layer - 1]):
        raise MaxoutError(
            f"no unit {unit} in layer {layer}; layers 1..{len(widths)} have {list(widths)} units"
        )
    return f"blocks.{layer}.hook_resid_mid"


def _run(t: MaxoutTransformer, x: np.ndarray, hooks: list[Hook]) -> np.ndarray:
    with torch.no_grad():
        logits = t.bridge.run_with_hooks(t.embed(x), fwd_hooks=hooks)
    return np.asarray(logits[:, t.layout.readout_token].double().cpu().numpy())
