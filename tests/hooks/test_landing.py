"""Activations that come from a GPU are those of the processor, and all are looked at.

The lines that a GPU runs are run on the processor here, which is taken for one.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from linrep import capture
from linrep.hooks import CaptureError
from linrep.hooks.reading import arrays, landing
from linrep.hooks.reading.arrays import Arrays
from linrep.hooks.reading.landing import Landing
from linrep.hooks.reading.words import Words

SITES = ["first", "second"]


@pytest.fixture
def taken_for_a_gpu(monkeypatch):
    """Copies arrive when they are waited for, not before; how many were waited for."""
    waited = []

    def begun(self, values):
        kept, host = values.clone(), torch.full_like(values, torch.nan)

        def wait():
            waited.append(host.shape)
            with torch.inference_mode():
                host.copy_(kept)

        return host, wait

    monkeypatch.setattr(Landing, "_begun", begun)
    monkeypatch.setattr(arrays, "lies_on_gpu", torch.is_tensor)
    return waited


@pytest.mark.parametrize("ahead", [0, 2000, 2**28])
@pytest.mark.parametrize(
    "asked",
    [{}, {"word_token": "mean"}, {"dtype": "float16"}, {"dtype": "bfloat16"}, {"batch_size": 1}],
    ids=str,
)
def test_what_comes_from_a_gpu_is_what_the_model_makes(
    build, tokenizer, sentences, taken_for_a_gpu, monkeypatch, asked, ahead
):
    monkeypatch.setattr(landing, "AHEAD", ahead)
    monkeypatch.setattr(arrays, "AHEAD", ahead)
    model, tok = build("llama"), tokenizer("byte")
    found = capture(model, sentences, tokenizer=tok, **asked)
    assert taken_for_a_gpu
    monkeypatch.setattr(arrays, "lies_on_gpu", lambda _: False)
    plain = capture(model, sentences, tokenizer=tok, **asked)
    for site in plain.sites:
        np.testing.assert_array_equal(found[site], plain[site])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 400), st.integers(1, 12),
    st.lists(st.booleans(), min_size=12, max_size=12), st.none() | st.integers(0, 11),
)  # fmt: skip
def test_rows_from_a_gpu_and_from_the_processor_are_all_written_and_looked_at(
    sizes, ahead, least, gpu, bad
):
    """Batches of some words; each site of each comes from either place; one may hold NaN."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "AHEAD", ahead)
        patch.setattr(arrays, "AHEAD", ahead)
        written_and_looked_at(patch, sizes, least, gpu, bad)


def written_and_looked_at(patch, sizes, least, gpu, bad):
    ends = np.cumsum([0, *sizes])
    all_rows = torch.arange(ends[-1] * 3.0).reshape(-1, 3)
    expected = {site: all_rows + 1000 * i for i, site in enumerate(SITES)}
    on_gpu, order = set(), iter(range(12))
    patch.setattr(Landing, "_begun", lambda _, values: (values.clone(), lambda: None))
    patch.setattr(arrays, "lies_on_gpu", lambda values: id(values) in on_gpu)
    out, spoiled = Arrays(SITES, 0, int(ends[-1]), 3, "float32"), False

    def run():
        nonlocal spoiled
        for begin, end in zip(ends[:-1], ends[1:], strict=True):
            words = Words(np.arange(begin, end), True, None, None)
            for site in SITES:
                values, number = expected[site][begin:end].clone(), next(order)
                if gpu[number]:
                    on_gpu.add(id(values))
                if number == bad:
                    values[-1, 1], spoiled = torch.nan, True
                out.put(site, words, values)
                if gpu[number]:
                    on_gpu.discard(id(values))
                    values.zero_()  # the model goes on
            out.check(least)
        out.check()

    if bad is not None and bad < 2 * len(sizes):
        with pytest.raises(CaptureError, match="NaN or infinite"):
            run()
        assert spoiled
        return
    run()
    for site in SITES:
        np.testing.assert_array_equal(out.arrays[site], expected[site].numpy())


def test_what_is_under_way_is_bounded_and_arrives_in_order(monkeypatch):
    monkeypatch.setattr(landing, "AHEAD", 100)
    monkeypatch.setattr(Landing, "_begun", lambda _, values: (values, lambda: None))
    under_way, arrived = Landing(), []
    for number in range(5):  # of 40 bytes each
        under_way.send(torch.full((10,), float(number)), lambda x: arrived.append(int(x[0])))
        assert arrived == list(range(number - 1))
    under_way.settle(40)
    assert arrived == [0, 1, 2, 3]
    under_way.settle()
    assert arrived == [0, 1, 2, 3, 4]
