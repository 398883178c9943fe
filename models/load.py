"""Any model, from wherever it lies, under one type."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
)

from ..core import LinrepError
from .bridge import unwrap

__all__ = ["LoadError", "LoadedModel", "load"]

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


class LoadError(LinrepError):
    """What was given is not a model that can be loaded."""


@final
@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model with what is needed to feed it words.

    Args:
        model: the ``PreTrainedModel`` (in eval mode), or the TransformerLens bridge given.
        tokenizer: its tokenizer, or ``None``.
        vocabulary: the word of each token id where words are tokens (constructed models and those
            trained on a grammar), or ``None``.
        name: where it came from, for manifests.
    """

    model: Any
    tokenizer: PreTrainedTokenizerBase | None
    vocabulary: tuple[str, ...] | None
    name: str


def load(
    source: Any, *, dtype: torch.dtype | None = None, attention: str | None = None
) -> LoadedModel:
    """Load a model: an instance, a bridge, a local folder or a hub id.

    Weights keep the checkpoint's dtype unless ``dtype`` is given. Encoders and decoders are
    loaded with their language-model head (TransformerLens needs it); a missing head is drawn
    from a fixed seed and does not affect the residual stream. A folder without tokenizer files
    yields ``tokenizer=None`` rather than the near-empty one transformers would make up.

    Args:
        source: constructed model, ``PreTrainedModel``, ``TransformerBridge``, folder or hub id.
        dtype: dtype of the weights.
        attention: ``eager`` or ``sdpa``; default the library's choice.

    Raises:
        LoadError: not a model, not found, or of an architecture without language-model head.

    >>> load("no/such/folder/at/all")
    Traceback (most recent call last):
    ...
    linrep.models.load.LoadError: no model at 'no/such/folder/at/all': ...
    """
    if isinstance(source, LoadedModel):
        return source
    if isinstance(source, (str, Path)):
        return _from_path(str(source), dtype, attention)
    model: Any = unwrap(source)
    if isinstance(model, PreTrainedModel):
        model.eval()  # type: ignore[no-untyped-call]
        return LoadedModel(model, None, _words(model.config), type(source).__name__)
    inner = getattr(source, "original_model", None)
    if inner is not None:
        tokenizer = getattr(source, "tokenizer", None)
        return LoadedModel(source, tokenizer, _words(inner.config), type(inner).__name__)
    raise LoadError(
        f"a model is a PreTrainedModel, a TransformerBridge, a constructed model, a folder or a "
        f"hub id; received {type(source).__name__}"
    )


def _words(config: Any) -> tuple[str, ...] | None:
    words = getattr(config, "vocabulary", None)
    return tuple(words) if words else None


def _from_path(source: str, dtype: torch.dtype | None, attention: str | None) -> LoadedModel:
    path = Path(source).expanduser()
    local = path.exists()
    if local:
        _check_folder(path)
    elif source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise LoadError(
            f"no model at {source!r}: neither a folder there nor a hub id (`name` or `owner/name`)"
        )
    name = str(path) if local else source
    try:
        config = AutoConfig.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise LoadError(_unreadable(source, local, error)) from error
    options: dict[str, Any] = {} if attention is None else {"attn_implementation": attention}
    if dtype is not None:
        options["dtype"] = dtype
    model = _weights(name, config, options)
    tokenizer = None if _words(config) else _tokenizer(name, path if local else None)
    return LoadedModel(model, tokenizer, _words(config), path.name if local else source)


def _check_folder(path: Path) -> None:
    """Refuse what is not a model folder (no readable config.json with a model type).

    Raises:
        LoadError: with the reason and what to give instead.
    """
    remedy = "give the folder that `save_pretrained` wrote (config.json and model.safetensors)"
    if not path.is_dir():
        raise LoadError(f"{str(path)!r} is a file, not a model folder: {remedy}")
    file = path / "config.json"
    if not file.is_file():
        raise LoadError(f"{str(path)!r} is not a model folder, it has no config.json: {remedy}")
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LoadError(f"{str(file)!r} is not JSON ({error}): {remedy}") from error
    if not isinstance(settings, dict) or "model_type" not in settings:
        raise LoadError(f"{str(file)!r} names no model_type, so it is not a model's: {remedy}")


def _unreadable(source: str, local: bool, error: Exception) -> str:
    if local:
        reason = str(error).splitlines()[0]
        return f"the model folder {source!r} is of a kind transformers does not know: {reason}"
    return (
        f"no model {source!r}: no such folder here, and the hub does not give it out (no network, "
        "or no such model); give a folder, or the id of a model that is in the local cache"
    )


def _weights(name: str, config: Any, options: dict[str, Any]) -> PreTrainedModel:
    """The language model of this configuration; masked where the architecture offers both.

    Raises:
        LoadError: there is none, or its weights cannot be read.
    """
    wanted = list(getattr(config, "architectures", None) or [])
    causal = any("Causal" in known or "LMHead" in known for known in wanted)
    mappings: list[Any] = [MODEL_FOR_MASKED_LM_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING]
    for mapping in reversed(mappings) if causal else mappings:
        if type(config) in mapping:
            break
    else:
        raise LoadError(
            f"{name!r} holds {wanted or type(config).__name__}, which has no causal or masked "
            "language-model class in transformers: choose an encoder or decoder language model"
        )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # a missing head is drawn from here; restored by fork_rng
            model: Any = mapping[type(config)].from_pretrained(name, **options)
    except (OSError, SafetensorError) as error:
        raise LoadError(
            f"the weights of {name!r} cannot be read: {str(error).splitlines()[0]}; they are "
            "missing or damaged: save or fetch the model again, whole"
        ) from error
    evaluated: PreTrainedModel = model.eval()
    return evaluated


def _tokenizer(name: str, folder: Path | None) -> PreTrainedTokenizerBase | None:
    if folder is not None and not any((folder / file).exists() for file in _TOKENIZER_FILES):
        return None
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError):
        return None
    return tokenizer
