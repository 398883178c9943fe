"""Some texts of many: whole groups where these are small, else the first texts of each."""

from dataclasses import replace

import numpy as np

from ..corpora import Corpus

__all__ = ["at_most"]

ENOUGH = 40  # groups: a fifth of them are tested on, and verdicts need six


def at_most(corpus: Corpus, most: int, seed: int) -> Corpus:
    """A corpus of at most so many texts, in their order.

    Groups stay whole (a city's true and its false statement) where enough of them fit in; where
    they are large, as documents are, each gives as many of its texts as another, its first ones.

    Args:
        corpus: of running texts.
        most: texts.
        seed: of the draw.

    >>> texts = [f"text {i}" for i in range(400)]
    >>> corpus = Corpus.from_texts(texts, groups=[i // 2 for i in range(400)])
    >>> few = at_most(corpus, 100, seed=0)
    >>> len(few), len(set(few.groups.tolist())), few.source
    (100, 50, '100 of 400 texts, drawn with seed 0')
    """
    if len(corpus) <= most:
        return corpus
    rng = np.random.default_rng(seed)
    first = np.minimum(corpus.offsets[:-1], max(corpus.n_tokens - 1, 0))
    names = np.arange(len(corpus)) if corpus.groups is None else corpus.groups[first]
    groups = [np.flatnonzero(names == name) for name in rng.permutation(np.unique(names))]
    whole = np.cumsum([len(group) for group in groups])
    fitting = int((whole <= most).sum())
    if fitting < min(ENOUGH, len(groups)):
        share = max(1, most // len(groups))
        groups = [group[:share] for group in groups]
        fitting = most // share
    chosen = np.sort(np.concatenate(groups[:fitting]))
    told = f"{len(chosen)} of {len(corpus)} texts, drawn with seed {seed}"
    source = ", ".join(filter(None, [corpus.source, told]))
    return replace(corpus.select(chosen), source=source)
