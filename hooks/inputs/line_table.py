"""Lines side by side in flat arrays, of which most batches of a grammar's corpus are slices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from .alignment import Line

__all__ = ["LineTable"]


@final
@dataclass(frozen=True, eq=False)
class LineTable:
    """Lines, and their token ids and words in flat arrays.

    Args:
        lines: the inputs.
        ids: token ids of all of them.
        rows: index in the corpus of each of their words.
        tokens: where the ids of each line begin, and their number.
        words: where the words of each line begin, and their number.
        runs: a number for each line, the same for neighbours that make a run: all of one length,
            every token a word in order, and the words follow each other from line to line; 0 for a
            line that belongs to none.
    """

    lines: tuple[Line, ...]
    ids: Int[np.ndarray, " token"]
    rows: Int[np.ndarray, " word"]
    tokens: Int[np.ndarray, " bound"]
    words: Int[np.ndarray, " bound"]
    runs: tuple[int, ...]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "LineTable":
        """The table of some lines.

        >>> from .alignment import encode_vocabulary
        >>> table = LineTable.of(encode_vocabulary([["a", "b"], ["b"]], ["a", "b"]).lines)
        >>> table.ids.tolist(), table.tokens.tolist(), table.runs
        ([0, 1, 1], [0, 2, 3], (1, 2))
        """
        rows = _joined([line.rows for line in lines])
        return cls(
            tuple(lines),
            _joined([line.ids for line in lines]),
            rows,
            _bounds([len(line.ids) for line in lines]),
            _bounds([len(line.rows) for line in lines]),
            _runs(lines, rows),
        )

    def __len__(self) -> int:
        return len(self.lines)

    def run(self, indices: Int[np.ndarray, " batch"]) -> slice | None:
        """A batch as a slice, if its lines stand in this order in one run; else ``None``."""
        asked = indices.tolist()
        first, stop = asked[0], asked[-1] + 1
        if asked != list(range(first, stop)) or not self.runs[first]:
            return None
        return slice(first, stop) if self.runs[first] == self.runs[stop - 1] else None


def _runs(lines: Sequence[Line], rows: Int[np.ndarray, " word"]) -> tuple[int, ...]:
    """Numbers of runs, from 1 on; 0 for a line that belongs to none."""
    tokens = np.array([len(line.ids) for line in lines], dtype=np.int64)
    words = np.array([len(line.rows) for line in lines], dtype=np.int64)
    owner = np.repeat(np.arange(len(lines)), words)
    place = np.arange(len(rows)) - (np.cumsum(words) - words)[owner]  # of a word in its line
    first = rows - place  # the same for all words of a line where they follow each other
    fits = (
        (_joined([line.start for line in lines]) == place)
        & (_joined([line.stop for line in lines]) == place + 1)
        & (first == first[np.cumsum(words)[owner] - 1])
    )
    plain = (
        (tokens == words) & (tokens > 0) & (np.bincount(owner[~fits], minlength=len(lines)) == 0)
    )
    at = np.full(len(lines), -1)
    at[owner] = first
    begins = np.ones(len(lines), dtype=bool)
    begins[1:] = ~plain[:-1] | (tokens[1:] != tokens[:-1]) | (at[1:] != at[:-1] + tokens[:-1])
    return tuple(np.where(plain, np.cumsum(begins), 0).tolist())


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts], dtype=np.int64)


def _bounds(lengths: Sequence[int]) -> np.ndarray:
    return np.cumsum([0, *lengths], dtype=np.int64)
