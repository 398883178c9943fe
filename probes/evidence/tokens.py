"""Who stands where: the tokens of a corpus, coded once for all targets."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int, Shaped

from ..inputs.blocks import Blocks, Matrix
from ..inputs.protocols import CorpusLike
from .baselines import keys_of_words, next_words, previous_words
from .groups import Groups
from .surface import Surface
from .texts import TEXT_PARTS, TextColumns

__all__ = ["Tokens"]

LAST = 63  # positions from here on count as one


@final
@dataclass(frozen=True, eq=False)
class Tokens:
    """Who stands where, coded once for all targets; rows in order of group and position.

    Args:
        order: ``[token]`` rows of the corpus in that order; ``-1`` never occurs.
        groups: ``[token]`` group of each ordered row.
        sentences: ``[token]`` sentence of each ordered row.
        positions: ``[token]`` place in the sentence.
        words: ``[token]`` key of the word type.
        previous: ``[token]`` key of the word before, -1 at the start.
        following: ``[token]`` key of the word after, -1 at the end; ``None`` where the model is
            known not to see it.
        unit: what a group is, in one word.
        strings: ``[token]`` characters of each row, where rows are spans of running texts.
    """

    order: Int[np.ndarray, " token"]
    groups: Int[np.ndarray, " token"]
    sentences: Int[np.ndarray, " token"]
    positions: Int[np.ndarray, " token"]
    words: Int[np.ndarray, " token"]
    previous: Int[np.ndarray, " token"]
    following: Int[np.ndarray, " token"] | None
    unit: str
    strings: Shaped[np.ndarray, " token"] | None = None

    @classmethod
    def of(cls, corpus: CorpusLike, groups: Groups, *, sees_next: bool = True) -> "Tokens":
        """Read them from a corpus."""
        positions = np.asarray(corpus.positions)
        sentences = np.asarray(corpus.sentence_ids)
        _, sentence_keys = np.unique(sentences, return_inverse=True)
        order = np.lexsort((positions, sentences, groups.ids))
        words = keys_of_words(corpus.words)
        previous = previous_words(words, sentences, positions)
        following = next_words(words, sentences, positions)[order] if sees_next else None
        running = getattr(corpus, "texts", None) is not None
        strings = np.asarray(corpus.words).astype(str)[order] if running else None
        return cls(
            order, groups.ids[order], sentence_keys[order], positions[order], words[order],
            previous[order], following, groups.unit, strings,
        )  # fmt: skip

    @property
    def keys(self) -> dict[str, Int[np.ndarray, " token"]]:
        """What a guess can go by, under the names of the score grid."""
        keys = {
            "position": self.positions,
            "previous_word": self.previous,
            "word_identity": self.words,
        }
        return keys if self.following is None else {**keys, "next_word": self.following}

    @property
    def contexts(self) -> list[Int[np.ndarray, " token"]]:
        """Keys of the word, of the last two words and of the last three, this one included."""
        before = np.full(len(self.previous), -1, dtype=np.int64)
        same = self.sentences[1:] == self.sentences[:-1]
        before[1:][same] = self.previous[:-1][same]
        two = np.unique(np.column_stack([self.words, self.previous]), axis=0, return_inverse=True)
        three = np.unique(
            np.column_stack([self.words, self.previous, before]), axis=0, return_inverse=True
        )
        return [self.words, two[1].reshape(-1), three[1].reshape(-1)]

    def surface(self, embedding: Matrix | None) -> Surface:
        """All of it together, and the model's ``[row, d_model]`` embedding if there is one."""
        columns = {**self.keys, "position": np.minimum(self.positions, LAST)}
        texts = () if self.strings is None else tuple(
            TextColumns(part, self.strings) for part in TEXT_PARTS
        )  # fmt: skip
        return Surface(
            tuple(columns.values()),
            None if embedding is None else Blocks(embedding, self.order),
            texts,
        )
