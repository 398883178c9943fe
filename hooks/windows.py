"""Inputs longer than the model's context: refused, cut, or read through overlapping windows."""

from dataclasses import replace
from typing import Literal

import numpy as np

from .errors import CaptureError
from .words import Encoding, Line

__all__ = ["LongInputs", "fit"]

LongInputs = Literal["refuse", "cut", "window"]


def fit(encoding: Encoding, limit: int | None, policy: LongInputs) -> Encoding:
    """Make every line fit into ``limit`` tokens.

    ``window`` reads a long line through windows that overlap by half, special tokens around each;
    a word is taken from the window in which it stands furthest from an edge (the first window
    for words near the start, the last for words near the end). ``cut`` keeps the first tokens
    and counts the words that are lost.

    Raises:
        CaptureError: a line is too long and ``policy`` is ``refuse``, or a single word does not
            fit into a window.
    """
    if limit is None or all(len(line) <= limit for line in encoding.lines):
        return encoding
    if policy == "refuse":
        long = [i for i, line in enumerate(encoding.lines) if len(line) > limit]
        longest = max(len(encoding.lines[i]) for i in long)
        raise CaptureError(
            f"{len(long)} sentences are longer than the model's context of {limit} tokens "
            f"(sentence {long[0]} is the first, the longest has {longest}): pass "
            'long_inputs="window" to read them through overlapping windows, or "cut" to lose '
            "(and count) the words beyond"
        )
    lines: list[Line] = []
    cut: list[np.ndarray] = []
    for line in encoding.lines:
        if len(line) <= limit:
            lines.append(line)
            continue
        pieces = [_head(line, limit)] if policy == "cut" else _windows(line, limit)
        lines.extend(pieces)
        seen = np.concatenate([piece.rows for piece in pieces])
        cut.append(np.setdiff1d(line.rows, seen))
    lost = np.concatenate(cut)
    if policy == "window" and len(lost):
        raise CaptureError(
            f"{len(lost)} words have more tokens than a window of {limit} can hold: pass "
            'long_inputs="cut" to leave them out'
        )
    return replace(encoding, lines=tuple(lines), cut=lost)


def _head(line: Line, limit: int) -> Line:
    """The first tokens, special tokens at both ends kept."""
    return _piece(line, 0, limit - line.front - line.back, np.arange(len(line.rows)))


def _windows(line: Line, limit: int) -> list[Line]:
    room = limit - line.front - line.back
    length = len(line) - line.front - line.back
    step = max(1, room // 2)
    begins = list(range(0, max(1, length - room), step)) + [length - room]
    begin = np.unique(np.array(begins))
    first, last = line.start - line.front, line.stop - line.front
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
