"""Mistakes that activation tools were reported for, each made on purpose and caught on entry.

Every broken adapter has its opposite: the right one on the same model passes.
"""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from linrep.hooks import CaptureError, SelfCheckError, capture
from linrep.hooks.paths.module_path import ModulePath, model_inputs, stream_of
from linrep.hooks.paths.wiring import wire
from linrep.hooks.reading import prepared as subject_module

BOS = ("<s>", None)
CLS = ("[CLS]", "[SEP]")


def failed(check):
    return pytest.raises(SelfCheckError, match=rf"'{check}' failed at blocks\.\d")


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "roberta", "distilbert"])
def test_the_right_adapter_passes_every_check(family, build, tokenizer, sentences):
    acts = capture(ModulePath(build(family)), sentences, tokenizer=tokenizer("byte", BOS))
    found = acts.manifest["self_check"]
    for check in ("reference", "kernel", "batch", "padding"):
        assert found[check] <= 1e-4, check
    assert found["edit"] == found["special"] == "passed"


def without_mask(wiring, batch):
    inputs = model_inputs(wiring, batch)
    inputs.pop("attention_mask", None)
    return inputs


def positions_from_the_left_edge(wiring, batch):
    inputs = model_inputs(wiring, batch)
    if "position_ids" in inputs:
        inputs["position_ids"] = torch.arange(batch.ids.shape[1])[None].expand_as(batch.ids)
    return inputs


def no_positions(wiring, batch):
    inputs = model_inputs(wiring, batch)
    inputs.pop("position_ids", None)
    return inputs


def positions_shifted(wiring, batch):
    places = torch.arange(batch.ids.shape[1])[None].expand_as(batch.ids)
    return {**model_inputs(wiring, batch), "position_ids": places + 1}


def test_padding_that_is_attended_to(build, tokenizer, sentences):
    broken = ModulePath(build("bert"), inputs=without_mask)
    with failed("batch"):
        capture(broken, sentences, tokenizer=tokenizer("byte", CLS))


