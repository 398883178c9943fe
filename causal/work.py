"""One batch of pairs: base and source run, edits put in, what the model says then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..hooks.inputs.alignment import Line
from ..hooks.inputs.batching import Batch, collate, plan, repeated
from ..hooks.paths.path import Tap
from .arms import Arm
from .placing import Inputs, positions_of
from .prefix import TOGETHER, Prefix
from .running import Runner

__all__ = ["PairBatch", "batch_of", "by_length", "picked"]


def by_length(
    lengths: Sequence[int], begins: Sequence[int], tokens: int, lines: int | None
) -> list[np.ndarray]:
    """Batches of inputs of one length each: padding would be run through every arm.

    Args:
        lengths: of the inputs.
        begins: first edited token of each; those alike go together, so that more need not be run.
        tokens: of a batch, at most.
        lines: of a batch, at most.
    """
    sizes, firsts = np.asarray(lengths), np.asarray(begins)
    found = []
    for size in np.unique(sizes)[::-1]:
        alike = np.flatnonzero(sizes == size)
        alike = alike[np.argsort(-firsts[alike], kind="stable")]
        found += [alike[one] for one in plan(sizes[alike].tolist(), tokens=tokens, lines=lines)]
    return found


@final
@dataclass(frozen=True, eq=False)
class PairBatch:
    """One batch: base and source have been run, edits may begin."""

    runner: Runner
    batch: Batch
    streams: Mapping[str, Tensor]
    given: Mapping[str, Tensor]
    unedited: Tensor
    asked: Tensor
    at: tuple[Tensor, Tensor]
    read: tuple[Tensor, Tensor]
    pick: Tensor | None
    prefix: Prefix | None = None

    @classmethod
    def begin(
        cls,
        runner: Runner,
        inputs: Inputs,
        sites: Sequence[str],
        chosen: np.ndarray,
        pick: Tensor | None,
        *,
        keep: bool = True,
    ) -> "PairBatch":
        """Run the bases and the sources of some pairs.

        Args:
            runner: of the model.
            inputs: all pairs, encoded.
            sites: where the stream is kept.
            chosen: the pairs of this batch.
            pick: of each output two token ids, of which alone the odds are wanted.
            keep: what the model keeps of the tokens before the edits, where it can.
        """
        batch = batch_of(runner, inputs.base, chosen)
        at = positions_of([inputs.base_at[i] for i in chosen])
        read = positions_of([inputs.read[i] for i in chosen])
        cache = runner.cache_for(batch) if keep else None
        streams, unedited = runner.states(batch, sites, *read, pick, cache)
        there = positions_of([inputs.source_at[i] for i in chosen])
        goal = positions_of([inputs.asked_read[i] for i in chosen])
        same = all(inputs.source[i] is inputs.asked[i] for i in chosen)
        other = batch_of(runner, inputs.source, chosen)
        states, asked = runner.states(other, sites, *(goal if same else there), pick)
        given = {site: x[there[0], there[1]] for site, x in states.items()}
        if not same:
            _, asked = runner.states(batch_of(runner, inputs.asked, chosen), (), *goal, pick)
        prefix = runner.prefix(cache, batch, int(min(at[1].min(), read[1].min())))
        return cls(runner, batch, streams, given, unedited, asked, at, read, pick, prefix)

    def edited(
        self, site: str, arms: Sequence[Arm], given: Tensor | None = None, begin: int = 0
    ) -> Float[Tensor, "rows position d_model"]:
        """The stream at a site after each of some exchanges, one copy after the other.

        Args:
            site: where.
            arms: what is exchanged.
            given: states of the sources; ``None`` for those of this batch.
            begin: tokens before this one are left out.
        """
        stream = self.streams[site]
        rows, places = (x.to(stream.device) for x in self.at)
        here = stream[rows, places].double().cpu()
        source = (self.given[site] if given is None else given).double().cpu()
        changed = stream[:, begin:].repeat(len(arms), 1, 1)
        for i, arm in enumerate(arms):
            new = arm(here, source).to(device=stream.device, dtype=stream.dtype)
            changed[rows + i * len(stream), places - begin] = new
        return changed

    def identical(self, site: str, arm: Arm, *, output: bool) -> bool:
        """Whether the base's own state, put in, leaves every bit of the stream.

        With ``output`` the model is run on it as well, whole, and every bit of what it says has to
        be the same; at the other sites equal streams say so.
        """
        stream = self.streams[site]
        own = stream[self.at[0].to(stream.device), self.at[1].to(stream.device)]
        changed = self.edited(site, [arm], own)
        same = torch.equal(changed, stream)
        if output and same:  # both without a cache: the same kernels
            _, unedited = self.runner.states(self.batch, (), *self.read, self.pick)
            said = self.runner.whole(self.batch, site, changed, *self.read, self.pick)
            same = torch.equal(said, unedited)
        return same

    def after(
        self, site: str, arms: Mapping[str, Arm], tokens: int
    ) -> Iterator[tuple[str, Float[Tensor, "output choice"]]]:
        """Name and output of every arm, several arms in one pass."""
        names = list(arms)
        begin = 0 if self.prefix is None else self.prefix.begin
        own = self.batch.ids.shape[1] - begin
        together = max(1, tokens // max(len(self.batch.ids) * own, 1))
        if self.prefix is not None:
            together = min(together, max(1, TOGETHER // own))
        n, outputs = len(self.batch.ids), len(self.read[0])
        for first in range(0, len(names), together):
            some = names[first : first + together]
            stream = self.edited(site, [arms[name] for name in some], begin=begin)
            k = len(some)
            batch = repeated(self.batch, k)
            rows = torch.cat([self.read[0] + i * n for i in range(k)])
            pick = None if self.pick is None else self.pick.repeat(k, 1)
            at = rows, self.read[1].repeat(k), pick
            if self.prefix is None:
                said = self.runner.after(batch, site, stream, *at)
            else:
                said = self.runner.behind(self.prefix, batch, site, stream, *at)
            for i, name in enumerate(some):
                yield name, said[i * outputs : (i + 1) * outputs]

    def states_after(
        self, site: str, arm: Arm, sites: Sequence[str], rows: Tensor, places: Tensor
    ) -> dict[str, Float[np.ndarray, "state d_model"]]:
        """States at these places of some sites, the edited one or later, after an exchange."""
        seen: dict[str, Float[np.ndarray, "state d_model"]] = {}

        def remember(there: str, stream: Tensor) -> None:
            seen[there] = picked(stream, rows, places)

        changed = self.edited(site, [arm])
        if site in sites:
            remember(site, changed)
        taps: dict[str, Tap] = {there: partial(remember, there) for there in sites if there != site}
        if taps:
            self.runner.after(self.batch, site, changed, *self.read, self.pick, taps)
        return seen


def batch_of(runner: Runner, lines: Sequence[Line], chosen: np.ndarray) -> Batch:
    """Some of the lines as one batch."""
    return collate([lines[i] for i in chosen], runner.wiring.pad_id)


def picked(stream: Tensor, rows: Tensor, places: Tensor) -> Float[np.ndarray, "state d_model"]:
    """States at these places of a stream, in float64."""
    chosen = stream[rows.to(stream.device), places.to(stream.device)]
    return np.asarray(chosen.detach().double().cpu().numpy())
