"""From a folder to activations: what was missing is said, what cannot be captured is refused."""

import json

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel

from linrep.hooks import CaptureError, capture
from linrep.models import load

WORDS = ["<bos>", "a", "b", "<eos>"]
CORPUS = [["a", "b", "b"], ["b"]]


def llama(kind=LlamaForCausalLM, **settings):
    size = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 4}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind(LlamaConfig(**size, intermediate_size=8, vocabulary=WORDS, **settings)).eval()


def test_the_manifest_says_which_weights_the_folder_lacked(tmp_path):
    model = llama(LlamaModel)
    model.extra = torch.nn.Linear(2, 1, bias=False)
    model.save_pretrained(tmp_path / "model")
    acts = capture(tmp_path / "model", CORPUS, store=tmp_path / "acts", device="cpu")
    found = acts.manifest["loading"]
    assert found == {"drawn": ["lm_head.weight"], "unused": ["extra.weight"]}
    del model.extra
    expected = capture(model, CORPUS)
    assert expected.manifest["loading"] == {"drawn": [], "unused": []}
    for site in acts.sites:
        np.testing.assert_allclose(acts[site], expected[site], rtol=1e-5, atol=1e-6)
    loaded = load(tmp_path / "model").model  # the same weights, however they were found
    capture(loaded, CORPUS, store=tmp_path / "acts")


def test_weights_that_are_no_numbers_are_refused_by_name():
    model = llama()
    model.model.layers[1].mlp.up_proj.weight.data[0, 0] = float("nan")
    with pytest.raises(CaptureError, match=r"1 weights .* hold NaN, model\.layers\.1\.mlp\.up"):
        capture(model, CORPUS)


def test_a_model_without_blocks_is_refused():
    with pytest.raises(CaptureError, match="no blocks"):
        capture(_without_blocks(), CORPUS)


def _without_blocks():
    model = llama()
    model.config.num_hidden_layers = 0
    model.model.layers = torch.nn.ModuleList()
    return model


def test_a_damaged_tokenizer_is_named_and_another_can_be_given(tmp_path, tokenizer, sentences):
    model = llama()
    model.config.vocabulary = None
    model.resize_token_embeddings(400)
    model.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_max_length": "long"}))
    with pytest.raises(CaptureError, match="the tokenizer of .* cannot be read"):
        capture(tmp_path, sentences)
    assert len(capture(tmp_path, sentences, tokenizer=tokenizer()))


def test_a_tokenizer_with_an_absurd_id_that_no_text_meets_changes_nothing(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 4}
    LlamaForCausalLM(LlamaConfig(**size, intermediate_size=8)).save_pretrained(tmp_path)
    backend = Tokenizer(models.WordLevel({"a": 0, "b": 1, "<unk>": 2}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(tmp_path)
    before = capture(tmp_path, [["a", "b"]])
    file = tmp_path / "tokenizer.json"
    data = json.loads(file.read_text())
    data["model"]["vocab"]["<unk>"] = 10**9
    file.write_text(json.dumps(data))
    after = capture(tmp_path, [["a", "b"]])
    for site in before.sites:
        np.testing.assert_array_equal(before[site], after[site])
    with pytest.raises(CaptureError, match="1000000000"):
        capture(tmp_path, [["a", "c"]])


@pytest.mark.parametrize("added", [0, 1])
def test_token_ids_that_the_model_has_no_row_for_are_refused(build, tokenizer, sentences, added):
    model, words = build("gpt2"), tokenizer()
    largest = max(i for s in sentences for i in words(s, is_split_into_words=True).input_ids)
    model.resize_token_embeddings(largest + added)
    if added:
        assert len(capture(model, sentences, tokenizer=words))
        return
    with pytest.raises(CaptureError, match=f"token id {largest}; .* takes ids 0 to {largest - 1}"):
        capture(model, sentences, tokenizer=words)


@pytest.mark.parametrize("error", [ValueError("odd"), OverflowError("int too big"), TypeError()])
@pytest.mark.parametrize("check", [True, False])
def test_a_model_whose_own_code_fails_is_refused_in_one_sentence(check, error):
    def fails(*_, **__):
        raise error

    model = llama()
    model.model.layers[1].mlp.forward = fails
    with pytest.raises(CaptureError, match=f"LlamaForCausalLM fails .*{type(error).__name__}"):
        capture(model, CORPUS, check=check)


def test_memory_that_runs_out_is_no_fault_of_the_model():
    def fails(*_, **__):
        raise MemoryError

    model = llama()
    model.model.layers[1].mlp.forward = fails
    with pytest.raises(CaptureError, match="memory ran out while LlamaForCausalLM was checked"):
        capture(model, CORPUS, check=False)
