"""Where a model lies does not change what is read: on a GPU, or spread over devices and a disk."""

import copy

import numpy as np
import pytest
import torch

from linrep import Statistics, capture, random_twin, stream

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
