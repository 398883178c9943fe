"""What a language says next after a span was replaced: exact, for many sentences at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ..grammars.next_tokens import gives_next_tokens, next_tokens as of_language
from .errors import CausalError

__all__ = ["has_counterfactual", "next_tokens"]


def has_counterfactual(language: object) -> bool:
    """Whether a language gives the exact probability of every next token."""
    return gives_next_tokens(language)


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
    return of_language(language, sentences)
