"""Questions about the ancestors of tokens, as methods of a grammar."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal, overload

import numpy as np
from jaxtyping import Float, Int

from ..corpora.corpus import Corpus
from ..corpora.language import Given, Posterior
from .errors import LanguageError
from .forms.encoding import encode
from .forms.normal_form import BinaryGrammar
from .forms.table import Table
from .inference import ancestors

__all__ = ["AncestorOracle"]


class AncestorOracle(ABC):
    """Posteriors of ancestors and their ceilings, exact."""

    @property
    @abstractmethod
    def table(self) -> Table:
        """Symbols and rules as integers, in canonical order."""

    @property
    @abstractmethod
    def binary(self) -> BinaryGrammar:
        """The binary form used by charts: :func:`binarise`."""

    @property
    @abstractmethod
    def token_scale(self) -> float:
        """What a token weighs in charts of float64."""

    def encode(self, sentence: Iterable[str]) -> Int[np.ndarray, " position"]:
        """``[position]`` index of each token among the terminals; unknown ones raise."""
        return encode(self.table, sentence)

    @overload
    def ancestor_posterior(
        self,
        sentence: Iterable[str],
        t: int,
        height: int,
        given: Given | str = ...,
        *,
        window: int | None = ...,
        exact: Literal[False] = ...,
    ) -> dict[str, float]: ...
    @overload
    def ancestor_posterior(
        self,
        sentence: Iterable[str],
        t: int,
        height: int,
        given: Given | str = ...,
        *,
        window: int | None = ...,
        exact: Literal[True],
    ) -> dict[str, Fraction]: ...
    def ancestor_posterior(
        self,
        sentence: Iterable[str],
        t: int,
        height: int,
        given: Given | str = "prefix",
        *,
        window: int | None = None,
        exact: bool = False,
    ) -> dict[str, float] | dict[str, Fraction]:
        """Posterior of the label at ``height`` of the token at index ``t``, exact.

        Args:
            sentence: only ``given="sentence"`` looks at tokens after ``t``.
            t: index of the token, from 0.
            height: 1..depth.
            given: see :meth:`Corpus.max_posterior`.
            window: for ``given="window"``.
            exact: as fractions instead of float64.

        Returns:
            Every label with a positive probability. What cannot be raises ``ImpossiblePrefix``.
        """
        asked = ancestors.question(self.table, height, given, window)
        tokens = self.encode(sentence)
        return ancestors.at_token(
            self.binary, self.table, tokens, t, asked, self.token_scale, exact
        )

    def posterior(
        self, corpus: Corpus, height: int, given: Given | str = "prefix", window: int | None = None
    ) -> Posterior:
        """Posterior over labels for every token of a corpus; see :meth:`Corpus.posterior`."""
        asked = ancestors.question(self.table, height, given, window)
        return ancestors.over_labels(self.binary, self.table, corpus, asked, self.token_scale)

    def max_posterior(
        self, corpus: Corpus, height: int, given: Given | str = "prefix", window: int | None = None
    ) -> Float[np.ndarray, " token"]:
        """``[token]`` highest posterior of any label; see :meth:`Corpus.max_posterior`."""
        asked = ancestors.question(self.table, height, given, window)
        return ancestors.highest(self.binary, self.table, corpus, asked, self.token_scale)

    def ceiling(
        self,
        corpus: Corpus,
        height: int,
        given: Given | str = "prefix",
        *,
        window: int | None = None,
    ) -> float:
        """Bayes accuracy on a corpus' tokens: the mean of :meth:`max_posterior` where defined.

        Raises:
            LanguageError: no token of the corpus has such an ancestor.
        """
        values = self.max_posterior(corpus, height, given, window)
        if not (values == values).any():
            raise LanguageError("a ceiling needs a corpus with at least one token it is defined at")
        return float(np.nanmean(values))