def test_left_padding_that_is_attended_to(build, tokenizer, sentences):
    # A causal model never looks right, so only left padding shows a lost mask.
    broken = ModulePath(build("llama"), inputs=lambda _, batch: {"input_ids": batch.ids})
    with failed("padding"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


@pytest.mark.parametrize("inputs", [positions_from_the_left_edge, no_positions])
@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_positions_counted_from_the_left_edge(family, inputs, build, tokenizer, sentences):
    broken = ModulePath(build(family), inputs=inputs)
    with failed("padding"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


def test_positions_shifted_for_every_input(build, tokenizer, sentences):
    broken = ModulePath(build("gpt2"), inputs=positions_shifted)
    with failed("reference"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


def test_position_ids_given_to_a_model_that_counts_its_own(build, tokenizer, sentences):
    model = build("roberta")
    assert wire(model).positions == "model"
    broken = ModulePath(model, replace(wire(model), positions="mask"))
    with failed("batch"):
        capture(broken, sentences, tokenizer=tokenizer("byte", CLS))


def test_first_of_a_tensor_taken_for_a_tuple(build, tokenizer, sentences):
    broken = ModulePath(build("llama"), unpack=lambda output: output[0])
    with pytest.raises(CaptureError, match="no residual stream"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


class TupleBlock(torch.nn.Module):
    """A block of older transformers: returns a tuple, extra things behind the stream."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, hidden_states, *args, **kwargs):
        out = self.block(hidden_states, *args, **kwargs)
        return (out, torch.zeros_like(out))


def test_tuple_outputs_are_unpacked_and_the_wrong_entry_is_caught(build, tokenizer, sentences):
    model = build("llama")
    expected = capture(model, sentences, tokenizer=tokenizer("byte", BOS))
    inner = wire(model)
    wrapped = torch.nn.ModuleList([TupleBlock(block) for block in inner.blocks])

    class Body(torch.nn.Module):
        """The body as it was when blocks returned tuples."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask=None, position_ids=None, use_cache=None):
            first = lambda _, __, output: output[0]  # noqa: E731
            layers, model.model.layers = model.model.layers, wrapped
            handles = [w.register_forward_hook(first) for w in wrapped]
            try:
                return model.model(
                    input_ids, attention_mask=attention_mask, position_ids=position_ids
                )
            finally:
                model.model.layers = layers
                for handle in handles:
                    handle.remove()

    wiring = replace(inner, body=Body(), blocks=tuple(wrapped))
    right = capture(ModulePath(model, wiring), sentences, tokenizer=tokenizer("byte", BOS))
    for site in expected.sites:
        np.testing.assert_array_equal(right[site], expected[site])
    wrong = ModulePath(model, wiring, unpack=lambda output: output[1])
    with failed("reference"):
        capture(wrong, sentences, tokenizer=tokenizer("byte", BOS))


def test_stream_read_behind_a_norm(build, tokenizer, sentences):
    model = build("llama")
    broken = ModulePath(model, unpack=lambda output: model.model.norm(stream_of(output)))
    with failed("reference"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


def test_layers_out_of_step(build, tokenizer, sentences):
    model = build("bert")
    right = wire(model)
    broken = ModulePath(model, replace(right, blocks=right.blocks[::-1]))
    with pytest.raises(CaptureError, match="another order"):
        capture(broken, sentences, tokenizer=tokenizer("byte", CLS))
    shifted = ModulePath(model, replace(right, blocks=(right.blocks[1], right.blocks[1])))
    with failed("reference"):
        capture(shifted, sentences, layers=[0], tokenizer=tokenizer("byte", CLS))


def test_stream_rounded_on_the_way(build, tokenizer, sentences):
    broken = ModulePath(build("gpt2"), unpack=lambda output: stream_of(output).bfloat16().float())
    with failed("reference"):
        capture(broken, sentences, tokenizer=tokenizer("byte", BOS))


def attention(scale=1.0, mask=True):
    def forward(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
        scores = query @ key.transpose(2, 3) * (scaling or query.shape[-1] ** -0.5) * scale
        if mask and attention_mask is not None:
            scores = scores + attention_mask[:, :, :, : key.shape[-2]]
        return (scores.softmax(-1) @ value).transpose(1, 2).contiguous(), None

    return forward


@contextmanager
def kernel(model, forward):
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    transformers.AttentionInterface.register("linrep_test", forward)
    AttentionMaskInterface.register("linrep_test", eager_mask)
    model.set_attn_implementation("linrep_test")
    yield model


def test_attention_kernel_with_another_scale(build, tokenizer, sentences):
    with kernel(build("bert"), attention()) as model:
        capture(model, sentences, tokenizer=tokenizer("byte", CLS))
        assert model.config._attn_implementation == "linrep_test"  # put back after the check
    with kernel(build("bert"), attention(scale=1.3)) as model, failed("kernel"):
        capture(model, sentences, tokenizer=tokenizer("byte", CLS))


def test_attention_kernel_that_ignores_the_mask(build, tokenizer, sentences):
    with kernel(build("bert"), attention(mask=False)) as model, failed("batch"):
        capture(model, sentences, tokenizer=tokenizer("byte", CLS))


class ReadOnly(ModulePath):
    """A path whose edits go nowhere: it looks at copies."""

    def attach(self, taps, *, stop=False):
        deaf = {site: (lambda x, t=tap: (t(x.clone()), None)[1]) for site, tap in taps.items()}
        return super().attach(deaf, stop=stop)


def test_edits_that_go_nowhere(build, tokenizer, sentences):
    path = ReadOnly(build("gpt2"))
    with failed("edit"):
        capture(path, sentences, tokenizer=tokenizer("byte", BOS))


def test_words_that_stand_on_special_tokens(build, tokenizer, sentences, monkeypatch):
    encode = subject_module.encode_words

    def shifted(*args, **kwargs):  # "drop the first column": right unless the line has [CLS]
        encoding = encode(*args, **kwargs)
        lines = [replace(x, start=x.start - 1, stop=x.stop - 1) for x in encoding.lines]
        return replace(encoding, lines=tuple(lines))

    monkeypatch.setattr(subject_module, "encode_words", shifted)
    with pytest.raises(SelfCheckError, match="stands on a special token"):
        capture(build("bert"), sentences, tokenizer=tokenizer("byte", CLS))


def test_bos_added_twice(build, tokenizer, sentences):
    texts = [["<s>", *s] for s in sentences]  # a template has put BOS in front already
    with pytest.raises(SelfCheckError, match="BOS twice"):
        capture(build("llama"), texts, tokenizer=tokenizer("byte", BOS))
    capture(build("llama"), texts, tokenizer=tokenizer("byte", BOS), special_tokens=False)


def test_a_site_that_never_fires(build, tokenizer, sentences):
    with pytest.raises(CaptureError, match="cannot be read"):
        capture(build("gpt2"), sentences, sites="blocks.0.hook_attn_in", tokenizer=tokenizer())


def test_unknown_checks_are_refused(build, tokenizer, sentences):
    with pytest.raises(CaptureError, match="unknown checks"):
        capture(build("gpt2"), sentences, tokenizer=tokenizer(), check=["padding", "luck"])


def test_norms_are_told(build, tokenizer, sentences):
    post = capture(build("bert"), sentences, tokenizer=tokenizer())
    assert set(post.manifest["self_check"]["norms"].values()) == {"norm applied"}
    before = capture(build("gpt2"), sentences, tokenizer=tokenizer())
    assert set(before.manifest["self_check"]["norms"].values()) == {"no norm applied"}
