"""What other tools captured, as activations: TransformerLens caches, Hugging Face states."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...core import checked
from ...core.arguments import shown
from ...core.arrays import as_mask
from ..errors import CaptureError
from ..paths.sites import EMBEDDING, Site
from .activations import Activations, read_rows

__all__ = ["from_cache", "from_hidden_states"]

# TransformerLens's canonical names of the residual stream, and the names used here.
_CANONICAL = {"hook_in": "pre", "hook_out": "post", "ln2.hook_in": "mid"}


@checked(CaptureError)
def from_cache(cache: Any, keep: Any, corpus: Any = None) -> Activations:
    """The residual stream out of a TransformerLens cache (``run_with_cache``).

    Args:
        cache: an ``ActivationCache``, or a mapping from names to ``[batch, position, d_model]``;
            both of TransformerLens's spellings are understood, other places are left alone.
        keep: ``[batch, position]`` bool, True at the token that stands for each word: no BOS, no
            special token, no padding.
        corpus: the corpus, one word per kept token, in order.

    Raises:
        CaptureError: no residual site in it, or shapes that do not fit.

    >>> import numpy as np
    >>> acts = from_cache({"blocks.0.hook_out": np.ones((1, 3, 4))}, [[False, True, True]])
    >>> acts.sites, len(acts)
    (('blocks.0.hook_resid_post',), 2)
    """
    if not hasattr(cache, "items"):
        raise CaptureError(
            "a cache is what run_with_cache returns, or a mapping from names to arrays; received "
            f"{shown(cache)}"
        )
    found: dict[str, Any] = {}
    for name, tensor in cache.items():
        site = _site(name) if isinstance(name, str) else None
        if site is not None:
            found.setdefault(site.name, tensor)
    if not found:
        raise CaptureError(
            f"the cache holds no residual stream, only {sorted(map(str, cache))[:4]}...: run with "
            'names_filter=lambda n: n.endswith(("hook_in", "hook_out"))'
        )
    return _kept(found, keep, corpus, "TransformerLens cache")


@checked(CaptureError)
def from_hidden_states(
    states: Sequence[Any],
    keep: Any,
    corpus: Any = None,
    *,
    last: Literal["normed", "stream"] | str,
) -> Activations:
    """The residual stream out of Hugging Face's ``output_hidden_states=True``.

    Args:
        states: one ``[batch, position, d_model]`` before the first block and one after each.
        keep: ``[batch, position]`` bool, True at the token that stands for each word.
        corpus: the corpus, one word per kept token, in order.
        last: what the last entry is. ``normed``: it went through the model's final norm (GPT-2,
            Llama and most decoders), so it is named ``ln_final.hook_out`` and not taken for the
            last block's output; ``stream``: it did not (BERT).

    Raises:
        CaptureError: shapes that do not fit.

    >>> import numpy as np
    >>> states = [np.zeros((1, 2, 4))] * 3
    >>> from_hidden_states(states, [[False, True]], last="normed").sites[1:]
    ('blocks.0.hook_resid_post', 'ln_final.hook_out')
    """
    if last not in ("normed", "stream"):
        raise CaptureError(f"last is 'normed' or 'stream'; received {last!r}")
    if not isinstance(states, Sequence) or isinstance(states, str) or len(states) < 2:
        raise CaptureError(
            "hidden states are a sequence of arrays, one before the first block and one after "
            f"each; received {type(states).__name__}"
        )
    names = [EMBEDDING, *(Site(i, "post").name for i in range(len(states) - 1))]
    if last == "normed":
        names[-1] = "ln_final.hook_out"
    named = dict(zip(names, states, strict=True))
    return _kept(named, keep, corpus, "Hugging Face hidden_states")


def _site(name: str) -> Site | None:
    parsed = Site.parse(name)
    canonical = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
    if parsed is None and canonical is not None and canonical[2] in _CANONICAL:
        return Site.parse(f"blocks.{canonical[1]}.hook_resid_{_CANONICAL[canonical[2]]}")
    return parsed


def _kept(tensors: Mapping[str, Any], keep: Any, corpus: Any, source: str) -> Activations:
    mask = as_mask(keep, "keep is a mask [batch, position]", CaptureError, ndim=2)
    arrays = {}
    for name, tensor in tensors.items():
        whole = read_rows(name, tensor)
        if whole.ndim == 2 and len(mask) == 1:
            whole = whole[None]  # a cache without its batch axis
        if whole.shape[:2] != mask.shape:
            raise CaptureError(
                f"{name} has shape {whole.shape}, keep {mask.shape}: expected "
                "[batch, position, d_model] and [batch, position]"
            )
        arrays[name] = whole[mask]
    return Activations.from_arrays(arrays, corpus, manifest={"source": source})
