"""Where a model lies does not change what is read: on a GPU, or spread over devices and a disk."""

import copy

import numpy as np
import pytest
import torch

from linrep import CaptureError, Statistics, capture, random_twin, stream
from linrep.core.torch_products import TorchProducts
from linrep.hooks.capturing import summing
from linrep.hooks.paths.module_path import ModulePath
from linrep.hooks.reading import landing
from linrep.probes.inputs import columns

SITES = ["blocks.0.hook_resid_post", "blocks.1.hook_resid_post"]
NO_GPU = "no CUDA device here: run this where there is one"


def spread(model, folder):
    """The same model with its weights on the disk, as accelerate's device_map leaves them."""
    accelerate = pytest.importorskip("accelerate")
    again = copy.deepcopy(model)
    blocks = {f"model.layers.{n}": "disk" if n else "cpu" for n in range(2)}
    places = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu",
              "lm_head": "cpu", **blocks}  # fmt: skip
    return accelerate.dispatch_model(
        again, places, main_device="cpu", offload_dir=str(folder), force_hooks=True
    )


@pytest.mark.filterwarnings("ignore::UserWarning")  # accelerate's, of weights on a disk
def test_a_model_that_is_spread_over_devices_reads_the_same(build, tokenizer, sentences, tmp_path):
    model = build("llama")
    plain = capture(model, sentences, tokenizer=tokenizer("byte"), sites=SITES)
    moved = spread(model, tmp_path)
    assert moved.hf_device_map["model.layers.1"] == "disk"
    found = capture(moved, sentences, tokenizer=tokenizer("byte"), sites=SITES)
    for site in SITES:
        np.testing.assert_array_equal(found[site], plain[site])
    assert moved.hf_device_map["model.layers.1"] == "disk"  # left where it was


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_statistics_of_a_model_that_is_spread_over_devices(build, tokenizer, sentences, tmp_path):
    model = build("llama")
    words = [word for sentence in sentences for word in sentence]
    long = {"long": np.array([len(word) > 3 for word in words]).astype(str)}
    plain, found = (
        stream(
            each, sentences, Statistics.from_arrays, long, tokenizer=tokenizer("byte"), sites=SITES
        )
        for each in (model, spread(model, tmp_path))
    )
    for site in SITES:
        np.testing.assert_array_equal(
            found[site, "long"].scatter_xx, plain[site, "long"].scatter_xx
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("family", ["llama", "gpt2", "bert"])
def test_a_gpu_reads_what_the_processor_reads(family, build, tokenizer, sentences):
    model = build(family)
    plain = capture(model, sentences, tokenizer=tokenizer("byte"), sites=SITES, device="cpu")
    found = capture(model, sentences, tokenizer=tokenizer("byte"), sites=SITES, device="cuda")
    for site in SITES:
        assert isinstance(found[site], np.ndarray)
        # float32 in another order of summation, two blocks deep; TF32 is off by default
        np.testing.assert_allclose(found[site], plain[site], rtol=1e-4, atol=1e-4)
    model.to("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_twins_of_a_model_on_a_gpu_are_read_there(build, tokenizer, sentences):
    model = build("llama").to("cuda")
    twin = capture(random_twin(model, seed=1), sentences, tokenizer=tokenizer("byte"), sites=SITES)
    again = capture(random_twin(model, seed=1), sentences, tokenizer=tokenizer("byte"), sites=SITES)
    for site in SITES:
        np.testing.assert_array_equal(twin[site], again[site])
    model.to("cpu")


def long_words(sentences):
    return np.array([len(word) > 3 for sentence in sentences for word in sentence]).astype(str)


def same_sums(found, plain, rtol):
    assert found.counts() == plain.counts()
    for name in ("mean_x", "mean_z", "scatter_xx", "scatter_xz", "scatter_zz"):
        one, other = getattr(found, name), getattr(plain, name)
        assert isinstance(one, np.ndarray)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * np.abs(other).max())


@pytest.mark.parametrize(("room", "rows"), [(2.0**40, 65536), (2.0**40, 3), (0.0, 65536)])
def test_a_stream_is_added_up_where_the_model_lies(
    build, tokenizer, sentences, monkeypatch, room, rows
):
    """On the processor, which is taken for a GPU: the lines are those that a GPU runs."""
    asked = {"tokenizer": tokenizer("byte"), "sites": SITES, "batch_size": 2}
    model, long = build("llama"), {"long": long_words(sentences)}
    plain = stream(model, sentences, Statistics.from_arrays, long, **asked)
    made = []

    def products_on(device):
        made.append(device)
        return TorchProducts(device)

    monkeypatch.setattr(TorchProducts, "room", lambda _: room)
    monkeypatch.setattr(summing, "_ROWS_THERE", rows)
    monkeypatch.setattr(summing, "products_on", TorchProducts)
    monkeypatch.setattr(summing, "lies_on_gpu", torch.is_tensor)
    monkeypatch.setattr(columns, "lies_on_gpu", torch.is_tensor)
    monkeypatch.setattr(columns, "products_on", products_on)
    found = stream(model, sentences, Statistics.from_arrays, long, **asked)
    flushes = -(-len(sentences) // 2) if rows == 3 else 1
    assert made == ["cpu"] * len(SITES) * flushes
    for site in SITES:  # the same float32 rows, summed in float64 by another library
        same_sums(found[site, "long"], plain[site, "long"], rtol=1e-12)
    kinds = stream(model, sentences, lambda X, y: np.array([isinstance(X, np.ndarray)]), long,
                   **asked)  # fmt: skip
    assert kinds[SITES[0], "long"].all()  # a function of one's own is given arrays


@pytest.fixture
def roomy_gpu(monkeypatch):
    """The processor is taken for a GPU that has room for all words."""
    for place in (summing, columns):
        monkeypatch.setattr(place, "products_on", TorchProducts)
        monkeypatch.setattr(place, "lies_on_gpu", torch.is_tensor)


def test_memory_that_runs_out_in_a_pass_takes_back_what_waits_there(
    build, tokenizer, sentences, roomy_gpu, monkeypatch
):
    asked = {"tokenizer": tokenizer("byte"), "sites": SITES, "batch_size": 2, "check": False}
    model, long = build("llama"), {"long": long_words(sentences)}
    plain = stream(model, sentences, Statistics.from_arrays, long, **asked)
    forward, spill, commit = ModulePath.forward, summing.Sums.spill, summing.Sums.commit
    sizes, spilled, waiting = [], [], []

    def tight(self, batch):
        out = forward(self, batch)  # the sites have been seen when memory ends
        if waiting:
            sizes.append(len(batch.ids))
        if len(sizes) == 1 and not spilled:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return out

    monkeypatch.setattr(ModulePath, "forward", tight)
    monkeypatch.setattr(
        summing.Sums, "commit", lambda self: (commit(self), waiting.append(len(self.waiting)))
    )
    monkeypatch.setattr(summing.Sums, "spill", lambda self: (spilled.append(1), spill(self))[1])
    found = stream(model, sentences, Statistics.from_arrays, long, **asked)
    assert spilled == [1]
    assert sizes[:2] == [2, 2]  # once more, not halved
    for site in SITES:
        same_sums(found[site, "long"], plain[site, "long"], rtol=1e-12)


def test_memory_that_runs_out_in_a_sum_takes_back_what_waits_there(
    build, tokenizer, sentences, roomy_gpu, monkeypatch
):
    asked = {"tokenizer": tokenizer("byte"), "sites": SITES, "batch_size": 2}
    model, long = build("llama"), {"long": long_words(sentences)}
    halves = {**long, "some": np.where(np.arange(len(long["long"])) % 3, long["long"], "")}
    plain = stream(model, sentences, Statistics.from_arrays, halves, **asked)
    wide, calls = TorchProducts.wide, []

    def full(self, rows):
        calls.append(len(rows))
        if len(calls) == 4:  # the first group of the first site has been summed up
            raise torch.OutOfMemoryError("CUDA out of memory")
        return wide(self, rows)

    monkeypatch.setattr(TorchProducts, "wide", full)
    found = stream(model, sentences, Statistics.from_arrays, halves, **asked)
    assert len(calls) > 4
    for site in SITES:
        for target in halves:
            same_sums(found[site, target], plain[site, target], rtol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_a_stream_on_a_gpu_has_the_sums_of_the_processor(build, tokenizer, sentences):
    asked = {"tokenizer": tokenizer("byte"), "sites": SITES}
    model, long = build("llama"), {"long": long_words(sentences)}
    plain, found = (
        stream(model, sentences, Statistics.from_arrays, long, device=device, **asked)
        for device in ("cpu", "cuda")
    )
    for site in SITES:  # activations in float32, in another order of summation
        same_sums(found[site, "long"], plain[site, "long"], rtol=1e-3)
    model.to("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize(
    "asked",
    [{"word_token": "mean"}, {"word_token": "first"}, {"dtype": "float16"}, {"batch_size": 1}],
    ids=str,
)
@pytest.mark.parametrize("ahead", [1000, 2**28])
def test_two_captures_on_a_gpu_are_equal_to_the_byte(
    build, tokenizer, sentences, monkeypatch, asked, ahead
):
    monkeypatch.setattr(landing, "AHEAD", ahead)
    model, tok = build("llama"), tokenizer("byte")
    plain = capture(model, sentences * 9, tokenizer=tok, device="cpu", **asked)
    one, two = (
        capture(model, sentences * 9, tokenizer=tok, device="cuda", **asked) for _ in range(2)
    )
    model.to("cpu")
    close = 1e-2 if "dtype" in asked else 1e-4  # roundings of float16, and of float32 sums
    for site in one.sites:
        np.testing.assert_array_equal(one[site], two[site])
        np.testing.assert_allclose(one[site], plain[site], rtol=close, atol=close)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("first", ["cuda", "cpu"])
def test_a_model_on_a_gpu_and_the_processor_reads_the_same(build, tokenizer, sentences, first):
    """``device_map`` puts each block on one of two devices; statistics are of both."""
    accelerate = pytest.importorskip("accelerate")
    model, tok = build("llama"), tokenizer("byte")
    other = {"cuda": "cpu", "cpu": "cuda"}[first]
    places = {"model.embed_tokens": first, "model.layers.0": first, "model.layers.1": other,
              "model.norm": other, "model.rotary_emb": first, "lm_head": other}  # fmt: skip
    moved = accelerate.dispatch_model(copy.deepcopy(model), places, force_hooks=True)
    plain = capture(model, sentences * 9, tokenizer=tok, device="cpu", batch_size=2)
    found = capture(moved, sentences * 9, tokenizer=tok, batch_size=2)
    assert moved.hf_device_map["model.layers.1"] == other
    for site in plain.sites:
        np.testing.assert_allclose(found[site], plain[site], rtol=1e-4, atol=1e-4)
    long = {"long": long_words(sentences * 9)}
    sums = stream(moved, sentences * 9, Statistics.from_arrays, long, tokenizer=tok, batch_size=2)
    for site in plain.sites:
        same_sums(sums[site, "long"], Statistics.from_arrays(found[site], long), rtol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_values_that_are_not_finite_on_a_gpu_are_refused(build, tokenizer, sentences):
    model = build("llama")
    model.model.layers[1].mlp.down_proj.weight.data.fill_(3e38)
    for read in (
        lambda: capture(model, sentences, tokenizer=tokenizer("byte"), device="cuda", check=False),
        lambda: stream(model, sentences, Statistics.from_arrays, {"long": long_words(sentences)},
                       tokenizer=tokenizer("byte"), device="cuda", check=False),
    ):  # fmt: skip
        with pytest.raises(CaptureError, match="NaN or infinite"):
            read()
    model.to("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_two_streams_on_a_gpu_are_equal_to_the_byte(build, tokenizer, sentences):
    model, long = build("llama"), {"long": long_words(sentences * 9)}
    one, two = (
        stream(model, sentences * 9, Statistics.from_arrays, long, tokenizer=tokenizer("byte"),
               device="cuda", batch_size=2)
        for _ in range(2)
    )  # fmt: skip
    model.to("cpu")
    for key, total in one.totals.items():
        np.testing.assert_array_equal(total.scatter_xx, two.totals[key].scatter_xx)
        np.testing.assert_array_equal(total.scatter_xz, two.totals[key].scatter_xz)
