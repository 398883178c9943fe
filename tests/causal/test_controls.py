"""Controls: what an untrained model, a readout, a search and minimal pairs show."""

import numpy as np
import pytest
import torch

from linrep import capture, pattern_subspace, readout_subspace
from linrep.causal import CausalError, align, interchange, interchange_pairs, minimal_pairs
from linrep.causal.placing import positions_of
from linrep.causal.running import Runner
from linrep.core import Subspace
from linrep.grammars import Grammar
from linrep.hooks.inputs.alignment import Line
from linrep.hooks.inputs.batching import collate, repeated
from linrep.hooks.reading.prepared import prepare
from linrep.hooks.reading.settings import CaptureSettings
from linrep.models import PlainConfig, PlainTransformer, initialise, train, word_ids

GRAMMAR = Grammar.from_text(
    "S -> P Z 'x' | Q Z 'y'\nP -> 'a' | 'b' | 'c'\nQ -> 'd' | 'e' | 'f'\nZ -> 'm' | 'n' | 'o'"
)
"""The first word's class decides the last word: agreement at a distance."""

SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SITE, CELL = "blocks.0.hook_resid_pre", ("blocks.0.hook_resid_pre", "height 1")


@pytest.fixture(scope="module")
def trained():
    how = {"sentences": 200, "steps": 150, "batch_size": 32, "learning_rate": 1e-2, "seed": 1}
    return train(GRAMMAR, **how, **SHAPE).model


@pytest.fixture(scope="module")
def untrained():
    words = word_ids(list(GRAMMAR.terminals))
    return initialise(PlainTransformer(PlainConfig(vocabulary=words, **SHAPE)), seed=3)


@pytest.fixture(scope="module")
def spaces(trained):
    corpus = GRAMMAR.sample(300, seed=5)
    rows = np.asarray(capture(trained, corpus, progress=False)[SITE])
    first = corpus.positions == 0
    given = rows[first], corpus.labels(1)[first]
    return {CELL: pattern_subspace(*given)}, {CELL: readout_subspace(*given)}


def test_the_pattern_moves_a_trained_model_and_controls_do_not(trained, spaces):
    found = interchange(
        trained, GRAMMAR.sample(300, seed=2), spaces[0], readouts=spaces[1],
        n=100, draws=6, bootstrap=100,
    )  # fmt: skip
    (row,) = found.rows
    assert row.follows
    assert row.identity
    assert row.share > 0.4
    assert row.share_whole == pytest.approx(1, abs=1e-6)  # in the embedding the word is all
    assert max(row.share_random, abs(row.share_twin)) < 0.2 * row.share
    assert row.share_low < row.share < row.share_high
    assert row.p < 0.05
    assert row.equal_edit < row.base / 4
    frame = found.to_frame()
    assert {"kl_base", "kl_source", "kl_edit", "share"} <= set(frame)
    assert "kl_edit" in found._repr_html_()
    assert len(found.plot().data) >= 6
    assert found.cells[CELL] is row


def test_a_model_with_random_weights_does_not_follow_the_language(untrained, spaces):
    corpus = GRAMMAR.sample(200, seed=2)
    found = interchange(untrained, corpus, spaces[0], n=60, draws=2, bootstrap=0, twin=False)
    assert not found.rows[0].follows
    assert np.isnan(found.rows[0].share)


def test_a_search_is_flagged_in_an_untrained_model_and_not_in_a_trained_one(trained, untrained):
    pairs = interchange_pairs(GRAMMAR.sample(300, seed=2), 1, 120)
    found = align(trained, pairs, SITE, 2, epochs=60, learning_rate=0.05)
    assert not found.flagged, found.reason
    assert found.accuracy > max(found.untrained, found.arbitrary, found.unedited)
    alone = align(untrained, pairs, SITE, 2, epochs=20, learning_rate=0.05)
    assert alone.flagged
    assert "method's" in alone.reason
    with pytest.raises(CausalError, match="at least 1"):
        align(trained, pairs, SITE, 0)
    with pytest.raises(CausalError, match="resid_p"):
        align(trained, pairs, "blocks.0.hook_resid_mid", 1)


def test_a_search_stands_beside_the_pattern_if_asked(trained, untrained, spaces):
    """In a trained model it works on held-out sentences; in an untrained one it is flagged."""
    corpus = GRAMMAR.sample(300, seed=2)
    how = {"n": 160, "draws": 2, "bootstrap": 0, "twin": False, "isolation": False, "das": 30}
    (row,) = interchange(trained, corpus, spaces[0], **how).rows
    assert row.share_das > 0.4
    assert "beyond every control" in row.das
    decoy = interchange(untrained, corpus, spaces[0], **how)
    assert decoy.rows[0].das.startswith("flagged: ")
    assert np.isnan(decoy.rows[0].share_das)
    assert not decoy.notes
    with pytest.raises(CausalError, match="epochs"):
        interchange(trained, corpus, spaces[0], das=-1)


