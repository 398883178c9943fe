"""An instance is left as it was: the training flag of every module, and what is compiled."""

import numpy as np
import pytest
import torch
import transformers as tf

from linrep.hooks import CaptureError, capture, edit, erase, stream
from linrep.hooks.reading.prepared import left_alone
from linrep.models import load, to_bridge

SITE = "blocks.0.hook_resid_post"


def opt():
    config = tf.OPTConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, ffn_dim=64,
        max_position_embeddings=64, word_embed_proj_dim=32, dropout=0.5,
    )  # fmt: skip
    return tf.OPTForCausalLM(config)


@pytest.fixture(params=["gpt2", "llama", "opt", "gemma2", "bert"])
def in_training(request, build):
    """A model being trained, a few parts of which are frozen in eval mode."""
    model = opt() if request.param == "opt" else build(request.param)
    model.train()
    parts = [part for part in model.modules() if part is not model]
    for part in parts[::3]:
        part.training = False
    assert len({part.training for part in model.modules()}) == 2
    return model


def flags(model):
    return {name: part.training for name, part in model.named_modules()}


def total(X, y):
    return np.array([len(X)])


def test_training_flags_are_put_back(in_training, tokenizer, sentences):
    model, tok = in_training, tokenizer()
    before = flags(model)
    first = capture(model, sentences, tokenizer=tok)
    assert flags(model) == before
    stream(model, sentences, total, {"all": ["x"] * 30}, tokenizer=tok)
    assert flags(model) == before
    load(model)
    assert flags(model) == before
    to_bridge(model)
    assert flags(model) == before
    model.eval()  # there is dropout in some of them: eval mode is what was captured
    again = capture(model, sentences, tokenizer=tok)
    for site in first.sites:
        np.testing.assert_array_equal(first[site], again[site])


def test_training_flags_are_put_back_after_an_error(in_training, tokenizer, sentences):
    model, tok = in_training, tokenizer()
    before = flags(model)
    with pytest.raises(CaptureError):
        capture(model, sentences, sites="no such site", tokenizer=tok)
    with pytest.raises(CaptureError):
        capture(model, [], tokenizer=tok)
    with pytest.raises(CaptureError):
        capture(model, sentences)  # no tokenizer
    with left_alone(model):
        assert not any(flags(model).values())
    with pytest.raises(ZeroDivisionError), left_alone(model):
        raise ZeroDivisionError
    assert flags(model) == before


def test_edits_leave_training_flags_alone(in_training):
    model = in_training
    before = flags(model)
    with left_alone(model), edit(model, {SITE: torch.zeros_like}) as ready:
        ready(torch.tensor([[1, 2, 3]]))
    assert flags(model) == before
    with edit(model, {SITE: torch.zeros_like}):
        pass
    with pytest.raises(CaptureError), edit(model, {"no such site": torch.zeros_like}):
        pass
    with pytest.raises(ZeroDivisionError), erase(model, {SITE: lambda X: X}):
        raise ZeroDivisionError
    assert flags(model) == before


def test_the_flags_of_a_bridge_are_put_back(build, tokenizer, sentences):
    bridge = to_bridge(build("gpt2"))
    bridge.train()
    parts = {**flags(bridge), **{f"in {k}": v for k, v in flags(bridge.original_model).items()}}
    assert any(parts.values())
    capture(bridge, sentences, tokenizer=tokenizer())
    after = {**flags(bridge), **{f"in {k}": v for k, v in flags(bridge.original_model).items()}}
    assert after == parts


def wrapped(model):
    return torch.compile(model, backend="eager")


def in_place(model):
    model.compile(backend="eager")
    return model


def body(model):
    model.base_model.compile(backend="eager")
    return model


def blocks(model):
    for block in model.base_model.h if hasattr(model.base_model, "h") else model.base_model.layers:
        block.compile(backend="eager")
    return model


@pytest.fixture
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("compiled", [wrapped, in_place, body, blocks])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.usefixtures("fresh_compiler")
@torch.no_grad()
def test_a_compiled_model_is_read_as_it_was_written(build, tokenizer, sentences, family, compiled):
    model, tok, ids = build(family), tokenizer(), torch.tensor([[1, 2, 3]])
    expected = capture(model, sentences, tokenizer=tok)
    quick = compiled(model)
    plain = quick(ids).logits  # compiled now
    acts = capture(quick, sentences, tokenizer=tok)
    assert acts.manifest["model"]["name"] == type(model).__name__
    assert acts.manifest["model"]["fingerprint"] == expected.manifest["model"]["fingerprint"]
    for site in expected.sites:
        np.testing.assert_array_equal(acts[site], expected[site])
    with left_alone(quick), edit(quick, {SITE: torch.zeros_like}) as ready:
        assert not torch.equal(ready(ids).logits, plain)
        assert torch.equal(ready(ids).logits, quick(ids).logits)
    assert torch.equal(quick(ids).logits, plain)
