"""The parts of a plain transformer's block: linear maps born zero, attention, MLP."""

from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .config import PlainConfig

__all__ = ["PlainAttention", "PlainBlock", "PlainMLP", "ZeroEmbedding", "ZeroLinear"]


class ZeroLinear(nn.Linear):
    """A linear map whose weights are born zero, so that no random number is ever drawn."""

    def reset_parameters(self) -> None:
        """Set every weight to zero."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class ZeroEmbedding(nn.Embedding):
    """An embedding table born zero."""

    def reset_parameters(self) -> None:
        """Set every weight to zero."""
        nn.init.zeros_(self.weight)


class PlainAttention(nn.Module):
    """Multi-head attention with the pattern in plain sight.

    ``pattern[q, k] = softmax_k(scale * query_q . key_k + bias[head, position q, position k])``
    over the keys that ``allowed`` admits; a query that may look nowhere gets a row of zeros,
    never NaN. Returns the output and the pattern, as TransformerLens's attention bridge expects
    (it edits the pattern through ``pattern_fn``).
    """

    accepts_pattern_fn = True
    bias_table: Tensor | None

    def __init__(self, config: PlainConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx = layer_idx
        self.n_heads, self.d_head = config.num_attention_heads, config.head_dim
        self.scale, self.hardmax = config.attention_scale, config.hardmax
        inner = self.n_heads * self.d_head
        self.q_proj = ZeroLinear(config.hidden_size, inner)
        self.k_proj = ZeroLinear(config.hidden_size, inner)
        self.v_proj = ZeroLinear(config.hidden_size, inner)
        self.o_proj = ZeroLinear(inner, config.hidden_size)
        if config.attention_bias_table:
            n = config.max_position_embeddings
            # A persistent buffer without a dtype: it follows the model's, and survives loading.
            self.register_buffer("bias_table", torch.zeros(self.n_heads, n, n))
        else:
            self.register_buffer("bias_table", None)

    def forward(
        self,
        hidden_states: Float[Tensor, "batch position d_model"],
        allowed: Bool[Tensor, "#batch 1 query key"] | None = None,
        position_ids: Int[Tensor, "#batch position"] | None = None,
        pattern_fn: Callable[[Tensor], Tensor] | None = None,
        **_: Any,
    ) -> tuple[Tensor, Tensor]:
        """Attend; the pattern is ``[batch, head, query, key]``."""
        split = "batch position (head d_head) -> batch head position d_head"
        query, key, value = (
            rearrange(proj(hidden_states), split, head=self.n_heads)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = (query @ key.transpose(-1, -2)) * self.scale
        if self.bias_table is not None and position_ids is not None:
            rows, columns = position_ids[:, :, None], position_ids[:, None, :]
            scores = scores + self.bias_table[:, rows, columns].transpose(0, 1)
        pattern = _pattern(scores, allowed, self.hardmax)
        if pattern_fn is not None:
            pattern = pattern_fn(pattern)
        mixed = rearrange(pattern @ value, "batch head query d -> batch query (head d)")
        return self.o_proj(mixed), pattern


def _pattern(scores: Tensor, allowed: Tensor | None, hardmax: bool) -> Tensor:
    """Attention weights; forbidden keys get exactly 0, an empty row is all zeros."""
    if allowed is not None:
        scores = scores.masked_fill(~allowed, float("-inf"))
    if hardmax:
        best = (scores == scores.amax(-1, keepdim=True)).to(scores.dtype)
        weights = best / best.sum(-1, keepdim=True)
    else:
        weights = scores.softmax(-1)
    return weights if allowed is None else weights.masked_fill(~allowed, 0.0)


class PlainMLP(nn.Module):
    """One hidden layer: ReGLU (two input maps), ReLU or GELU, all with biases."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__()
        width, hidden = config.hidden_size, config.intermediate_size
        self.kind = config.mlp
        if self.kind == "reglu":
            self.gate_proj = ZeroLinear(width, hidden)
        self.up_proj = ZeroLinear(width, hidden)
        self.down_proj = ZeroLinear(hidden, width)

    def forward(
        self, x: Float[Tensor, "batch position d_model"]
    ) -> Float[Tensor, "batch position d_model"]:
        """Map each position on its own."""
        if self.kind == "reglu":
            hidden = torch.relu(self.gate_proj(x)) * self.up_proj(x)
        elif self.kind == "relu":
            hidden = torch.relu(self.up_proj(x))
        else:
            hidden = nn.functional.gelu(self.up_proj(x))
        out: Tensor = self.down_proj(hidden)
        return out


class PlainBlock(nn.Module):
    """``x += attn(norm1(x)); x += mlp(norm2(x))``; the norms are identities unless asked for."""

    def __init__(self, config: PlainConfig, layer_idx: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size) if config.layer_norm else nn.Identity()
        self.norm2 = nn.LayerNorm(config.hidden_size) if config.layer_norm else nn.Identity()
        self.attn, self.mlp = PlainAttention(config, layer_idx), PlainMLP(config)

    def forward(
        self, hidden_states: Float[Tensor, "batch position d_model"], **attention: Any
    ) -> tuple[Tensor]:
        """One step of the residual stream, in a tuple of one (TransformerLens's custom)."""
        mixed, _ = self.attn(self.norm1(hidden_states), **attention)
        hidden_states = hidden_states + mixed
        return (hidden_states + self.mlp(self.norm2(hidden_states)),)
