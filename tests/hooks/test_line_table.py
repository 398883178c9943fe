"""Batches that are cut out of a table, beside batches that are put together line by line."""

import numpy as np
from hypothesis import given, strategies as st

from linrep.hooks.inputs.alignment import Line
from linrep.hooks.inputs.batching import collate
from linrep.hooks.inputs.line_table import LineTable
from linrep.hooks.reading.loop import _Laid
from linrep.hooks.reading.words import Words

KINDS = st.sampled_from(["plain", "front", "joined", "gap", "swapped"])


def line_of(kind, length, row):
    """A line, and how many words of the corpus it takes."""
    ids = (np.arange(length) * 7 + row).astype(np.int32)
    place = np.arange(length, dtype=np.int32)
    rows = (row + place).astype(np.int32)
    if kind == "front":  # a special token, which is no word
        return Line(np.append(np.int32(1), ids), rows, place + 1, place + 2, front=1), length
    if kind == "joined" and length > 1:  # the last word takes two tokens
        return Line(ids, rows[:-1], place[:-1], np.append(place[1:-1], length)), length - 1
    if kind == "gap":  # a word in between has no tokens
        return Line(ids, rows + (place > 0), place, place + 1), length + 1
    if kind == "swapped":  # as many words as tokens, in another order
        return Line(ids, rows, place[::-1], place[::-1] + 1), length
    return Line(ids, rows, place, place + 1), length


@st.composite
def corpora(draw):
    lines, row = [], draw(st.integers(0, 3))
    for kind, length in draw(st.lists(st.tuples(KINDS, st.integers(1, 3)), min_size=1)):
        line, taken = line_of(kind, length, row)
        lines.append(line)
        row += taken + draw(st.integers(0, 1))  # now and then a word that vanished
    chosen = draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, unique=True))
    begin = draw(st.integers(0, len(lines) - 1))
    neighbours = list(range(begin, draw(st.integers(begin, len(lines) - 1)) + 1))
    return lines, np.array(draw(st.sampled_from([chosen, neighbours])))


@given(corpora(), st.sampled_from(["first", "last", "mean"]))
def test_a_cut_batch_is_the_one_that_is_put_together(drawn, how):
    lines, indices = drawn
    table = LineTable.of(lines)
    made = _Laid.of(indices, table, 9, how)
    batch = collate([table.lines[i] for i in indices], 9)
    words = Words.of(batch, how)
    assert made.batch.ids.tolist() == batch.ids.tolist()
    assert made.batch.lines == batch.lines
    assert made.tokens == sum(len(line) for line in batch.lines)
    assert (made.words.rows.tolist(), made.words.follow) == (words.rows.tolist(), words.follow)
    for one, other in ((made.words.places, words.places), (made.words.owner, words.owner)):
        assert (one is None and other is None) or one.tolist() == other.tolist()


@given(corpora())
def test_a_run_is_cut_just_where_its_lines_follow_each_other(drawn):
    all_lines, indices = drawn
    lines = [all_lines[i] for i in indices]
    rows = np.concatenate([line.rows for line in lines])
    plain = all(
        line.start.tolist() == list(range(len(line)))
        and line.stop.tolist() == list(range(1, len(line) + 1))
        for line in lines
    )
    expected = (
        plain
        and len({len(line) for line in lines}) == 1
        and indices.tolist() == list(range(indices[0], indices[0] + len(indices)))
        and rows.tolist() == list(range(rows[0], rows[0] + len(rows)))
    )
    assert (LineTable.of(all_lines).run(indices) is not None) == expected


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from(["left", "right"]))
def test_the_mask_is_true_on_real_tokens(lengths, side):
    lines = [line_of("plain", length, 0)[0] for length in lengths]
    batch = collate(lines, pad_id=-1, side=side)
    assert batch.mask.tolist() == (batch.ids >= 0).tolist()
    assert batch.full == bool(batch.mask.all())
