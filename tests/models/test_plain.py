"""The plain transformer: exact saving, padding, masks, bridge, generation."""

import copy
import itertools
import os

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM

from linrep.models import (
    PlainConfig,
    PlainTransformer,
    PositionError,
    initialise,
    probabilities,
    random_twin,
    to_bridge,
)

KINDS = list(itertools.product(["reglu", "relu", "gelu"], [False, True], [False, True]))


def build(mlp="reglu", bidirectional=False, norms=False, dtype=torch.float64, **more):
    config = PlainConfig(
        vocab_size=7,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        head_dim=5,
        intermediate_size=9,
        max_position_embeddings=8,
        mlp=mlp,
        bidirectional=bidirectional,
        layer_norm=norms,
        **more,
    )
    model = initialise(PlainTransformer(config), seed=1)
    with torch.no_grad():  # biases too, or a lost bias would go unnoticed
        for i, (name, p) in enumerate(model.named_parameters()):
            if name.endswith("bias"):
                p.copy_(torch.linspace(-0.3, 0.4 + 0.01 * i, p.numel()))
    return model.to(dtype).eval()


def ids(batch=3, length=6):
    return torch.arange(batch * length).reshape(batch, length) * 5 % 7


@pytest.mark.parametrize(("mlp", "bidirectional", "norms"), KINDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_save_load_and_bridge_are_the_identity(tmp_path, mlp, bidirectional, norms, dtype):
    model = build(mlp, bidirectional, norms, dtype)
    expected = model(ids(), output_hidden_states=True)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    for auto in (AutoModel, AutoModelForCausalLM):
        loaded = auto.from_pretrained(tmp_path).eval()
        assert loaded.dtype == dtype
        assert torch.equal(loaded(ids()).logits, expected.logits)
    bridge = to_bridge(loaded)
    logits, cache = bridge.run_with_cache(ids())
    assert torch.equal(logits, expected.logits)
    for layer in range(2):
        state = cache[f"blocks.{layer}.hook_resid_post"]
        assert torch.equal(state, expected.hidden_states[layer + 1])
    assert torch.equal(cache["blocks.0.hook_resid_pre"], expected.hidden_states[0])
    loaded.save_pretrained(tmp_path / "again")  # the bridge wrapped a copy


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_saved_weights_get_the_mode_that_the_system_gives(tmp_path, mask):
    before = os.umask(mask)
    try:
        build().save_pretrained(tmp_path / "whole")
        build().save_pretrained(str(tmp_path / "shards"), max_shard_size="1KB")
    finally:
        os.umask(before)
    weights = list(tmp_path.rglob("*.safetensors"))
    assert len(weights) > 2
    assert {file.stat().st_mode & 0o777 for file in weights} == {0o666 & ~mask}


@pytest.mark.parametrize("more", [{"attention_bias_table": True}, {"hardmax": True}])
def test_attention_options_survive_saving(tmp_path, more):
    model = build(**more)
    assert not torch.equal(model(ids()).logits, build()(ids()).logits)
    model.save_pretrained(tmp_path)
    again = PlainTransformer.from_pretrained(tmp_path)
    assert torch.equal(again(ids()).logits, model(ids()).logits)
    assert torch.equal(to_bridge(again)(ids()), model(ids()).logits)


def attention_by_loops(attn, x, allowed, bias):
    """The textbook sum, one query and one key at a time."""
    q, k, v = (p(x).view(len(x), attn.n_heads, attn.d_head) for p in
               (attn.q_proj, attn.k_proj, attn.v_proj))  # fmt: skip
    out = torch.zeros(len(x), attn.n_heads, attn.d_head, dtype=x.dtype)
    for h in range(attn.n_heads):
        for i in range(len(x)):
            keys = [j for j in range(len(x)) if allowed(i, j)]
            scores = torch.stack([q[i, h] @ k[j, h] * attn.scale + bias[h, i, j] for j in keys])
            for j, weight in zip(keys, torch.exp(scores) / torch.exp(scores).sum(), strict=True):
                out[i, h] += weight * v[j, h]
    return attn.o_proj(out.flatten(1))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_attention_equals_the_textbook_sum(bidirectional):
    model = build(bidirectional=bidirectional, attention_bias_table=True, attention_scale=0.7)
    attn = model.layers[0].attn
    x = torch.linspace(-1, 1, 72, dtype=torch.float64).reshape(6, 12)
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    mask = None if bidirectional else causal[None, None]
    fast, _ = attn(x[None], allowed=mask, position_ids=torch.arange(6)[None])
    slow = attention_by_loops(attn, x, lambda i, j: bidirectional or j <= i, attn.bias_table)
    assert torch.allclose(fast[0], slow, rtol=0, atol=1e-14)  # float64, sums of 12 terms


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("table", [False, True])
def test_padding_changes_nothing(bidirectional, side, table):
    model = build(bidirectional=bidirectional, attention_bias_table=table)
    tokens = ids(1, 4)
    alone = model(tokens).logits
    pad = torch.full((1, 3), 6)
    parts = [pad, tokens] if side == "left" else [tokens, pad]
    marks = [torch.zeros(1, 3), torch.ones(1, 4)]
    mask = torch.cat(marks if side == "left" else marks[::-1], 1).long()
    padded = model(torch.cat(parts, 1), attention_mask=mask).logits
    assert torch.isfinite(padded).all()
    # Padding adds exact zeros to sums; only the order of summation may differ.
    assert torch.allclose(padded[mask.bool()], alone[0], rtol=0, atol=1e-14)


def test_causal_sites_ignore_the_future_and_bidirectional_ones_do_not():
    changed = ids(1).clone()
    changed[0, -1] = (changed[0, -1] + 1) % 7
    for bidirectional in (False, True):
        model = build(bidirectional=bidirectional)
        same = torch.equal(model(ids(1)).logits[:, :-1], model(changed).logits[:, :-1])
        assert same is not bidirectional


def test_inputs_embeds_are_the_residual_stream_before_positions():
    model = build()
    assert torch.equal(model(inputs_embeds=model.tok(ids())).logits, model(ids()).logits)


def test_positions_past_the_table():
    with pytest.raises(PositionError, match="positions up to 8; the model has positions 0..7"):
        build()(ids(1, 9))
    model = build(overflow_position=True)
    assert torch.isfinite(model(ids(1, 12)).logits).all()


def test_probabilities_of_zero_rows_are_zero():
    scores = torch.tensor([[0.0, 0.0], [1e-9, 1.0], [-1e-18, 2.0]])
    assert probabilities(scores, floor=1e-8).tolist() == [[0, 0], [0, 1], [0, 1]]


def test_generation_draws_from_scores():
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "<eos>"], readout="scores", hidden_size=4)
    model = PlainTransformer(config)
    with torch.no_grad():
        model.head.bias.copy_(torch.tensor([0.0, 3.0, 1.0, 0.0]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        out = model.generate(torch.zeros(2000, 1).long(), do_sample=True, max_new_tokens=1, top_k=0)
    share = (out[:, 1] == 1).double().mean()
    assert set(out[:, 1].tolist()) == {1, 2}
    assert abs(share - 0.75) < 4 * (0.75 * 0.25 / 2000) ** 0.5  # four standard errors


def test_a_dead_prefix_ends_instead_of_failing():
    config = PlainConfig(vocabulary=["<bos>", "a", "<eos>"], readout="scores", hidden_size=4)
    out = PlainTransformer(config).generate(
        torch.zeros(1, 1).long(), do_sample=True, max_new_tokens=3
    )
    assert out.tolist() == [[0, 2]]


def test_random_twin_is_seeded_and_leaves_the_global_generator_alone():
    model = build(norms=True)
    state = torch.get_rng_state()
    a, b, c = random_twin(model, 8), random_twin(model, 8), random_twin(model, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert a.dtype == model.dtype
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.tok.weight, c.tok.weight)
    assert not torch.equal(a.tok.weight, model.tok.weight)


def test_building_draws_no_random_number():
    state = torch.get_rng_state()
    copy.deepcopy(build())
    assert torch.equal(torch.get_rng_state(), state)
