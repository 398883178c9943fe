"""From a capture's rows, one per word, to the positions of the model's inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ...core import checked
from ..errors import CaptureError
from ..inputs.batching import collate
from ..inputs.corpus import Texts, inputs_of
from ..reading.prepared import left_alone, prepare
from ..reading.settings import CaptureSettings
from ..store.activations import Activations

__all__ = ["Placed", "at_positions"]


@final
@dataclass(frozen=True, eq=False)
class Placed:
    """Sentences as one batch of inputs, and the activations where their words stand.

    Args:
        ids: token ids, padded on the right.
        attention_mask: 1 on real tokens.
        where: True on the token that stands for a word.
        states: per site ``[batch, position, d_model]``; zeros where ``where`` is False.
    """

    ids: Int[Tensor, "batch position"]
    attention_mask: Int[Tensor, "batch position"]
    where: Bool[Tensor, "batch position"]
    states: Mapping[str, Tensor]


@checked(CaptureError)
def at_positions(
    acts: Activations,
    model: Any,
    *,
    sentences: Sequence[int] | None = None,
    tokenizer: Any = None,
) -> Placed:
    """Bring captured rows ``[token, d_model]`` to the positions that :func:`linrep.swap` needs.

    Args:
        acts: a capture that has its corpus.
        model: as it was given to :func:`linrep.capture`; it is not run.
        sentences: indices of the sentences wanted; default all.
        tokenizer: likewise.

    Raises:
        CaptureError: no corpus, rows that are means over tokens, another tokenizer, an index
            outside the corpus, or a sentence that was read through several windows.

    >>> from linrep import capture
    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> model = initialise(PlainTransformer(PlainConfig(vocabulary=["<bos>", "a", "b"])), seed=0)
    >>> placed = at_positions(capture(model, [["a", "b"], ["b"]]), model)
    >>> placed.ids.tolist(), placed.where.tolist()
    ([[0, 1, 2], [0, 2, 0]], [[False, True, True], [False, True, False]])
    >>> placed.states["blocks.1.hook_resid_post"].shape
    torch.Size([2, 3, 16])
    """
    if acts.corpus is None:
        raise CaptureError(
            "these activations have no corpus, so their words' positions are unknown: open them "
            "with it (Activations.open(folder, corpus))"
        )
    said: Mapping[str, Any] = acts.manifest.get("settings", {})
    how = said.get("word_token", "last")
    if how == "mean":
        raise CaptureError(
            "each row is the mean over a word's tokens, which is no token's state: capture with "
            'word_token="last" or "first"'
        )
    settings = CaptureSettings.of(
        special_tokens=said.get("special_tokens", True),
        long_inputs="cut" if said.get("long_inputs") == "cut" else "window",
    )
    every = inputs_of(acts.corpus)
    chosen = list(range(len(every))) if sentences is None else [int(i) for i in sentences]
    outside = [i for i in chosen if not 0 <= i < len(every)]
    if outside or not chosen:
        raise CaptureError(
            f"sentences are indices 0..{len(every) - 1} of the corpus, at least one; received "
            f"{outside or chosen}"
        )
    with left_alone(model):
        subject = prepare(model, settings, tokenizer)
        wanted = acts.corpus.select(chosen) if isinstance(every, Texts) else None
        given = [every[i] for i in chosen] if not isinstance(every, Texts) else inputs_of(wanted)
        encoding = subject.encode(given, settings)
    before = acts.manifest.get("tokenizer", {}).get("fingerprint")
    if before not in (None, subject.tokenizer_fingerprint()):
        raise CaptureError(
            "this model has another tokenizer than the capture: give the model (and the tokenizer) "
            "that was captured"
        )
    if len(encoding.lines) != len(chosen):
        raise CaptureError(
            "a sentence is longer than the model's context, so that its words come from several "
            "windows: leave it out (sentences=...)"
        )
    batch = collate(encoding.lines, subject.path.wiring.pad_id)
    lengths = every.counts if isinstance(every, Texts) else np.array([len(s) for s in every])
    begin = (np.cumsum(lengths) - lengths)[chosen]
    moved = begin - (np.cumsum(lengths[chosen]) - lengths[chosen])  # from words here to rows there
    rows = np.concatenate([n + line.rows for n, line in zip(moved, encoding.lines, strict=True)])
    inputs = np.repeat(np.arange(len(chosen)), [len(line.rows) for line in encoding.lines])
    places = np.concatenate([x.start if how == "first" else x.stop - 1 for x in encoding.lines])
    kept = acts.kept[rows]
    return _placed(acts, batch.ids, batch.mask, rows[kept], inputs[kept], places[kept])


def _placed(
    acts: Activations,
    ids: Tensor,
    mask: Tensor,
    rows: np.ndarray,
    inputs: np.ndarray,
    places: np.ndarray,
) -> Placed:
    where = torch.zeros(ids.shape, dtype=torch.bool)
    where[inputs, places] = True
    states = {}
    for site in acts.sites:
        values = torch.from_numpy(np.array(acts[site][rows]))
        whole = torch.zeros((*ids.shape, values.shape[1]), dtype=values.dtype)
        whole[inputs, places] = values
        states[site] = whole
    return Placed(ids, mask.long(), where, MappingProxyType(states))
