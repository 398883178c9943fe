"""Kinds of models that cannot be read as they are, each with the way to one that can."""

import inspect
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from ...models.kinds import text_part
from ..errors import CaptureError

__all__ = ["refuse_kinds"]

_DYNAMIC = ("torch.ao.nn.quantized.dynamic", "torch.nn.quantized.dynamic")


def refuse_kinds(model: nn.Module) -> None:
    """Refuse what has no single stream of its own, or none that depends on one input alone.

    Raises:
        CaptureError: two streams, several towers, quantised per batch, or shared blocks.
    """
    config: Any = model.config
    name = type(model).__name__
    if _has_decoder(model):
        encoder = "its encoder (`model.get_encoder()`) or " if _has_encoder(model) else ""
        raise CaptureError(
            f"{name} belongs to an encoder-decoder, whose two streams share no site names: pass "
            f"{encoder}a decoder-only model, or an encoder such as BERT"
        )
    text = _text_config(config)
    if text is not config and not getattr(config, "is_encoder_decoder", False):
        tower = text_part(model)
        raise CaptureError(
            f"{name} has towers for more than text, each with a stream of its own: pass the one "
            + (f"for text, `model.{tower}`" if tower else "for text")
            + ", and the tokenizer"
        )
    if any(type(part).__module__.startswith(_DYNAMIC) for part in model.modules()):
        raise CaptureError(
            f"{name} was quantised dynamically: it rounds each batch by the largest number in it, "
            "so that an activation depends on the other inputs of its batch; pass the model as it "
            "was before `quantize_dynamic`"
        )
    if getattr(config, "num_hidden_groups", None):
        raise CaptureError(
            f"{name} applies the same {config.num_hidden_groups} group(s) of weights "
            f"{config.num_hidden_layers} times, so that its blocks cannot be told apart: give a "
            "model whose blocks have weights of their own, such as BERT"
        )


def _has_decoder(model: nn.Module) -> bool:
    """Whether this is an encoder-decoder, or the decoder taken out of one."""
    if "decoder_input_ids" in inspect.signature(model.forward).parameters:
        return True
    if not getattr(model.config, "is_encoder_decoder", False):
        return False
    encoder = "Encoder" in type(model).__name__ or getattr(model, "is_decoder", None) is False
    return not encoder


def _has_encoder(model: nn.Module) -> bool:
    """Whether its encoder can be passed: it is a model with a configuration of its own."""
    try:
        return isinstance(model.get_encoder(), PreTrainedModel)  # type: ignore[operator]
    except Exception:  # some have none, or none that is given out
        return False


def _text_config(config: Any) -> Any:
    """The part of a configuration that is about text: all of it, where there is nothing else."""
    try:
        return config.get_text_config()
    except (AttributeError, ValueError):  # not of transformers' own kind, or several such parts
        return config
