"""Tokens as integers, with a clear word about tokens that do not belong."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from .errors import UnknownToken
from .table import Table

__all__ = ["encode"]


def encode(table: Table, sentence: Sequence[str]) -> Int[np.ndarray, " position"]:
    """``[position]`` index of each token among the terminals.

    Args:
        table: the grammar.
        sentence: tokens; not one string.

    Raises:
        UnknownToken: a token is no terminal; it and its position are named.
    """
    if isinstance(sentence, str):
        raise UnknownToken(
            f"a sentence is a sequence of tokens; received the string {sentence[:40]!r}; "
            "split it first"
        )
    ids = table.terminal_ids
    for position, token in enumerate(sentence):
        if token not in ids:
            some = ", ".join(table.terminals[:10]) + (", ..." if len(ids) > 10 else "")
            raise UnknownToken(
                f"token {token!r} at position {position} is no terminal of the grammar; "
                f"its terminals are {some}"
            )
    return np.array([ids[token] for token in sentence], dtype=np.int64)
