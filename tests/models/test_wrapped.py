"""A model is read in whatever people hold it, with the tokenizer that is held beside it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf

from linrep import capture, load_model, random_twin
from linrep.models import LoadError

SITE = "blocks.0.hook_resid_post"
TEXTS = ["a dog ran", "the cat sat on a mat"]


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "[PAD]", "a", "the", "dog", "cat", "ran", "sat", "on", "mat"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]"
    )


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        size = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 12, "n_positions": 32}
        return tf.GPT2LMHeadModel(tf.GPT2Config(**size))


@pytest.fixture(scope="module")
def expected(model, tokenizer):
    return capture(model, TEXTS, tokenizer=tokenizer, progress=False)[SITE]


def test_a_pair_is_read_with_its_tokenizer_and_left_as_it_was(model, tokenizer, expected):
    model.train()
    acts = capture((model, tokenizer), TEXTS, progress=False)  # dropout is off while it is read
    assert model.training
    model.eval()
    np.testing.assert_array_equal(acts[SITE], expected)
    assert type(random_twin((model, tokenizer))) is type(model)


def test_a_pipeline_is_read_with_its_tokenizer(model, tokenizer, expected):
    pipe = tf.pipeline("text-generation", model=model, tokenizer=tokenizer, device="cpu")
    np.testing.assert_array_equal(capture(pipe, TEXTS, progress=False)[SITE], expected)


def test_a_compiled_model_is_read_uncompiled(model, tokenizer, expected):
    acts = capture((torch.compile(model, backend="eager"), tokenizer), TEXTS, progress=False)
    np.testing.assert_array_equal(acts[SITE], expected)


def test_a_folder_is_read_with_another_tokenizer(model, tokenizer, expected, tmp_path):
    model.save_pretrained(tmp_path)
    found = capture((str(tmp_path), tokenizer), TEXTS, progress=False, device="cpu")
    np.testing.assert_array_equal(found[SITE], expected)


@pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="it is not installed")
def test_a_model_of_sentence_transformers_is_read_before_its_pooling(model, tokenizer, tmp_path):
    from sentence_transformers import SentenceTransformer

    config = tf.BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        vocab_size=12, max_position_embeddings=32,
    )  # fmt: skip
    tf.BertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    whole = SentenceTransformer(str(tmp_path), device="cpu")
    acts = capture(whole, TEXTS, progress=False)
    with torch.no_grad():
        ids = tokenizer(TEXTS[1], return_tensors="pt")["input_ids"]
        states = whole[0].auto_model(ids, output_hidden_states=True).hidden_states
    np.testing.assert_allclose(acts[SITE][1], states[1][0, -1], atol=1e-5)


def test_what_is_no_model_is_told():
    with pytest.raises(LoadError, match=r"a pair \(model, tokenizer\).*received int"):
        load_model(3)


def test_a_folder_of_gguf_files_names_one(tmp_path):
    (tmp_path / "a.Q4_1.gguf").write_bytes(b"x")
    with pytest.raises(LoadError, match=r"give one of them, .*a\.Q4_1\.gguf"):
        load_model(tmp_path)
    with pytest.raises(LoadError, match="cannot be read.*give a whole GGUF file"):
        load_model(tmp_path / "a.Q4_1.gguf")


def test_a_gguf_file_says_how_its_weights_were_quantised(tmp_path):
    """A tiny Llama as llama.cpp lays it out, its matrices in 8 bits."""
    import gguf

    rng = np.random.default_rng(0)
    width, vocabulary = (
        32,
        ["<unk>", "<s>", "</s>", "▁dog", "▁cat", "▁", "d", "o", "g", "c", "a", "t"],
    )
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(2)
    writer.add_feed_forward_length(32)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(vocabulary)
    writer.add_token_scores([0.0] * len(vocabulary))
    writer.add_token_types([2, 3, 3] + [1] * (len(vocabulary) - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)

    def matrix(name, *shape):
        values = rng.standard_normal(shape).astype(np.float32)
        packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)

    matrix("token_embd.weight", len(vocabulary), width)
    matrix("output.weight", len(vocabulary), width)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    for i in range(2):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            matrix(f"blk.{i}.{name}.weight", width, width)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{i}.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    loaded = load_model(tmp_path / "tiny.gguf")
    assert type(loaded.model).__name__ == "LlamaForCausalLM"
    assert loaded.quantised.startswith("GGUF")
    assert "16 Q8_0" in loaded.quantised
    assert not hasattr(loaded.model.config, "quantization_config")
    acts = capture(str(tmp_path / "tiny.gguf"), ["dog cat", "cat"], progress=False)
    assert acts.manifest["loading"]["quantised"] == loaded.quantised
    assert np.isfinite(acts[SITE]).all()
    loaded.model.save_pretrained(tmp_path / "plain")  # an ordinary model by now
    assert Path(tmp_path / "plain/model.safetensors").exists()
