"""Corpora of a grammar: drawn at random with trees and labels, or made of given sentences."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from ...corpora.corpus import Corpus
from ...corpora.language import Language
from ..errors import LanguageError
from ..forms.encoding import encode
from ..forms.table import Table
from ..inference import counting
from ..memory import require_memory
from .growing import sample_table
from .length_sampling import sample_of_length
from .sampled_trees import SampledTrees

__all__ = ["By", "corpus_of_sentences", "draw_corpus", "generator"]

By = Literal["probability", "derivations"]
"""Rules by their probabilities, or so that every derivation tree is equally probable."""


def draw_corpus(
    grammar: Language, table: Table, n: int, seed: int, by: By | str, length: int | None
) -> Corpus:
    """Sample sentences with trees and the labels of all heights.

    Args:
        grammar: kept in the corpus for its ceilings.
        table: the same grammar as integers.
        n: number of sentences.
        seed: of the randomness.
        by: how rules are drawn.
        length: condition on this many tokens; ``None`` for any.

    Raises:
        LanguageError: an argument is out of range, or no sentence has that length.
        TooLarge: the corpus would not fit in memory.
    """
    if n < 0:
        raise LanguageError(f"a sample has 0 or more sentences; received n = {n}")
    if by not in ("probability", "derivations"):
        raise LanguageError(f"by is 'probability' or 'derivations'; received {by!r}")
    if length is not None and length < 1:
        raise LanguageError(f"a sentence has 1 or more tokens; received length = {length}")
    if length is not None and length > (most := counting.longest(table)[table.start]):
        raise LanguageError(
            f"no sentence of {length} tokens can be sampled: the longest of the language has {most}"
        )
    weights = _weights(table, by)
    size = counting.mean_lengths(table, weights.tolist())[table.start] if length is None else length
    # Per token and height: 13 bytes kept in layers, 32 in the frontiers while they grow.
    require_memory(n * size * table.depth * 45 if n else 0, f"a sample of {n} sentences")
    rng = generator(seed)
    if length is None:
        sample = sample_table(table, weights, n, rng)
    else:
        sample = sample_of_length(table, weights, n, length, rng)
    manner = "" if by == "probability" else ", uniform over derivations"
    manner += "" if length is None else f", of {length} tokens"
    return Corpus(
        sample.tokens,
        table.terminals,
        sample.offsets,
        sample.layers,
        SampledTrees(sample, table.terminals, np.arange(n)),
        grammar,
        f"{n} sentences sampled with seed {seed}{manner}",
    )


def generator(seed: int) -> np.random.Generator:
    """The source of randomness of a seed.

    Raises:
        LanguageError: the seed is negative.
    """
    if seed < 0:
        raise LanguageError(f"a seed is an integer from 0; received {seed}")
    return np.random.default_rng(seed)


def corpus_of_sentences(
    grammar: Language, table: Table, sentences: Iterable[Iterable[str]]
) -> Corpus:
    """A corpus without labels whose posteriors the grammar gives.

    Args:
        grammar: kept in the corpus.
        table: the same grammar as integers.
        sentences: token sequences; tokens that are no terminals raise ``UnknownToken``.
    """
    encoded = [encode(table, sentence) for sentence in sentences]
    tokens = np.concatenate([*encoded, np.empty(0, dtype=np.int64)]).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in encoded], dtype=np.int64)])
    source = f"{len(encoded)} given sentences"
    return Corpus(tokens, table.terminals, offsets, {}, (), grammar, source)


def _weights(table: Table, by: str) -> np.ndarray:
    if by == "probability":
        return np.array([float(production.weight) for production in table.productions])
    counts = counting.derivations(table)
    weights = []
    for production in table.productions:
        below = 1
        for child in production.rhs:
            below *= counts[child]
        weights.append(below / counts[production.lhs])  # a ratio of integers of any size
    return np.array(weights)
