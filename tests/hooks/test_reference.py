"""A bridge is compared with the model as it was before it was bridged."""

import numpy as np
import pytest
import torch
import transformers

from linrep.hooks import SelfCheckError, capture, edit
from linrep.hooks.paths.bridge_path import bridged
from linrep.hooks.paths.wiring import wire
from linrep.models import to_bridge

CORPUS = [["a", "b", "c", "a", "b"], ["c", "b"]]
BOS = ("<s>", None)


def falcon(alibi):
    """TransformerLens's bridge leaves ALiBi out where attention and MLP follow each other."""
    config = transformers.FalconConfig(
        vocab_size=9, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=alibi,
        parallel_attn=False, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.FalconForCausalLM(config).eval()
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.data.mul_(4.0)
    model.config.vocabulary = ["<bos>", "a", "b", "c"]
    return model


@pytest.mark.parametrize("asked", ["resid_post", "resid_mid", "attn_out"])
@pytest.mark.parametrize("folder", [False, True])
def test_a_bridge_that_computes_something_else_is_refused(asked, folder, tmp_path):
    for alibi in (True, False):
        model = falcon(alibi)
        if folder:
            model.save_pretrained(tmp_path / str(alibi))
            model = str(tmp_path / str(alibi))
        if alibi:
            with pytest.raises(SelfCheckError, match="'reference' failed at blocks.0.*bridge"):
                capture(model, CORPUS, asked, path="bridge")
        else:
            found = capture(model, CORPUS, asked, path="bridge").manifest["self_check"]
            assert 0 < found["reference"] < 1e-5


def test_the_last_block_is_compared_as_well(build, tokenizer, sentences, monkeypatch):
    from linrep.hooks.reading import prepared as subject_module

    def broken(model, wiring, *, share):
        path = bridged(model, wiring, share=share)
        list(path.model.model.layers)[1].mlp.down_proj.weight.data.mul_(1.1)
        return path

    asked = {"sites": "resid_mid", "tokenizer": tokenizer("byte", BOS)}
    capture(build("llama"), sentences, **asked)
    monkeypatch.setattr(subject_module, "bridged", broken)
    with pytest.raises(SelfCheckError, match=r"'reference' failed at blocks\.1\.hook_resid_post"):
        capture(build("llama"), sentences, **asked)


def openai_gpt():
    config = transformers.OpenAIGPTConfig(
        vocab_size=9, n_embd=32, n_layer=2, n_head=4, n_positions=64
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.OpenAIGPTLMHeadModel(config).eval()
    model.config.vocabulary = ["<bos>", "a", "b", "c"]
    return model


def test_a_bridge_that_skips_the_ends_of_blocks_is_compared_where_it_can_be():
    found = capture(openai_gpt(), CORPUS, "resid_mid", check=["reference"])
    assert 0 <= found.manifest["self_check"]["reference"] < 1e-5


def test_blocks_that_return_lists_are_read_and_edited():
    model = openai_gpt()
    assert capture(model, CORPUS).manifest["self_check"]["edit"] == "passed"
    ids = torch.tensor([[0, 1, 2]])
    with edit(model, {"blocks.0.hook_resid_post": torch.zeros_like}), torch.no_grad():
        zeroed = model(ids).logits
    assert torch.allclose(zeroed[0, 0], zeroed[0, 2], atol=1e-6)  # no position is told apart


def test_a_bridge_that_is_given_says_what_was_not_compared(build, tokenizer, sentences):
    tok = tokenizer("byte", BOS)
    acts = capture(to_bridge(build("llama")), sentences, tokenizer=tok)
    said = acts.manifest["self_check"]["reference"]
    assert said.startswith("not compared with an untouched model")
    acts = capture(build("llama"), sentences, tokenizer=tok, path="bridge")
    assert 0 <= acts.manifest["self_check"]["reference"] < 1e-4


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_a_shared_bridge_costs_no_weights_and_leaves_the_model(family, build):
    model = build(family)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kinds = [type(module) for module in model.modules()]
    path = bridged(model, wire(model), share=True)
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        shared, own = path.bridge(ids), model(ids).logits
    np.testing.assert_allclose(shared, own, rtol=1e-3, atol=1e-4)
    assert path.untouched is model
    assert [type(module) for module in model.modules()] == kinds
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    ours = {p.data_ptr() for p in path.model.parameters()}
    theirs = {p.data_ptr() for p in model.parameters()}
    assert len(ours & theirs) > len(theirs) // 2  # a bridge may split a joint projection


def test_recurrent_models_whose_states_begin_behind_a_block_are_captured():
    config = transformers.RwkvConfig(
        vocab_size=9, hidden_size=32, num_hidden_layers=2, context_length=16
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.RwkvForCausalLM(config).eval()
    model.config.vocabulary = ["<bos>", "a", "b", "c"]
    found = capture(model, CORPUS, check=["reference"]).manifest["self_check"]
    assert found["reference"].startswith("skipped: the hidden_states of rwkv models begin")
