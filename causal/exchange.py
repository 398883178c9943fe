"""All exchanges of one target in one model: batches, sites, arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from ..core import Subspace
from ..hooks.inputs.alignment import Line
from ..hooks.inputs.batching import Batch, budget, collate, plan
from ..hooks.reading.prepared import Subject
from .arms import Arm, arms_of
from .judging import Measures, make_judges
from .pairs import Pairs
from .placing import Inputs, inputs_of
from .running import Runner, positions_of

__all__ = ["Cells", "Outcome", "exchange_all"]

Cells = Mapping[str, tuple[Subspace, Mapping[str, Subspace]]]
"""Per site the subspace, and further ones by name."""

MAIN = ("edit", "whole", "readout")
"""Arms that are run also where the edit changes nothing."""

NOTHING = 1e-9
"""A smaller change of every probability is none: rounding."""

TRIED = 8  # pairs on which passes that begin in the middle are tried out
STATES = 256  # base states that random subspaces are drawn from


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out of one target's exchanges.

    Args:
        base: without an edit.
        source: the counterfactual's own run.
        arms: per site and arm.
        identity: per site whether putting in the base's own state leaves every bit.
        resumed: passes began at the edited site.
        passes: blocks run, times inputs.
    """

    base: Measures
    source: Measures
    arms: Mapping[str, Mapping[str, Measures]]
    identity: Mapping[str, bool]
    resumed: bool
    passes: int


