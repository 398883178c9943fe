"""Every question a grammar answers: counts, probabilities, derivations, samples, ancestors."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import Literal, overload

import numpy as np
from jaxtyping import Float, Int

from ..corpora.corpus import Corpus
from ..corpora.tree import Tree
from .ancestor_oracle import AncestorOracle
from .errors import LanguageError
from .formats.rule import EOS
from .inference import counting, shape_counts as shapes
from .inference.chart import scale_exponents
from .inference.enumeration import enumerate_sentences
from .inference.next_token import (
    exact_prefix_weight,
    exact_weight,
    next_token_weights,
    normalised,
    scaled_weight,
)
from .inference.parses import Forest, tree_weight
from .sampling.draw import By, corpus_of_sentences, draw_corpus

__all__ = ["Oracle"]


class Oracle(AncestorOracle):
    """The exact answers, given a grammar as integers and in binary form; it holds nothing itself.

    Wherever a sentence or prefix is expected, a token that is no terminal raises
    :class:`UnknownToken`, which names it and its position.
    """

    # -- counts

    @property
    def terminals(self) -> tuple[str, ...]:
        """The tokens, sorted."""
        return self.table.terminals

    @property
    def depth(self) -> int:
        """Level of the start symbol: edges on the longest path from the root to a token."""
        return self.table.depth

    @property
    def levels(self) -> dict[str, int]:
        """Level of each symbol; 0 for terminals."""
        return dict(zip(self.table.names, self.table.levels, strict=True))

    @cached_property
    def lengths(self) -> frozenset[int]:
        """Every length that a sentence can have."""
        return frozenset(self.binary.lengths[self.binary.start])

    @cached_property
    def n_derivations(self) -> int:
        """Number of derivation trees of all sentences, exact."""
        return counting.derivations(self.table)[self.table.start]

    @cached_property
    def derivations_by_length(self) -> dict[int, int]:
        """Length of the sentence -> number of derivation trees, exact."""
        return counting.derivations_by_length(self.table)[self.table.start]

    @cached_property
    def n_shapes(self) -> int:
        """Number of derivation-tree shapes, c; exact. See :func:`shapes.shapes`."""
        return shapes.shapes(self.table)

    @cached_property
    def shapes_by_length(self) -> dict[int, int]:
        """Length of the sentence -> number of derivation-tree shapes, exact."""
        return shapes.shapes_by_length(self.table)

    @cached_property
    def entropy(self) -> float:
        """Entropy of derivations, in nats (of sentences too, where none is ambiguous)."""
        return counting.entropies(self.table)[self.table.start]

    @cached_property
    def mean_length(self) -> Fraction:
        """Expected number of tokens of a sentence, exact."""
        return counting.exact_mean_length(self.table)

    @cached_property
    def token_scale(self) -> float:
        """Kappa, exp(entropy / mean length): keeps joint weights near 1 over long sentences."""
        per_token = self.entropy / counting.mean_lengths(self.table)[self.table.start]
        # Both overflow where sentences have more than 10^308 tokens; any scale is correct.
        return math.exp(per_token) if math.isfinite(per_token) else 1.0

    # -- probabilities

    @overload
    def probability(self, sentence: Iterable[str], *, exact: Literal[False] = ...) -> float: ...
    @overload
    def probability(self, sentence: Iterable[str], *, exact: Literal[True]) -> Fraction: ...
    def probability(self, sentence: Iterable[str], *, exact: bool = False) -> float | Fraction:
        """Probability of a sentence, summed over its derivations; 0.0 outside the language."""
        if exact:
            return exact_weight(self.binary, self.encode(sentence))
        weight, exponent = scaled_weight(self.binary, self.encode(sentence), self.token_scale)
        return math.ldexp(weight, -exponent)

    def log_probability(self, sentence: Iterable[str]) -> float:
        """Log probability in nats, without underflow; ``-inf`` outside the language."""
        weight, exponent = scaled_weight(self.binary, self.encode(sentence), self.token_scale)
        return math.log(weight) - exponent * math.log(2) if weight else -math.inf

    @overload
    def prefix_probability(
        self, prefix: Iterable[str], *, exact: Literal[False] = ...
    ) -> float: ...
    @overload
    def prefix_probability(self, prefix: Iterable[str], *, exact: Literal[True]) -> Fraction: ...
    def prefix_probability(self, prefix: Iterable[str], *, exact: bool = False) -> float | Fraction:
        """Probability that a sentence starts so; 0.0 if none does."""
        tokens = self.encode(prefix)
        if exact:
            return exact_prefix_weight(self.binary, tokens)
        weights = next_token_weights(self.binary, tokens[None, :], "float", self.token_scale)
        exponent = int(scale_exponents(len(tokens), self.token_scale)[-1])
        return math.ldexp(float(weights[0, -1].sum()), -exponent)

    def inside(self, symbol: str, tokens: Iterable[str]) -> Fraction:
        """Probability that a nonterminal derives exactly these tokens, as a fraction.

        Raises:
            LanguageError: there is no such nonterminal.
        """
        if symbol not in self.table.names[self.table.n_terminals :]:
            known = ", ".join(self.table.names[self.table.n_terminals :][:8])
            raise LanguageError(
                f"{symbol!r} is no nonterminal of the grammar; its nonterminals begin {known}"
            )
        return exact_weight(self.binary, self.encode(tokens), self.table.names.index(symbol))

    @overload
    def next_token(
        self, prefix: Iterable[str], *, exact: Literal[False] = ...
    ) -> dict[str, float]: ...
    @overload
    def next_token(self, prefix: Iterable[str], *, exact: Literal[True]) -> dict[str, Fraction]: ...
    def next_token(
        self, prefix: Iterable[str], *, exact: bool = False
    ) -> dict[str, float] | dict[str, Fraction]:
        """Probability of each terminal, and of ``"<eos>"``, right after a prefix.

        Args:
            prefix: tokens; an impossible one raises :class:`ImpossiblePrefix`.
            exact: as fractions instead of float64.
        """
        choices = (*self.terminals, EOS)
        if not exact:
            return dict(
                zip(choices, self.next_token_probabilities(prefix)[-1].tolist(), strict=True)
            )
        tokens = self.encode(prefix)
        weights = next_token_weights(self.binary, tokens[None, :], "exact")[0]
        shares = normalised(weights, self._names(tokens))[-1]
        return {name: Fraction(share) for name, share in zip(choices, shares, strict=True)}

    def next_token_probabilities(self, prefix: Iterable[str]) -> Float[np.ndarray, "read choice"]:
        """``[read, choice]`` next-token distribution after each part of a prefix, from none on.

        Columns are the terminals in order, then the end. An impossible prefix raises
        :class:`ImpossiblePrefix`.
        """
        tokens = self.encode(prefix)
        weights = next_token_weights(self.binary, tokens[None, :], "float", self.token_scale)[0]
        return normalised(weights, self._names(tokens))

    def _names(self, tokens: Int[np.ndarray, " position"]) -> tuple[str, ...]:
        return tuple(self.terminals[token] for token in tokens)

    # -- derivations

    def n_trees(self, sentence: Iterable[str]) -> int:
        """Number of derivation trees of a sentence, exact; 0 outside the language."""
        return Forest(self.table, self.binary, self.encode(sentence)).count()

    def trees(self, sentence: Iterable[str]) -> Iterator[Tree]:
        """Every derivation tree of a sentence, once, lazily; none outside the language."""
        return Forest(self.table, self.binary, self.encode(sentence)).trees()

    def viterbi(self, sentence: Iterable[str], *, exact: bool = False) -> Tree | None:
        """A most probable derivation tree; ``None`` outside the language.

        Args:
            sentence: tokens.
            exact: compare probabilities as fractions. Without it, of two derivations whose log
                probabilities agree to rounding, the less probable one may be returned.
        """
        return Forest(self.table, self.binary, self.encode(sentence)).best(exact)

    def tree_probability(self, tree: Tree) -> Fraction:
        """Probability of a derivation, exact; 0 for a tree that is not one of the grammar's."""
        return tree_weight(self.table, tree)

    def all_sentences(self, max_length: int | None = None) -> Iterator[tuple[str, ...]]:
        """Every sentence once, in order of length; too many to list raises :class:`TooLarge`."""
        words = self.terminals
        for ids in enumerate_sentences(self.table, max_length):
            yield tuple(words[token] for token in ids)

    def sample(
        self, n: int, seed: int = 0, *, by: By | str = "probability", length: int | None = None
    ) -> Corpus:
        """``n`` sentences with trees and labels; the same seed gives the same corpus.

        Args:
            n: number of sentences.
            seed: of the randomness; nothing else enters.
            by: by the rules' probabilities, or uniform over derivations (``"derivations"``).
            length: only sentences of this many tokens, exactly conditioned.
        """
        return draw_corpus(self, self.table, n, seed, by, length)

    def corpus(self, sentences: Iterable[Iterable[str]]) -> Corpus:
        """A corpus of given sentences: no trees and no labels, but the grammar's posteriors."""
        return corpus_of_sentences(self, self.table, sentences)
