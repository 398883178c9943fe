"""What the characters of a text tell without a model: its words, its letters, its length."""

from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
from jaxtyping import Int, Shaped
from scipy import sparse

__all__ = ["TEXT_PARTS", "TextColumns", "TextPart"]

TextPart = Literal["bag_of_words", "characters", "length"]

TEXT_PARTS: Final[tuple[TextPart, ...]] = ("bag_of_words", "characters", "length")

WIDEST = 5000  # words, or pieces of words: the most frequent ones of the training rows
PIECES = (1, 4)  # letters of a piece of a word
WORD = r"\w+|[^\w\s]"  # a word, or a sign alone


@final
@dataclass(frozen=True, eq=False)
class TextColumns:
    """Columns of one kind for every row, learned on training rows alone.

    Args:
        part: ``bag_of_words`` and ``characters`` (pieces of words of one to four letters) are
            weighted by how rare they are (TF-IDF, rows of length one); ``length`` is the
            logarithm of the numbers of letters and of words.
        texts: ``[row]`` the characters of each row.
    """

    part: TextPart
    texts: Shaped[np.ndarray, " row"]

    def columns(self, train: Int[np.ndarray, " train"]) -> sparse.csr_matrix:
        """``[row, column]`` of all rows; no columns where the training rows hold none."""
        distinct, place = np.unique(self.texts, return_inverse=True)
        if self.part == "length":
            made = _lengths(distinct)
            learned = made[place[train]]
            spread = learned.std(axis=0)
            scaled = (made - learned.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf)
            return sparse.csr_matrix(scaled[place])
        return _weighted(self.part, distinct, self.texts[train])[place]


def _lengths(texts: np.ndarray) -> np.ndarray:
    counts = [(len(text), len(text.split())) for text in texts.tolist()]
    found: np.ndarray = np.log1p(np.array(counts, dtype=np.float64).reshape(-1, 2))
    return found


def _weighted(part: TextPart, texts: np.ndarray, learned: np.ndarray) -> sparse.csr_matrix:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if part == "bag_of_words":
        maker = TfidfVectorizer(token_pattern=WORD, max_features=WIDEST)
    else:
        maker = TfidfVectorizer(analyzer="char_wb", ngram_range=PIECES, max_features=WIDEST)
    try:
        maker.fit(learned.tolist())
    except ValueError:  # no word in any of them
        return sparse.csr_matrix((len(texts), 0))
    return sparse.csr_matrix(maker.transform(texts.tolist()))
