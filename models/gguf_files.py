"""GGUF files as models: their weights are quantised, and read as the numbers they stand for."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from .checkpoint import LoadError, explained

__all__ = ["read_gguf"]

WHAT = "the GGUF file {!r} cannot be read"
REMEDY = "give a whole GGUF file of a causal language model that transformers knows"


def read_gguf(file: Path, dtype: torch.dtype | None, attention: str | None) -> tuple[Any, Any, str]:
    """The model in a GGUF file, its tokenizer, and how its weights were quantised, in words.

    Args:
        file: ending in .gguf.
        dtype: of the weights; by default float32.
        attention: ``eager`` or ``sdpa``; default the library's choice.

    Raises:
        LoadError: it is no such file, or the package ``gguf`` is not installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        package = import_module("gguf")
    except ImportError:
        raise LoadError(
            f"{str(file)!r} is read by the package gguf, which is not installed: pip install gguf"
        ) from None
    how: dict[str, Any] = {"gguf_file": file.name}
    options = {} if attention is None else {"attn_implementation": attention}
    with explained(WHAT.format(str(file)), REMEDY):
        kinds = Counter(tensor.tensor_type.name for tensor in package.GGUFReader(file).tensors)
        read = AutoModelForCausalLM.from_pretrained(str(file.parent), **how, **options)
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **how)
        config = read.config
        if hasattr(config, "quantization_config"):  # the weights are plain numbers by now
            del config.quantization_config
        model: Any = type(read)(config)
        model.load_state_dict(read.state_dict())
    told = ", ".join(f"{count} {name}" for name, count in kinds.most_common())
    ready = model.to(dtype or torch.float32).eval()
    return ready, tokenizer, f"GGUF, read as the numbers that they stand for: tensors {told}"
