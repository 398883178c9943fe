"""What an edit at a site does to the output, and whether a norm made the stream there."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .batching import collate
from .errors import SelfCheckError
from .recompute import Sample
from .subject import Subject
from .words import Line

__all__ = ["edits", "norms"]


def edits(subject: Subject, line: Line) -> str:
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


def norms(subject: Subject, sample: Sample) -> dict[str, str]:
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
