"""What a model keeps of the tokens before an edit: they are not run again.

Several edits of one input share the tokens before them, copied once for each pass. So the tokens
behind them stand side by side in one row, behind one prefix: each sees the prefix and the tokens of
its own edit up to itself, and has the position that it would have alone.
"""

from dataclasses import dataclass
from typing import Any, final

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["MASKED", "TOGETHER", "Prefix", "fresh_cache"]

MASKED = (None, "eager", "sdpa", "flex_attention")
"""Attention kernels that take a mask for each query and key (``None``: not said)."""

TOGETHER = 64
"""Tokens of all edits of one input in one pass behind a prefix: each passes over those of others,
which costs a few hundredths of the blocks themselves."""


def fresh_cache(config: Any, length: int) -> Any:
    """An empty cache, or ``None`` where a block of this model keeps less than all tokens.

    Args:
        config: of the model; it says which blocks see only a window.
        length: of the inputs.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    try:
        kinds = DynamicCache(config=config).layers
    except (AttributeError, KeyError, TypeError, ValueError):  # none is made for such a model
        return None
    for layer in kinds:
        window = type(layer) is DynamicSlidingWindowLayer and layer.sliding_window > length
        if type(layer) is not DynamicLayer and not window:
            return None
    return DynamicCache()


@final
@dataclass(frozen=True, eq=False)
class Prefix:
    """Keys and values of all tokens before an edit, of some inputs.

    No token before the first edited one sees the edit, so that its keys and values stay.

    Args:
        begin: number of tokens.
        layers: per block its keys and its values.
    """

    begin: int
    layers: tuple[
        tuple[
            Float[Tensor, "batch head position d_head"], Float[Tensor, "batch head position d_head"]
        ],
        ...,
    ]

    @classmethod
    def of(cls, cache: Any, begin: int, length: int, n_layers: int) -> "Prefix | None":
        """The first tokens of a cache; ``None`` if it is of another kind.

        Args:
            cache: of inputs that were run whole.
            begin: how many tokens.
            length: of the inputs.
            n_layers: blocks of the model.
        """
        found: list[tuple[Tensor, Tensor]] = []
        for layer in getattr(cache, "layers", ()):
            keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
            if not isinstance(keys, Tensor) or not isinstance(values, Tensor):
                return None
            if keys.ndim != 4 or keys.shape[2] != length:  # a window, a state
                return None
            found.append((keys[:, :, :begin], values[:, :, :begin]))
        return cls(begin, tuple(found)) if len(found) == n_layers else None

    @property
    def n_inputs(self) -> int:
        """Inputs whose first tokens these are."""
        return len(self.layers[0][0])

    def inputs(self, ids: Int[Tensor, "rows position"], dtype: torch.dtype) -> dict[str, Any]:
        """What the model is given for several copies of the inputs, one after the other.

        Args:
            ids: of all copies, whole.
            dtype: of the model, in which a mask is added to scores.
        """
        from transformers import DynamicCache

        behind = self.side_by_side(ids[:, self.begin :, None])[..., 0]
        copies, own = len(ids) // self.n_inputs, ids.shape[1] - self.begin
        cache = DynamicCache()
        for i, (keys, values) in enumerate(self.layers):
            cache.update(keys, values, i)
        hidden = ~_visible(self.begin, own, copies)
        mask = torch.zeros(hidden.shape, dtype=dtype).masked_fill_(hidden, torch.finfo(dtype).min)
        places = repeat(torch.arange(self.begin, self.begin + own), "p -> b (c p)", c=copies, b=1)
        n = {"n": self.n_inputs}
        return {
            "input_ids": behind,
            "past_key_values": cache,
            "use_cache": True,
            "attention_mask": repeat(mask.to(ids.device), "q k -> n 1 q k", **n),
            "position_ids": repeat(places.to(ids.device), "1 q -> n q", **n),
        }

    def side_by_side(
        self, rows: Float[Tensor, "rows position d_model"] | Int[Tensor, "rows position 1"]
    ) -> Tensor:
        """Copies of inputs, one after the other, as one row for each input."""
        # A block may view its stream as one list of tokens: one token of each copy is no such view.
        return rearrange(rows, "(c n) p d -> n (c p) d", n=self.n_inputs).contiguous()

    def found_at(self, rows: Tensor, places: Tensor, own: int) -> tuple[Tensor, Tensor]:
        """Rows and places among the copies, as they are side by side.

        Args:
            rows: among all copies.
            places: in the whole input.
            own: tokens of a copy, behind the prefix.
        """
        n = self.n_inputs
        return rows % n, rows // n * own + places - self.begin


def _visible(begin: int, own: int, copies: int) -> Bool[Tensor, "query key"]:
    """Which keys a token sees: the prefix, and the tokens of its own copy up to itself."""
    earlier = torch.ones(own, own).tril()
    blocks = torch.kron(torch.eye(copies), earlier).bool()
    return torch.cat([torch.ones(len(blocks), begin, dtype=torch.bool), blocks], dim=1)
