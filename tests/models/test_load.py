"""Loading: every source of a model, and every thing that is not one."""

import json

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel

from linrep.core import LinrepError
from linrep.models import (
    BridgeError,
    LoadError,
    PlainConfig,
    PlainTransformer,
    initialise,
    load,
    random_twin,
    to_bridge,
)


def plain():
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "<eos>"], hidden_size=8)
    return initialise(PlainTransformer(config), seed=0).double()


def gpt2():
    return GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=11)).eval()


def test_a_folder_an_instance_and_a_bridge_are_the_same_model(tmp_path):
    model = plain()
    model.save_pretrained(tmp_path)
    ids = torch.tensor([[0, 1, 2]])
    for source in (tmp_path, str(tmp_path), model, load(model)):
        loaded = load(source)
        assert torch.equal(loaded.model(ids).logits, model(ids).logits)
        assert loaded.vocabulary == ("<bos>", "a", "b", "<eos>")
        assert loaded.tokenizer is None
    bridge = to_bridge(model)
    assert load(bridge).model is bridge
    assert to_bridge(bridge) is bridge
    assert load(tmp_path, dtype=torch.float32).model.dtype == torch.float32


def test_a_headless_encoder_gets_a_head_and_keeps_its_stream(tmp_path):
    config = BertConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8, vocab_size=9
    )
    bert = BertModel(config).eval()
    bert.save_pretrained(tmp_path)
    ids = torch.tensor([[1, 2, 3]])
    state = torch.get_rng_state()
    loaded = load(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert type(loaded.model).__name__ == "BertForMaskedLM"
    assert loaded.tokenizer is None  # transformers would make one up
    streams = loaded.model(ids, output_hidden_states=True).hidden_states
    # The file's tensors are not aligned in memory, so the last bit of float32 may differ.
    assert torch.allclose(streams[-1], bert(ids).last_hidden_state, rtol=0, atol=1e-6)
    assert "blocks.1.hook_resid_post" in to_bridge(loaded.model).hook_dict
    twin = random_twin(loaded.model, seed=1)
    assert not torch.equal(twin.bert.embeddings.word_embeddings.weight,
                           loaded.model.bert.embeddings.word_embeddings.weight)  # fmt: skip


def test_a_decoder_loads_causal(tmp_path):
    gpt2().save_pretrained(tmp_path)
    assert type(load(tmp_path).model).__name__ == "GPT2LMHeadModel"


def write(folder, text):
    folder.mkdir()
    (folder / "config.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "absent" / "x", "neither a folder there nor a hub id"),
        (lambda p: p, "has no config.json"),
        (lambda p: write(p / "a", "not json"), "is not JSON"),
        (lambda p: write(p / "b", "[1]"), "names no model_type"),
        (lambda p: write(p / "c", json.dumps({"model_type": "nonsense"})), "does not know"),
        (lambda p: write(p / "d", json.dumps({"model_type": "vit"})), "no causal or masked"),
        (lambda p: write(p / "e", json.dumps({"model_type": "gpt2"})), "weights of"),
    ],
)
def test_what_is_not_a_model_is_refused_in_one_line(tmp_path, make, message):
    with pytest.raises(LoadError, match=message) as caught:
        load(make(tmp_path))
    assert isinstance(caught.value, LinrepError)
    assert "\n" not in str(caught.value)


def test_a_folder_of_trainings_names_what_to_give(tmp_path):
    write(tmp_path / "step-0", "{}")
    write(tmp_path / "step-9", "{}")
    with pytest.raises(
        LoadError, match=r"model folders in it; give '.*step-0' \(or another of the 2"
    ):
        load(tmp_path)
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(LoadError, match="no finished model; repeat .* --resume"):
        load(tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_damaged_weights_are_refused_in_one_line(tmp_path, kept):
    plain().save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(LoadError, match=r"weights of .* cannot be read: .* again") as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_or_an_object_is_refused(tmp_path):
    file = tmp_path / "model.bin"
    file.write_text("")
    with pytest.raises(LoadError, match="is a file"):
        load(file)
    with pytest.raises(LoadError, match="received int"):
        load(3)


def test_an_architecture_without_adapter_is_refused_by_name():
    bert = BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(BridgeError, match="cannot wrap BertModel"):
        to_bridge(bert)
    with pytest.raises(BridgeError, match="received str"):
        to_bridge("a string")
