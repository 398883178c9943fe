"""The class that reads a folder; where there is none, the advice is followed here."""

import pytest
import torch
import transformers as tf
from transformers import AutoModelForImageTextToText, AutoModelForSeq2SeqLM

from linrep.models import load

TEXT = {
    "vocab_size": 20, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
    "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
EYES = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip
PAIR = {
    "vocab_size": 20, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16, "max_position_embeddings": 64, "pad_token_id": 0,
    "decoder_start_token_id": 0,
}  # fmt: skip
T5 = {"vocab_size": 20, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
LOADERS = {
    "AutoModelForSeq2SeqLM": AutoModelForSeq2SeqLM,
    "AutoModelForImageTextToText": AutoModelForImageTextToText,
}
WORDS = ["<bos>", "<s>", "</s>", "a", "b"]
CORPUS = [["a", "b", "b"], ["b"]]


def llava():
    text, eyes = tf.LlamaConfig(**TEXT), tf.CLIPVisionConfig(**EYES)
    config = tf.LlavaConfig(text_config=text, vision_config=eyes, image_token_index=19)
    return tf.LlavaForConditionalGeneration(config)


def gemma3():
    config = tf.Gemma3Config(
        text_config=TEXT, vision_config=EYES, mm_tokens_per_image=4, image_token_index=19
    )
    return tf.Gemma3ForConditionalGeneration(config)


@pytest.mark.parametrize("kind", ["T5", "UMT5", "MT5"])
def test_an_encoder_saved_on_its_own_is_read_as_it_is(tmp_path, kind):
    model = getattr(tf, f"{kind}EncoderModel")(getattr(tf, f"{kind}Config")(**T5)).eval()
    model.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    assert type(loaded.model) is type(model)
    assert loaded.drawn == loaded.unused == ()
    ids = torch.tensor([[3, 4, 1]])
    expected = model(ids).last_hidden_state
    assert torch.allclose(loaded.model(ids).last_hidden_state, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.T5ForConditionalGeneration(tf.T5Config(**T5)),
        lambda: tf.MarianMTModel(tf.MarianConfig(**PAIR)),
        llava,
        gemma3,
    ],
    ids=["t5", "marian", "llava", "gemma3"],
)
def test_of_what_has_several_streams_the_part_for_text_is_loaded(tmp_path, make):
    whole = make().eval()
    whole.save_pretrained(tmp_path)
    found = load(tmp_path)
    assert found.part in {
        f"the {words} of {type(whole).__name__}" for words in ("encoder", "part for text")
    }
    ids = torch.tensor([[0, 3, 4, 4]])
    with torch.no_grad():
        here = found.model(input_ids=ids, output_hidden_states=True).hidden_states
        there = (
            whole.get_encoder()(input_ids=ids, output_hidden_states=True).hidden_states
            if whole.config.is_encoder_decoder
            else whole(input_ids=ids, output_hidden_states=True).hidden_states
        )
    assert len(here) == len(there) > 2
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one, other)


def test_a_decoder_saved_on_its_own_is_read_as_it_is(tmp_path):
    tf.MarianForCausalLM(tf.MarianConfig(**PAIR)).save_pretrained(tmp_path)
    assert type(load(tmp_path).model).__name__ == "MarianForCausalLM"
