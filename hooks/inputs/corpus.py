"""What capture needs of a corpus: sentences of words or texts with spans, and a name for them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Int

from ...core.arguments import shown
from ...corpora import Corpus, CorpusError
from ..errors import CaptureError

__all__ = ["Inputs", "Texts", "as_corpus", "fingerprint_of", "inputs_of", "word_count"]


@final
@dataclass(frozen=True, eq=False)
class Texts:
    """Running texts and the pieces of them that are read.

    Args:
        texts: as they are written.
        spans: ``[row, 3]`` text, first character, one past the last; in the order of the texts.
    """

    texts: tuple[str, ...]
    spans: Int[np.ndarray, "row 3"]

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.texts)

    @property
    def counts(self) -> Int[np.ndarray, " text"]:
        """``[text]`` spans of each."""
        return np.bincount(self.spans[:, 0], minlength=len(self.texts))


Inputs = Texts | Sequence[Sequence[str]]
"""What a model is given: running texts, or sentences as lists of words."""


def as_corpus(corpus: Any) -> Any:
    """A list of texts as a corpus of whole texts; anything else as it is.

    Raises:
        CaptureError: a text is empty, or something else stands among them.

    >>> as_corpus(["A text.", "Another."])
    Corpus(2 texts, 2 rows, targets none, no source)
    """
    listed = isinstance(corpus, list | tuple) or (
        not hasattr(corpus, "sentences") and getattr(corpus, "ndim", 0) == 1
    )
    if not listed or not len(corpus) or not isinstance(next(iter(corpus)), str):
        return corpus
    try:
        return Corpus.from_texts(corpus, at="")
    except CorpusError as error:
        raise CaptureError(str(error)) from error


def inputs_of(corpus: Any) -> Inputs:
    """The texts of a corpus with its spans; else its sentences, or the list of lists given instead.

    Raises:
        CaptureError: something else, or nothing in it.

    >>> inputs_of([["a", "b"]])
    [['a', 'b']]
    """
    texts = getattr(as_corpus(corpus), "texts", None)
    if texts is None:
        return sentences_of(corpus)
    corpus = as_corpus(corpus)
    if not len(corpus.spans):
        raise CaptureError(
            "the corpus holds no span, so there is nothing to capture: give at least one, or leave "
            "spans out to read whole texts"
        )
    return Texts(texts, corpus.spans)


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
                f"sentence {i} is {shown(sentence)}; expected a list of words; running text is "
                "given as a list of texts, capture(model, ['a text', ...]), or by Corpus.from_texts"
            )
    if not any(len(s) for s in sentences):
        raise CaptureError(
            "the corpus holds no word, so there is nothing to capture: give sentences with words"
        )
    return sentences


def word_count(corpus: Any) -> int:
    """Words (or spans) of a corpus."""
    given = inputs_of(corpus)
    return len(given.spans) if isinstance(given, Texts) else sum(len(s) for s in given)


def fingerprint_of(corpus: Any) -> str:
    """Hex digest of the sentences (or texts and spans) alone; labels do not change activations.

    >>> fingerprint_of([["a", "b"]]) == fingerprint_of([["a"], ["b"]])
    False
    >>> fingerprint_of(["a b"]) == fingerprint_of([["a", "b"]])
    False
    """
    given = inputs_of(corpus)
    digest = hashlib.sha256()
    if isinstance(given, Texts):
        for text in given.texts:
            digest.update(text.encode("utf-8", "surrogatepass") + b"\x1d")
        digest.update(given.spans.astype("<i8").tobytes())
        return digest.hexdigest()
    for sentence in given:
        digest.update("\x1f".join(sentence).encode("utf-8", "surrogatepass") + b"\x1e")
    return digest.hexdigest()
