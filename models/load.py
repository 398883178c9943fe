"""Any model, from wherever it lies, under one type."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import torch
import transformers
from transformers import AutoConfig, PreTrainedModel, PreTrainedTokenizerBase

from ..core import as_path
from ..core.paths import folder_name
from .bridge import unwrap
from .checkpoint import LoadError, custom_code, explained, read_checkpoint
from .gguf_files import read_gguf
from .kinds import class_for, part_of
from .tokenizers import read_tokenizer
from .wrapped import opened

__all__ = ["LoadError", "LoadedModel", "load"]

PARTS = {"encoder": "encoder", "text": "part for text"}


@final
@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model with what is needed to feed it words.

    Args:
        model: the ``PreTrainedModel`` (from a folder in eval mode, an instance as it is), or the
            TransformerLens bridge given.
        tokenizer: its tokenizer, or ``None``.
        vocabulary: the word of each token id where words are tokens (constructed models and those
            trained on a grammar), or ``None``.
        name: where it came from, for manifests.
        drawn: weights of the language-model head that a folder lacks, drawn from a fixed seed.
        unused: weights in a folder that the model has no place for.
        no_tokenizer: why the tokenizer of a folder cannot be used; empty if it can, or none is
            there.
        quantised: how the weights of a file were quantised, in words; empty if they were not.
        part: which part of what lies there this is, in words; empty if it is all of it.
    """

    model: Any
    tokenizer: PreTrainedTokenizerBase | None
    vocabulary: tuple[str, ...] | None
    name: str
    drawn: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    no_tokenizer: str = ""
    quantised: str = ""
    part: str = ""


def load(
    source: Any, *, dtype: torch.dtype | None = None, attention: str | None = None
) -> LoadedModel:
    """Load a model: an instance, a bridge, a local folder, a GGUF file or a hub id.

    So are ``(model, tokenizer)``, pipelines of transformers and models of sentence-transformers,
    with the tokenizer that they hold.

    Weights keep the checkpoint's dtype unless ``dtype`` is given. Encoders and decoders are
    loaded with their language-model head (TransformerLens needs it), except those that never had
    one (``T5EncoderModel``); a missing head is drawn from a fixed seed and does not affect the
    residual stream. Of a folder with an encoder-decoder the encoder is read, of one with several
    towers the one for text, and ``part`` says so. Any other missing weight is an error. Python
    code that comes with a model is never run. A folder without tokenizer files yields
    ``tokenizer=None`` rather than the near-empty one transformers would make up.

    Args:
        source: constructed model, ``PreTrainedModel``, ``TransformerBridge``, folder, GGUF file or
            hub id, or what holds a model and its tokenizer.
        dtype: dtype of the weights.
        attention: ``eager`` or ``sdpa``; default the library's choice.

    Raises:
        LoadError: not a model, not found, damaged, in need of its own Python code, or of an
            architecture without language-model head.

    >>> load("no/such/folder/at/all")
    Traceback (most recent call last):
    ...
    linrep.models.checkpoint.LoadError: no model at 'no/such/folder/at/all': ...
    """
    if isinstance(source, LoadedModel):
        return source
    held, tokenizer = opened(source)
    if held is not source:
        found = load(held, dtype=dtype, attention=attention)
        return found if tokenizer is None else replace(found, tokenizer=tokenizer, vocabulary=None)
    if isinstance(source, (str, Path)):
        return _from_path(str(source), dtype, attention)
    model: Any = unwrap(source)
    if isinstance(model, PreTrainedModel):
        made = source if getattr(source, "model", None) is model else model
        return LoadedModel(model, None, _words(model.config), type(made).__name__)
    inner = getattr(source, "original_model", None)
    if inner is not None:
        tokenizer = getattr(source, "tokenizer", None)
        return LoadedModel(source, tokenizer, _words(inner.config), type(inner).__name__)
    raise LoadError(
        "a model is a PreTrainedModel, a TransformerBridge, a constructed model, a folder, a GGUF "
        "file or a hub id, a pair (model, tokenizer), a pipeline or a model of "
        f"sentence-transformers; received {type(source).__name__}"
    )


def _words(config: Any) -> tuple[str, ...] | None:
    words = getattr(config, "vocabulary", None)
    return tuple(words) if words else None


