"""The same activations computed in other ways, on a few short inputs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import CaptureError
from ..inputs.alignment import Encoding, Line
from ..inputs.batching import collate
from ..paths.arithmetic import FasterLayers
from ..paths.module_path import ModulePath
from ..paths.path import Tap, model_running
from ..paths.sites import Site
from ..reading.loop import read_batch
from ..reading.prepared import PreparedModel
from ..reading.words import Words

__all__ = [
    "CheckedInputs",
    "batched",
    "kernel",
    "own_arithmetic",
    "reference",
    "singles",
    "with_stream",
]

_AROUND = ("pre", "post")
_LINES, _WIDTH = 3, 24  # lines compared, and tokens of each


@final
@dataclass(frozen=True, eq=False)
class CheckedInputs:
    """A few short inputs of unlike lengths, every token of which counts as a word."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, encoding: Encoding) -> "CheckedInputs":
        """The shortest, the middle and the longest input of an encoding, cut short.

        Raises:
            CaptureError: no input has any token.
        """
        lengths = np.array([len(line) for line in encoding.lines])
        usable = np.flatnonzero(lengths > 0)
        if len(usable) == 0:
            raise CaptureError(
                "no sentence has any token, so there is nothing to check: give sentences with words"
            )
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


def singles(subject: PreparedModel, sample: CheckedInputs) -> dict[str, Tensor]:
    """Each input alone, without padding."""
    return _collect(subject, [(line,) for line in sample.lines], sample, "right")


def batched(
    subject: PreparedModel, sample: CheckedInputs, side: Literal["left", "right"]
) -> dict[str, Tensor]:
    """All inputs in one padded batch."""
    return _collect(subject, [sample.lines], sample, side)


def _collect(
    subject: PreparedModel,
    groups: Sequence[tuple[Line, ...]],
    sample: CheckedInputs,
    side: Literal["left", "right"],
) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}

    def put(site: str, words: Words, values: Tensor) -> None:
        whole = kept.setdefault(site, torch.zeros((sample.n, values.shape[1]), dtype=torch.float64))
        whole[torch.from_numpy(words.rows)] = values.double().cpu()

    faster = FasterLayers(subject.path.model, subject.arithmetic, enough=0)  # even so few tokens
    for lines in groups:
        batch = collate(lines, subject.path.wiring.pad_id, side)
        read_batch(subject.path, batch, subject.sites, "last", put, faster)
    return kept


def own_arithmetic(subject: PreparedModel, sample: CheckedInputs) -> dict[str, Tensor] | str:
    """Each input alone, where every layer runs its own code."""
    if not FasterLayers(subject.path.model, subject.arithmetic).replaces:
        return "skipped: every layer runs its own code"
    return singles(replace(subject, arithmetic="model"), sample)


def with_stream(subject: PreparedModel, sample: CheckedInputs) -> PreparedModel:
    """On a bridge: the subject, read before and after every block as well.

    A site inside a block has no counterpart in an untouched model; what a bridge computes wrongly
    there shows in the stream behind the block.
    """
    path = subject.path
    if path.name != "bridge" or path.untouched is None:
        return subject
    stream = [f"blocks.{i}.hook_resid_{kind}" for i in range(path.n_layers) for kind in _AROUND]
    fired: set[str] = set()  # some bridges never come by the end of a block

    def note(site: str) -> Tap:
        return lambda _: fired.add(site)

    batch = collate(sample.lines[:1], path.wiring.pad_id)
    with torch.inference_mode(), path.attach({site: note(site) for site in stream}):
        path.forward(batch)
    there = [site for site in stream if site in fired]
    return replace(subject, sites=tuple(dict.fromkeys((*subject.sites, *there))))


def reference(subject: PreparedModel, sample: CheckedInputs) -> dict[str, Tensor] | str:
    """The untouched model's own states, one input at a time.

    Its hidden states for bare ids; on a bridge also what hooks on the untouched model find at
    sites that hidden states do not have.
    """
    path = subject.path
    if path.untouched is None:
        return (
            "not compared with an untouched model: a bridge that is given has replaced the modules "
            "of the only one there is; give the model itself to have them compared"
        )
    states = _hidden_states(subject, sample)
    found: dict[str, Tensor] = {}
    sites = {name: Site.parse(name) for name in subject.sites}
    stream = {name: site for name, site in sites.items() if site and site.kind != "mid"}
    if not isinstance(states, str):
        index = {name: site.layer + (site.kind == "post") for name, site in stream.items()}
        found = {name: states[i] for name, i in index.items() if i < path.n_layers}
    if path.name == "bridge":
        rest = tuple(name for name in stream if name not in found)
        own = ModulePath(path.untouched, path.wiring)
        hooks = replace(subject, path=own, sites=rest, arithmetic="model")
        found |= singles(hooks, sample) if rest else {}
    if found:
        return found
    if isinstance(states, str):
        return states
    return "skipped: of these sites hidden_states has only the last, normed by some models"


def _hidden_states(subject: PreparedModel, sample: CheckedInputs) -> list[Tensor] | str:
    """Per entry of ``hidden_states`` all tokens of the sample; or why there are none.

    Raises:
        CaptureError: the model cannot be run.
    """
    streams: list[list[Tensor]] = []
    model = subject.path.untouched
    kind = str(model.config.model_type)
    if "mamba" in kind or kind == "rwkv":
        return f"skipped: the hidden_states of {kind} models begin behind the first block"
    with torch.inference_mode(), _hooks_put_back(model):
        for line in sample.lines:
            ids = torch.from_numpy(line.ids)[None].to(subject.device)
            try:
                with model_running(model):
                    out = model(input_ids=ids, output_hidden_states=True)
            except CaptureError as error:
                if not isinstance(error.__cause__, TypeError):
                    raise
                return "skipped: the model has no output_hidden_states"
            states = getattr(out, "hidden_states", None)
            if states is None or len(states) != subject.path.n_layers + 1:
                return "skipped: the model's hidden_states are not one per block and one before"
            streams.append([state[0].double().cpu() for state in states])
    return [torch.cat([one[i] for one in streams]) for i in range(len(streams[0]))]


@contextmanager
def _hooks_put_back(model: nn.Module) -> Iterator[None]:
    """Take away what transformers hangs on a model that is asked for hidden states."""
    mark = "_output_capturing_hooks_installed"
    before = [(part, set(part._forward_hooks), mark in vars(part)) for part in model.modules()]
    try:
        yield
    finally:
        for part, hooks, marked in before:
            for key in set(part._forward_hooks) - hooks:
                del part._forward_hooks[key]
            if not marked:
                vars(part).pop(mark, None)


def kernel(subject: PreparedModel, sample: CheckedInputs) -> dict[str, Tensor] | str:
    """Hidden states again under eager attention."""
    model = subject.path.model
    name = getattr(model.config, "_attn_implementation", None)
    if name in (None, "eager"):
        return "skipped: the model computes plain attention already"
    try:
        with _attention(model, "eager"):
            return singles(subject, sample)
    except (ValueError, NotImplementedError, AttributeError, ImportError, CaptureError) as error:
        return f"skipped: no eager attention ({str(error).splitlines()[0][:80]})"


@contextmanager
def _attention(model: Any, kernel: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(kernel)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
