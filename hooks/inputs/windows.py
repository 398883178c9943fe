"""Inputs longer than the model's context: refused, cut, or read through overlapping windows."""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Int

from ..errors import CaptureError
from .alignment import Encoding, Line

__all__ = ["LongInputs", "fit"]

LongInputs = Literal["refuse", "cut", "window"]


def fit(
    encoding: Encoding,
    limit: int | None,
    policy: LongInputs,
    how: Literal["last", "first", "mean"] = "mean",
) -> Encoding:
    """Make every line fit into ``limit`` tokens.

    ``window`` reads a long line through windows that overlap by half, special tokens around each;
    a word is taken from the window in which it stands furthest from an edge (the first window
    for words near the start, the last for words near the end). ``cut`` keeps the first tokens
    and counts the words that are lost. A span of running text may be longer than a window, a whole
    text for one: of it only the token that is read has to be there.

    Args:
        encoding: lines of any length.
        limit: tokens of the model's context, if it has a limit.
        policy: what becomes of longer lines.
        how: which token stands for a span of running text.

    Raises:
        CaptureError: a line is too long and ``policy`` is ``refuse``, a single word does not fit
            into a window, special tokens leave no room for any, or no word is left.
    """
    if limit is None or all(len(line) <= limit for line in encoding.lines):
        return encoding
    if policy == "refuse":
        unit = encoding.unit
        long = [i for i, line in enumerate(encoding.lines) if len(line) > limit]
        longest = max(len(encoding.lines[i]) for i in long)
        raise CaptureError(
            f"{len(long)} {unit}s are longer than the model's context of {limit} tokens "
            f"({unit} {encoding.lines[long[0]].sentence} is the first, the longest has {longest}): "
            'pass long_inputs="window" to read them through overlapping windows, or "cut" to lose '
            "(and count) the words beyond"
        )
    lines: list[Line] = []
    cut: list[np.ndarray] = []
    for line in encoding.lines:
        if len(line) <= limit:
            lines.append(line)
            continue
        room = limit - line.front - line.back
        if room < 1:
            raise CaptureError(
                f"a context of {limit} tokens has no room for text beside {line.front + line.back} "
                "special tokens: pass special_tokens=False, or a model with a longer context"
            )
        if encoding.unit == "text":
            line = _one_token(line, how)
        pieces = [_head(line, room)] if policy == "cut" else _windows(line, room)
        lines.extend(pieces)
        seen = np.concatenate([line.rows[:0], *(piece.rows for piece in pieces)])
        cut.append(np.setdiff1d(line.rows, seen))
    lost = np.concatenate(cut)
    if policy == "window" and len(lost):
        raise CaptureError(
            f"{len(lost)} words have more tokens than a window of {limit} can hold: pass "
            'long_inputs="cut" to leave them out'
            if encoding.unit == "sentence"
            else f"{len(lost)} spans have more tokens than a window of {limit} can hold, and their "
            'mean is asked for: read their "last" or "first" token, or pass long_inputs="cut"'
        )
    if not any(len(line.rows) for line in lines):
        raise CaptureError(
            f"no word is left: the first word of every sentence has more tokens than a context of "
            f"{limit} can hold; give a model with a longer context, or shorter words"
        )
    return replace(encoding, lines=tuple(lines), cut=lost)


def _one_token(line: Line, how: Literal["last", "first", "mean"]) -> Line:
    """The same with each span at the token that stands for it."""
    if how == "mean":
        return line
    start = line.start if how == "first" else line.stop - 1
    return replace(line, start=start, stop=start + 1)


def _head(line: Line, room: int) -> Line:
    """The first tokens, special tokens at both ends kept."""
    return _piece(line, 0, room, np.arange(len(line.rows)))


def _windows(line: Line, room: int) -> list[Line]:
    length = len(line) - line.front - line.back
    step = max(1, room // 2)
    begins = list(range(0, max(1, length - room), step)) + [length - room]
    first, last = line.start - line.front, line.stop - line.front
    begin = _with_long_words(np.unique(np.array(begins)), first, last, room, length)
    # Distance of the word to the nearer edge; the text's own ends are no edges.
    left = np.where(begin[:, None] == 0, length, first[None] - begin[:, None])
    ends = begin + room
    right = np.where(ends[:, None] >= length, length, ends[:, None] - last[None])
    inside = (first[None] >= begin[:, None]) & (last[None] <= ends[:, None])
    margin = np.where(inside, np.minimum(left, right), -1)
    best = margin.argmax(axis=0)
    fits = margin.max(axis=0) >= 0
    pieces = [
        _piece(line, int(b), room, np.flatnonzero((best == i) & fits)) for i, b in enumerate(begin)
    ]
    return [piece for piece in pieces if len(piece.rows)]


def _with_long_words(
    begin: Int[np.ndarray, " row"],
    first: Int[np.ndarray, " word"],
    last: Int[np.ndarray, " word"],
    room: int,
    length: int,
) -> Int[np.ndarray, " _"]:
    """Begins of windows, and of one around each word that fits in none of these."""
    width = last - first
    inside = (first[None] >= begin[:, None]) & (last[None] <= begin[:, None] + room)
    astray = ~inside.any(axis=0) & (width <= room)
    around = np.clip(first[astray] - (room - width[astray]) // 2, 0, length - room)
    return np.unique(np.concatenate([begin, around]))


def _piece(line: Line, begin: int, room: int, words: np.ndarray) -> Line:
    """Tokens ``begin .. begin + room`` of the text, special tokens around, these words in it."""
    text = line.ids[line.front : len(line.ids) - line.back]
    ids = np.concatenate(
        [line.ids[: line.front], text[begin : begin + room], line.ids[len(line.ids) - line.back :]]
    )
    start, stop = line.start[words] - begin, line.stop[words] - begin
    whole = (start >= line.front) & (stop <= line.front + room)
    return Line(
        ids,
        line.rows[words][whole],
        start[whole],
        stop[whole],
        line.front,
        line.back,
        line.sentence,
    )