def test_minimal_pairs_are_scored_by_the_odds_of_two_answers(trained):
    sentences = list(dict.fromkeys(GRAMMAR.sample(300, seed=8).sentences))
    begins, right = [s[:2] for s in sentences], [s[2] for s in sentences]
    answers = [(x, "y" if x == "x" else "x") for x in right]
    pairs = minimal_pairs(begins, answers, right, at=[0] * len(right), n=30)
    whole = Subspace(np.eye(16))
    behind, first = "blocks.1.hook_resid_post", "blocks.0.hook_resid_pre"
    found = interchange(
        trained, None, {(first, "number"): whole, (behind, "number"): whole}, pairs=pairs, draws=2,
        bootstrap=0, twin=False,
    )  # fmt: skip
    row, late = found.rows
    assert row.measure == "log-odds"
    assert row.base > 1
    assert row.source < -1  # the source asks for the other answer
    assert row.share == pytest.approx(1, abs=0.05)
    assert row.completeness > 0.9
    assert late.share == 0  # nothing reads the first word behind the last block
    assert "log_odds_edit" in found.to_frame()
    again = interchange(
        trained, None, {(behind, "number"): whole}, pairs=pairs, draws=2, twin=False, das=2
    )
    assert "exact expectations" in again.notes[0]


def test_beginnings_that_do_not_fit_are_refused():
    with pytest.raises(CausalError, match="all beginnings"):
        minimal_pairs([["a"], ["b"]], [("x", "y")] * 2, ["one", "one"])
    with pytest.raises(CausalError, match="two answers"):
        minimal_pairs([["a"], ["b"]], [("x",)] * 2, ["one", "two"])
    with pytest.raises(CausalError, match="1 labels"):
        minimal_pairs([["a"], ["b"]], [("x", "y")] * 2, ["one"])


def test_every_kind_of_model_may_begin_in_the_middle():
    """Blocks that return tensors and blocks that return tuples; the unembedding apart."""
    import transformers as tf

    shape = {"num_hidden_layers": 3, "num_attention_heads": 2, "hidden_size": 16, "vocab_size": 40,
             "intermediate_size": 32, "max_position_embeddings": 16}  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = [
            tf.LlamaForCausalLM(tf.LlamaConfig(**shape)),
            tf.GPT2LMHeadModel(tf.GPT2Config(n_embd=16, n_layer=3, n_head=2, vocab_size=40)),
            tf.GPTNeoXForCausalLM(tf.GPTNeoXConfig(**shape)),
            tf.Gemma2ForCausalLM(tf.Gemma2Config(**shape, head_dim=8, num_key_value_heads=1)),
        ]
    lines = []
    for ids in ([3, 4, 5, 6], [7, 8, 9]):
        at = np.arange(len(ids))
        lines.append(Line(np.array(ids), at, at, at + 1))
    site = "blocks.1.hook_resid_post"
    for model in models:
        runner = Runner(prepare(model.eval(), CaptureSettings.of(sites=[site]), words=False))
        batch = collate(lines, runner.wiring.pad_id)
        read = positions_of([np.array([3]), np.array([2])])
        runner.try_out(batch, *read)
        assert runner.resume, type(model).__name__
        streams, said = runner.states(batch, (site,), *read)
        moved = streams[site].flip(0) * 2
        short = runner.after(batch, site, moved, *read)
        assert torch.allclose(short, runner.whole(batch, site, moved, *read), atol=1e-6)
        assert not torch.allclose(short, said, atol=1e-6)
        with torch.no_grad():
            inputs = {"input_ids": batch.ids, "attention_mask": batch.mask.long()}
            full = model(**inputs).logits[read[0], read[1]].double().softmax(-1)
        assert torch.allclose(said, full, atol=1e-5)
        _same_behind_a_prefix(model, site)


