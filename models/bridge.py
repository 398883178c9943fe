"""From any supported model to a TransformerLens bridge."""

import copy
from typing import Any

from transformers import PreTrainedModel

from ..core import LinrepError, checked
from .wrapped import opened

__all__ = ["BridgeError", "to_bridge", "unwrap"]


class BridgeError(LinrepError):
    """TransformerLens does not know this architecture."""


def unwrap(model: Any) -> Any:
    """The ``PreTrainedModel`` inside whatever holds one; anything else as it is.

    Args:
        model: a constructed or compiled model, ``(model, tokenizer)``, a pipeline, a model of
            sentence-transformers.
    """
    model, _ = opened(model)
    model = getattr(model, "_orig_mod", model)  # torch.compile keeps the model under this name
    if isinstance(model, PreTrainedModel) or hasattr(model, "original_model"):
        return model  # the ``model`` of a bridge, where there is one, is the body of what it wraps
    inner = getattr(model, "model", None)
    if isinstance(inner, PreTrainedModel):
        return inner
    return model


@checked(BridgeError)
def to_bridge(model: Any, *, keep: bool = True) -> Any:
    """Wrap a model for TransformerLens: same weights, same logits, sites by its names.

    The bridge is native (nothing folded, nothing re-centred) and has no tokenizer: pass token ids
    and an attention mask. TransformerLens replaces submodules of the model it wraps, after which
    that object can no longer be saved; so a copy (in eval mode) is wrapped unless ``keep`` is
    false.

    Args:
        model: a plain, constructed or pretrained model, or a bridge (returned as it is).
        keep: leave ``model`` untouched (costs one copy of the weights).

    Raises:
        BridgeError: TransformerLens has no adapter for the architecture.

    >>> from linrep.models import PlainConfig, PlainTransformer
    >>> bridge = to_bridge(PlainTransformer(PlainConfig(vocab_size=5, num_hidden_layers=1)))
    >>> "blocks.0.hook_resid_post" in bridge.hook_dict
    True
    """
    from transformer_lens.model_bridge import TransformerBridge
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    from . import adapter  # registers the plain transformer

    if isinstance(model, TransformerBridge):
        return model
    inner = unwrap(model)
    name = type(inner).__name__
    if not isinstance(inner, PreTrainedModel):
        raise BridgeError(
            f"a model to be bridged is a Hugging Face PreTrainedModel; received {name}"
        )
    wrapped: Any = copy.deepcopy(inner) if keep else inner
    if keep:
        wrapped.eval()
    try:
        return build_bridge_from_module(wrapped, name, hf_config=inner.config, tokenizer=None)
    except (ValueError, ImportError) as error:  # no adapter, or a package that one needs
        raise BridgeError(
            f"TransformerLens cannot wrap {name}: {str(error).splitlines()[0]} "
            f"(it knows {adapter.ARCHITECTURE}, "
            "BertForMaskedLM, GPT2LMHeadModel, LlamaForCausalLM and others): load the class with "
            "a language-model head, or capture with forward hooks"
        ) from error
