"""Requests that the causal rooms refuse: each call, and the words of its error."""

import dataclasses
import re

import numpy as np
import pytest
import torch
import transformers as tf

import linrep
from linrep.causal import CausalError, Pairs, align, erasure_effects, interchange, pairs_of
from linrep.core import Subspace
from linrep.grammars import Grammar
from linrep.models import PlainConfig, PlainTransformer, initialise, to_bridge, word_ids

GRAMMAR = Grammar.from_text(
    "S -> P Z 'x' | Q Z 'y'\nP -> 'a' | 'b'\nQ -> 'd' | 'e'\nZ -> 'm' | 'n'"
)
"""The first word's class decides the last word."""

CORPUS = GRAMMAR.sample(120, seed=2)
PAIRS = linrep.interchange_pairs(CORPUS, 1, 60)
SITE = "blocks.0.hook_resid_pre"
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
LINE = Subspace(np.eye(16)[:, :1])
SPACES = {(SITE, "height 1"): LINE}
FEW = {"n": 20, "draws": 2, "bootstrap": 0, "twin": False, "isolation": False}
LABELS = {"first": np.where(CORPUS.positions == 0, "yes", "no")}
ONE_CLASS = {"first": np.full(CORPUS.n_tokens, "yes")}


def plain(words):
    """An untrained model of these words."""
    return initialise(PlainTransformer(PlainConfig(vocabulary=words, **SHAPE)), seed=3)


WORDS = word_ids(list(GRAMMAR.terminals))


@pytest.fixture(scope="module")
def own():
    """A model whose tokens are the grammar's words."""
    return plain(WORDS)


@pytest.fixture(scope="module")
def read(tmp_path_factory, write_small_model):
    """The folder of a model that reads the tokens of a tokenizer."""
    folder = tmp_path_factory.mktemp("causal")
    write_small_model(folder, GRAMMAR.terminals)
    return folder


def test_a_search_has_no_more_dimensions_than_the_stream(own):
    said = "rank is at most the 16 dimensions of the stream; received 17"
    with pytest.raises(CausalError, match=said):
        align(own, PAIRS, SITE, 17)


def test_a_search_needs_the_words_of_the_grammar_as_tokens(read):
    with pytest.raises(CausalError, match="this one reads the tokens of a tokenizer"):
        align(read, PAIRS, SITE, 1)
    others = plain(word_ids(["a", "b"]))
    with pytest.raises(CausalError, match=re.escape("6 words of the grammar are no tokens")):
        align(others, PAIRS, SITE, 1)


def test_an_exchange_needs_the_words_of_the_grammar_as_tokens(read):
    with pytest.raises(CausalError, match=r"reads tokens of a tokenizer: give a model trained"):
        interchange(read, CORPUS, SPACES, **FEW)
    endless = plain([word for word in WORDS if word != "<eos>"])
    said = re.escape("1 tokens of the grammar are not tokens of the model: ['<eos>']")
    with pytest.raises(CausalError, match=said):
        interchange(endless, CORPUS, SPACES, **FEW)


def test_a_bridge_is_not_edited(own):
    with pytest.raises(CausalError, match="instead of a TransformerLens bridge"):
        interchange(to_bridge(own), CORPUS, SPACES, **FEW)


ERASED = {
    "a site in the middle of a block": (
        lambda model: erasure_effects(
            model, CORPUS, "blocks.0.hook_resid_mid", LINE, LABELS, "first"
        ),
        "states are erased at resid_pre or resid_post; received 'blocks.0.hook_resid_mid'",
    ),
    "one class": (
        lambda model: erasure_effects(model, CORPUS, SITE, LINE, ONE_CLASS, "first"),
        "first has fewer than two classes in the training sentences",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ERASED)
def test_what_cannot_be_erased_is_said(what, own):
    call, words = ERASED[what]
    with pytest.raises(CausalError, match=re.escape(words)):
        call(own)


def test_words_without_a_token_are_not_exchanged_or_erased(read):
    """A blank is a word that no tokenizer of words reads."""
    sentences = [["a", "m", "x"], ["d", " ", "y"]] * 20
    labels = {"first": np.array(["yes", "no", "no"] * 40)}
    with pytest.raises(CausalError, match="20 words have none: leave such sentences out"):
        erasure_effects(read, sentences, SITE, LINE, labels, "first")
    pairs = linrep.minimal_pairs(
        [["a", "m"], ["d", " "]] * 2, [("x", "y"), ("y", "x")] * 2, ["p", "q"] * 2, at=[0] * 4
    )
    with pytest.raises(CausalError, match=r"words of the (base|source) sentences have no token"):
        interchange(read, None, {(SITE, "number"): LINE}, pairs=pairs, **FEW)


def test_two_answers_begin_with_different_tokens(read):
    """A tokenizer of words reads each word that it does not know as one and the same."""
    pairs = linrep.minimal_pairs(
        [["a", "m"], ["d", "m"]] * 2, [("u", "v"), ("v", "u")] * 2, ["p", "q"] * 2, at=[0] * 4
    )
    with pytest.raises(CausalError, match="begin with the same token"):
        interchange(read, None, {(SITE, "number"): LINE}, pairs=pairs, **FEW)


def test_pairs_name_positions_of_their_sentences():
    given = {"target": "height 1", "before": ["P"], "after": ["Q"]}
    said = "pair 0 exchanges positions [3] of a base of 3 words with [0] of a source of 3"
    with pytest.raises(CausalError, match=re.escape(said)):
        pairs_of(GRAMMAR, [["a", "m", "x"]], [["d", "m", "y"]], [[3]], [[0]], **given)


def test_a_distribution_is_expected_at_each_position_that_is_read():
    some = PAIRS.select([0])
    fields = {one.name: getattr(some, one.name) for one in dataclasses.fields(some)}
    said = re.escape("distributions: give one for each")
    with pytest.raises(CausalError, match=said):
        Pairs(**fields | {"expected": (np.ones((9, len(some.choices))),)})


def no_room(_, args, given):
    """Memory is full as soon as keys and values are kept.

    Raises:
        OutOfMemoryError: then.
    """
    if given.get("past_key_values") is not None:
        raise torch.OutOfMemoryError("no room for keys and values")


def test_memory_that_runs_out_while_a_model_is_tried_is_said():
    ids = {"bos_token_id": 0, "eos_token_id": len(WORDS) - 1, "vocab_size": len(WORDS)}
    config = tf.GPT2Config(
        vocabulary=list(WORDS), n_embd=16, n_layer=3, n_head=2, n_positions=8, **ids
    )
    model = tf.GPT2LMHeadModel(config).eval()
    model.transformer.register_forward_pre_hook(no_room, with_kwargs=True)
    with pytest.raises(CausalError, match="memory ran out while two inputs were tried"):
        interchange(model, CORPUS, SPACES, **FEW)
