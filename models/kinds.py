"""Which of transformers' classes reads a checkpoint, and what to do where none does."""

from typing import Any

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    MODEL_FOR_TEXT_ENCODING_MAPPING,
)

from .checkpoint import LoadError

__all__ = ["class_for"]


def class_for(name: str, config: Any) -> Any:
    """The class with one stream: a language model, masked where the architecture offers both.

    An encoder that was saved on its own (``T5EncoderModel``) has no language-model head and is
    read as it is.

    Args:
        name: folder or hub id.
        config: its configuration.

    Returns:
        Any: the class, a ``PreTrainedModel``.

    Raises:
        LoadError: there is none; with the way to the part that can be read.
    """
    saved = getattr(config, "architectures", None) or []
    encoder = _found(MODEL_FOR_TEXT_ENCODING_MAPPING, config)
    if encoder is not None and encoder.__name__ in saved and _is_encoder(encoder.__name__):
        return encoder
    masked = _found(MODEL_FOR_MASKED_LM_MAPPING, config)
    causal = _found(MODEL_FOR_CAUSAL_LM_MAPPING, config)
    if any("Causal" in known or "LMHead" in known for known in saved):
        kind = causal or masked
    elif getattr(config, "is_encoder_decoder", False):
        kind = masked  # the causal class would be its decoder, alone
    else:
        kind = masked or causal
    if kind is None or _has_towers(kind, config):
        raise LoadError(_instead(name, config, saved))
    return kind


def _found(mapping: Any, config: Any) -> Any:
    return mapping.get(type(config), None)


def _is_encoder(name: str) -> bool:
    return name.endswith("EncoderModel")


def _has_towers(kind: Any, config: Any) -> bool:
    """Whether a class reads more than text; some read the text's part of such a configuration."""
    return kind.config_class is type(config) and config.get_text_config() is not config


def _instead(name: str, config: Any, saved: list[str]) -> str:
    """Why there is no class, and what to do."""
    for mapping, auto, part, getter, streams in (
        (MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, "AutoModelForSeq2SeqLM", "encoder", "encoder",
         "an encoder-decoder, which has two streams"),
        (MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, "AutoModelForImageTextToText", "part for text",
         "decoder", "towers for more than text, each with a stream of its own"),
    ):  # fmt: skip
        if type(config) in mapping:
            return (
                f"{name!r} holds {streams}: load its {part} in Python, "
                f"`{auto}.from_pretrained({name!r}).get_{getter}()`, and pass that instance and "
                "tokenizer=, or choose an encoder or decoder language model"
            )
    return (
        f"{name!r} holds {saved or type(config).__name__}, which has no causal or masked "
        "language-model class in transformers: choose an encoder or decoder language model"
    )
