"""Rows of a capture at the positions they came from."""

import numpy as np
import pytest
import torch

from linrep import Subspace, at_positions, capture, swap
from linrep.hooks import Activations, CaptureError
from linrep.models import PlainConfig, PlainTransformer, initialise

SITE = "blocks.0.hook_resid_post"


@pytest.mark.parametrize("word_token", ["last", "first"])
@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_rows_lie_where_the_model_has_them(family, word_token, build, tokenizer, sentences):
    model, tok = build(family), tokenizer("byte", ("[CLS]", "[SEP]"))
    acts = capture(model, sentences, tokenizer=tok, word_token=word_token)
    placed = at_positions(acts, model, tokenizer=tok, sentences=[4, 0, 2])
    inputs = {"input_ids": placed.ids, "attention_mask": placed.attention_mask}
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states[1]
        whole = Subspace(np.eye(32))
        with swap(model, {SITE: whole}, placed.states, where=placed.where):
            same = model(**inputs).logits
        plain = model(**inputs).logits
    found = placed.states[SITE]
    assert placed.where.sum(1).tolist() == [len(sentences[i]) for i in (4, 0, 2)]
    assert not found[~placed.where].any()
    # Two batch shapes of one float32 function.
    np.testing.assert_allclose(found[placed.where], states[placed.where], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(same, plain, rtol=2e-4, atol=2e-4)


def test_words_without_a_state_are_left_out(build, tokenizer):
    model, tok = build("bert"), tokenizer("wordpiece", ("[CLS]", "[SEP]"))
    acts = capture(model, [["the", "\x07", "cat"], ["cat"]], tokenizer=tok)
    placed = at_positions(acts, model, tokenizer=tok)
    assert placed.where.sum(1).tolist() == [2, 1]


def test_what_has_no_positions_is_refused(build, tokenizer, sentences):
    model, tok = build("gpt2"), tokenizer("byte", ("<s>", None))
    acts = capture(model, sentences, tokenizer=tok)
    mean = capture(model, sentences, tokenizer=tok, word_token="mean", check=False)
    bare = Activations(acts.arrays, acts.kept, acts.manifest)
    long = [["the", "cat"] * 60, ["cat"]]
    windows = capture(model, long, tokenizer=tok, long_inputs="window", check=False)
    for given, more, message in [
        (mean, {}, "no token's state"),
        (bare, {}, "no corpus"),
        (acts, {"tokenizer": tokenizer("wordpiece")}, "another tokenizer"),
        (acts, {"sentences": [7]}, r"indices 0\.\.4"),
        (acts, {"sentences": []}, "at least one"),
        (windows, {}, "several windows"),
    ]:
        with pytest.raises(CaptureError, match=message):
            at_positions(given, model, **{"tokenizer": tok, **more})
    assert at_positions(windows, model, tokenizer=tok, sentences=[1]).where.sum() == 1


def test_arrays_brought_along_and_stores_are_placed(tmp_path):
    config = PlainConfig(vocabulary=["<bos>", "a", "b"])
    model = initialise(PlainTransformer(config), seed=0)
    corpus = [["a", "b"], ["b"]]
    own = Activations.from_arrays({SITE: np.arange(12.0).reshape(3, 4)}, corpus)
    states = at_positions(own, model).states[SITE]
    assert states[0, 1:].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert states[1, :2].tolist() == [[0] * 4, [8, 9, 10, 11]]
    stored = capture(model, corpus, store=tmp_path / "acts", dtype="bfloat16", shard_words=1)
    assert at_positions(stored, model).states[SITE].dtype == torch.float32
