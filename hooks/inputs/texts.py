"""From running texts to the token ids a model reads, and back: which tokens cover which span."""

import re
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Int

from ..errors import AlignmentError
from .alignment import CHUNK, BareMarks, Encoding, Line, align, refuse_slow, tokenised
from .corpus import Texts

__all__ = ["WordReader", "encode_texts"]


@final
class WordReader:
    """The tokenizer of a model whose tokens are words: blanks stand between them.

    Args:
        vocabulary: word of each id.
        bos: put in front of every text if the model has it.

    >>> WordReader(["<bos>", "a", "b"])(["a  b"])["offset_mapping"]
    [[(0, 0), (0, 1), (3, 4)]]
    """

    is_fast = True

    def __init__(self, vocabulary: Sequence[str], bos: str = "<bos>") -> None:
        self._ids = {word: i for i, word in enumerate(vocabulary)}
        self._front = [self._ids[bos]] if bos in self._ids else []

    def __call__(self, texts: Sequence[str], **_: object) -> dict[str, Any]:
        """Ids, offsets and special tokens.

        Raises:
            AlignmentError: a word is not in the vocabulary.
        """
        out: dict[str, Any] = {"input_ids": [], "offset_mapping": [], "special_tokens_mask": []}
        for text in texts:
            found = [(m.group(), m.span()) for m in re.finditer(r"\S+", text)]
            unknown = sorted({word for word, _ in found if word not in self._ids})
            if unknown:
                raise AlignmentError(
                    f"{unknown[:8]} in {text!r:.80} are not in the model's vocabulary; it knows "
                    f"{list(self._ids)[:8]}...: give texts of its words, with blanks between them"
                )
            out["input_ids"].append([*self._front, *(self._ids[word] for word, _ in found)])
            out["offset_mapping"].append([(0, 0)] * len(self._front) + [at for _, at in found])
            out["special_tokens_mask"].append([1] * len(self._front) + [0] * len(found))
        return out

    def convert_ids_to_tokens(self, token: int) -> str:
        """The word of an id."""
        return list(self._ids)[token]


def encode_texts(given: Texts, tokenizer: Any, *, special_tokens: bool = True) -> Encoding:
    """Encode running texts as they are written; spans found again by the tokenizer's own offsets.

    A token belongs to each span whose characters it covers, as in
    :func:`~linrep.hooks.inputs.alignment.encode_words`; spans may overlap.

    Args:
        given: texts and spans.
        tokenizer: a fast (offset-tracking) Hugging Face tokenizer.
        special_tokens: let the tokenizer add its own BOS, ``[CLS]``, ``[SEP]``; not to texts that
            hold them already, such as chats that a template has rendered.

    Raises:
        AlignmentError: the tokenizer reports no offsets, they run backwards, a text cannot be
            read, or no token covers any span.
    """
    refuse_slow(tokenizer)
    bare = BareMarks(tokenizer)
    bounds = np.concatenate([[0], np.cumsum(given.counts)])
    lines: list[Line] = []
    vanished: list[np.ndarray] = []
    shared = 0
    for first in range(0, len(given), CHUNK):
        chunk = given.texts[first : first + CHUNK]
        _check_readable(chunk, first)
        out = tokenised(chunk, tokenizer, special_tokens)
        for i, text in enumerate(chunk):
            row, end = int(bounds[first + i]), int(bounds[first + i + 1])
            spans = given.spans[row:end]
            line, lost = align(out, i, spans[:, 1], spans[:, 2], text, row, first + i, bare)
            shared += _beyond(out["offset_mapping"][i], line, given.spans, text)
            lines.append(line)
            vanished.append(lost)
    lost = np.concatenate(vanished)
    if len(lost) == len(given.spans):
        text, start, stop = given.spans[0].tolist()
        raise AlignmentError(
            f"the tokenizer has no token for any of the {len(lost)} spans (the first is "
            f"{given.texts[text][start:stop]!r:.60} of text {text}): they hold characters that it "
            "deletes; give other spans, or the tokenizer of a model that reads them"
        )
    return Encoding(tuple(lines), given.counts, lost, shared, unit="text")


def _check_readable(texts: Sequence[str], first: int) -> None:
    """Texts are of characters, not of halves of them.

    Raises:
        AlignmentError: a lone surrogate.
    """
    for index, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise AlignmentError(
                f"text {first + index} holds half a character (U+{ord(text[error.start]):04X}) at "
                f"{error.start}: it was decoded wrongly; read it again in its own encoding"
            ) from None


def _beyond(offsets: Sequence[Any], line: Line, spans: Int[np.ndarray, "row 3"], text: str) -> int:
    """Spans with a token that also covers other than blank characters beside them."""
    count = 0
    for row, start, stop in zip(line.rows, line.start, line.stop, strict=True):
        begin, end = spans[row, 1:].tolist()
        left, right = offsets[start][0], offsets[stop - 1][1]
        count += bool(text[left:begin].strip() or text[end:right].strip())
    return count
