"""What is said about activations: enough to know what they are and to refuse a mix."""

from importlib.metadata import version
from typing import Any

import numpy as np

from ..inputs.alignment import Encoding
from ..inputs.corpus import fingerprint_of
from ..paths.arithmetic import FasterLayers
from ..reading.prepared import PreparedModel
from ..reading.settings import CaptureSettings

__all__ = ["ARITHMETIC", "FORMAT", "describe", "differences", "word_fates"]

FORMAT = "linrep activations 1"
ARITHMETIC = "arithmetic"
"""Key of the statement who computed what the model's layers define."""


def describe(
    subject: PreparedModel, corpus: Any, encoding: Encoding, settings: CaptureSettings
) -> dict[str, Any]:
    """The identity of a capture: equal identities mean equal numbers, but for rounding."""
    model = subject.path.model
    return {
        "format": FORMAT,
        "model": {
            "name": subject.name,
            "class": type(model).__name__,
            "fingerprint": subject.fingerprint,
            "dtype": str(model.dtype).removeprefix("torch."),
            "attention": str(getattr(model.config, "_attn_implementation", None) or "its own"),
            "device": subject.device.type,
            "layers": subject.path.n_layers,
            "d_model": subject.d_model,
        },
        "tokenizer": {
            "kind": "words are tokens"
            if subject.vocabulary is not None
            else type(subject.tokenizer).__name__,
            "fingerprint": subject.tokenizer_fingerprint(),
        },
        "corpus": {"fingerprint": fingerprint_of(corpus), "words": encoding.n_words},
        "path": {"name": subject.path.name, "source": subject.path.source},
        "settings": settings.to_json(),
        "sites": list(subject.sites),
        "words": word_fates(encoding),
        "loading": {
            "drawn": list(subject.drawn),
            "unused": list(subject.unused),
            **({"quantised": subject.quantised} if subject.quantised else {}),
            **({"part": subject.part} if subject.part else {}),
        },
        "software": {
            **{name: version(name) for name in ("torch", "transformers", "transformer-lens")},
            ARITHMETIC: FasterLayers(model, subject.arithmetic).said,
        },
    }


def word_fates(encoding: Encoding) -> dict[str, Any]:
    """What became of every word; indices of those without an activation."""
    return {
        "total": encoding.n_words,
        "vanished": [int(i) for i in encoding.vanished],
        "cut": [int(i) for i in np.sort(encoding.cut)],
        "sharing_a_token": encoding.shared,
        "inputs": len(encoding.lines),
        "token_ids": encoding.n_tokens,
    }


def differences(ours: dict[str, Any], theirs: dict[str, Any], prefix: str = "") -> list[str]:
    """Where two identities differ, in words.

    How the weights were found in a file does not count: the fingerprint says what they are.

    >>> differences({"model": {"name": "a"}}, {"model": {"name": "b"}})
    ["model.name is 'a' now and was 'b'"]
    """
    found = []
    for key in sorted({*ours, *theirs} - {"loading"}):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key} is {_short(a)} now and was {_short(b)}")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
