"""All exchanges of one target in one model: batches, sites, arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from ..core import Subspace
from ..hooks.inputs.alignment import Encoding, Line
from ..hooks.inputs.batching import Batch, budget, collate, plan
from ..hooks.reading.prepared import Subject
from ..hooks.reading.settings import Settings
from .arms import Arm, arms_of
from .errors import CausalError
from .judging import Judge, Measures, make_judges
from .pairs import Pairs
from .running import Runner, positions_of

__all__ = ["Cells", "Outcome", "exchange_all"]

Cells = Mapping[str, tuple[Subspace, Mapping[str, Subspace]]]
"""Per site the subspace, and further ones by name."""

MAIN = ("edit", "whole", "readout")
"""Arms that are run also where the edit changes nothing."""

NOTHING = 1e-9
"""A smaller change of every probability is none: rounding."""

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


@final
@dataclass(frozen=True, eq=False)
class _Inputs:
    """Pairs as token ids, with the places that matter."""

    base: tuple[Line, ...]
    source: tuple[Line, ...]
    asked: tuple[Line, ...]
    base_at: list[np.ndarray]
    source_at: list[np.ndarray]
    read: list[np.ndarray]
    asked_read: list[np.ndarray]
    words: dict[str, int] = field(default_factory=dict)


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
    inputs = _inputs(subject, pairs, last_only)
    device = next(runner.model.parameters()).device
    tokens = budget(subject.d_model, device.type != "cpu")
    batches = plan([len(line) for line in inputs.base], tokens=tokens // 4, lines=batch_size)
    judges = make_judges(pairs, batches, inputs.words, int(runner.model.config.vocab_size))
    some = np.random.default_rng(seed).permutation(len(pairs))[:STATES]
    first = _batch(runner, inputs.base, some)
    runner.try_out(first, *positions_of([inputs.read[i] for i in some]))
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
        work = _Work.begin(runner, inputs, sites, chosen)
        base.append(judge(work.unedited, work.unedited, work.asked))
        source.append(judge(work.asked, work.unedited, work.asked))
        for site in sites:
            if site not in identity:
                identity[site] = work.identical(site, arms[site]["edit"])
                if _inert(work, site, arms[site]["edit"], judge, tokens):
                    arms[site] = {k: v for k, v in arms[site].items() if k in MAIN}
            for name, said in work.after(site, arms[site], tokens):
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


def _inert(work: "_Work", site: str, edit: Arm, judge: Judge, tokens: int) -> bool:
    """Whether the edit changes no output of this batch: no control can then do less."""
    ((_, said),) = work.after(site, {"edit": edit}, tokens)
    return bool(judge(said, work.unedited, work.asked).change.max() <= NOTHING)


def _wanted(arms: dict[str, Arm], only: Sequence[str]) -> dict[str, Arm]:
    return {name: arm for name, arm in arms.items() if not only or name in only}


def _states(
    runner: Runner, inputs: _Inputs, sites: Sequence[str], chosen: np.ndarray
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

    @classmethod
    def begin(
        cls, runner: Runner, inputs: _Inputs, sites: Sequence[str], chosen: np.ndarray
    ) -> "_Work":
        batch = _batch(runner, inputs.base, chosen)
        at = positions_of([inputs.base_at[i] for i in chosen])
        read = positions_of([inputs.read[i] for i in chosen])
        streams, unedited = runner.states(batch, sites, *read)
        there = positions_of([inputs.source_at[i] for i in chosen])
        goal = positions_of([inputs.asked_read[i] for i in chosen])
        same = all(inputs.source[i] is inputs.asked[i] for i in chosen)
        other = _batch(runner, inputs.source, chosen)
        states, asked = runner.states(other, sites, *(goal if same else there))
        given = {site: x[there[0], there[1]] for site, x in states.items()}
        if not same:
            _, asked = runner.states(_batch(runner, inputs.asked, chosen), (), *goal)
        return cls(runner, batch, streams, given, unedited, asked, at, read)

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

    def identical(self, site: str, arm: Arm) -> bool:
        """Whether the base's own state, put in, leaves every bit of the output."""
        stream = self.streams[site]
        own = stream[self.at[0].to(stream.device), self.at[1].to(stream.device)]
        said = self.runner.whole(self.batch, site, self.edited(site, arm, own), *self.read)
        return torch.equal(said, self.unedited)

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
            said = self.runner.after(batch, site, stream, rows, self.read[1].repeat(k))
            for i, name in enumerate(some):
                yield name, said[i * outputs : (i + 1) * outputs]


def _batch(runner: Runner, lines: Sequence[Line], chosen: np.ndarray) -> Batch:
    return collate([lines[i] for i in chosen], runner.wiring.pad_id)


def _inputs(subject: Subject, pairs: Pairs, last_only: bool) -> _Inputs:
    base, source, asked = (
        _encode(subject, sentences, name)
        for name, sentences in (
            ("base", pairs.base), ("source", pairs.source), ("counterfactual", pairs.asked),
        )
    )  # fmt: skip
    if pairs.asked is pairs.source or pairs.asked == pairs.source:
        asked = source
    pick = slice(-1, None) if last_only else slice(None)
    if pairs.expected is not None:
        if subject.vocabulary is None:
            raise CausalError(
                "exact probabilities are of the grammar's words, but this model reads tokens of a "
                "tokenizer: give a model trained or constructed on the grammar, or minimal_pairs"
            )
        words = {word: i for i, word in enumerate(subject.vocabulary)}
    else:
        words = _answers(subject, pairs)
    return _Inputs(
        base, source, asked,
        [_places(x, at[pick]) for x, at in zip(base, pairs.base_at, strict=True)],
        [_places(x, at[pick]) for x, at in zip(source, pairs.source_at, strict=True)],
        [_places(x, at) for x, at in zip(base, pairs.read, strict=True)],
        [_places(x, at) for x, at in zip(asked, pairs.asked_read, strict=True)],
        words,
    )  # fmt: skip


def _encode(subject: Subject, sentences: Sequence[Sequence[str]], what: str) -> tuple[Line, ...]:
    """One line of tokens per sentence.

    Raises:
        CausalError: a word that the tokenizer reads as nothing.
    """
    encoding: Encoding = subject.encode(sentences, Settings.of())
    if len(encoding.vanished):
        raise CausalError(
            f"{len(encoding.vanished)} words of the {what} sentences have no token of their own: "
            "leave those pairs out"
        )
    return encoding.lines


def _places(line: Line, words: Sequence[int]) -> np.ndarray:
    """The last token of each word."""
    return np.asarray(line.stop, dtype=np.int64)[list(words)] - 1


def _answers(subject: Subject, pairs: Pairs) -> dict[str, int]:
    """First token of every answer, as it follows the base.

    Raises:
        CausalError: the two answers of a pair begin with the same token.
    """
    assert pairs.answers is not None  # noqa: S101 - the caller's condition
    words: dict[str, int] = {}
    for base, both in zip(pairs.base, pairs.answers, strict=True):
        for word in both:
            if word not in words:
                (line,) = _encode(subject, [[*base, word]], "answered")
                words[word] = int(line.ids[line.start[-1]])
        if words[both[0]] == words[both[1]]:
            raise CausalError(
                f"the answers {both[0]!r} and {both[1]!r} begin with the same token, so that the "
                "next token does not tell them apart: leave those pairs out"
            )
    return words
