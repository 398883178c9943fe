"""Distributed alignment search, TransformerLens's, with the controls that it needs.

It learns the subspace whose exchange makes the model say what is expected, and finds such
subspaces in untrained models and for arbitrary answers too (Arora et al. 2024). So it is run three
times: as asked, with arbitrary answers, and in a random-weight twin.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Int
from scipy import stats
from torch import Tensor

from ..core import Subspace, checked
from ..hooks.inputs.batching import collate
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import left_alone, prepare
from ..hooks.reading.settings import CaptureSettings
from ..models import random_twin, to_bridge
from .errors import CausalError
from .pairs import Pairs

__all__ = ["Aligned", "align"]

FLOOR = 1e-12
LEVEL = 0.05
MOST_EPOCHS = 100_000


@final
@dataclass(frozen=True, eq=False)
class Aligned:
    """A subspace that was learned, and what the same search reaches where nothing is to be found.

    Accuracies are shares of held-out moved pairs for which the model, after the exchange, gives the
    most probability to a word that the counterfactual gives the most; those of arbitrary answers
    are of the pairs that were trained on, since nothing carries over.

    Args:
        site: where.
        target: what.
        subspace: learned; give it to :func:`linrep.interchange` beside the pattern.
        accuracy: with the exchange.
        unedited: without.
        arbitrary: of the search for arbitrary answers.
        untrained: of the search in a random-weight twin.
        untrained_unedited: of the twin without an exchange.
        n: held-out pairs.
        flagged: the search does no better than one of its controls.
        reason: why it is flagged, or why not.
        held_out: indices of the held-out moved pairs; nothing was learned from their base
            sentences.
    """

    site: str
    target: str
    subspace: Subspace
    accuracy: float
    unedited: float
    arbitrary: float
    untrained: float
    untrained_unedited: float
    n: int
    flagged: bool
    reason: str
    held_out: tuple[int, ...] = ()


@checked(CausalError, most={"epochs": MOST_EPOCHS})
def align(
    model: Any,
    pairs: Pairs,
    site: str,
    rank: int,
    *,
    epochs: int = 20,
    learning_rate: float = 1e-2,
    batch_size: int = 128,
    seed: int = 0,
) -> Aligned:
    """Learn a subspace by distributed alignment search, with both controls.

    Of every pair the later position is taken at which the unedited model is furthest from the
    counterfactual; half of the base sentences are held out.

    Args:
        model: whose words are the grammar's.
        pairs: with exact expectations, moved and equal ones.
        site: ``resid_pre`` or ``resid_post`` of a block; the span's last token is exchanged.
        rank: dimensions to learn.
        epochs: passes over the training pairs.
        learning_rate: Adam's.
        batch_size: pairs per step.
        seed: of the split, the start and the order.

    Returns:
        The subspace and the accuracies of all three searches.

    Raises:
        CausalError: pairs without exact expectations, too few of them, or an impossible setting.
    """
    place = Site.parse(site)
    if place is None or place.kind == "mid":
        raise CausalError(f"states are exchanged at resid_pre or resid_post; received {site!r}")
    if pairs.expected is None or len(set(np.asarray(pairs.groups).tolist())) < 8:
        raise CausalError(
            "a search needs pairs with exact expectations, of at least 8 different base sentences; "
            f"received {len(set(np.asarray(pairs.groups).tolist()))} sentences"
            f"{' without such expectations' if pairs.expected is None else ''}: make pairs with "
            "interchange_pairs, from more sentences"
        )
    if rank < 1 or epochs < 1 or batch_size < 1 or not 0 < learning_rate < 10:
        raise CausalError(
            "rank, epochs and batch_size are at least 1, learning_rate between 0 and 10; received "
            f"{rank}, {epochs}, {batch_size}, {learning_rate}"
        )
    how = {"epochs": epochs, "lr": learning_rate, "batch_size": batch_size, "seed": seed}
    with left_alone(model):
        subject = prepare(model, CaptureSettings.of(sites=[site]))
        if rank > subject.d_model:
            raise CausalError(
                f"rank is at most the {subject.d_model} dimensions of the stream; received {rank}"
            )
        if subject.vocabulary is None:
            raise CausalError(
                "a search needs a model whose tokens are the grammar's words; this one reads the "
                "tokens of a tokenizer: give a model that was trained or built on the grammar"
            )
        inner = subject.path.model
        task = _Task.of(subject, pairs, seed)
        found = task.search(inner, site, rank, how, arbitrary=False)
        random = task.search(inner, site, rank, how, arbitrary=True)
        twin = task.search(random_twin(inner, seed=seed), site, rank, how, arbitrary=False)
    flagged, reason = _flag(found.accuracy, random.accuracy, twin.accuracy, found.unedited, task)
    return Aligned(
        site, pairs.target,
        Subspace(found.basis, "pattern", f"distributed alignment search at {site}, rank {rank}"),
        found.accuracy, found.unedited, random.accuracy, twin.accuracy, twin.unedited,
        len(task.test), flagged, reason, tuple(task.test.tolist()),
    )  # fmt: skip


def _flag(
    accuracy: float, arbitrary: float, untrained: float, unedited: float, task: "_Task"
) -> tuple[bool, str]:
    """Whether the search does no better than its controls, and in words."""
    n = len(task.test)
    for value, words in (
        (unedited, "the unedited model"),
        (untrained, "the same search in a random-weight twin"),
        (arbitrary, "the same search for arbitrary answers"),
    ):
        spread = max(accuracy * (1 - accuracy) + value * (1 - value), 1 / n) / n
        if (accuracy - value) / spread**0.5 < stats.norm.ppf(1 - LEVEL):
            return True, (
                f"{accuracy:.2f} of {n} pairs, no more than {words} reaches ({value:.2f}): what "
                "was found is the method's, not the model's"
            )
    return False, f"{accuracy:.2f} of {n} pairs, beyond every control"


@final
@dataclass(frozen=True, eq=False)
class _Search:
    """One search."""

    basis: np.ndarray
    accuracy: float
    unedited: float


@final
@dataclass(frozen=True, eq=False)
class _Task:
    """Pairs as TransformerLens takes them; the last column of the inputs is the place read."""

    base: Int[Tensor, "pair column"]
    source: Int[Tensor, "pair column"]
    at: Int[Tensor, " pair"]
    source_at: Int[Tensor, " pair"]
    targets: Int[Tensor, " pair"]
    likeliest: Bool[Tensor, "pair choice"]
    columns: Int[Tensor, " choice"]
    train: Int[Tensor, " train"]
    test: Int[Tensor, " test"]

    @classmethod
    def of(cls, subject: Any, pairs: Pairs, seed: int) -> "_Task":
        words = {word: i for i, word in enumerate(subject.vocabulary)}
        missing = [word for word in pairs.choices if word not in words]
        if missing:
            raise CausalError(
                f"{len(missing)} words of the grammar are no tokens of the model, such as "
                f"{missing[:5]}: give a model that was trained or built on this grammar"
            )
        columns = torch.tensor([words[word] for word in pairs.choices])
        ids, at = [], []
        for sentences, places in ((pairs.base, pairs.base_at), (pairs.source, pairs.source_at)):
            lines = subject.encode(sentences, CaptureSettings.of()).lines
            ids.append(collate(lines, subject.path.wiring.pad_id).ids)
            last = [int(x.stop[p[-1]]) - 1 for x, p in zip(lines, places, strict=True)]
            at.append(torch.tensor(last))
        front = int(at[0][0]) - pairs.base_at[0][-1]  # BOS
        with torch.no_grad():
            said = _logits(subject.path.model, subject.path.model(ids[0]).logits)
        read, targets, likeliest = [], [], []
        rng = np.random.default_rng(seed)
        for i, expected in enumerate(pairs.expected or ()):
            later = np.array(pairs.read[i]) + front
            here = said[i, later][:, columns].double().softmax(-1).numpy()
            far = int(np.abs(here - expected).sum(1).argmax())
            read.append(int(later[far]))
            targets.append(int(rng.choice(len(columns), p=expected[far])))
            likeliest.append(expected[far] >= expected[far].max() * 0.999)
        column = torch.tensor(read)[:, None]
        groups = np.unique(np.asarray(pairs.groups), return_inverse=True)[1]
        half = rng.permutation(groups.max() + 1) < (groups.max() + 1) // 2
        return cls(
            torch.cat([ids[0], column], 1), torch.cat([ids[1], column], 1), at[0], at[1],
            torch.tensor(targets), torch.from_numpy(np.array(likeliest)), columns,
            torch.from_numpy(np.flatnonzero(half[groups])),
            torch.from_numpy(np.flatnonzero(~half[groups] & pairs.moved)),
        )  # fmt: skip

    def search(
        self, model: Any, site: str, rank: int, how: dict[str, Any], *, arbitrary: bool
    ) -> _Search:
        """Fit on the training pairs; judge on the others, or on these if answers are arbitrary."""
        from transformer_lens.tools.analysis.interchange import (
            SubspaceInterchange,
            arbitrary_targets,
            collect_activations,
            fit_das,
            intervened_logits,
        )

        bridge = to_bridge(model)
        targets, judged = self.targets, self.train if arbitrary else self.test
        if arbitrary:
            keys = [tuple(row) for row in self.source.tolist()]
            targets = arbitrary_targets(keys, len(self.columns), int(how["seed"]))

        def task(inputs: Tensor) -> Tensor:
            logits = _logits(model, bridge(inputs[:, :-1]))
            return logits[torch.arange(len(inputs)), inputs[:, -1]][:, self.columns]

        one = self.train
        with torch.enable_grad():
            found = fit_das(
                bridge, site, self.base[one], self.source[one], targets[one], task, rank=rank,
                base_positions=self.at[one], source_positions=self.source_at[one], **how,
            )  # fmt: skip
        given = collect_activations(
            bridge, site, self.source[judged], task, positions=self.source_at[judged]
        )
        edit = SubspaceInterchange(found.basis)
        base, places = self.base[judged], self.at[judged]
        said = intervened_logits(bridge, site, edit, base, given, task, positions=places)
        with torch.no_grad():
            plain = task(base)
        good = self.likeliest[judged]
        if arbitrary:
            good = torch.nn.functional.one_hot(targets[judged], len(self.columns)).bool()
        rows = torch.arange(len(judged))
        right, before = (good[rows, x.argmax(1)].double().mean() for x in (said, plain))
        return _Search(found.basis.double().numpy(), float(right), float(before))


def _logits(model: Any, output: Tensor) -> Tensor:
    """Logarithms where a model gives scores."""
    scores = getattr(model.config, "readout", "logits") != "logits"
    return output.clamp_min(FLOOR).log() if scores else output
