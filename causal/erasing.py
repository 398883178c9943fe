"""A state taken out at one site: can it be read further on, and what does the model lose?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped

from ..core import Subspace, checked
from ..hooks.editing.edits import erase
from ..hooks.inputs.alignment import Line
from ..hooks.inputs.batching import Batch, budget, collate, plan
from ..hooks.inputs.corpus import sentences_of
from ..hooks.paths.module_path import model_inputs
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import PreparedModel, left_alone, prepare
from ..hooks.reading.settings import CaptureSettings
from ..probes import DiscriminantProbe
from ..probes.evidence.splits import split_by_group
from .erased import ErasureResult, ErasureRow
from .erasers import Erase, erasers_of
from .errors import CausalError
from .reading_out import read_out

__all__ = ["erasure_effects"]

LEAST_SENTENCES = 20
FLOOR = 1e-12
NUMBERS = 2**24  # probabilities held at once
MEANS = ("removed", "loss", "kl")


@checked(CausalError)
def erasure_effects(
    model: Any,
    corpus: Any,
    site: str,
    subspace: Subspace,
    targets: Mapping[str, Any],
    target: str,
    *,
    seed: int = 0,
    tokenizer: Any = None,
) -> ErasureResult:
    """Erase a target at one site, at the words that have a label of it, and look further on.

    The part of the stream inside the subspace is replaced by its mean over these words, at the last
    token of each. Beside it: random subspaces of equal dimension, random ones that take out about
    as much variance (amnesic probing's controls; the mean of four of each), and LEACE, fitted on
    the training sentences.

    Args:
        model: a causal language model.
        corpus: sentences (a corpus, or lists of words).
        site: ``resid_pre`` or ``resid_post`` of a block.
        subspace: what is taken out.
        targets: name -> ``[token]`` labels, ``""`` where there is none: the one that is erased and
            all others whose decodability may suffer.
        target: which of them is erased.
        seed: of the split and the random subspaces.
        tokenizer: for an instance that is given without one.

    Raises:
        CausalError: a site that cannot be edited, labels that do not fit, or too few sentences.
    """
    place = Site.parse(site)
    if place is None or place.kind == "mid":
        raise CausalError(f"states are erased at resid_pre or resid_post; received {site!r}")
    if target not in targets:
        raise CausalError(f"targets {sorted(targets)} do not hold {target!r}, which is erased")
    sentences, labels = sentences_of(corpus), _labels(corpus, targets)  # before the model
    with left_alone(model):
        subject = prepare(model, CaptureSettings.of(), tokenizer)
        later = [s for s in subject.sites if _depth(s) >= place.depth]
        if site not in later or subspace.d_model != subject.d_model:
            raise CausalError(
                f"the model has sites {', '.join(subject.sites)} of {subject.d_model} dimensions; "
                f"received {site} and a subspace of {subspace.d_model}"
            )
        work = _Work.of(subject, sentences, labels, later, seed)
        plain = work.states()
        probes = work.probes(plain)
        chosen = work.labels[target] != ""
        states, labels = plain[site][chosen], work.labels[target][chosen]
        arms = erasers_of(states, labels, work.train[chosen], subspace, seed)
        found = work.run(site, target, {arm: eraser for arm, (eraser, _) in arms.items()})
        rows = [
            ErasureRow(arm, removed, *found[arm].losses, work.accuracies(found[arm].states, probes))
            for arm, (_, removed) in arms.items()
        ]
        rows = _kinds(rows)
    return ErasureResult(site, target, subspace.dim, tuple(rows), work.chances())


def _labels(corpus: Any, targets: Mapping[str, Any]) -> dict[str, Shaped[np.ndarray, " word"]]:
    """The labels of each target, as text.

    Raises:
        CausalError: too few sentences, or labels that do not fit them.
    """
    sizes = [len(s) for s in sentences_of(corpus)]
    if len(sizes) < LEAST_SENTENCES:
        raise CausalError(f"at least {LEAST_SENTENCES} sentences are needed; received {len(sizes)}")
    labels = {name: np.asarray(given).astype(str) for name, given in targets.items()}
    if wrong := {n: x.shape for n, x in labels.items() if x.shape != (sum(sizes),)}:
        raise CausalError(f"targets have one label for each of {sum(sizes)} words; {wrong}")
    return labels


def _depth(site: str) -> tuple[int, int]:
    place = Site.parse(site)
    assert place is not None  # noqa: S101 - sites of the stream
    return place.depth


@final
@dataclass(eq=False)
class _Found:
    """What one way of erasing leaves: states of all words, and sums over tokens."""

    states: dict[str, Float[np.ndarray, "word d_model"]]
    lost: list[tuple[float, float, int, int]] = field(default_factory=list)

    @property
    def losses(self) -> tuple[float, float]:
        """Cross-entropy of the next token, and divergence from the unedited output."""
        loss, kl, following, tokens = (sum(column) for column in zip(*self.lost, strict=True))
        return loss / max(following, 1), kl / max(tokens, 1)


@final
@dataclass(frozen=True, eq=False)
class _Work:
    """All sentences, with what is asked of them."""

    subject: PreparedModel
    lines: tuple[Line, ...]
    begins: Sequence[int]
    labels: Mapping[str, Shaped[np.ndarray, " word"]]
    later: Sequence[str]
    train: Bool[np.ndarray, " word"]

    @classmethod
    def of(
        cls,
        subject: PreparedModel,
        sentences: Sequence[Sequence[str]],
        labels: Mapping[str, Shaped[np.ndarray, " word"]],
        later: Sequence[str],
        seed: int,
    ) -> "_Work":
        encoding = subject.encode(sentences, CaptureSettings.of())
        lines = encoding.lines
        if len(lines) != len(sentences) or len(encoding.vanished):
            raise CausalError(
                f"each of the {len(sentences)} sentences is read as one input in which every word "
                f"has a token; there are {len(lines)} inputs, and {len(encoding.vanished)} words "
                "have none: leave such sentences out"
            )
        sizes = [len(s) for s in sentences]
        train = split_by_group(np.repeat(np.arange(len(lines)), sizes), seed=seed).train
        begins = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        return cls(subject, lines, begins, labels, later, train)

    def batches(self) -> Iterator[tuple[Batch, np.ndarray, tuple[torch.Tensor, torch.Tensor]]]:
        """Inputs, which words they hold, and where in the batch these stand."""
        model = self.subject.path.model
        most = NUMBERS // max(int(getattr(model.config, "vocab_size", 0) or 0), 1)
        tokens = min(budget(self.subject.d_model, accelerator=False), max(most, 1))
        for chosen in plan([len(line) for line in self.lines], tokens=tokens):
            some = [self.lines[i] for i in chosen]
            words = [np.arange(self.begins[i], self.begins[i + 1]) for i in chosen]
            rows = np.repeat(np.arange(len(some)), [len(x) for x in words])
            stops = np.concatenate([np.asarray(line.stop, dtype=np.int64) for line in some]) - 1
            places = torch.from_numpy(rows), torch.from_numpy(stops)
            yield collate(some, self.subject.path.wiring.pad_id), np.concatenate(words), places

    def empty(self) -> dict[str, Float[np.ndarray, "word d_model"]]:
        """Room for the states of all words at the later sites."""
        shape = (self.begins[-1], self.subject.d_model)
        return {site: np.zeros(shape) for site in self.later}

    def states(self) -> dict[str, Float[np.ndarray, "word d_model"]]:
        """Unedited, at the later sites."""
        seen = self.empty()
        for batch, words, places in self.batches():
            self._say(batch, words, places, None, seen)
        return seen

    def run(self, site: str, target: str, arms: Mapping[str, Erase | None]) -> dict[str, _Found]:
        """Every way of erasing, batch by batch beside the unedited output."""
        found = {arm: _Found(self.empty()) for arm in arms}
        for batch, words, places in self.batches():
            before = self._say(batch, words, places, None, None)
            here = torch.from_numpy(self.labels[target][words] != "")
            where = torch.zeros_like(batch.mask)
            where[places[0][here], places[1][here]] = True
            for arm, eraser in arms.items():
                what = None if eraser is None else ({site: eraser}, where)
                said = self._say(batch, words, places, what, found[arm].states)
                found[arm].lost.append(_lost(batch, said, before))
        return found

    def _say(
        self,
        batch: Batch,
        words: np.ndarray,
        places: tuple[torch.Tensor, torch.Tensor],
        what: tuple[Mapping[str, Erase], torch.Tensor] | None,
        keep: dict[str, np.ndarray] | None,
    ) -> Float[torch.Tensor, "batch position vocab"]:
        """Log probabilities; the states of the words are kept on the way."""
        path = self.subject.path
        inner = path.model

        def remember(into: np.ndarray, stream: torch.Tensor) -> None:
            rows, columns = (x.to(stream.device) for x in places)
            into[words] = stream[rows, columns].double().cpu().numpy()

        taps = {site: partial(remember, into) for site, into in (keep or {}).items()}
        erased, where = what or ({}, None)
        with torch.inference_mode(), erase(inner, erased, where=where), path.attach(taps):
            logits = inner(**model_inputs(path.wiring, batch)).logits
            said = read_out(inner)(logits.flatten(0, 1)).reshape(*logits.shape)
        return said.clamp_min(FLOOR).log().cpu()

    def probes(self, states: Mapping[str, np.ndarray]) -> dict[tuple[str, str], Any]:
        """Linear discriminants fitted on unedited activations of the training sentences.

        Raises:
            CausalError: nothing to tell apart.
        """
        found = {}
        for name, labels in self.labels.items():
            chosen = self.train & (labels != "")
            if len(set(labels[chosen].tolist())) < 2 or not (~self.train & (labels != "")).any():
                raise CausalError(
                    f"{name} has fewer than two classes in the training sentences, or none in the "
                    "others: give more sentences"
                )
            for site in self.later:
                found[site, name] = DiscriminantProbe().fit(states[site][chosen], labels[chosen])
        return found

    def accuracies(
        self, states: Mapping[str, np.ndarray], probes: Mapping[tuple[str, str], Any]
    ) -> dict[tuple[str, str], float]:
        """Of held-out words."""
        found = {}
        for (site, name), probe in probes.items():
            test = ~self.train & (self.labels[name] != "")
            said = probe.predict(states[site][test])
            found[site, name] = float((said == self.labels[name][test]).mean())
        return found

    def chances(self) -> dict[str, float]:
        """Share of the most frequent class among held-out words."""
        found = {}
        for name, labels in self.labels.items():
            kept = labels[~self.train & (labels != "")]
            found[name] = float(np.unique(kept, return_counts=True)[1].max(initial=0)) / len(kept)
        return found


def _kinds(rows: Sequence[ErasureRow]) -> list[ErasureRow]:
    """Random subspaces of one kind as one row, their mean."""
    by_kind: dict[str, list[ErasureRow]] = {}
    for row in rows:
        by_kind.setdefault(row.arm.split(" ")[0], []).append(row)
    found = []
    for kind, some in by_kind.items():
        removed, loss, kl = (float(np.mean([getattr(row, name) for row in some])) for name in MEANS)
        read = {
            cell: float(np.mean([row.decodability[cell] for row in some]))
            for cell in some[0].decodability
        }
        found.append(ErasureRow(kind, removed, loss, kl, read))
    return found


def _lost(batch: Batch, said: torch.Tensor, before: torch.Tensor) -> tuple[float, float, int, int]:
    """Sums of cross-entropy and divergence, and over how many tokens."""
    real = batch.mask
    following = real[:, 1:] & real[:, :-1]
    wanted = said[:, :-1].gather(2, batch.ids[:, 1:, None])[..., 0]
    away = (before.exp() * (before - said)).sum(-1)
    loss, kl = float(-wanted[following].sum()), float(away[real].sum())
    return loss, kl, int(following.sum()), int(real.sum())
