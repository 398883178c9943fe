"""A state taken out at one site: can it be read further on, and what does the model lose?"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from ..core import Subspace, checked
from ..hooks.editing.edits import erase
from ..hooks.inputs.batching import Batch, collate
from ..hooks.inputs.corpus import sentences_of
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import Subject, left_alone, prepare
from ..hooks.reading.settings import Settings
from ..probes import DiscriminantProbe, Eraser
from ..probes.evidence.splits import split_by_group
from .errors import CausalError
from .reading_out import read_out

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ErasureResult", "ErasureRow", "erasure_effects"]

LEAST_SENTENCES = 20
TRIES = 40  # random subspaces among which those of most variance are looked for
FLOOR = 1e-12


@final
@dataclass(frozen=True)
class ErasureRow:
    """What one way of erasing does.

    Args:
        arm: ``none``, ``subspace``, ``random`` (equal dimension), ``variance`` (random, of about
            equal variance removed) or ``leace``.
        removed: share of the variance at the site that is taken out.
        loss: cross-entropy of the next token, nats.
        kl: divergence of the output from the unedited one, nats per token.
        decodability: (site, target) -> accuracy, at this and all later sites, of probes that were
            fitted there on unedited activations; held-out sentences.
    """

    arm: str
    removed: float
    loss: float
    kl: float
    decodability: Mapping[tuple[str, str], float]


@final
@dataclass(frozen=True)
class ErasureResult:
    """All ways of erasing one target at one site, side by side.

    Args:
        site: where it was erased.
        target: what.
        dim: dimensions of the subspace.
        rows: the unedited model first.
        chance: target -> share of its most frequent class.
    """

    site: str
    target: str
    dim: int
    rows: tuple[ErasureRow, ...]
    chance: Mapping[str, float]

    def to_frame(self) -> "pd.DataFrame":
        """One row per arm, later site and target."""
        import pandas as pd

        lines = []
        for row in self.rows:
            plain = {k: v for k, v in asdict(row).items() if k != "decodability"}
            for (site, target), accuracy in row.decodability.items():
                lines.append(
                    plain
                    | {"site": site, "target": target, "accuracy": accuracy}
                    | {"chance": self.chance[target]}
                )
        return pd.DataFrame(lines)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format=lambda x: f"{x:.3f}"))


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
    """Erase a target at one site on every token, and look further on.

    The part of the stream inside the subspace is replaced by its mean. Beside it: a random subspace
    of equal dimension, a random one that takes out about as much variance (amnesic probing's
    control), and LEACE, fitted on the training sentences.

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
    with left_alone(model):
        subject = prepare(model, Settings.of(), tokenizer)
        later = [s for s in subject.sites if _depth(s) >= place.depth]
        if site not in later or subspace.d_model != subject.d_model:
            raise CausalError(
                f"the model has sites {', '.join(subject.sites)} of {subject.d_model} dimensions; "
                f"received {site} and a subspace of {subspace.d_model}"
            )
        work = _Work.of(subject, corpus, targets, later, seed)
        plain, logits = work.run(None)
        probes = work.probes(plain)
        rows = []
        for arm, (eraser, removed) in work.arms(plain[site], subspace, target, seed).items():
            states, said = (plain, logits) if eraser is None else work.run({site: eraser})
            loss, kl = work.losses(said, logits)
            rows.append(ErasureRow(arm, removed, loss, kl, work.accuracies(states, probes)))
    return ErasureResult(site, target, subspace.dim, tuple(rows), work.chances())


def _depth(site: str) -> tuple[int, int]:
    place = Site.parse(site)
    assert place is not None  # noqa: S101 - sites of the stream
    return place.depth


