"""Which rows a map is learned from, in which folds, and how sentences exchange their rows."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from ..errors import ProbeError
from ..evidence.exchanging import exchangeable, swap_sentences
from ..evidence.groups import read_groups
from ..geometry.fold_patterns import deal
from ..inputs.reading import as_array

__all__ = ["Dealt", "Exchanged", "deal_rows", "exchanged_rows"]

LEAST = 6  # groups: of fewer, a map without two folds is learned from next to nothing


class Dealt:
    """Rows of a map.

    Args:
        used: ``[token]`` True for the rows that the map is learned from.
        groups: ``[token]`` what is never divided.
        texts: ``[token]`` number of the text; equal texts share it.
        parts: row numbers of each fold.
    """

    def __init__(
        self,
        used: Bool[np.ndarray, " token"],
        groups: Int[np.ndarray, " token"],
        texts: Int[np.ndarray, " token"],
        folds: Int[np.ndarray, " token"],
    ) -> None:
        self.used, self.groups, self.texts = used, groups, texts
        place = np.where(used, folds, -1)
        self.parts = tuple(np.flatnonzero(place == fold) for fold in np.unique(place[used]))
        self.n_groups = len(np.unique(groups[used]))


class Exchanged:
    """A stream whose rows are read in another order."""

    def __init__(self, rows: Any, source: Int[np.ndarray, " token"]) -> None:
        self._rows, self._source = rows, source
        self.shape = rows.shape

    def __getitem__(self, block: Any) -> Any:
        return self._rows[self._source[block]]


def deal_rows(
    corpus: Any,
    kept: Bool[np.ndarray, " token"],
    rows: Any,
    groups: Any,
    folds: int,
    rng: np.random.Generator,
) -> Dealt:
    """Rows to learn from: those given, or those of half of the groups.

    Args:
        corpus: tokens.
        kept: ``[token]`` tokens that every stream has.
        rows: ``[token]`` bool, or ``None``.
        groups: as :func:`linrep.probe` takes them.
        folds: at most so many.
        rng: deals groups to halves and to folds.

    Raises:
        ProbeError: rows are no mask of the tokens, or too few groups are left.
    """
    n = len(kept)
    found = read_groups(corpus, groups, n)
    if rows is None:
        half = rng.permutation(found.count) < (found.count + 1) // 2
        chosen = half[np.unique(found.ids, return_inverse=True)[1].reshape(-1)]
    else:
        chosen = as_array(rows, f"rows to learn a map from are bool [{n}]")
        if chosen.dtype != bool or chosen.shape != (n,):
            raise ProbeError(
                f"rows to learn a map from are bool [{n}]; received {chosen.dtype} of shape "
                f"{chosen.shape}"
            )
    used = chosen & kept
    count = len(np.unique(found.ids[used]))
    if count < LEAST:
        raise ProbeError(
            f"a map is learned from {count} groups of sentences (equal sentences are one group), "
            f"at least {LEAST} are needed: give more different sentences, of a larger language if "
            "this one has no more, or more rows"
        )
    of_group = np.zeros(n, dtype=np.int64)
    of_group[used] = deal(found.ids[used], folds, rng)
    return Dealt(used, found.ids, found.texts, of_group)


def exchanged_rows(
    dealt: Dealt, corpus: Any, rng: np.random.Generator
) -> Int[np.ndarray, " token"]:
    """For each row the row that takes its place when texts exchange theirs.

    Texts of equal length exchange all their rows, so that each row keeps its position. All copies
    of a text get the rows of one other text: copies are no independent witnesses.
    """
    rows = np.flatnonzero(dealt.used)
    sentences, positions = np.asarray(corpus.sentence_ids), np.asarray(corpus.positions)
    texts = dealt.texts
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(int(texts[row]), int(sentences[row]))
    one = rows[[sentences[row] == first[int(texts[row])] for row in rows]]
    wholes, pieces = exchangeable(texts[one], positions[one], smallest=2)
    source = one[swap_sentences([*wholes, *pieces], rng, fixed=False)]
    width = int(positions[rows].max(initial=0)) + 1
    key = texts.astype(np.int64) * width + positions
    order = np.argsort(key[one], kind="stable")
    place = np.clip(np.searchsorted(key[one][order], key[rows]), 0, len(one) - 1)
    known = key[one][order][place] == key[rows]
    found = np.arange(len(texts))
    found[rows[known]] = source[order][place[known]]
    return found
