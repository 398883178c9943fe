"""Digests of what made an activation: weights, settings, tokenizer."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

__all__ = ["fingerprint_model", "fingerprint_tokenizer", "json_digest", "with_nan"]

# Where a model was loaded from and by which version says nothing about what it computes.
_VOLATILE = {"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"}
_CHUNK = 1 << 26  # bytes handed to the digest at once


def fingerprint_model(model: nn.Module) -> str:
    """SHA-256 over every weight (name, dtype, shape, bytes) and the configuration.

    Two models with the same digest compute the same activations under the same kernel. Weights
    that are not in memory (offloaded to disk) are covered by name and shape alone.

    >>> layer = nn.Linear(2, 2)
    >>> fingerprint_model(layer) == fingerprint_model(layer)
    True
    """
    digest = hashlib.sha256()
    state = {name.replace("._original_component", ""): t for name, t in model.state_dict().items()}
    for name in sorted(state):
        tensor = state[name]
        if not isinstance(tensor, torch.Tensor):
            continue
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)};".encode())
        if tensor.device.type != "meta" and tensor.numel():
            raw = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
            for begin in range(0, len(raw), _CHUNK):
                digest.update(raw[begin : begin + _CHUNK].cpu().numpy().data)
    config = getattr(model, "config", None)
    if config is not None:
        plain = {k: v for k, v in config.to_dict().items() if k not in _VOLATILE}
        digest.update(json_digest(plain).encode())
    return digest.hexdigest()


def with_nan(model: nn.Module) -> list[str]:
    """Names of the weights that hold NaN; infinities may be meant (they forbid in attention).

    Weights in a special form (quantised, in 8 bits) or not in memory are not looked at.

    >>> layer = nn.Linear(2, 2)
    >>> _ = layer.bias.data.fill_(float("nan"))
    >>> with_nan(layer)
    ['bias']
    """
    return [
        name
        for name, tensor in model.state_dict().items()
        if type(tensor) in (torch.Tensor, nn.Parameter)
        and tensor.is_floating_point()
        and tensor.element_size() > 1
        and tensor.device.type != "meta"
        and tensor.numel()
        and bool(tensor.max().isnan())  # the largest of numbers and a NaN is NaN
    ]


def fingerprint_tokenizer(tokenizer: Any, vocabulary: Any) -> str:
    """SHA-256 of all that turns text into ids; of the vocabulary where words are tokens."""
    if vocabulary is not None:
        return json_digest(list(vocabulary))
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return json_digest(sorted(tokenizer.get_vocab().items()))
    state = json.loads(backend.to_str())
    # Padding and truncation are set per call by whoever used the tokenizer last.
    return json_digest({k: v for k, v in state.items() if k not in ("padding", "truncation")})


def json_digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON.

    >>> json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