@final
@dataclass(frozen=True, eq=False)
class _Work:
    """One batch of all sentences, with what is asked of it."""

    subject: Subject
    batch: Batch
    places: tuple[torch.Tensor, torch.Tensor]
    labels: Mapping[str, np.ndarray]
    later: Sequence[str]
    train: np.ndarray

    @classmethod
    def of(
        cls,
        subject: Subject,
        corpus: Any,
        targets: Mapping[str, Any],
        later: Sequence[str],
        seed: int,
    ) -> "_Work":
        sentences = sentences_of(corpus)
        encoding = subject.encode(sentences, Settings.of())
        lines = encoding.lines
        if len(lines) < LEAST_SENTENCES or len(lines) != len(sentences) or len(encoding.vanished):
            raise CausalError(
                f"at least {LEAST_SENTENCES} sentences are needed, each read as one input in which "
                f"every word has a token; received {len(sentences)}"
            )
        sizes = [len(s) for s in sentences]
        labels = {name: np.asarray(given).astype(str) for name, given in targets.items()}
        if wrong := {n: x.shape for n, x in labels.items() if x.shape != (sum(sizes),)}:
            raise CausalError(f"targets have one label for each of {sum(sizes)} words; {wrong}")
        rows = torch.from_numpy(np.repeat(np.arange(len(lines)), sizes))
        stops = torch.from_numpy(np.concatenate([x.stop for x in lines]).astype(np.int64) - 1)
        train = split_by_group(np.asarray(rows), seed=seed).train
        batch = collate(lines, subject.path.wiring.pad_id)
        return cls(subject, batch, (rows, stops), labels, later, train)

    def run(self, what: Mapping[str, Any] | None) -> tuple[dict[str, np.ndarray], torch.Tensor]:
        """The stream at the later sites ``[word, d_model]``, and the log probabilities."""
        seen: dict[str, np.ndarray] = {}
        rows, places = self.places

        def remember(site: str) -> Any:
            def tap(stream: torch.Tensor) -> None:
                seen[site] = stream[rows, places].double().cpu().numpy()

            return tap

        path = self.subject.path
        inner = path.model
        inputs = {"input_ids": self.batch.ids, "attention_mask": self.batch.mask.long()}
        with torch.inference_mode():
            with erase(inner, what or {}), path.attach({s: remember(s) for s in self.later}):
                logits = inner(**inputs).logits
            said = read_out(inner)(logits.flatten(0, 1)).reshape(*logits.shape)
        return seen, said.clamp_min(FLOOR).log()

    def probes(self, states: Mapping[str, np.ndarray]) -> dict[tuple[str, str], Any]:
        """Linear discriminants fitted on unedited activations of the training sentences.

        Raises:
            CausalError: nothing to tell apart.
        """
        found = {}
        for name, labels in self.labels.items():
            chosen = self.train & (labels != "")
            if len(set(labels[chosen].tolist())) < 2:
                raise CausalError(f"{name} has fewer than two classes in the training sentences")
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

    def losses(self, said: torch.Tensor, before: torch.Tensor) -> tuple[float, float]:
        """Cross-entropy of the next token, and divergence from the unedited output."""
        real = self.batch.mask
        following = real[:, 1:] & real[:, :-1]
        wanted = said[:, :-1].gather(2, self.batch.ids[:, 1:, None])[..., 0]
        away = (before.exp() * (before - said)).sum(-1)
        return float(-wanted[following].mean()), float(away[real].mean())

    def arms(
        self, states: np.ndarray, subspace: Subspace, target: str, seed: int
    ) -> dict[str, tuple[Any, float]]:
        """Erasers by name, with the share of variance that each takes out."""
        rng = np.random.default_rng(seed)
        centred = states - states.mean(axis=0)
        whole = float(np.square(centred).sum())

        def share(space: Subspace) -> float:
            return float(np.square(centred @ space.basis).sum()) / whole if whole else 0.0

        d, k = subspace.d_model, subspace.dim
        random = [Subspace(rng.standard_normal((d, k))) for _ in range(TRIES)]
        # Mixtures of random directions with directions of the states reach any variance.
        mixed = [
            Subspace(
                (1 - w) * space.basis
                + w * _unit(centred.T @ rng.standard_normal((len(centred), max(k, 1)))[:, :k])
            )
            for space, w in zip(random, np.linspace(0, 1, TRIES), strict=True)
        ]
        alike = min(mixed, key=lambda space: abs(share(space) - share(subspace)))
        chosen = self.train & (self.labels[target] != "")
        leace = Eraser.fit(states[chosen], self.labels[target][chosen])
        mean = states.mean(axis=0)
        arms: dict[str, tuple[Any, float]] = {"none": (None, 0.0)}
        for name, space in (("subspace", subspace), ("random", random[0]), ("variance", alike)):
            arms[name] = (_centred(space, mean), share(space))
        taken = float(np.square(states - leace(states)).sum()) / whole if whole else 0.0
        return arms | {"leace": (leace, taken)}


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=0, keepdims=True)
    scaled: np.ndarray = matrix / np.where(lengths > 0, lengths, 1.0)
    return scaled


def _centred(space: Subspace, mean: np.ndarray) -> Any:
    """Takes a subspace out, the mean kept."""

    def eraser(rows: np.ndarray) -> np.ndarray:
        away: np.ndarray = rows - (rows - mean) @ space.basis @ space.basis.T
        return away

    return eraser
