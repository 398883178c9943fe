"""Which of transformers' classes reads a checkpoint, which part of it, and what if none does."""

from typing import Any

import transformers
from torch import nn
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    MODEL_FOR_TEXT_ENCODING_MAPPING,
)

from .checkpoint import LoadError

__all__ = ["class_for", "part_of", "text_part"]


def class_for(name: str, config: Any) -> tuple[Any, str]:
    """The class that reads a checkpoint, and which part of the model has the one stream.

    A language model has one, masked where the architecture offers both. An encoder that was saved
    on its own (``T5EncoderModel``) has no language-model head and is read as it is. Of an
    encoder-decoder the encoder is read, of a model with several towers the one for text.

    Args:
        name: folder or hub id.
        config: its configuration.

    Returns:
        tuple[Any, str]: the class, a ``PreTrainedModel``, and ``"encoder"``, ``"text"``, or
        nothing where all of it is one stream.

    Raises:
        LoadError: there is none.
    """
    saved = getattr(config, "architectures", None) or []
    encoder = _found(MODEL_FOR_TEXT_ENCODING_MAPPING, config)
    if encoder is not None and encoder.__name__ in saved and _is_encoder(encoder.__name__):
        return encoder, ""
    masked = _found(MODEL_FOR_MASKED_LM_MAPPING, config)
    causal = _found(MODEL_FOR_CAUSAL_LM_MAPPING, config)
    if any("Causal" in known or "LMHead" in known for known in saved):
        kind = causal or masked
    elif getattr(config, "is_encoder_decoder", False):
        kind, whole = None, _found(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, config) or masked
        if whole is not None:
            return _saved(saved) or whole, "encoder"
    else:
        kind = masked or causal
    if kind is not None and not _has_towers(kind, config):
        return kind, ""
    whole = _found(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, config)
    if whole is not None and config.get_text_config() is not config:
        return _saved(saved) or whole, "text"
    raise LoadError(
        f"{name!r} holds {saved or type(config).__name__}, which has no causal or masked "
        "language-model class in transformers: choose an encoder or decoder language model"
    )


def part_of(model: Any, part: str, name: str) -> Any:
    """The part of a model that :func:`class_for` names.

    Raises:
        LoadError: the model has no such part.
    """
    if not part:
        return model
    if part == "encoder":
        found = model.get_encoder() if hasattr(model, "get_encoder") else None
    else:
        where = text_part(model)
        found = None if where is None else model.get_submodule(where)
    if found is model or not isinstance(found, PreTrainedModel):
        raise LoadError(
            f"{name!r} holds a {type(model).__name__}, whose part for text cannot be told from the "
            "others: choose an encoder or decoder language model"
        )
    return found


def text_part(model: nn.Module) -> str | None:
    """Name of the module that has the configuration of the text, if there is one."""
    text = model.config.get_text_config()  # type: ignore[union-attr, operator]
    for name, part in model.named_modules():
        if name and isinstance(part, PreTrainedModel) and type(part.config) is type(text):
            return str(name)
    return None


def _saved(names: list[str]) -> Any:
    """The class that was saved, where transformers has it."""
    known = [getattr(transformers, name, None) for name in names]
    return next((k for k in known if isinstance(k, type) and issubclass(k, PreTrainedModel)), None)


def _found(mapping: Any, config: Any) -> Any:
    return mapping.get(type(config), None)


def _is_encoder(name: str) -> bool:
    return name.endswith("EncoderModel")


def _has_towers(kind: Any, config: Any) -> bool:
    """Whether a class reads more than text; some read the text's part of such a configuration."""
    return kind.config_class is type(config) and config.get_text_config() is not config
