"""Captured words are looked at, wherever they lie and however many are looked at together."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from linrep.hooks.errors import CaptureError
from linrep.hooks.reading.arrays import STORED, Arrays
from linrep.hooks.reading.words import Words

SITES, WIDTH, BEGIN = ("early", "late"), 3, 10


def batches(order, sizes):
    """Words of batches that follow each other, in an order of their own."""
    ends = BEGIN + np.cumsum([0, *sizes])
    rows = [np.arange(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return [Words(rows[i], True, None, None) for i in order], int(ends[-1])


def numbers(end):
    return torch.linspace(-2.0, 3.0, (end - BEGIN) * WIDTH).reshape(-1, WIDTH)


def written(words, end, dtype, values, least):
    arrays = Arrays(SITES, BEGIN, end, WIDTH, dtype)
    for one in words:
        for site in SITES:
            arrays.put(site, one, values[site][torch.from_numpy(one.rows - BEGIN)])
        arrays.check(least)
    arrays.check()
    return arrays


@st.composite
def cases(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    order = draw(st.permutations(range(len(sizes))))
    words, end = batches(order, sizes)
    if draw(st.booleans()):  # words that do not follow each other go by their index
        words = [Words(one.rows, False, None, None) for one in words]
    return words, end, draw(st.sampled_from([1, 3, 100]))


@given(cases(), st.sampled_from(["float32", "float64", "bfloat16"]))
def test_what_is_written_is_what_was_given(case, dtype):
    words, end, least = case
    values = {site: numbers(end) for site in SITES}
    arrays = written(words, end, dtype, values, least)
    for site in SITES:
        found = arrays.arrays[site]
        if dtype == "bfloat16":
            found = torch.from_numpy(found).view(torch.bfloat16).float().numpy()
        np.testing.assert_array_equal(found, values[site].to(STORED[dtype]).float().numpy())


@given(
    cases(), st.sampled_from(["float32", "float16"]), st.sampled_from([np.nan, np.inf, -np.inf]),
    st.sampled_from(SITES), st.data(),
)  # fmt: skip
def test_one_value_that_is_not_finite_is_found(case, dtype, wrong, site, data):
    words, end, least = case
    values = {name: numbers(end) for name in SITES}
    values[site][data.draw(st.integers(0, end - BEGIN - 1)), 1] = wrong
    with pytest.raises(CaptureError, match=f"{site} holds NaN or infinite"):
        written(words, end, dtype, values, least)


@given(cases())
def test_finite_values_whose_sum_is_not_are_kept(case):
    words, end, least = case
    values = {site: torch.full((end - BEGIN, WIDTH), 3e38) for site in SITES}
    arrays = written(words, end, "float32", values, least)
    assert all((array == np.float32(3e38)).all() for array in arrays.arrays.values())


@given(cases(), st.sampled_from(SITES), st.booleans(), st.data())
def test_a_batch_that_is_repeated_in_parts_is_written_once(case, last, spoilt, data):
    """Memory runs out behind a site; the batch comes again in two parts, with all sites."""
    words, end, least = case
    values = {site: numbers(end) for site in SITES}
    again = data.draw(st.sampled_from(words))
    if spoilt:
        values["late"][data.draw(st.sampled_from(again.rows.tolist())) - BEGIN, 0] = np.nan
    arrays = Arrays(SITES, BEGIN, end, WIDTH, "float32")

    def put(one, sites):
        for site in sites:
            arrays.put(site, one, values[site][torch.from_numpy(one.rows - BEGIN)])

    def run():
        for one in words:
            parts = [one]
            if one is again:
                put(one, SITES[: SITES.index(last) + 1])
                half = len(one.rows) // 2
                rows = [part for part in (one.rows[:half], one.rows[half:]) if len(part)]
                parts = [Words(part, one.follow, None, None) for part in rows]
            for part in parts:
                put(part, SITES)
                arrays.check(least)
        arrays.check()

    if spoilt:
        with pytest.raises(CaptureError, match="late holds NaN"):
            run()
        return
    run()
    for site in SITES:
        np.testing.assert_array_equal(arrays.arrays[site], values[site].numpy())


def test_values_beyond_a_narrow_dtype_are_refused_at_once():
    (words,), end = batches([0], [2])
    arrays = Arrays(SITES, BEGIN, end, WIDTH, "float16")
    with pytest.raises(CaptureError, match="early holds values up to 1e\\+05, beyond float16"):
        arrays.put("early", words, torch.full((2, WIDTH), 1e5))
