"""The one plain transformer that constructed and trained models share."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    GenerationMixin,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
)
from transformers.modeling_outputs import CausalLMOutput

from ..core import LinrepError, checked, refuse_full, writing
from ..core.limits import available_memory, refuse_large
from .config import ConfigError, PlainConfig
from .layers import PlainBlock, ZeroEmbedding, ZeroLinear

__all__ = ["PlainTransformer", "PositionError", "ScoresToLogits", "probabilities"]


_BLOCK_BYTES = 60_000  # of a block's modules, without their weights


class PositionError(LinrepError):
    """An input is longer than the model's position table."""


class PlainTransformer(PreTrainedModel, GenerationMixin):  # type: ignore[no-untyped-call]
    """A transformer without surprises: an ordinary Hugging Face model, born with zero weights.

    A construction writes its weights; :func:`linrep.models.initialise` draws random ones from a
    seed. Only parameters and persistent buffers exist, so that saving and loading is the identity,
    to the bit, in any dtype. Inputs: ``input_ids`` ``[batch, position]`` or real-valued
    ``inputs_embeds`` ``[batch, position, d_model]`` (the position table is added to either),
    ``attention_mask`` ``[batch, position]`` (1 = token, 0 = padding, on any side) and
    ``position_ids`` (default: counted along the mask, so left padding shifts nothing). Output:
    ``.logits`` ``[batch, position, vocab]``, and ``.hidden_states`` if asked for.

    >>> model = PlainTransformer(PlainConfig(vocab_size=5, hidden_size=8))
    >>> tuple(model(torch.tensor([[0, 3, 1]])).logits.shape)
    (1, 3, 5)
    """

    config_class = PlainConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _no_split_modules = ["PlainBlock"]

    @checked(ConfigError)
    def __init__(self, config: PlainConfig) -> None:
        _require_room(config)
        super().__init__(config)
        self.tok = ZeroEmbedding(config.vocab_size, config.hidden_size)
        self.posn = ZeroEmbedding(config.max_position_embeddings, config.hidden_size)
        self.layers = nn.ModuleList(
            [PlainBlock(config, i) for i in range(config.num_hidden_layers)]
        )
        self.final = nn.LayerNorm(config.hidden_size) if config.layer_norm else nn.Identity()
        self.head = ZeroLinear(config.hidden_size, config.vocab_size)
        self.post_init()  # type: ignore[no-untyped-call]

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """Hugging Face's ``from_pretrained``, to the bit.

        A loaded file's tensors start at odd addresses, where matrix products may round their last
        bit differently; each tensor is therefore moved to memory of its own.
        """
        loaded = super().from_pretrained(*args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.data = tensor.data.clone()
        return loaded

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> None:
        """Hugging Face's ``save_pretrained``, with weights that may be read by whom the rest may.

        The writer of safetensors makes files that only their owner can read, whatever the system's
        mask says; they get the mode of the configuration beside them, an ordinary file.

        Raises:
            DiskError: there is no room, or the system refuses.
        """
        size = sum(tensor.nbytes for tensor in self.state_dict().values())
        refuse_full(save_directory, size, "the model")
        with writing("the model", save_directory, SafetensorError):
            super().save_pretrained(save_directory, *args, **kwargs)
        config = Path(save_directory) / "config.json"
        if config.exists():
            for weights in config.parent.glob("*.safetensors"):
                weights.chmod(config.stat().st_mode & 0o777)

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the weights alone: they are constructed, or drawn by ``initialise``."""

    def get_input_embeddings(self) -> nn.Module:
        """The token table."""
        return self.tok

    def get_output_embeddings(self) -> nn.Module:
        """The readout."""
        return self.head

    def forward(
        self,
        input_ids: Int[Tensor, "batch position"] | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Int[Tensor, "#batch position"] | None = None,
        inputs_embeds: Float[Tensor, "batch position d_model"] | None = None,
        output_hidden_states: bool = False,
        **_: Any,
    ) -> CausalLMOutput:
        """Run the model.

        Raises:
            PositionError: the input is longer than the position table (and
                ``config.overflow_position`` is off).
        """
        x = self.tok(input_ids) if inputs_embeds is None else inputs_embeds
        places = self._places(x, attention_mask, position_ids)
        x = x + self.posn(places)
        allowed = _allowed(x, attention_mask, causal=not self.config.bidirectional)
        states = [x]
        for layer in self.layers:
            (x,) = layer(x, allowed=allowed, position_ids=places)
            states.append(x)
        logits = self.head(self.final(x))
        if self.config.readout == "probabilities":
            logits = probabilities(logits, self.config.score_floor)
        return CausalLMOutput(
            logits=logits, hidden_states=tuple(states) if output_hidden_states else None
        )

    def _places(self, x: Tensor, mask: Tensor | None, position_ids: Tensor | None) -> Tensor:
        """Row of the position table for each token.

        Raises:
            PositionError: there is no such row.
        """
        if position_ids is None:
            if mask is None:
                position_ids = torch.arange(x.shape[1], device=x.device)[None]
            else:
                position_ids = (mask.long().cumsum(-1) - 1).clamp(min=0)
        last = self.config.max_position_embeddings - 1
        if self.config.overflow_position:
            return position_ids.clamp(max=last)
        if x.shape[1] > last + 1 and int(position_ids.max()) > last:
            raise PositionError(
                f"the input has positions up to {int(position_ids.max())}; the model has positions "
                f"0..{last}: shorten the input or build a longer model"
            )
        return position_ids

    def prepare_inputs_for_generation(
        self, input_ids: Any, *_: Any, attention_mask: Any = None, **__: Any
    ) -> dict[str, Any]:
        """Generation recomputes the whole prefix: exact, and there is no cache to keep."""
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    @torch.no_grad()
    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """Hugging Face's ``generate``; scores and probabilities are turned into logits first.

        With nonnegative scores as outputs, sampling (``do_sample=True``) draws each token with
        probability score / sum of scores. A prefix without continuation ends at once (EOS).
        """
        if self.config.readout != "logits":
            extra = kwargs.pop("logits_processor", None) or []
            turn = ScoresToLogits(self.config.score_floor, self.config.eos_token_id)
            kwargs["logits_processor"] = LogitsProcessorList([turn, *extra])
        return super().generate(*args, **kwargs)  # type: ignore[misc]


class ScoresToLogits(LogitsProcessor):
    """Logarithm of nonnegative scores; scores at or below ``floor`` become ``-inf``.

    A row without any score becomes certain EOS, so that sampling never meets NaN.
    """

    def __init__(self, floor: float, eos_token_id: int) -> None:
        self.floor, self.eos = floor, eos_token_id

    def __call__(
        self, input_ids: Int[Tensor, "batch position"], scores: Float[Tensor, "batch vocab"]
    ) -> Float[Tensor, "batch vocab"]:
        """Turn scores into logits."""
        del input_ids
        kept = torch.where(scores > self.floor, scores, torch.zeros_like(scores))
        logits = kept.log()
        dead = kept.sum(-1) == 0
        logits[dead, self.eos] = 0.0
        return logits


@checked(ConfigError)
def probabilities(
    scores: Float[Tensor, "*batch vocab"], floor: float = 0.0
) -> Float[Tensor, "*batch vocab"]:
    """Scores divided by their sum; scores at or below ``floor`` count as 0, zero rows stay zero.

    Raises:
        ConfigError: complex or sparse scores.

    >>> probabilities(torch.tensor([[1.0, 3.0], [0.0, 0.0]])).tolist()
    [[0.25, 0.75], [0.0, 0.0]]
    """
    if scores.is_complex() or scores.layout != torch.strided:
        raise ConfigError(f"scores are real numbers in a dense tensor; received {scores.dtype}")
    kept = torch.where(scores > floor, scores, torch.zeros_like(scores))
    total = kept.sum(-1, keepdim=True)
    return torch.where(total > 0, kept / total.where(total > 0, torch.ones_like(total)), kept)


def _require_room(config: PlainConfig) -> None:
    """Refuse, before any is made, more weights than the machine's memory holds.

    Raises:
        ConfigError: with the memory needed and available.
    """
    inner = config.num_attention_heads * config.head_dim
    block = 4 * config.hidden_size * inner + 2 * config.hidden_size * config.intermediate_size
    if config.attention_bias_table:
        block += config.num_attention_heads * config.max_position_embeddings**2
    tables = (2 * config.vocab_size + config.max_position_embeddings) * config.hidden_size
    weights = (tables + config.num_hidden_layers * block) * torch.get_default_dtype().itemsize
    refuse_large(
        ConfigError, weights + config.num_hidden_layers * _BLOCK_BYTES, available_memory(),
        f"a transformer of {config.num_hidden_layers} blocks with {config.num_attention_heads} "
        f"heads, width {config.hidden_size}, {config.intermediate_size} hidden neurons, "
        f"{config.vocab_size} words and {config.max_position_embeddings} positions",
        "ask for fewer or smaller ones",
    )  # fmt: skip


def _allowed(
    x: Tensor, mask: Tensor | None, causal: bool
) -> Bool[Tensor, "#batch 1 query key"] | None:
    """Which keys a query may see; ``None`` = all of them."""
    length = x.shape[1]
    allowed = None
    if causal:
        ones = torch.ones(length, length, dtype=torch.bool, device=x.device)
        allowed = ones.tril()[None, None]
    if mask is not None:
        real = mask.bool()[:, None, None, :]
        allowed = real.expand(-1, 1, length, -1) if allowed is None else allowed & real
    return allowed


AutoConfig.register(PlainConfig.model_type, PlainConfig)
AutoModel.register(PlainConfig, PlainTransformer)
AutoModelForCausalLM.register(PlainConfig, PlainTransformer)
