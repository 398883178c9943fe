"""What a corpus asks of the grammar that made it, if one did."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float

__all__ = ["Given", "Language", "Posterior", "What"]

Given = Literal["prefix", "boundary", "sentence", "position", "window"]
"""What a predictor of ancestors has seen."""

What = Literal["ancestor", "rule", "index"]
"""The ancestor's symbol, the rule that expands it, or its place among its parent's children."""


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """Probabilities of labels for every token.

    Args:
        labels: the labels that can occur.
        probabilities: ``[token, label]`` rows sum to 1; NaN where undefined.
    """

    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "token label"]


@runtime_checkable
class Language(Protocol):
    """What a corpus asks of the grammar that made it."""

    def max_posterior(
        self,
        corpus: Any,
        height: int,
        given: Given | str = "prefix",
        window: int | None = None,
    ) -> Float[np.ndarray, " token"]:
        """Highest exact posterior of the ancestor's label, per token."""
        ...

    def posterior(
        self,
        corpus: Any,
        height: int,
        given: Given | str = "prefix",
        window: int | None = None,
    ) -> Posterior:
        """Exact posterior over the ancestor's labels, per token."""
        ...
