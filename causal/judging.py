"""How far an output is from what is expected, pair by pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .errors import CausalError
from .pairs import Pairs

__all__ = ["FLOOR", "Judge", "Measures", "make_judges"]

FLOOR = 1e-12
"""A probability below this counts as this in logarithms: a model may give 0 to what can come."""


@final
@dataclass(frozen=True, eq=False)
class Measures:
    """Numbers of every pair, one array each.

    Args:
        loss: KL divergence in nats from the counterfactual to the output, mean over the positions;
            for answers the log-odds of the base's answer over the source's.
        gap: total variation between output and counterfactual.
        shift: total variation between the output and the one without an edit.
        error: largest difference of a probability from the counterfactual's.
        change: largest difference of a probability from the one without an edit.
    """

    loss: Float[np.ndarray, " pair"]
    gap: Float[np.ndarray, " pair"]
    shift: Float[np.ndarray, " pair"]
    error: Float[np.ndarray, " pair"]
    change: Float[np.ndarray, " pair"]

    @classmethod
    def joined(cls, parts: Sequence["Measures"], order: np.ndarray) -> "Measures":
        """Batches put together and brought back into the order of the pairs."""
        back = np.argsort(order, kind="stable")
        names = cls.__dataclass_fields__
        return cls(**{n: np.concatenate([getattr(p, n) for p in parts])[back] for n in names})


@final
@dataclass(frozen=True, eq=False)
class Judge:
    """Compares outputs of a batch of pairs with what is expected.

    Args:
        owner: ``[output]`` which pair of the batch an output belongs to.
        n: pairs of the batch.
        expected: ``[output, vocab]`` exact distributions; ``None`` for answers.
        answers: ``[pair, 2]`` token ids of the two answers; ``None`` for distributions. Outputs are
            then of these two alone.
    """

    owner: Int[Tensor, " output"]
    n: int
    expected: Float[Tensor, "output vocab"] | None
    answers: Int[Tensor, "pair 2"] | None

    def __call__(
        self,
        said: Float[Tensor, "output choice"],
        unedited: Float[Tensor, "output choice"],
        asked: Float[Tensor, "output choice"],
    ) -> Measures:
        """Judge outputs.

        Args:
            said: with an edit, or without.
            unedited: without.
            asked: of the counterfactual's own run; answers are held to it.
        """
        if self.answers is not None:
            here, before, goal = (self._two(x) for x in (said, unedited, asked))
            loss = (here[:, 0].log() - here[:, 1].log()).numpy()
        else:
            assert self.expected is not None  # noqa: S101 - one of the two is there
            here, before, goal = said, unedited, self.expected
            logs = goal.clamp_min(FLOOR).log() - here.clamp_min(FLOOR).log()
            loss = self._mean((goal * logs).sum(1))
        gap, shift = (here - goal).abs(), (here - before).abs()
        return Measures(
            loss, self._mean(gap.sum(1) / 2), self._mean(shift.sum(1) / 2),
            self._most(gap.amax(1)), self._most(shift.amax(1)),
        )  # fmt: skip

    def _two(self, said: Tensor) -> Tensor:
        """``[pair, 2]`` the share of each answer of the two."""
        both = said.clamp_min(1e-30)
        return both / both.sum(1, keepdim=True)

    def _mean(self, values: Tensor) -> Float[np.ndarray, " pair"]:
        counts = torch.bincount(self.owner, minlength=self.n)
        sums = torch.bincount(self.owner, weights=values, minlength=self.n)
        return np.asarray((sums / counts).numpy())

    def _most(self, values: Tensor) -> Float[np.ndarray, " pair"]:
        most = torch.zeros(self.n, dtype=values.dtype)
        return np.asarray(most.scatter_reduce(0, self.owner, values, "amax").numpy())


def make_judges(
    pairs: Pairs, batches: Sequence[np.ndarray], words: Mapping[str, int], vocab: int
) -> list[Judge]:
    """One judge for each batch.

    Args:
        pairs: all pairs.
        batches: indices of the pairs of each batch.
        words: token id of every choice, or of every answer as it follows the base.
        vocab: number of token ids.

    Raises:
        CausalError: a choice or an answer is no token of the model.
    """
    if pairs.expected is not None:
        missing = [word for word in pairs.choices if word not in words]
        if missing:
            raise CausalError(
                f"{len(missing)} tokens of the grammar are not tokens of the model: "
                f"{missing[:5]}; give a model whose tokens are the grammar's words"
            )
        columns = torch.tensor([words[word] for word in pairs.choices])
    judges = []
    for batch in batches:
        owner = np.repeat(np.arange(len(batch)), [len(pairs.read[i]) for i in batch])
        expected = answers = None
        if pairs.expected is not None:
            rows = torch.from_numpy(np.concatenate([pairs.expected[i] for i in batch]))
            expected = torch.zeros(len(rows), vocab, dtype=torch.float64)
            expected[:, columns] = rows
        elif pairs.answers is not None:
            answers = torch.tensor([[words[a] for a in pairs.answers[i]] for i in batch])
        judges.append(Judge(torch.from_numpy(owner), len(batch), expected, answers))
    return judges
