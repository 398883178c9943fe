"""Models with more than one stream: the part that has one is read, the rest says where it is."""

import re
import warnings
from operator import attrgetter

import pytest
import torch
import transformers as tf

from linrep.hooks import CaptureError, capture
from linrep.models import load
from linrep.models.kinds import text_part

TEXT = {
    "vocab_size": 400, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
    "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
EYES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip
PAIR = {
    "vocab_size": 400, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64, "max_position_embeddings": 64, "pad_token_id": 0,
    "decoder_start_token_id": 0,
}  # fmt: skip
T5 = {
    "vocab_size": 400, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2,
    "decoder_start_token_id": 0,
}  # fmt: skip
RIGHT_PADDED = ("special", "reference", "kernel", "batch", "edit")


def pair(family):
    match family:
        case "t5":
            model = tf.T5ForConditionalGeneration(tf.T5Config(**T5))
        case "umt5":
            model = tf.UMT5ForConditionalGeneration(tf.UMT5Config(**T5))
        case "bart":
            model = tf.BartForConditionalGeneration(tf.BartConfig(**PAIR))
        case "marian":
            model = tf.MarianMTModel(tf.MarianConfig(**PAIR))
    return model.eval()


def towers(family):
    turned = {"rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}}
    marks = {"image_token_id": 399, "video_token_id": 398, "vision_start_token_id": 397,
             "vision_end_token_id": 396}  # fmt: skip
    match family:
        case "gemma3":
            config = tf.Gemma3Config(
                text_config=TEXT, vision_config=EYES, mm_tokens_per_image=4, image_token_index=399
            )
            model = tf.Gemma3ForConditionalGeneration(config)
        case "llava":
            model = tf.LlavaForConditionalGeneration(
                tf.LlavaConfig(
                    text_config=tf.LlamaConfig(**TEXT),
                    vision_config=tf.CLIPVisionConfig(**EYES),
                    image_token_index=399,
                )
            )
        case "qwen2_vl":
            eyes = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2}
            model = tf.Qwen2VLForConditionalGeneration(
                tf.Qwen2VLConfig(text_config=TEXT | turned, vision_config=eyes, **marks)
            )
        case "qwen2_5_vl":  # its adapter in TransformerLens wants torchvision
            eyes = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 64,
                    "out_hidden_size": 32, "fullatt_block_indexes": [0]}  # fmt: skip
            model = tf.Qwen2_5_VLForConditionalGeneration(
                tf.Qwen2_5_VLConfig(text_config=TEXT | turned, vision_config=eyes, **marks)
            )
    return model.eval()


def agrees(acts, states, site, index):
    """Whether the first sentence's words end where the model's own hidden states are."""
    return torch.allclose(
        torch.tensor(acts[site][: len(states[index][0])]), states[index][0], rtol=0, atol=1e-5
    )  # rounding of float32 in streams of size 1


@pytest.mark.parametrize("family", ["t5", "umt5", "bart", "marian"])
def test_the_encoder_of_an_encoder_decoder_is_read(tokenizer, family):
    model, tok = pair(family), tokenizer("byte_prefix")
    sentences = [["on", "the", "mat"], ["the", "on"]]
    with pytest.raises(CaptureError, match=r"pass its encoder \(`model.get_encoder\(\)`\)"):
        capture(model, sentences, tokenizer=tok)
    with pytest.raises(CaptureError, match="belongs to an encoder-decoder"):
        capture(model.get_decoder(), sentences, tokenizer=tok)
    # BART and Marian count positions from the left edge: right padding alone suits them.
    check = True if family.endswith("t5") else RIGHT_PADDED
    acts = capture(model.get_encoder(), sentences, tokenizer=tok, check=check)
    ids = torch.tensor([tok(" on the mat", add_special_tokens=False).input_ids])
    assert ids.shape == (1, 3)
    with torch.no_grad():
        out = model(input_ids=ids, decoder_input_ids=ids, output_hidden_states=True)
    states = out.encoder_hidden_states
    assert agrees(acts, states, "blocks.0.hook_resid_pre", 0)
    assert agrees(acts, states, "blocks.0.hook_resid_post", 1)


@pytest.mark.parametrize("family", ["gemma3", "llava", "qwen2_vl", "qwen2_5_vl"])
def test_several_towers_are_refused_and_the_one_named_is_read(tokenizer, family):
    model, tok = towers(family), tokenizer("byte_prefix")
    sentences = [["on", "the", "mat"], ["the", "on"]]
    with pytest.raises(CaptureError, match="towers for more than text") as caught:
        capture(model, sentences, tokenizer=tok)
    name = re.search(r"`model\.([\w.]+)`", str(caught.value)).group(1)
    acts = capture(attrgetter(name)(model), sentences, tokenizer=tok)
    ids = torch.tensor([tok(" on the mat", add_special_tokens=False).input_ids])
    with torch.no_grad():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
    assert agrees(acts, states, "blocks.0.hook_resid_post", 1)


@pytest.mark.parametrize("family", ["t5", "bart", "marian", "gemma3", "llava", "qwen2_vl"])
def test_of_a_folder_the_part_for_text_is_read(tokenizer, family, tmp_path):
    """The same numbers as from that part of the instance, and the folder's weights all in place."""
    encoder = family in ("t5", "bart", "marian")
    model, tok = pair(family) if encoder else towers(family), tokenizer("byte_prefix")
    model.save_pretrained(tmp_path / family)
    tok.save_pretrained(tmp_path / family)
    sentences = [["on", "the", "mat"], ["the", "on"]]
    part = model.get_encoder() if encoder else model.get_submodule(text_part(model))
    check = RIGHT_PADDED if family in ("bart", "marian") else True
    here, there = (
        capture(source, sentences, tokenizer=tok, check=check, device="cpu")
        for source in (part, str(tmp_path / family))
    )
    assert here.sites == there.sites
    assert all((here[site] == there[site]).all() for site in here.sites)
    loaded = load(tmp_path / family)
    assert type(loaded.model) is type(part)
    assert type(model).__name__ in loaded.part
    assert there.manifest["loading"]["part"] == loaded.part
    assert not loaded.unused


def test_a_whole_language_model_is_no_part(build, tokenizer, tmp_path):
    build("bert").save_pretrained(tmp_path / "bert")
    tokenizer("byte_prefix").save_pretrained(tmp_path / "bert")
    assert load(tmp_path / "bert").part == ""


def test_a_dynamically_quantised_model_is_refused_for_the_reason(build, tokenizer, sentences):
    model = build("bert")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the end of this kind of quantisation
        quantised = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear})
    with pytest.raises(CaptureError, match="depends on the other inputs of its batch"):
        capture(quantised, sentences, tokenizer=tokenizer())
    capture(model, sentences, tokenizer=tokenizer())  # as the message says


def test_shared_blocks_are_refused_for_the_reason(tokenizer, sentences):
    config = tf.AlbertConfig(
        vocab_size=400, hidden_size=32, embedding_size=16, num_hidden_layers=3,
        num_attention_heads=2, intermediate_size=64,
    )  # fmt: skip
    with pytest.raises(CaptureError, match=r"same 1 group\(s\) of weights 3 times"):
        capture(tf.AlbertForMaskedLM(config), sentences, tokenizer=tokenizer())
