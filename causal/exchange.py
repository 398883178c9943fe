"""All exchanges of one target in one model: batches, sites, arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from ..core import Subspace
from ..hooks.inputs.batching import budget
from ..hooks.reading.prepared import PreparedModel
from .arms import Arm, arms_of
from .judging import Measures, make_judges
from .pairs import Pairs
from .placing import Inputs, inputs_of, positions_of
from .running import Runner
from .work import PairBatch, batch_of, by_length, picked

__all__ = ["Cells", "ExchangeOutcome", "exchange_all"]

Cells = Mapping[str, tuple[Subspace, Mapping[str, Subspace]]]
"""Per site the subspace, and further ones by name."""

MAIN = ("edit", "whole", "readout", "das")
"""Arms that are run also where the edit changes nothing."""

NOTHING = 1e-9
"""A smaller change of every probability is none: rounding."""

TRIED = 8  # pairs on which passes that begin in the middle are tried out
STATES = 256  # base states that random subspaces are drawn from


@final
@dataclass(frozen=True, eq=False)
class ExchangeOutcome:
    """What came out of one target's exchanges.

    Args:
        base: without an edit.
        source: the counterfactual's own run.
        arms: per site and arm.
        identity: per site whether putting in the base's own state leaves every bit.
        resumed: passes began at the edited site.
        block_tokens: blocks run, times tokens: what was paid.
    """

    base: Measures
    source: Measures
    arms: Mapping[str, Mapping[str, Measures]]
    identity: Mapping[str, bool]
    resumed: bool
    block_tokens: int


@torch.no_grad()
def exchange_all(
    subject: PreparedModel,
    pairs: Pairs,
    cells: Cells,
    *,
    last_only: bool,
    draws: int,
    seed: int,
    batch_size: int | None,
    resume: bool,
    only: Sequence[str] = (),
) -> ExchangeOutcome:
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
    lengths = [len(line) for line in inputs.base]
    batches = by_length(lengths, inputs.begins, tokens // 4, batch_size)
    judges = make_judges(pairs, batches, inputs.words, int(runner.model.config.vocab_size))
    some = np.random.default_rng(seed).permutation(len(pairs))[:STATES]
    few = batches[0][:TRIED]
    runner.try_out(batch_of(runner, inputs.base, few), *positions_of([inputs.read[i] for i in few]))
    states = _states(runner, inputs, sites, some)
    arms = {
        site: _wanted(arms_of(one, others, states[site], draws, seed), only)
        for site, (one, others) in cells.items()
    }
    found: dict[str, dict[str, list[Measures]]] = {site: {} for site in sites}
    base: list[Measures] = []
    source: list[Measures] = []
    identity: dict[str, bool] = {}
    for chosen, judge in zip(batches, judges, strict=True):
        work = PairBatch.begin(runner, inputs, sites, chosen, judge.answers)
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
    return ExchangeOutcome(
        Measures.joined(base, order),
        Measures.joined(source, order),
        {s: {n: Measures.joined(p, order) for n, p in a.items()} for s, a in found.items()},
        identity,
        runner.resume,
        runner.block_tokens,
    )


def _wanted(arms: dict[str, Arm], only: Sequence[str]) -> dict[str, Arm]:
    return {name: arm for name, arm in arms.items() if not only or name in only}


def _states(
    runner: Runner, inputs: Inputs, sites: Sequence[str], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Base states at the exchanged places of some pairs."""
    batch = batch_of(runner, inputs.base, chosen)
    rows, places = positions_of([inputs.base_at[i] for i in chosen])
    streams, _ = runner.states(batch, sites, rows[:1], places[:1])
    return {site: picked(x, rows, places) for site, x in streams.items()}
