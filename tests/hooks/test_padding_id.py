"""Padding ids that are no token: padding is masked, so the activations are those without it."""

import numpy as np
import pytest
import transformers as tf

from linrep.hooks import SelfCheckError, capture
from linrep.hooks.paths.wiring import wire


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "roberta"])
@pytest.mark.parametrize("pad", [-1, -100, 400, 10**6, None])
def test_a_padding_id_outside_the_vocabulary_changes_nothing(
    build, tokenizer, sentences, family, pad
):
    model = build(family)
    alone = capture(model, sentences, tokenizer=tokenizer(), batch_size=1, check=False)
    model.config.pad_token_id = pad
    padded = capture(model, sentences, tokenizer=tokenizer())
    for site in alone.sites:  # up to the rounding of sums in another order
        np.testing.assert_allclose(padded[site], alone[site], rtol=0, atol=1e-4)
    assert model.config.pad_token_id == pad


def test_a_padding_id_of_the_vocabulary_is_taken(build):
    model = build("gpt2")
    for pad in (0, 7, 399):
        model.config.pad_token_id = pad
        assert wire(model).pad_id == pad


def test_positions_counted_from_no_token_are_read_right_padded_only(tokenizer, sentences):
    config = tf.RobertaConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        vocab_size=400, max_position_embeddings=64, pad_token_id=-1,
    )  # fmt: skip
    model = tf.RobertaForMaskedLM(config).eval()
    assert wire(model).limit == 64
    with pytest.raises(SelfCheckError, match=r"'padding' failed .* captured right-padded: pass"):
        capture(model, sentences, tokenizer=tokenizer())
    checks = ("reference", "kernel", "batch", "edit")
    acts = capture(model, sentences, tokenizer=tokenizer(), check=checks)
    alone = capture(model, sentences, tokenizer=tokenizer(), batch_size=1, check=checks)
    site = acts.sites[1]
    np.testing.assert_allclose(acts[site], alone[site], rtol=0, atol=1e-5)
