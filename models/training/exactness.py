"""How far a model is from the language's exact distribution of the next token."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...core import LinrepError
from ...grammars.next_tokens import gives_next_tokens, next_tokens
from .batches import batch_ids

__all__ = ["HeldOutSentences", "hold_out"]

APART = 2**31  # between the seed of the training sample and that of the held-out one
TOKENS = 8192  # of one pass


@final
class HeldOutSentences:
    """Held-out sentences, the exact distribution after each part of them, and how often they came.

    Args:
        ids: of the different sentences, BOS in front.
        mask: 1 where there is a token.
        exact: distributions over the words and the end, sentence after sentence.
        counts: how often each sentence was drawn.
    """

    def __init__(
        self,
        ids: Int[Tensor, "sentence position"],
        mask: Int[Tensor, "sentence position"],
        exact: Sequence[Float[np.ndarray, "_ choice"]],
        counts: Int[np.ndarray, " sentence"],
    ) -> None:
        order = torch.argsort(mask.sum(1), stable=True)  # little padding, and the same every time
        self._ids, self._mask = ids[order], mask[order]
        self._exact = torch.from_numpy(np.concatenate([exact[i] for i in order.tolist()]))
        lengths = self._mask.sum(1)
        every = torch.from_numpy(counts)[order].repeat_interleave(lengths).double()
        self._share = every / every.sum()
        self._entropy = -torch.special.xlogy(self._exact, self._exact).sum(1)
        self.sentences = int(counts.sum())

    @property
    def floor(self) -> float:
        """Mean entropy of the exact distributions, in nats per token."""
        return float(self._share @ self._entropy)

    def kl(self, model: Any) -> float:
        """Mean divergence of the model from them, in nats per token.

        Args:
            model: a language model over BOS, the words and EOS.
        """
        cross, begin, done = 0.0, 0, 0
        lengths = self._mask.sum(1).tolist()
        with torch.inference_mode():
            while begin < len(lengths):
                end = begin + 1
                while end < len(lengths) and (end + 1 - begin) * lengths[end] <= TOKENS:
                    end += 1
                ids, mask = (t[begin:end, : lengths[end - 1]] for t in (self._ids, self._mask))
                logits = model(ids, attention_mask=mask).logits[mask.bool()]
                logs = logits.double().log_softmax(-1)[:, 1:]  # BOS is never right
                rows = slice(done, done + len(logs))
                exact = self._exact[rows]
                said = torch.where(exact > 0, exact * logs, 0.0).sum(1)
                cross -= float(self._share[rows] @ said)
                begin, done = end, rows.stop
        return cross - self.floor


def hold_out(
    language: Any, sentences: int, seed: int, vocabulary: Sequence[str]
) -> tuple[HeldOutSentences | None, str]:
    """Held-out sentences with the exact answers; or none, and why.

    Args:
        language: what is learned.
        sentences: how many; 0 for none.
        seed: of the training sample; theirs is another.
        vocabulary: BOS, the words, EOS.
    """
    if not sentences:
        return None, "no sentences were held out, so the KL was not measured"
    charts = gives_next_tokens(language)
    if not charts and not hasattr(language, "next_token_probabilities"):
        return None, "the language gives no exact probabilities of the next token: loss only"
    drawn = language.sample(sentences, seed=(seed + APART) % 2**32).sentences
    counted = Counter(tuple(sentence) for sentence in drawn)
    try:
        exact = (
            next_tokens(language, list(counted))
            if charts
            else [np.asarray(language.next_token_probabilities(one)) for one in counted]
        )
    except LinrepError as error:  # charts too large for this machine
        return None, f"the exact probabilities of the next token cannot be had ({error}): loss only"
    ids, mask = batch_ids(list(counted), vocabulary)
    return HeldOutSentences(ids, mask, exact, np.array(list(counted.values()))), ""
