"""Exact distributions of the next token, for many sentences at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ..core import checked
from .errors import LanguageError
from .inference.chart import PAD
from .inference.next_token import next_token_weights

__all__ = ["gives_next_tokens", "next_tokens"]

CHUNK = 256  # sentences in one chart, at most
CELLS = 20_000_000  # of a chart: of long sentences fewer are taken at a time


def gives_next_tokens(language: object) -> bool:
    """Whether a language gives the exact probability of every next token, by charts."""
    return all(hasattr(language, name) for name in ("binary", "token_scale", "encode"))


@checked(LanguageError)
def next_tokens(
    language: Any, sentences: Sequence[Sequence[str]]
) -> list[Float[np.ndarray, "_ choice"]]:
    """Distribution of the next token after each part of each sentence, from none on.

    Columns are the terminals, then the end. After an impossible prefix the row is all zeros.

    Raises:
        LanguageError: the language gives no exact probabilities.

    >>> from linrep.grammars import Grammar
    >>> rows = next_tokens(Grammar.from_text("S -> 'a' 'b' | 'b' 'b'"), [["a", "b"], ["a", "a"]])
    >>> rows[0].tolist()
    [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    >>> rows[1][2].tolist()
    [0.0, 0.0, 0.0]
    """
    if not gives_next_tokens(language):
        raise LanguageError(
            f"a {type(language).__name__} gives no exact probabilities of the next token: give a "
            "Grammar"
        )
    encoded = [language.encode(sentence) for sentence in sentences]
    longest = max(map(len, encoded), default=0)
    chunk = max(1, min(CHUNK, CELLS // (len(language.binary.symbols) * (longest + 1) ** 2)))
    found: list[Float[np.ndarray, "_ choice"]] = []
    for begin in range(0, len(sentences), chunk):
        some = encoded[begin : begin + chunk]
        tokens = np.full((len(some), max(map(len, some))), PAD)
        for row, ids in zip(tokens, some, strict=True):
            row[: len(ids)] = ids
        weights = next_token_weights(language.binary, tokens, "float", language.token_scale)
        total = weights.sum(axis=2, keepdims=True)
        rows = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        found += [row[: len(ids) + 1] for row, ids in zip(rows, some, strict=True)]
    return found
