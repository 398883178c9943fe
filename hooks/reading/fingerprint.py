"""Digests of what made an activation: weights, settings, tokenizer."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from ..errors import CaptureError

__all__ = ["fingerprint_model", "fingerprint_tokenizer", "json_digest", "with_nan"]

# Where a model was loaded from and by which version says nothing about what it computes.
_VOLATILE = {"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"}
MOST_GAPS = 1 << 20  # ids that no word has, in a tokenizer that is written down whole
_CHUNK = 1 << 26  # bytes handed to the digest at once


def fingerprint_model(model: nn.Module) -> str:
    """SHA-256 over every weight (name, dtype, shape, bytes) and the configuration.

    Two models with the same digest compute the same activations under the same kernel. Weights
    that are not in memory (offloaded to disk) are covered by name and shape alone; quantised ones
    by the tensors that they are made of.

    Raises:
        CaptureError: a weight is of a kind whose bytes nobody can read.

    >>> layer = nn.Linear(2, 2)
    >>> fingerprint_model(layer) == fingerprint_model(layer)
    True
    """
    digest = hashlib.sha256()
    state = {name.replace("._original_component", ""): t for name, t in model.state_dict().items()}
    parts = [part for whole in sorted(state) for part in _parts(whole, state[whole])]
    for name, tensor, form in parts:
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)};{form}".encode())
        if not form and tensor.device.type != "meta" and tensor.numel():
            raw = _raw(name, tensor)
            for begin in range(0, len(raw), _CHUNK):
                digest.update(raw[begin : begin + _CHUNK].cpu().numpy().data)
    config = getattr(model, "config", None)
    if config is not None:
        plain = {k: v for k, v in config.to_dict().items() if k not in _VOLATILE}
        digest.update(json_digest(plain).encode())
    return digest.hexdigest()


def _parts(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor, str]]:
    """A weight, or the tensors that one in a special form is made of, each with its name.

    The form is text: how the parts make the whole; it is empty for a plain tensor.
    """
    if not isinstance(value, torch.Tensor):
        return
    if type(value) is nn.Parameter or not hasattr(value, "__tensor_flatten__"):
        yield name, value, ""
        return
    names, context = value.__tensor_flatten__()
    # What is said of objects may tell where they lie in memory, which says nothing of the weight.
    yield name, value, f"{type(value).__name__} {re.sub(' at 0x[0-9a-f]+', '', str(context))};"
    for part in names:
        yield from _parts(f"{name}.{part}", getattr(value, part))


def _raw(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The bytes of a tensor.

    Raises:
        CaptureError: they cannot be read.
    """
    try:
        return tensor.detach().contiguous().reshape(-1).view(torch.uint8)
    except (RuntimeError, TypeError) as error:  # NotImplementedError is a RuntimeError
        raise CaptureError(
            f"the weight {name} is a {type(tensor).__name__}, whose bytes cannot be read "
            f"({str(error).splitlines()[0]:.100}): bring it into an ordinary form, "
            "weight.dequantize() say, or take the model before it was quantised"
        ) from None


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
    words = tokenizer.get_vocab()
    # What writes a tokenizer down counts up to its largest id: one of 10**9 takes half a minute.
    if backend is None or max(words.values(), default=0) > MOST_GAPS + 2 * len(words):
        return json_digest(sorted(words.items()))
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
