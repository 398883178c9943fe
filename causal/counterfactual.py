"""What a language says next after a span was replaced: exact, for many sentences at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ..grammars.inference.chart import PAD
from ..grammars.inference.next_token import next_token_weights
from .errors import CausalError

__all__ = ["has_counterfactual", "next_tokens"]

CHUNK = 256  # sentences in one chart


def has_counterfactual(language: object) -> bool:
    """Whether a language gives the exact probability of every next token."""
    return all(hasattr(language, name) for name in ("binary", "token_scale", "encode"))


def next_tokens(
    language: Any, sentences: Sequence[Sequence[str]]
) -> list[Float[np.ndarray, "_ choice"]]:
    """Distribution of the next token after each part of each sentence, from none on.

    Columns are the terminals, then the end. After an impossible prefix the row is all zeros.

    Raises:
        CausalError: the language gives no exact probabilities.

    >>> from linrep.grammars import Grammar
    >>> rows = next_tokens(Grammar.from_text("S -> 'a' 'b' | 'b' 'b'"), [["a", "b"], ["a", "a"]])
    >>> rows[0].tolist()
    [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    >>> rows[1][2].tolist()
    [0.0, 0.0, 0.0]
    """
    if not has_counterfactual(language):
        raise CausalError(
            "the corpus has no grammar that gives exact probabilities, so what should come next "
            "after an exchange is not known: sample the corpus from a Grammar, or give pairs with "
            "the two answers to compare (minimal_pairs)"
        )
    found: list[Float[np.ndarray, "_ choice"]] = []
    for begin in range(0, len(sentences), CHUNK):
        encoded = [language.encode(s) for s in sentences[begin : begin + CHUNK]]
        tokens = np.full((len(encoded), max(map(len, encoded))), PAD)
        for row, ids in zip(tokens, encoded, strict=True):
            row[: len(ids)] = ids
        weights = next_token_weights(language.binary, tokens, "float", language.token_scale)
        total = weights.sum(axis=2, keepdims=True)
        rows = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        found += [row[: len(ids) + 1] for row, ids in zip(rows, encoded, strict=True)]
    return found