def test_neither_blocks_nor_tokens_before_an_edit_are_run_again():
    """Spans at several places in a model with a cache: the same numbers, at the least cost."""
    import transformers as tf

    words = word_ids(list(GRAMMAR.terminals))
    ids = {"bos_token_id": 0, "eos_token_id": len(words) - 1}
    shape = {"n_embd": 16, "n_layer": 4, "n_head": 2, "n_positions": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = tf.GPT2LMHeadModel(
            tf.GPT2Config(vocab_size=len(words), vocabulary=list(words), **shape, **ids)
        ).eval()
    sites = ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_post", "blocks.3.hook_resid_post")
    spaces = {(site, "height 1"): Subspace(np.eye(16)[:, :3]) for site in sites}
    corpus = GRAMMAR.sample(200, seed=2)
    how = {"n": 40, "draws": 2, "bootstrap": 0, "twin": False, "isolation": False}
    short, whole = (interchange(model, corpus, spaces, resume=r, **how) for r in (True, False))
    for one, other in zip(short.rows, whole.rows, strict=True):
        for name in ("base", "edit", "whole", "random", "placebo", "drawn", "completeness"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-5, nan_ok=True)
    more = [interchange(model, corpus, spaces, resume=r, **how | {"n": 80}) for r in (True, False)]
    grown = [
        two.cost["height 1"] - one.cost["height 1"]
        for one, two in zip((short, whole), more, strict=True)
    ]
    # Base, source, states to draw from and the identity twice, and arms behind the first edit: what
    # is tried out once is the same for any number of pairs.
    blocks, length, arms, behind = 4, 4, 8, (4, 2, 0)
    firsts = {min(at[-1] + 1 for at in each.pairs["height 1"].base_at) for each in (short, more[0])}
    (first,) = firsts  # behind BOS
    assert grown[0] == 40 * (5 * blocks * length + arms * sum(behind) * (length - first))
    assert grown[1] == 40 * (5 + arms * len(sites)) * blocks * length


def _same_behind_a_prefix(model, site):
    """Three sentences of five tokens, two copies of each, edited from the third token on."""
    runner = Runner(prepare(model, CaptureSettings.of(sites=[site]), words=False))
    ids = np.arange(15).reshape(3, 5) + 3
    at = np.arange(5)
    batch = collate([Line(row, at, at, at + 1) for row in ids], runner.wiring.pad_id)
    read = positions_of([np.array([2, 4])] * 3)
    runner.try_out(batch, *read)
    cache = runner.cache_for(batch)
    assert cache is not None, type(runner.model).__name__
    streams, _ = runner.states(batch, (site,), *read, cache=cache)
    prefix = runner.prefix(cache, batch, 2)
    assert prefix is not None, type(runner.model).__name__
    moved = streams[site].clone()
    moved[:, 2:] = moved[:, 2:].flip(0) * 2
    whole = runner.whole(batch, site, moved, *read)
    twice = repeated(batch, 2)
    stream = torch.cat([streams[site][:, 2:], moved[:, 2:]])
    rows, places = torch.cat([read[0], read[0] + 3]), read[1].repeat(2)
    before = runner.block_tokens
    said = runner.behind(prefix, twice, site, stream, rows, places)
    assert torch.allclose(said[6:], whole, atol=1e-6)
    assert runner.block_tokens - before == 6 * 3 * 1  # inputs, tokens, blocks behind the site
    pick = torch.tensor([[4, 7]]).repeat(12, 1)
    odds = runner.behind(prefix, twice, site, stream, rows, places, pick)
    ratio = said.gather(1, pick)
    assert torch.allclose(odds, ratio / ratio.sum(1, keepdim=True), atol=1e-6)


def test_a_block_with_a_window_keeps_no_prefix():
    """Side by side a token sees all that is kept: where a block would not, nothing is kept."""
    import transformers as tf

    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "vocab_size": 20}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 99}
    kept = {}
    for window in (50, 3):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            config = tf.MistralConfig(**shape, **heads, sliding_window=window)
            model = tf.MistralForCausalLM(config)
        runner, batch, read = _ready(model)
        assert runner.resume
        cache = runner.cache_for(batch)
        runner.states(batch, (), *read, cache=cache)
        kept[window] = runner.prefix(cache, batch, 3) is not None
    assert kept == {50: True, 3: False}


def _ready(model):
    """A runner that has been tried out on two inputs of six tokens, and these."""
    runner = Runner(prepare(model.eval(), CaptureSettings.of(), words=False))
    ids, at = np.arange(12).reshape(2, 6) + 3, np.arange(6)
    batch = collate([Line(row, at, at, at + 1) for row in ids], 0)
    read = positions_of([np.array([5])] * 2)
    runner.try_out(batch, *read)
    return runner, batch, read


def test_one_token_behind_a_prefix_runs_in_a_model_of_experts():
    """Experts view their stream as one list of tokens."""
    import transformers as tf

    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "vocab_size": 20}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_local_experts": 2}
        model = tf.MixtralForCausalLM(tf.MixtralConfig(**shape, **heads))
    runner, batch, read = _ready(model)
    cache, site = runner.cache_for(batch), "blocks.0.hook_resid_post"
    streams, unedited = runner.states(batch, (site,), *read, cache=cache)
    prefix = runner.prefix(cache, batch, 5)
    moved = streams[site].clone()
    moved[:, 5:] *= torch.tensor([2.0, -1.0])[:, None, None]
    whole = runner.whole(batch, site, moved, *read)
    twice = torch.cat([streams[site], moved])[:, 5:]
    rows = torch.tensor([0, 1, 2, 3])
    said = runner.behind(prefix, repeated(batch, 2), site, twice, rows, torch.full((4,), 5))
    assert torch.allclose(said[:2], unedited, atol=1e-6)  # a few units of float32 in each output
    assert torch.allclose(said[2:], whole, atol=1e-6)
    assert not torch.allclose(whole, unedited, atol=1e-4)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_a_model_whose_tokens_see_later_ones_keeps_no_prefix(layers):
    """However small its weights are: what stands before an edit moves with it."""
    import transformers as tf

    shape = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = tf.BertConfig(**shape, num_hidden_layers=layers, vocab_size=20)
        runner, batch, _ = _ready(tf.BertForMaskedLM(config))
    assert runner.resume
    assert runner.cache_for(batch) is None
