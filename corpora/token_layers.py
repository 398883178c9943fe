"""What is known about every token at one height: its ancestor and where it ends."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

__all__ = ["TokenLayer"]


@final
@dataclass(frozen=True, eq=False)
class TokenLayer:
    """The ancestors of all tokens at one height, as integers.

    Args:
        names: the labels that occur.
        symbols: ``[token]`` index into ``names``; -1 where the token has no such ancestor.
        boundary: ``[token]`` the token is the last one of the ancestor's span.
        rule_names: rules as text.
        rules: ``[token]`` index of the rule that expands the ancestor; -1 for none (a token, or an
            ancestor that sits lower than this height).
        index: ``[token]`` place of the ancestor among its parent's children, from 0; -1 at the
            root.
    """

    names: tuple[str, ...]
    symbols: Int[np.ndarray, " token"]
    boundary: Bool[np.ndarray, " token"]
    rule_names: tuple[str, ...]
    rules: Int[np.ndarray, " token"]
    index: Int[np.ndarray, " token"]

    def take(self, rows: Int[np.ndarray, " row"]) -> "TokenLayer":
        """The same for some tokens."""
        return TokenLayer(
            self.names,
            self.symbols[rows],
            self.boundary[rows],
            self.rule_names,
            self.rules[rows],
            self.index[rows],
        )
