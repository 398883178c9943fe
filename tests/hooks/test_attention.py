"""Attention patterns that depend on positions alone are told from those that depend on words."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from linrep import attention_by_position, random_twin, to_bridge
from linrep.constructions import GrammarTransformer
from linrep.grammars import families
from linrep.hooks import CaptureError


@pytest.fixture(scope="module")
def corpus():
    return families.latin(2, 3).sample(40, seed=0)


@pytest.mark.parametrize(
    "how",
    [{}, {"passes": 1, "rotation": 1}, {"position_code": "circular", "dtype": "float32"}],
    ids=str,
)
def test_a_constructed_model_looks_by_position_only(corpus, how):
    made = GrammarTransformer.from_grammar(corpus.grammar, **how)
    found = attention_by_position(made.model, corpus)
    told = found.share[np.isfinite(found.share)]
    assert told == pytest.approx(np.ones(told.size), abs=1e-9)
    assert found.whole == pytest.approx(1.0)
    assert (found.inputs, found.positions) == (len(set(corpus.sentences)), 9)  # BOS and eight words
    assert len(found.share) == len(made.program.layers)
    twin = attention_by_position(random_twin(made.model, seed=0), corpus)
    assert twin.whole < 0.95
    assert "of the variance" in str(twin)


def test_heads_that_look_at_words_and_at_nothing(corpus):
    """A head that looks at one word explains nothing by position; an even one has no share."""
    made = GrammarTransformer.from_grammar(corpus.grammar)
    model = random_twin(made.model, seed=0)
    d = model.config.head_dim
    with torch.no_grad():
        for layer in model.layers:
            for proj in (layer.attn.q_proj, layer.attn.k_proj):
                proj.weight.zero_()
                proj.bias.zero_() if proj.bias is not None else None
        model.posn.weight.zero_()
        model.tok.weight.normal_(generator=torch.Generator().manual_seed(0))
        first = model.layers[0].attn
        first.q_proj.weight[:d, 0] = 1.0
        first.k_proj.weight[:d, 0] = 50.0
    found = attention_by_position(model, corpus)
    assert found.share[0, 0] < 0.6
    assert np.isnan(found.share[1:]).all()
    with torch.no_grad():
        first.q_proj.weight.zero_()
    assert str(attention_by_position(model, corpus)).startswith("every head looks at all tokens")


def test_other_architectures_are_read_through_a_bridge(corpus):
    words = ["[UNK]", "[PAD]", *corpus.grammar.terminals]
    rows = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    rows.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rows, pad_token="[PAD]")
    torch.manual_seed(0)
    size = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    model = BertForMaskedLM(BertConfig(vocab_size=8, num_hidden_layers=2, **size))
    kernel = model.config._attn_implementation
    found = attention_by_position(model, corpus, tokenizer=tokenizer, positions=4)
    assert found.share.shape == (2, 2)
    assert (found.share < 1).all()
    assert (found.positions, found.inputs <= 16) == (4, True)
    assert model.config._attn_implementation == kernel
    bridge = to_bridge(model)
    again = attention_by_position(bridge, corpus, tokenizer=tokenizer, positions=4)
    assert again.share == pytest.approx(found.share)


def test_one_input_says_nothing(corpus):
    made = GrammarTransformer.from_grammar(corpus.grammar)
    with pytest.raises(CaptureError, match="1 different inputs"):
        attention_by_position(made.model, [corpus.sentences[0]] * 3)
