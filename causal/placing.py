"""Pairs as token ids, and the positions that matter in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..hooks.inputs.alignment import Encoding, Line
from ..hooks.reading.prepared import PreparedModel
from ..hooks.reading.settings import CaptureSettings
from .errors import CausalError
from .pairs import Pairs

__all__ = ["Inputs", "first_token", "inputs_of", "positions_of"]


@final
@dataclass(frozen=True, eq=False)
class Inputs:
    """Pairs as token ids, with the places that matter.

    Args:
        base: inputs of the bases.
        source: of the sources.
        asked: of the counterfactuals; the sources themselves where they are the same.
        base_at: tokens of the base whose states are exchanged.
        source_at: the source's for these.
        read: tokens of the base after which the output is compared.
        asked_read: the counterfactual's for these.
        words: token id of every choice, or answer.
    """

    base: tuple[Line, ...]
    source: tuple[Line, ...]
    asked: tuple[Line, ...]
    base_at: list[np.ndarray]
    source_at: list[np.ndarray]
    read: list[np.ndarray]
    asked_read: list[np.ndarray]
    words: dict[str, int] = field(default_factory=dict)

    @property
    def begins(self) -> list[int]:
        """First token of each base that is edited, or read."""
        both = zip(self.base_at, self.read, strict=True)
        return [int(min(at.min(), read.min())) for at, read in both]


def inputs_of(subject: PreparedModel, pairs: Pairs, last_only: bool) -> Inputs:
    """Encode pairs for a model.

    Args:
        subject: the model.
        pairs: of one target.
        last_only: exchange the span's last token alone.

    Raises:
        CausalError: words that the model does not read as tokens.
    """
    base, source, asked = (
        _encode(subject, sentences, name)
        for name, sentences in (
            ("base", pairs.base), ("source", pairs.source), ("counterfactual", pairs.asked),
        )
    )  # fmt: skip
    if pairs.asked is pairs.source or pairs.asked == pairs.source:
        asked = source
    pick = slice(-1, None) if last_only else slice(None)
    if pairs.expected is not None:
        if subject.vocabulary is None:
            raise CausalError(
                "exact probabilities are of the grammar's words, but this model reads tokens of a "
                "tokenizer: give a model trained or constructed on the grammar, or minimal_pairs"
            )
        words = {word: i for i, word in enumerate(subject.vocabulary)}
    else:
        words = _answers(subject, pairs)
    return Inputs(
        base, source, asked,
        [_places(x, at[pick]) for x, at in zip(base, pairs.base_at, strict=True)],
        [_places(x, at[pick]) for x, at in zip(source, pairs.source_at, strict=True)],
        [_places(x, at) for x, at in zip(base, pairs.read, strict=True)],
        [_places(x, at) for x, at in zip(asked, pairs.asked_read, strict=True)],
        words,
    )  # fmt: skip


def _encode(
    subject: PreparedModel, sentences: Sequence[Sequence[str]], what: str
) -> tuple[Line, ...]:
    """One line of tokens per sentence.

    Raises:
        CausalError: a word that the tokenizer reads as nothing.
    """
    encoding: Encoding = subject.encode(sentences, CaptureSettings.of())
    if len(encoding.vanished):
        raise CausalError(
            f"{len(encoding.vanished)} words of the {what} sentences have no token of their own: "
            "leave those pairs out"
        )
    return encoding.lines


def _places(line: Line, words: Sequence[int]) -> np.ndarray:
    """The last token of each word."""
    return np.asarray(line.stop, dtype=np.int64)[list(words)] - 1


def first_token(subject: PreparedModel, words: Sequence[str], answer: str) -> int:
    """Id of the first token of a word as it follows others."""
    (line,) = _encode(subject, [[*words, answer]], "answered")
    return int(line.ids[line.start[-1]])


def _answers(subject: PreparedModel, pairs: Pairs) -> dict[str, int]:
    """First token of every answer, as it follows the base.

    Raises:
        CausalError: the two answers of a pair begin with the same token.
    """
    assert pairs.answers is not None  # noqa: S101 - the caller's condition
    words: dict[str, int] = {}
    for base, both in zip(pairs.base, pairs.answers, strict=True):
        for word in both:
            if word not in words:
                words[word] = first_token(subject, base, word)
        if words[both[0]] == words[both[1]]:
            raise CausalError(
                f"the answers {both[0]!r} and {both[1]!r} begin with the same token, so that the "
                "next token does not tell them apart: leave those pairs out"
            )
    return words


def positions_of(places: Sequence[Int[np.ndarray, "_"]]) -> tuple[Tensor, Tensor]:
    """Rows and places of all outputs of a batch, input after input."""
    rows = np.repeat(np.arange(len(places)), [len(one) for one in places])
    return torch.from_numpy(rows), torch.from_numpy(np.concatenate([*places, np.zeros(0, int)]))
