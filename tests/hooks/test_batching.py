"""Batches hold every line once, and keep to each limit."""

import numpy as np
from hypothesis import given, strategies as st

from linrep.hooks.inputs.alignment import Line
from linrep.hooks.inputs.batching import collate, plan, usual

LENGTHS = st.lists(st.integers(1, 60), max_size=60)
LIMIT = st.none() | st.integers(1, 200)


@given(LENGTHS, LIMIT, LIMIT, st.none() | st.integers(0, 100))
def test_a_plan_holds_every_line_once_and_keeps_to_its_limits(lengths, tokens, lines, padding):
    batches = plan(lengths, tokens, lines, padding)
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    sizes = [[lengths[i] for i in batch] for batch in batches]
    assert [size for batch in sizes for size in batch] == sorted(lengths, reverse=True)
    for batch, following in zip(sizes, [*sizes, [None]][1:], strict=True):
        assert batch

        def fits(some):
            wide = len(some) * some[0]
            return (
                (tokens is None or wide <= tokens)
                and (lines is None or len(some) <= lines)
                and (padding is None or wide - sum(some) <= padding)
            )

        assert len(batch) == 1 or fits(batch)
        # No batch ends before it has to: the next line would break a limit.
        assert following[0] is None or not fits([*batch, following[0]])


@given(LENGTHS, st.sampled_from([64, 768, 4096]), st.booleans())
def test_lines_of_one_length_share_batches_as_large_as_memory_is_meant_for(
    lengths, d_model, accelerator
):
    usually = usual([7 for _ in lengths], d_model, accelerator=accelerator)
    assert len(usually) == (1 if lengths else 0)


def test_padding_costs_less_than_a_sixth_of_what_is_read():
    """Lengths of the sentences of a newspaper: a log-normal with a long tail."""
    lengths = np.random.default_rng(0).lognormal(2.9, 0.7, 2000).clip(3, 300).astype(int).tolist()
    batches = usual(lengths, 384, accelerator=False)
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 7 / 6 * sum(lengths)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from(["left", "right"]))
def test_the_mask_is_true_on_real_tokens(lengths, side):
    none = np.empty(0, np.int32)
    lines = [Line(np.arange(length, dtype=np.int32), none, none, none) for length in lengths]
    batch = collate(lines, pad_id=-1, side=side)
    assert batch.mask.tolist() == (batch.ids >= 0).tolist()
    assert batch.full == bool(batch.mask.all())
