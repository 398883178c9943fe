"""Models, inputs and requests that a capture refuses: each call, and the words of its error."""

import numpy as np
import pytest
import torch
import transformers as tf
from torch import nn

import linrep
from linrep.hooks import AlignmentError, CaptureError
from linrep.hooks.paths.module_path import ModulePath
from linrep.models import LoadError, PlainConfig, PlainTransformer, to_bridge

TEXTS = ["a b", "b a"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_small_model):
    """A small model with its tokenizer."""
    here = tmp_path_factory.mktemp("refused") / "model"
    write_small_model(here, ["a", "b"])
    return here


@pytest.fixture
def loaded(folder):
    """The same, in memory."""
    return linrep.load_model(folder)


@pytest.fixture
def bridge(loaded):
    """The same, bridged, and how it is captured."""
    return to_bridge(loaded.model), {"tokenizer": loaded.tokenizer, "progress": False}


def test_a_bridge_stays_in_its_process(bridge, tmp_path):
    model, how = bridge
    with pytest.raises(CaptureError, match="a bridge cannot be sent to workers: pass the model"):
        linrep.capture(model, TEXTS, store=tmp_path / "store", engine="processes:1", **how)


def test_a_bridge_has_replaced_the_models_modules(bridge):
    model, how = bridge
    with pytest.raises(CaptureError, match="has replaced the model's modules"):
        linrep.capture(model, TEXTS, path="modules", **how)


def test_a_place_wider_than_the_stream_is_refused(bridge):
    model, how = bridge
    with pytest.raises(CaptureError, match="hook_pre has 64 numbers for each token"):
        linrep.capture(model, TEXTS, sites=["blocks.0.mlp.hook_pre"], **how)


def test_forward_hooks_reach_the_stream_between_blocks_alone():
    model = PlainTransformer(PlainConfig(hidden_size=8))
    with (
        pytest.raises(CaptureError, match="is not reached by forward hooks on blocks: ask for"),
        ModulePath(model).attach({"blocks.0.hook_resid_mid": print}),
    ):
        pass


class Odd(nn.Module):
    """A block that returns its stream by name."""

    def forward(self, stream, *_, **__):
        return {"stream": stream}


def test_a_block_returns_a_stream(loaded):
    loaded.model.transformer.h[0] = Odd()
    with pytest.raises(CaptureError, match="a block returned dict; expected a tensor"):
        linrep.capture(loaded.model, TEXTS, tokenizer=loaded.tokenizer)


class Twofold(tf.PreTrainedModel):
    """A model with two lists of as many modules as it has blocks."""

    config_class = tf.GPT2Config

    def __init__(self, config):
        super().__init__(config)
        self.one, self.other = (nn.ModuleList([nn.Identity(), nn.Identity()]) for _ in range(2))
        self.post_init()


def test_blocks_are_one_list(loaded):
    model = Twofold(tf.GPT2Config(n_layer=2))
    with pytest.raises(CaptureError, match="the model has 2 lists of 2 modules"):
        linrep.capture(model, TEXTS, tokenizer=loaded.tokenizer)


def test_a_model_without_attention_has_no_pattern(loaded):
    config = tf.MambaConfig(hidden_size=16, num_hidden_layers=2, vocab_size=9, state_size=4)
    model = tf.MambaForCausalLM(config).eval()
    with pytest.raises(CaptureError, match="its blocks have no attention pattern"):
        linrep.attention_by_position(model, [*TEXTS, "a a b"], tokenizer=loaded.tokenizer)


def test_a_corpus_without_spans_is_refused(folder):
    corpus = linrep.Corpus.from_texts(TEXTS, spans=np.zeros((0, 3), dtype=int))
    with pytest.raises(CaptureError, match="holds no span, so there is nothing to capture"):
        linrep.capture(folder, corpus)


class Backward(tf.PreTrainedTokenizerFast):
    """A tokenizer that hands out its offsets from the last one on."""

    def __call__(self, *args, **kwargs):
        out = super().__call__(*args, **kwargs)
        if "offset_mapping" in out:
            out["offset_mapping"] = [row[::-1] for row in out["offset_mapping"]]
        return out


def test_offsets_follow_the_text(folder):
    tokenizer = Backward.from_pretrained(folder)
    with pytest.raises(AlignmentError, match="offsets run backwards in 'a b'"):
        linrep.capture(folder, TEXTS, tokenizer=tokenizer)


class Changing:
    """Workers that find another model where the first one was."""

    workers = True

    def __init__(self, change):
        self.change = change

    def map(self, fn, jobs):
        """One job after the other, after the change."""
        self.change()
        yield from ((i, fn(job)) for i, job in enumerate(jobs))

    def share(self, make):
        """Nothing is shared."""

    def close(self):
        """Nothing is to be closed."""


def test_a_model_that_changes_during_a_capture_is_told(tmp_path, write_small_model):
    write_small_model(tmp_path / "model", ["a", "b"])
    engine = Changing(lambda: write_small_model(tmp_path / "model", ["a", "b", "c"]))
    with pytest.raises(CaptureError, match="is not the one the capture began with"):
        linrep.capture(tmp_path / "model", TEXTS, store=tmp_path / "store", engine=engine)


def test_an_encoder_that_is_no_model_of_its_own_is_refused(tmp_path):
    small = {f"{part}_{what}": 2 for part in ("encoder", "decoder")
             for what in ("layers", "attention_heads")}  # fmt: skip
    config = tf.FSMTConfig(
        langs=["a", "b"], src_vocab_size=20, tgt_vocab_size=20, d_model=16, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_position_embeddings=32, **small,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        tf.FSMTForConditionalGeneration(config).save_pretrained(tmp_path)
    with pytest.raises(LoadError, match="whose part for text cannot be told from the others"):
        linrep.load_model(tmp_path)


def test_a_model_that_does_not_run_its_blocks_has_no_pattern(loaded):
    from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions as Output

    def forward(input_ids, **_):
        return Output(last_hidden_state=torch.zeros(*input_ids.shape, 16))

    loaded.model.transformer.forward = forward
    with pytest.raises(CaptureError, match="no block formed an attention pattern"):
        linrep.attention_by_position(loaded.model, [*TEXTS, "a a b"], tokenizer=loaded.tokenizer)