@torch.no_grad()
def exchange_all(
    subject: Subject,
    pairs: Pairs,
    cells: Cells,
    *,
    last_only: bool,
    draws: int,
    seed: int,
    batch_size: int | None,
    resume: bool,
    only: Sequence[str] = (),
) -> Outcome:
    """Run everything.

    Args:
        subject: the model.
        pairs: of one target.
        cells: per site what is exchanged.
        last_only: the span's last token alone, or all of the span.
        draws: random arms of each kind.
        seed: of the draws.
        batch_size: pairs per batch; ``None`` by tokens.
        resume: begin passes at the edited site where possible.
        only: names of the arms wanted; all if none are named.
    """
    runner, sites = Runner(subject, resume=resume), list(cells)
    inputs = inputs_of(subject, pairs, last_only)
    device = next(runner.model.parameters()).device
    tokens = budget(subject.d_model, device.type != "cpu")
    batches = _by_length([len(line) for line in inputs.base], tokens // 4, batch_size)
    judges = make_judges(pairs, batches, inputs.words, int(runner.model.config.vocab_size))
    some = np.random.default_rng(seed).permutation(len(pairs))[:STATES]
    few = some[:TRIED]
    runner.try_out(_batch(runner, inputs.base, few), *positions_of([inputs.read[i] for i in few]))
    states = _states(runner, inputs, sites, some)
    arms = {
        site: _wanted(arms_of(one, others, states[site], draws, seed), only)
        for site, (one, others) in cells.items()
    }
    runner.block_passes = 0
    found: dict[str, dict[str, list[Measures]]] = {site: {} for site in sites}
    base: list[Measures] = []
    source: list[Measures] = []
    identity: dict[str, bool] = {}
    for chosen, judge in zip(batches, judges, strict=True):
        work = _Work.begin(runner, inputs, sites, chosen, judge.answers)
        base.append(judge(work.unedited, work.unedited, work.asked))
        source.append(judge(work.asked, work.unedited, work.asked))
        for site in sites:
            todo = arms[site]
            if site not in identity:  # the first batch
                identity[site] = work.identical(site, todo["edit"], output=not identity)
                ((_, said),) = work.after(site, {"edit": todo["edit"]}, tokens)
                one = judge(said, work.unedited, work.asked)
                found[site]["edit"] = [one]
                if float(one.change.max()) <= NOTHING:  # then no control can do less
                    arms[site] = {k: v for k, v in todo.items() if k in MAIN}
                todo = {k: v for k, v in arms[site].items() if k != "edit"}
            for name, said in work.after(site, todo, tokens):
                found[site].setdefault(name, []).append(judge(said, work.unedited, work.asked))
    order = np.concatenate(batches)
    return Outcome(
        Measures.joined(base, order),
        Measures.joined(source, order),
        {s: {n: Measures.joined(p, order) for n, p in a.items()} for s, a in found.items()},
        identity,
        runner.resume,
        runner.block_passes,
    )


def _by_length(lengths: Sequence[int], tokens: int, lines: int | None) -> list[np.ndarray]:
    """Batches of inputs of one length each: padding would be run through every arm."""
    sizes = np.asarray(lengths)
    found = []
    for size in np.unique(sizes)[::-1]:
        alike = np.flatnonzero(sizes == size)
        found += [alike[one] for one in plan(sizes[alike].tolist(), tokens=tokens, lines=lines)]
    return found


def _wanted(arms: dict[str, Arm], only: Sequence[str]) -> dict[str, Arm]:
    return {name: arm for name, arm in arms.items() if not only or name in only}


def _states(
    runner: Runner, inputs: Inputs, sites: Sequence[str], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Base states at the exchanged places of some pairs."""
    batch = _batch(runner, inputs.base, chosen)
    rows, places = positions_of([inputs.base_at[i] for i in chosen])
    streams, _ = runner.states(batch, sites, rows[:1], places[:1])
    return {site: x[rows, places].double().cpu().numpy() for site, x in streams.items()}


@final
@dataclass(frozen=True, eq=False)
class _Work:
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

    @classmethod
    def begin(
        cls,
        runner: Runner,
        inputs: Inputs,
        sites: Sequence[str],
        chosen: np.ndarray,
        pick: Tensor | None,
    ) -> "_Work":
        batch = _batch(runner, inputs.base, chosen)
        at = positions_of([inputs.base_at[i] for i in chosen])
        read = positions_of([inputs.read[i] for i in chosen])
        streams, unedited = runner.states(batch, sites, *read, pick)
        there = positions_of([inputs.source_at[i] for i in chosen])
        goal = positions_of([inputs.asked_read[i] for i in chosen])
        same = all(inputs.source[i] is inputs.asked[i] for i in chosen)
        other = _batch(runner, inputs.source, chosen)
        states, asked = runner.states(other, sites, *(goal if same else there), pick)
        given = {site: x[there[0], there[1]] for site, x in states.items()}
        if not same:
            _, asked = runner.states(_batch(runner, inputs.asked, chosen), (), *goal, pick)
        return cls(runner, batch, streams, given, unedited, asked, at, read, pick)

    def edited(self, site: str, arm: Arm, given: Tensor | None = None) -> Tensor:
        """The stream at a site after an exchange."""
        stream = self.streams[site]
        rows, places = (x.to(stream.device) for x in self.at)
        here = stream[rows, places]
        source = self.given[site] if given is None else given
        new = arm(here.double().cpu(), source.double().cpu())
        changed = stream.clone()
        changed[rows, places] = new.to(device=stream.device, dtype=stream.dtype)
        return changed

    def identical(self, site: str, arm: Arm, *, output: bool) -> bool:
        """Whether the base's own state, put in, leaves every bit of the stream.

        With ``output`` the model is run on it as well, whole, and every bit of what it says has to
        be the same; at the other sites equal streams say so.
        """
        stream = self.streams[site]
        own = stream[self.at[0].to(stream.device), self.at[1].to(stream.device)]
        changed = self.edited(site, arm, own)
        same = torch.equal(changed, stream)
        if output and same:
            said = self.runner.whole(self.batch, site, changed, *self.read, self.pick)
            same = torch.equal(said, self.unedited)
        return same

    def after(self, site: str, arms: Mapping[str, Arm], tokens: int) -> Any:
        """Name and output of every arm, several arms in one pass."""
        names = list(arms)
        together = max(1, tokens // max(int(self.batch.ids.numel()), 1))
        n, outputs = len(self.batch.ids), len(self.read[0])
        for begin in range(0, len(names), together):
            some = names[begin : begin + together]
            stream = torch.cat([self.edited(site, arms[name]) for name in some])
            k = len(some)
            batch = Batch(
                self.batch.ids.repeat(k, 1), self.batch.mask.repeat(k, 1), self.batch.lines * k
            )
            rows = torch.cat([self.read[0] + i * n for i in range(k)])
            pick = None if self.pick is None else self.pick.repeat(k, 1)
            said = self.runner.after(batch, site, stream, rows, self.read[1].repeat(k), pick)
            for i, name in enumerate(some):
                yield name, said[i * outputs : (i + 1) * outputs]


def _batch(runner: Runner, lines: Sequence[Line], chosen: np.ndarray) -> Batch:
    return collate([lines[i] for i in chosen], runner.wiring.pad_id)
