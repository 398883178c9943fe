"""Where words stand in a batch, beside a loop over lines and words."""

import numpy as np
import pytest
import torch

from linrep.hooks.inputs.alignment import Line
from linrep.hooks.inputs.batching import collate
from linrep.hooks.reading.words import Words, pool


def lines_of(random, count, length, front):
    """Words of one to three tokens behind ``front`` special ones; every token a word at 0."""
    lines, row = [], 5
    for _ in range(count):
        n = length if length else int(random.integers(0, 6))
        sizes = np.ones(n, int) if length else random.integers(1, 4, n)
        stop = front + np.cumsum(sizes)
        ids = np.zeros(front + sizes.sum(), dtype=np.int32)
        rows = np.arange(row, row + n, dtype=np.int32)
        lines.append(Line(ids, rows, (stop - sizes).astype(np.int32), stop.astype(np.int32), front))
        row += n
    return [lines[i] for i in random.permutation(count)]


@pytest.mark.parametrize("how", ["first", "last", "mean"])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("length", "front"), [(0, 0), (0, 1), (4, 0), (4, 2)])
def test_words_are_taken_from_where_they_stand(how, side, length, front):
    random = np.random.default_rng(0)
    for count in (1, 2, 7):
        batch = collate(lines_of(random, count, length, front), pad_id=0, side=side)
        stream = torch.randn(*batch.ids.shape, 3, dtype=torch.float64)
        words = Words.of(batch, how)
        rows, expected = [], []
        for i, line in enumerate(batch.lines):
            skip = batch.ids.shape[1] - len(line) if side == "left" else 0
            for row, a, b in zip(line.rows, line.start + skip, line.stop + skip, strict=True):
                tokens = stream[i, a:b]
                rows.append(int(row))
                expected.append(
                    tokens.mean(0) if how == "mean" else tokens[0 if how == "first" else -1]
                )
        assert words.rows.tolist() == rows
        assert words.rows.dtype == np.int64
        found = pool(stream, words)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)
        if length:
            assert (words.places is None) == (front == 0)
