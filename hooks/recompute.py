"""The same activations computed in other ways, on a few short inputs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from .batching import collate
from .errors import CaptureError
from .reading import read_batch
from .sites import Site
from .subject import Subject
from .words import Encoding, Line

__all__ = ["Sample", "batched", "kernel", "reference", "singles"]

_LINES, _WIDTH = 3, 24  # lines compared, and tokens of each


@final
@dataclass(frozen=True, eq=False)
class Sample:
    """A few short inputs of unlike lengths, every token of which counts as a word."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, encoding: Encoding) -> "Sample":
        """The shortest, the middle and the longest input of an encoding, cut short.

        Raises:
            CaptureError: no input has any token.
        """
        lengths = np.array([len(line) for line in encoding.lines])
        usable = np.flatnonzero(lengths > 0)
        if len(usable) == 0:
            raise CaptureError("no sentence has any token: nothing to capture")
        # The shortest, the middle one and the longest: padding differs most between them.
        order = usable[np.argsort(lengths[usable], kind="stable")]
        picks = order[np.unique(np.linspace(0, len(order) - 1, _LINES).astype(int))]
        ids = [encoding.lines[int(i)].ids[:_WIDTH] for i in picks]
        if len({len(i) for i in ids}) == 1 and len(ids[0]) > 1:
            ids.append(ids[0][: max(1, len(ids[0]) // 2)])  # padding must occur
        lines, row = [], 0
        for one in ids:
            place = np.arange(len(one))
            lines.append(Line(one, row + place, place, place + 1))
            row += len(one)
        return cls(tuple(lines))

    @property
    def n(self) -> int:
        """Tokens in all."""
        return sum(len(line) for line in self.lines)


def singles(subject: Subject, sample: Sample) -> dict[str, Tensor]:
    """Each input alone, without padding."""
    return _collect(subject, [(line,) for line in sample.lines], sample, "right")


def batched(subject: Subject, sample: Sample, side: Literal["left", "right"]) -> dict[str, Tensor]:
    """All inputs in one padded batch."""
    return _collect(subject, [sample.lines], sample, side)


def _collect(
    subject: Subject,
    groups: Sequence[tuple[Line, ...]],
    sample: Sample,
    side: Literal["left", "right"],
) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}

    def put(site: str, rows: np.ndarray, values: Tensor) -> None:
        whole = kept.setdefault(site, torch.zeros((sample.n, values.shape[1]), dtype=torch.float64))
        whole[torch.from_numpy(rows)] = values.double().cpu()

    for lines in groups:
        batch = collate(lines, subject.path.wiring.pad_id, side)
        read_batch(subject.path, batch, subject.sites, "last", put)
    return kept


def reference(subject: Subject, sample: Sample) -> dict[str, Tensor] | str:
    """The model's own hidden states for bare ids, one input at a time."""
    streams: list[list[Tensor]] = []
    model = subject.path.model
    if "mamba" in str(model.config.model_type):
        return "skipped: the hidden_states of Mamba models begin behind the first block"
    with torch.inference_mode():
        for line in sample.lines:
            ids = torch.from_numpy(line.ids)[None].to(subject.device)
            try:
                out = model(input_ids=ids, output_hidden_states=True)
            except TypeError:
                return "skipped: the model has no output_hidden_states"
            states = getattr(out, "hidden_states", None)
            if states is None or len(states) != subject.path.n_layers + 1:
                return "skipped: the model's hidden_states are not one per block and one before"
            streams.append([state[0].double().cpu() for state in states])
    joined = [torch.cat([one[i] for one in streams]) for i in range(len(streams[0]))]
    found = {}
    for name in subject.sites:
        site = Site.parse(name)
        if site is None or site.kind == "mid":
            continue
        index = site.layer + (site.kind == "post")
        if index < subject.path.n_layers:
            found[name] = joined[index]
    return found or "skipped: of these sites hidden_states has only the last, normed by some models"


def kernel(subject: Subject, sample: Sample) -> dict[str, Tensor] | str:
    """Hidden states again under eager attention."""
    model = subject.path.model
    name = getattr(model.config, "_attn_implementation", None)
    if name in (None, "eager"):
        return "skipped: the model computes plain attention already"
    try:
        with _attention(model, "eager"):
            return singles(subject, sample)
    except (ValueError, NotImplementedError, AttributeError, ImportError) as error:
        return f"skipped: no eager attention ({str(error).splitlines()[0][:80]})"


@contextmanager
def _attention(model: Any, kernel: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(kernel)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