def _from_path(source: str, dtype: torch.dtype | None, attention: str | None) -> LoadedModel:
    path = as_path(source)
    local = path.exists()
    if path.is_file() and path.suffix == ".gguf":
        model, tokenizer, quantised = read_gguf(path, dtype, attention)
        return LoadedModel(model, tokenizer, None, path.name, quantised=quantised)
    if local:
        _check_folder(path)
    elif source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise LoadError(
            f"no model at {source!r}: neither a folder there nor a hub id (`name` or `owner/name`)"
        )
    name = str(path) if local else source
    config = _config(name, source, path if local else None)
    options: dict[str, Any] = {} if attention is None else {"attn_implementation": attention}
    if dtype is not None:
        options["dtype"] = dtype
    kind, part = class_for(name, config)
    read = read_checkpoint(name, kind, config, options)
    words = _words(config)
    tokenizer, reason = (None, "") if words else read_tokenizer(name, path if local else None)
    return LoadedModel(
        model=part_of(read.model, part, name),
        tokenizer=tokenizer,
        vocabulary=words,
        name=folder_name(path) if local else source,
        drawn=read.drawn,
        unused=read.unused,
        no_tokenizer=reason,
        part=part and f"the {PARTS[part]} of {kind.__name__}",
    )


def _check_folder(path: Path) -> None:
    """Refuse what is not a model folder (no readable config.json with a model type).

    Raises:
        LoadError: with the reason and what to give instead.
    """
    remedy = "give the folder that `save_pretrained` wrote (config.json and model.safetensors)"
    if not path.is_dir():
        raise LoadError(f"{str(path)!r} is a file, not a model folder: {remedy}")
    file = path / "config.json"
    if not file.is_file() and (packed := sorted(path.glob("*.gguf"))):
        raise LoadError(
            f"{str(path)!r} holds GGUF files and no config.json: give one of them, "
            f"{str(packed[0])!r}"
        )
    if not file.is_file():
        remedy = _instead(path) or remedy
        raise LoadError(f"{str(path)!r} is not a model folder, it has no config.json: {remedy}")
    try:
        settings = json.loads(file.read_text(encoding="utf-8"), parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{str(file)!r} is not JSON ({error}): {remedy}") from error
    except OSError as error:
        raise LoadError(f"{str(file)!r} cannot be read ({error.strerror}): {remedy}") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("model_type"), str):
        raise LoadError(f"{str(file)!r} names no model_type, so it is not a model's: {remedy}")


def _instead(path: Path) -> str | None:
    """What to do about a folder of linrep's own that is no model's: a training, or models in it."""
    if (path / "training.json").is_file():
        return (
            "it holds a training and no finished model; repeat the `linrep train` command that "
            "made it with --resume, or give one of its checkpoints"
        )
    inside = sorted(file.parent.name for file in path.glob("*/config.json"))
    if inside:
        others = f" (or another of the {len(inside)})" if inside[1:] else ""
        return f"it has model folders in it; give {str(path / inside[0])!r}{others}"
    return None


def _constant(name: str) -> float:
    """Infinity is a bound in some configurations; a NaN is no setting.

    Raises:
        ValueError: NaN.
    """
    if name == "NaN":
        raise ValueError("it holds NaN, which is no setting")
    return float(name)


def _config(name: str, source: str, folder: Path | None) -> Any:
    """The configuration of a folder or hub id.

    Raises:
        LoadError: it cannot be read, or needs Python code that comes with the model.
    """

    def known(error: Exception) -> LoadError | None:
        if "custom code" in str(error):
            return LoadError(custom_code(source, "model", "AutoModel"))
        if folder is None and isinstance(error, OSError):
            return LoadError(
                f"no model {source!r}: no such folder here, and the hub does not give it out (no "
                "network, or no such model); give a folder, or the id of a model that is in the "
                "local cache"
            )
        return None

    what = f"{source!r} is of a kind transformers does not know, or its config.json is damaged"
    with explained(what, "give another model, or restore config.json", known):
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        for setting in ("architectures", "vocabulary"):
            names = getattr(config, setting, None)
            if names and not (isinstance(names, list) and all(isinstance(n, str) for n in names)):
                raise LoadError(
                    f"{setting} in the config.json of {source!r} is {names!r:.60}, expected a list "
                    "of names: restore config.json"
                )
    own = getattr(config, "auto_map", None)
    wanted = getattr(config, "architectures", None) or []
    if own and wanted and not any(hasattr(transformers, known) for known in wanted):
        raise LoadError(custom_code(source, "model", "AutoModel"))
    return config
