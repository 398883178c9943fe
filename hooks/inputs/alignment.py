"""From words to the token ids a model reads, and back: which tokens make up which word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, final

import numpy as np
from jaxtyping import Int

from ..errors import AlignmentError

__all__ = [
    "CHUNK",
    "BareMarks",
    "Encoding",
    "Line",
    "align",
    "encode_vocabulary",
    "encode_words",
    "refuse_slow",
    "tokenised",
]

# Penn treebanks write brackets as these; a pretrained tokenizer has read brackets.
_BRACKETS = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}",
}  # fmt: skip
_INT = np.int32  # a corpus' token table stays in memory: half the bytes of int64
CHUNK = 4096  # sentences given to the tokenizer at once: bounds its memory


@final
@dataclass(frozen=True, eq=False)
class Line:
    """One input of the model and the words in it.

    Args:
        ids: token ids, special tokens included, no padding.
        rows: index in the corpus of each word that has tokens here.
        start: first token of each of these words.
        stop: one past their last token.
        front: special tokens in front.
        back: special tokens at the end.
        sentence: index of the sentence it was made from.
    """

    ids: Int[np.ndarray, " position"]
    rows: Int[np.ndarray, " word"]
    start: Int[np.ndarray, " word"]
    stop: Int[np.ndarray, " word"]
    front: int = 0
    back: int = 0
    sentence: int = 0

    def __len__(self) -> int:
        return len(self.ids)


@final
@dataclass(frozen=True, eq=False)
class Encoding:
    """A corpus as model inputs, one per sentence or text, and an account of every word or span.

    Args:
        lines: the inputs, in the order of their sentences.
        sentence_words: words of each sentence.
        vanished: words without any token (empty ones; a tokenizer may delete what it cannot read).
        shared: words that share a token with a neighbour (the tokenizer merged across the space).
        cut: words beyond the context limit.
        unit: what a line was made from: ``"sentence"`` of words, or running ``"text"`` with spans.
    """

    lines: tuple[Line, ...]
    sentence_words: Int[np.ndarray, " sentence"]
    vanished: Int[np.ndarray, " vanished"]
    shared: int = 0
    cut: Int[np.ndarray, " cut"] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    unit: Literal["sentence", "text"] = "sentence"

    @property
    def n_words(self) -> int:
        """Words of the corpus."""
        return int(self.sentence_words.sum())

    @property
    def n_tokens(self) -> int:
        """Token ids in all lines."""
        return sum(len(line) for line in self.lines)


def encode_vocabulary(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], bos: str = "<bos>"
) -> Encoding:
    """Encode sentences whose words are the model's tokens, BOS in front if there is one.

    Raises:
        AlignmentError: a word is not in the vocabulary.

    >>> encoding = encode_vocabulary([["a", "b"], ["b"]], ["<bos>", "a", "b"])
    >>> [line.ids.tolist() for line in encoding.lines], encoding.lines[1].rows.tolist()
    ([[0, 1, 2], [0, 2]], [2])
    """
    table = {word: i for i, word in enumerate(vocabulary)}
    unknown = sorted({w for s in sentences for w in s if w not in table})
    if unknown:
        raise AlignmentError(
            f"{len(unknown)} words are not in the model's vocabulary: {unknown[:8]}; it knows "
            f"{list(vocabulary[:8])}...: give a corpus of the grammar the model was made for"
        )
    front = [table[bos]] if bos in table else []
    lines, row = [], 0
    for index, sentence in enumerate(sentences):
        ids = np.array(front + [table[w] for w in sentence], dtype=_INT)
        n = len(sentence)
        start = np.arange(n, dtype=_INT) + _INT(len(front))
        lines.append(
            Line(ids, np.arange(row, row + n, dtype=_INT), start, start + 1, len(front), 0, index)
        )
        row += n
    return Encoding(tuple(lines), _lengths(sentences), np.empty(0, dtype=np.int64))


def encode_words(
    sentences: Sequence[Sequence[str]], tokenizer: Any, *, special_tokens: bool = True
) -> Encoding:
    """Encode sentences with a pretrained tokenizer; words found again by its own offsets.

    The words of a sentence are joined by single spaces and tokenised as running text, as the
    model was trained on. A token belongs to each word whose characters it covers, so prefix
    spaces, ``##`` and ``▁`` marks need one rule only: a token that is a bare mark of a space
    belongs to no word, whether the space is in the text or the tokenizer put it in front of it.

    Args:
        sentences: words; Penn bracket names (``-LRB-``) are written as brackets.
        tokenizer: a fast (offset-tracking) Hugging Face tokenizer.
        special_tokens: let the tokenizer add its own BOS, ``[CLS]``, ``[SEP]``.

    Raises:
        AlignmentError: the tokenizer reports no offsets, they run backwards, or it leaves no
            token of any word.
    """
    refuse_slow(tokenizer)
    lines: list[Line] = []
    vanished: list[np.ndarray] = []
    bare = BareMarks(tokenizer)
    row = shared = 0
    for begin in range(0, len(sentences), CHUNK):
        chunk = [[_BRACKETS.get(w, w) for w in s] for s in sentences[begin : begin + CHUNK]]
        out = tokenised([" ".join(words) for words in chunk], tokenizer, special_tokens)
        for i, words in enumerate(chunk):
            lengths = np.array([len(w) for w in words], dtype=np.int64)
            begin_at = np.cumsum(lengths + 1) - (lengths + 1)
            line, lost = align(
                out, i, begin_at, begin_at + lengths, " ".join(words), row, begin + i, bare
            )
            shared += int((line.stop[:-1] > line.start[1:]).sum())
            lines.append(line)
            vanished.append(lost)
            row += len(words)
    lost = np.concatenate(vanished) if vanished else np.empty(0, dtype=np.int64)
    if row and len(lost) == row:
        raise AlignmentError(
            f"the tokenizer leaves no token of any of the {row} words (the first is "
            f"{next(w for s in sentences for w in s)!r}): they are empty, or made of characters "
            "that it deletes; give other words, or the tokenizer of a model that reads them"
        )
    return Encoding(tuple(lines), _lengths(sentences), lost, shared)


@final
class BareMarks:
    """Tells tokens that are nothing but the mark of a space (``▁``, ``Ġ``)."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, bool] = {}

    def __call__(self, token: int) -> bool:
        """Whether a token is such a mark."""
        if token not in self._known:
            text = self._tokenizer.convert_ids_to_tokens(token)
            self._known[token] = isinstance(text, str) and not text.strip("▁Ġ ")
        return self._known[token]


