"""What capture needs of a corpus: sentences of words, and a name for them."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from ...core.arguments import shown
from ..errors import CaptureError

__all__ = ["fingerprint_of", "sentences_of", "word_count"]


def sentences_of(corpus: Any) -> Sequence[Sequence[str]]:
    """The sentences of a corpus, or the list of lists of words given instead.

    Raises:
        CaptureError: something else, or no word in it.

    >>> sentences_of([["a", "b"]])
    [['a', 'b']]
    """
    sentences = getattr(corpus, "sentences", corpus)
    if isinstance(sentences, str) or not isinstance(sentences, Sequence):
        raise CaptureError(
            f"a corpus has .sentences, or is a list of lists of words; received "
            f"{type(corpus).__name__}"
        )
    for i, sentence in enumerate(sentences):
        words = isinstance(sentence, Iterable) and getattr(sentence, "ndim", 1) > 0
        if isinstance(sentence, str) or not (words and all(isinstance(w, str) for w in sentence)):
            raise CaptureError(
                f"sentence {i} is {shown(sentence)}; expected a list of words: split running text "
                "first"
            )
    if not any(len(s) for s in sentences):
        raise CaptureError("the corpus holds no word: nothing to capture")
    return sentences


def word_count(corpus: Any) -> int:
    """Words of a corpus."""
    return sum(len(s) for s in sentences_of(corpus))


def fingerprint_of(corpus: Any) -> str:
    """Hex digest of the sentences alone; labels do not change activations.

    >>> fingerprint_of([["a", "b"]]) == fingerprint_of([["a"], ["b"]])
    False
    """
    digest = hashlib.sha256()
    for sentence in sentences_of(corpus):
        digest.update("\x1f".join(sentence).encode("utf-8", "surrogatepass") + b"\x1e")
    return digest.hexdigest()
