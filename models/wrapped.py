"""What people hold a model in: a pair with its tokenizer, a pipeline, a sentence-transformer."""

from typing import Any

from torch import nn
from transformers import PreTrainedModel

__all__ = ["opened"]


def opened(source: Any) -> tuple[Any, Any]:
    """The model and the tokenizer in something that holds both; of anything else itself and none.

    Known are ``(model, tokenizer)``, pipelines of transformers, and models of sentence-transformers
    (their first module is the transformer, read before any pooling).

    Args:
        source: whatever a user calls a model.

    >>> opened(("a/folder", "a tokenizer")), opened("a/folder")
    (('a/folder', 'a tokenizer'), ('a/folder', None))
    """
    if isinstance(source, tuple) and len(source) == 2:
        return source
    inner = getattr(source, "model", None)
    home = type(source).__module__
    if isinstance(inner, PreTrainedModel) and home.startswith("transformers.pipelines"):
        return inner, getattr(source, "tokenizer", None)
    if isinstance(source, nn.Module) and _of_sentence_transformers(source):
        for part in source.children():
            for name in ("auto_model", "model"):
                found = getattr(part, name, None)
                if isinstance(found, PreTrainedModel):
                    return found, getattr(source, "tokenizer", None)
    return source, None


def _of_sentence_transformers(source: Any) -> bool:
    homes = (kind.__module__ for kind in type(source).__mro__)
    return any(home.startswith("sentence_transformers.") for home in homes)