def _lengths(sentences: Sequence[Sequence[str]]) -> Int[np.ndarray, " sentence"]:
    return np.array([len(s) for s in sentences], dtype=np.int64)


def refuse_slow(tokenizer: Any) -> None:
    """A tokenizer tells where in the text its tokens stand.

    Raises:
        AlignmentError: it does not.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise AlignmentError(
            f"{type(tokenizer).__name__} reports no character offsets, by which words are found "
            "again: load a fast tokenizer (a tokenizer.json in the model's folder)"
        )


def tokenised(texts: Sequence[str], tokenizer: Any, special_tokens: bool) -> Any:
    """Texts as ids, with offsets and a mask of the special tokens that the tokenizer added.

    Raises:
        AlignmentError: the tokenizer fails, as one does whose vocabulary lacks its own tokens.
        MemoryError: there is no room for the ids.
    """
    try:
        return tokenizer(
            list(texts),
            add_special_tokens=special_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            padding=False,
            truncation=False,
            verbose=False,
        )
    except (MemoryError, AlignmentError):
        raise
    except Exception as error:  # tokenizers raises bare exceptions
        raise AlignmentError(
            f"{type(tokenizer).__name__} cannot read these texts ({error!s:.200}): its files are "
            "damaged, or its vocabulary lacks a token that it needs; restore tokenizer.json, or "
            "pass another tokenizer"
        ) from error


def align(
    out: Any,
    index: int,
    begin: Int[np.ndarray, " word"],
    end: Int[np.ndarray, " word"],
    written: str,
    row: int,
    sentence: int,
    bare: Callable[[int], bool],
) -> tuple[Line, Int[np.ndarray, " vanished"]]:
    """Lay words over tokens by their characters; also the rows of words without tokens.

    Args:
        out: of :func:`tokenised`.
        index: of the text in it.
        begin: first character of each word (or span).
        end: one past its last.
        written: the text.
        row: of the first word, in the corpus.
        sentence: index of the sentence (or text).
        bare: tells tokens that are nothing but the mark of a space.

    Raises:
        AlignmentError: offsets run backwards.
    """
    ids = out["input_ids"][index]
    offsets = np.asarray(out["offset_mapping"][index], dtype=np.int64).reshape(-1, 2)
    special = np.asarray(out["special_tokens_mask"][index], dtype=bool)
    text = np.flatnonzero(~special & (offsets[:, 1] > offsets[:, 0]))
    # A mark that was put in borrows the offset of the character behind it, which has its own token.
    borrowed = np.flatnonzero(offsets[text[:-1], 0] == offsets[text[1:], 0])
    text = np.delete(text, [i for i in borrowed if bare(int(ids[text[i]]))])
    left, right = offsets[text, 0], offsets[text, 1]
    if any(a > b for a, b in pairwise(left)) or any(a > b for a, b in pairwise(right)):
        raise AlignmentError(
            f"the tokenizer's offsets run backwards in {written!r:.200}: words cannot be "
            "found again; give a tokenizer that keeps the order of the text"
        )
    first = np.searchsorted(right, begin, side="right")  # first token that ends after it begins
    after = np.searchsorted(left, end, side="left")  # first token that begins after it ends
    there = (after > first) & (end > begin)  # an empty word covers no character of a blank's token
    rows = row + np.flatnonzero(there)
    front = int(np.argmin(special)) if (~special).any() else len(special)
    back = int(np.argmin(special[::-1])) if (~special).any() else 0
    start = text[first[there]] if there.any() else np.empty(0, dtype=np.int64)
    stop = text[after[there] - 1] + 1 if there.any() else np.empty(0, dtype=np.int64)
    line = Line(
        np.asarray(ids, dtype=_INT),
        rows.astype(_INT),
        start.astype(_INT),
        stop.astype(_INT),
        front,
        back,
        sentence,
    )
    return line, row + np.flatnonzero(~there)
