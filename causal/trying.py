"""Whether a short pass gives what a whole one does: tried on a few inputs before it is used."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..hooks.inputs.batching import Batch, out_of_memory, repeated
from .errors import CausalError
from .prefix import TOGETHER

__all__ = ["alike", "keeps_prefix"]

TOLERANCE = 1e-3  # of log probabilities: kernels round differently for batches of other sizes
SEEN = 1e-4  # of what moves behind an edit: float32 rounds some ten times less


def alike(first: Tensor, second: Tensor) -> bool:
    """Whether two outputs are the same but for rounding."""
    logs = [rows.clamp_min(1e-9).log() for rows in (first, second)]
    return bool((logs[0] - logs[1]).abs().max() <= TOLERANCE)


def keeps_prefix(runner: Any, batch: Batch) -> bool:
    """Whether tokens before an edit need not be run again: none of them may see it.

    Copies of the inputs differ, as edits do, and go through every block; the first and the last
    copy are read, at the first edited token and at the last one.

    Args:
        runner: of the model (a ``Runner``, which stands above this room).
        batch: two inputs, say.

    Raises:
        CausalError: memory runs out. What else a model may raise that uses its cache in another way
            is caught: such a model is run whole.
    """
    cache = runner.cache_for(batch)
    if cache is None or batch.ids.shape[1] < 2:
        return False
    try:
        return _same_behind(runner, batch, batch.ids.shape[1] // 2, cache)
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError) as error:
        if not out_of_memory(error):
            return False
        raise CausalError(
            "memory ran out while two inputs were tried: use a larger machine, or a smaller model"
        ) from error


def _same_behind(runner: Any, batch: Batch, begin: int, cache: Any) -> bool:
    first, last = "blocks.0.hook_resid_pre", f"blocks.{runner.n_layers - 1}.hook_resid_post"
    n, length = batch.ids.shape
    copies = max(2, TOGETHER // (length - begin))  # as many keys as there will be
    rows = torch.arange(2 * n).repeat(2)
    places = torch.tensor([begin, length - 1]).repeat_interleave(2 * n)
    streams, _ = runner.states(batch, (first, last), rows[:1], places[:1], cache=cache)
    prefix = runner.prefix(cache, batch, begin)
    if prefix is None:
        return False
    edited = streams[first].repeat(copies, 1, 1)
    for i, one in enumerate(edited[:, begin:]):
        one[:] = one.flip(0) * (1 + i % 3)
    ends = torch.cat([edited[:n], edited[-n:]])
    seen: dict[str, Tensor] = {}
    taps = {last: partial(seen.__setitem__, last)}
    whole = runner.whole(repeated(batch, 2), first, ends, rows, places, taps=taps)
    old = streams[last].repeat(2, 1, 1)
    moved = (seen[last] - old).norm(dim=-1) / old.norm(dim=-1)
    if not moved[:, :begin].max() <= SEEN * moved[:, begin:].max():  # a token sees later ones
        return False
    far = rows + (rows >= n) * (copies - 2) * n
    many = repeated(batch, copies)
    return alike(runner.behind(prefix, many, first, edited[:, begin:], far, places), whole)
