"""Sentences drawn from a constructed model, token by token."""

from collections.abc import Sequence

import torch

from ...models import PlainTransformer
from ..errors import require_count

__all__ = ["draw_sentences"]


def draw_sentences(
    model: PlainTransformer, vocabulary: Sequence[str], n_max: int, n: int, seed: int
) -> list[tuple[str, ...]]:
    """Sentences as Hugging Face's ``generate`` draws them; torch's global generator is kept.

    Args:
        model: whose token 0 begins a sentence.
        vocabulary: word of each id; the last one ends a sentence.
        n_max: tokens of the longest sentence.
        n: sentences wanted.
        seed: of the draws.
    """
    if not require_count("n", n):
        return []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # generate() takes no generator; restored by fork_rng
        drawn = model.generate(
            torch.zeros(n, 1, dtype=torch.long),
            attention_mask=torch.ones(n, 1, dtype=torch.long),
            do_sample=True,
            top_k=0,
            max_new_tokens=n_max + 1,
        )
    end = len(vocabulary) - 1
    rows = [row[: [*row, end].index(end)] for row in drawn[:, 1:].tolist()]
    return [tuple(vocabulary[token] for token in row) for row in rows]
