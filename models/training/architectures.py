"""The models that can be trained: the plain transformer, GPT-2 and Llama, words as tokens."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
)

from ...core.options import refuse_unknown
from ..config import PlainConfig
from ..transformer import PlainTransformer
from ..twin import initialise
from .errors import TrainingError
from .settings import Training

__all__ = ["build", "shape_fields", "shape_of"]

_CONFIGS: dict[str, Any] = {"plain": PlainConfig, "gpt2": GPT2Config, "llama": LlamaConfig}
_MODELS: dict[str, Any] = {"gpt2": GPT2LMHeadModel, "llama": LlamaForCausalLM}
_OURS = ("vocab_size", "vocabulary", "linrep", "self", "kwargs", "dtype", "transformers_version")
_NO_DROPOUT = {
    "gpt2": dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0),
    "llama": {"attention_dropout": 0.0},
}


def shape_fields(architecture: str) -> tuple[str, ...]:
    """Names of the fields of an architecture's configuration that may be chosen.

    >>> "hidden_size" in shape_fields("gpt2"), "mlp" in shape_fields("plain")
    (True, True)
    """
    kind = _CONFIGS[architecture]
    own = inspect.signature(inspect.unwrap(kind.__init__)).parameters
    general = inspect.signature(PretrainedConfig.__init__).parameters
    aliases = getattr(kind, "attribute_map", {})
    return tuple(name for name in (*own, *general, *aliases) if name not in _OURS)


def shape_of(training: Training, longest: int) -> dict[str, Any]:
    """The fields of a configuration: those chosen, and small defaults.

    Args:
        training: what was asked for.
        longest: positions that the language needs.

    Raises:
        TrainingError: no such field, or a dropout, which would make every training another.
    """
    architecture = training.architecture
    aliases = getattr(_CONFIGS[architecture], "attribute_map", {})
    named = {own: general for general, own in aliases.items()}
    chosen = {named.get(name, name): value for name, value in (training.shape or {}).items()}
    refuse_unknown(
        f"the shape of {architecture}", chosen, shape_fields(architecture), TrainingError
    )
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads")
    defaults: dict[str, Any] = {name: getattr(training, name) for name in sizes}
    inner = "n_inner" if architecture == "gpt2" else "intermediate_size"
    defaults[inner] = training.intermediate_size or 4 * training.hidden_size
    defaults["max_position_embeddings"] = longest
    if architecture == "plain":
        defaults |= {"mlp": "gelu", "layer_norm": True}
    else:
        defaults |= {"tie_word_embeddings": False} | _NO_DROPOUT[architecture]
    shape = defaults | chosen
    for name in _NO_DROPOUT.get(architecture, ()):
        if shape[name]:
            raise TrainingError(
                f"{name} is 0: a training with dropout would not be the same twice; received "
                f"{shape[name]}"
            )
    return shape


def build(
    architecture: str, vocabulary: Sequence[str], shape: Mapping[str, Any], seed: int
) -> PreTrainedModel:
    """A model with random weights from a seed; torch's global generator is left as it was.

    Raises:
        TrainingError: transformers refuses the shape.
    """
    words = list(vocabulary)
    if architecture == "plain":
        plain: PreTrainedModel = initialise(
            PlainTransformer(PlainConfig(vocabulary=words, **shape)), seed
        )
        return plain
    ends = {"bos_token_id": 0, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # restored by fork_rng
        try:
            config = _CONFIGS[architecture](vocab_size=len(words), **shape, **ends)
            config.vocabulary = words
            model: PreTrainedModel = _MODELS[architecture](config)
        except Exception as error:  # whatever transformers thinks of the shape, it is the user's
            said = " ".join(str(error).split())
            raise TrainingError(
                f"transformers makes no {architecture} of this shape ({said:.300}): change it"
            ) from error
    return model
