"""Tokens as integers, with a clear word about tokens that do not belong."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from ..errors import UnknownToken
from .table import Table

__all__ = ["encode"]


def encode(table: Table, sentence: Iterable[str]) -> Int[np.ndarray, " position"]:
    """``[position]`` index of each token among the terminals.

    Args:
        table: the grammar.
        sentence: tokens, in anything that can be gone through once; not one string.

    Raises:
        UnknownToken: a token is no terminal (it and its position are named), or what was given is
            no sequence of tokens.
    """
    if isinstance(sentence, str):
        raise UnknownToken(
            f"a sentence is a sequence of tokens; received the string {sentence[:40]!r}; "
            "split it first"
        )
    try:
        tokens = tuple(sentence)
    except TypeError:
        raise UnknownToken(
            f"a sentence is a sequence of tokens, such as ['a', 'b']; received {sentence!r:.60}"
        ) from None
    ids = table.terminal_ids
    for position, token in enumerate(tokens):
        if not isinstance(token, str) or token not in ids:
            some = ", ".join(table.terminals[:10]) + (", ..." if len(ids) > 10 else "")
            raise UnknownToken(
                f"token {token!r} at position {position} is no terminal of the grammar; "
                f"its terminals are {some}"
            )
    return np.array([ids[token] for token in tokens], dtype=np.int64)
