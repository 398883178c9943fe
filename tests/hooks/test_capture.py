"""Captured activations against the obvious way: sentence by sentence, without padding."""

import numpy as np
import pytest
import torch

from linrep.hooks import CaptureError, capture
from linrep.models import PlainConfig, PlainTransformer, initialise

# Two programs for one float32 function of depth 2: some hundred units of rounding.
CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def slow_states(model, ids):
    """Residual stream before block 0 and after each block, for one unpadded input."""
    states = []
    blocks = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList)][0]
    hooks = [
        blocks[0].register_forward_pre_hook(
            lambda _, a, k: states.append(a[0] if a else k["hidden_states"]), with_kwargs=True
        )
    ]
    for block in blocks:
        hooks.append(
            block.register_forward_hook(
                lambda _, __, o: states.append(o[0] if isinstance(o, tuple) else o)
            )
        )
    with torch.no_grad():
        model(input_ids=torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return [s[0].double().numpy() for s in states]


def slow_capture(model, tokenizer, sentences, pick):
    """Word activations, each word found by where its characters are."""
    rows = []
    for words in sentences:
        text = " ".join(words)
        out = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        states = slow_states(model, out["input_ids"])
        begin = 0
        for word in words:
            end = begin + len(word)
            tokens = [
                t
                for t, ((a, b), special) in enumerate(
                    zip(out["offset_mapping"], out["special_tokens_mask"], strict=True)
                )
                if not special and any(begin <= c < end for c in range(a, b))
            ]
            if (
                len(tokens) > 1
                and tokenizer.convert_ids_to_tokens(out["input_ids"])[tokens[0]] == "▁"
            ):
                tokens = tokens[1:]  # the mark of a space that the tokenizer put in
            rows.append([pick(state[tokens]) if tokens else None for state in states])
            begin = end + 1
    return rows


PICKS = {
    "last": lambda t: t[-1],
    "first": lambda t: t[0],
    "mean": lambda t: t.mean(0),
}


def same(acts, slow):
    for i, site in enumerate(acts.sites):
        captured = np.asarray(acts[site])
        for row, states in enumerate(slow):
            if states[i] is None:
                assert not acts.kept[row]
                assert not captured[row].any()
            else:
                assert acts.kept[row]
                np.testing.assert_allclose(captured[row], states[i], **CLOSE)


@pytest.mark.parametrize(
    "family", ["gpt2", "neox", "llama", "qwen2", "qwen3", "gemma2", "bert", "roberta", "distilbert"]
)
def test_every_family_equals_the_slow_way(family, build, tokenizer, sentences):
    model, tok = build(family), tokenizer("byte", ("<s>", None))
    acts = capture(model, sentences, tokenizer=tok)
    assert len(acts.sites) == 3
    same(acts, slow_capture(model, tok, sentences, PICKS["last"]))


@pytest.mark.parametrize("word_token", ["last", "first", "mean"])
@pytest.mark.parametrize("kind", ["byte", "byte_prefix", "wordpiece", "sentencepiece"])
def test_every_tokenizer_equals_the_slow_way(kind, word_token, build, tokenizer, sentences):
    model, tok = build("bert"), tokenizer(kind, ("[CLS]", "[SEP]"))
    acts = capture(model, sentences, tokenizer=tok, word_token=word_token, check=False)
    same(acts, slow_capture(model, tok, sentences, PICKS[word_token]))


def test_words_as_tokens_drop_only_bos():
    words = ["<bos>", "a", "b", "<eos>"]
    model = initialise(PlainTransformer(PlainConfig(vocabulary=words)).double(), seed=1)
    corpus = [["a", "b", "a"], ["b"]]
    acts = capture(model, corpus, dtype="float64")
    for i, site in enumerate(acts.sites):
        rows = [slow_states(model, [0, *map(words.index, s)])[i][1:] for s in corpus]
        # One float64 program in two batch shapes.
        np.testing.assert_allclose(acts[site], np.concatenate(rows), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("sites", [["resid_mid", "resid_post"], ["resid_post"]])
def test_model_is_left_without_trace(family, sites, build, tokenizer, sentences):
    model = build(family)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    attributes = [set(vars(part)) for part in model.modules()]
    capture(model, sentences, tokenizer=tokenizer(), sites=sites)
    assert [set(vars(part)) for part in model.modules()] == attributes
    assert list(before) == list(model.state_dict())
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in before.items())
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    assert sum(hooks) == 0
    assert model.config._attn_implementation == "sdpa"


def test_a_model_without_tokenizer_is_refused(build):
    with pytest.raises(CaptureError, match="has no tokenizer"):
        capture(build("gpt2"), [["a"]])
