"""What the model does with the stream: edits, norms, and whether tokens see what follows them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import SelfCheckError
from ..inputs.alignment import Line
from ..inputs.batching import collate
from ..reading.loop import read_batch
from ..reading.prepared import PreparedModel
from ..reading.words import Words
from .recompute import CheckedInputs

__all__ = ["edits", "norms", "sees_next"]

TOLERANCE_OF_SIGHT = 1e-3
"""Relative change of the earlier tokens that is no rounding: masks let nothing through, and
float16 sums of other lengths differ by less."""


def edits(subject: PreparedModel, line: Line) -> str:
    """One batch of equal inputs, of which input k is edited at site k; input 0 nowhere.

    Raises:
        SelfCheckError: an edit has no effect.
    """
    path, sites = subject.path, subject.sites
    short = Line(line.ids[:8], line.rows[:0], line.start[:0], line.stop[:0])
    batch = collate([short] * (len(sites) + 1), subject.path.wiring.pad_id)
    generator = torch.Generator().manual_seed(0)

    def edit(k: int) -> Callable[[Tensor], Tensor]:
        def change(stream: Tensor) -> Tensor:
            noise = torch.randn(stream.shape[1:], generator=generator, dtype=torch.float64)
            size = stream[k].double().norm() / noise.norm() + 1e-3
            changed = stream.clone()
            changed[k] += (noise.to(stream.device) * size).to(stream.dtype)
            return changed

        return change

    taps = {site: edit(k + 1) for k, site in enumerate(sites)}
    with torch.inference_mode(), path.attach(taps):
        output = _tensor(path.forward(batch)).double()
    for k, site in enumerate(sites):
        if not bool((output[k + 1] != output[0]).any()):
            raise SelfCheckError(
                f"self-check 'edit' failed at {site}: a change there does not change the model's "
                "output. Likely cause: what is read there is a copy beside the stream"
            )
    return "passed"


def _tensor(output: Any) -> Tensor:
    if isinstance(output, Tensor):
        return output
    first: Tensor = output[0]
    return first


def norms(subject: PreparedModel, sample: CheckedInputs) -> dict[str, str]:
    """Whether the stream at each site is some norm's output, found by comparing tensors."""
    batch = collate(sample.lines[:1], subject.path.wiring.pad_id)
    outputs: list[Tensor] = []
    found: dict[str, str] = {}

    def after(_: Any, __: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            outputs.append(output)

    def tap(site: str) -> Callable[[Tensor], None]:
        def see(stream: Tensor) -> None:
            normed = any(o.shape == stream.shape and torch.equal(o, stream) for o in outputs)
            found[site] = "norm applied" if normed else "no norm applied"

        return see

    handles = [
        module.register_forward_hook(after)
        for module in subject.path.model.modules()
        if "norm" in type(module).__name__.lower()
    ]
    try:
        taps = {site: tap(site) for site in subject.sites}
        with torch.inference_mode(), subject.path.attach(taps, stop=True):
            subject.path.forward(batch)
    finally:
        for handle in handles:
            handle.remove()
    return {site: found.get(site, "not seen") for site in subject.sites}


def sees_next(subject: PreparedModel, sample: CheckedInputs) -> bool:
    """Whether a token's activation changes when the token after it does.

    Measured on the longest input of the sample, of which every other token is put in the place of
    the last. An input of one token tells nothing: then the answer is yes, which asks more of a
    probe.
    """
    line = max(sample.lines, key=len)
    others = np.unique(np.concatenate([each.ids for each in sample.lines]))
    others = others[others != line.ids[-1]]
    if len(line) < 2 or not len(others):
        return True
    changed = np.concatenate([line.ids[:-1], others[:1]])
    place = np.arange(len(line))
    seen: list[dict[str, Tensor]] = []
    for ids in (line.ids, changed):
        kept: dict[str, Tensor] = {}

        def put(site: str, _: Words, values: Tensor, kept: dict[str, Tensor] = kept) -> None:
            kept[site] = values.double()

        batch = collate([Line(ids, place, place, place + 1)], subject.path.wiring.pad_id)
        read_batch(subject.path, batch, subject.sites, "last", put)
        seen.append(kept)
    before, after = seen
    limit = TOLERANCE_OF_SIGHT
    return any(
        float((before[site][:-1] - after[site][:-1]).norm())
        > limit * float(before[site][:-1].norm())
        for site in subject.sites
    )
