"""Erasing and steering as experiments, on a language of agreement."""

import numpy as np
import pytest

from linrep import capture, pattern_subspace
from linrep.causal import CausalError, dose_response, erasure_effects
from linrep.core import Subspace
from linrep.grammars import Grammar
from linrep.models import train, word_ids

GRAMMAR = Grammar.from_text(
    "S -> P Z 'x' | Q Z 'y'\nP -> 'a' | 'b' | 'c'\nQ -> 'd' | 'e' | 'f'\nZ -> 'm' | 'n' | 'o'"
)
SITE = "blocks.0.hook_resid_pre"


@pytest.fixture(scope="module")
def model():
    how = {"sentences": 200, "steps": 150, "batch_size": 32, "learning_rate": 1e-2, "seed": 1}
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    return train(GRAMMAR, **how, **shape).model


@pytest.fixture(scope="module")
def found(model):
    corpus = GRAMMAR.sample(300, seed=4)
    first = corpus.positions == 0
    states = np.asarray(capture(model, corpus, progress=False)[SITE])
    kinds = np.where(first, corpus.labels(1), "")
    middle = np.where(corpus.positions == 1, corpus.words, "")
    return corpus, states, kinds, middle


def test_erasing_takes_the_state_away_and_little_else(model, found):
    corpus, states, kinds, middle = found
    chosen = kinds != ""
    space = pattern_subspace(states[chosen], kinds[chosen])
    result = erasure_effects(
        model, corpus, SITE, space, {"class": kinds, "middle": middle}, "class"
    )
    rows = {row.arm: row for row in result.rows}
    assert list(rows) == ["none", "subspace", "random", "variance", "leace"]
    read = {arm: row.decodability[SITE, "class"] for arm, row in rows.items()}
    assert read["none"] == 1
    assert read["leace"] <= result.chance["class"] + 0.15  # LEACE: no linear probe does better
    assert read["random"] > 0.8
    assert rows["none"].kl == pytest.approx(0, abs=1e-9)
    assert rows["leace"].kl > 5 * rows["random"].kl
    assert rows["leace"].loss > rows["none"].loss
    assert rows["variance"].removed == pytest.approx(rows["subspace"].removed, abs=0.1)
    assert rows["leace"].decodability[SITE, "middle"] > 0.9  # the other target is left
    frame = result.to_frame()
    assert set(frame["site"]) >= {SITE, "blocks.1.hook_resid_post"}
    assert "leace" in result._repr_html_()


def test_steering_moves_the_answer_with_the_dose_and_tells_the_damage(model):
    words = list(model.config.vocabulary)
    direction = model.head.weight[words.index("x")] - model.head.weight[words.index("y")]
    begins = [[x, z] for x in "abcdef" for z in "mno"]
    result = dose_response(
        model, "blocks.1.hook_resid_post", direction.detach(), begins, [("x", "y")] * 18,
        [["a", "m"], ["e", "o"], ["b", "n"]], strengths=[0.5, 0.0, -0.5, 1.0],
    )  # fmt: skip
    low, none, high, higher = result.doses
    assert [dose.strength for dose in result.doses] == [-0.5, 0.0, 0.5, 1.0]
    assert (none.effect, none.damage, none.wrong) == (0, pytest.approx(0, abs=1e-9), 0)
    assert low.effect < -0.5
    assert 0.5 < high.effect < higher.effect
    assert max(low.wrong, high.wrong) < 0.2
    assert min(low.damage, high.damage) > 0.01
    back = dose_response(
        model, "blocks.1.hook_resid_post", -direction.detach(), begins, [("x", "y")] * 18,
        [["a", "m"]], strengths=[0.5],
    )  # fmt: skip
    assert back.doses[0].wrong > 0.8  # the other way than asked
    assert set(result.to_frame()) >= {"strength", "effect", "damage", "wrong"}
    assert len(result.plot().data) == 2
    assert "damage" in result._repr_html_()


def test_what_cannot_be_asked_is_refused(model, found):
    corpus, _, kinds, _ = found
    space = Subspace(np.eye(16)[:, :1])
    with pytest.raises(CausalError, match="do not hold"):
        erasure_effects(model, corpus, SITE, space, {"class": kinds}, "other")
    with pytest.raises(CausalError, match="one label for each"):
        erasure_effects(model, corpus, SITE, space, {"class": kinds[:5]}, "class")
    with pytest.raises(CausalError, match="16 dimensions"):
        erasure_effects(model, corpus, SITE, Subspace(np.eye(3)), {"class": kinds}, "class")
    with pytest.raises(CausalError, match="two answers"):
        dose_response(model, SITE, np.ones(16), [["a"]], [("x",)], [["a"]])
    with pytest.raises(CausalError, match="finite"):
        dose_response(
            model, SITE, np.ones(16), [["a"]], [("x", "y")], [["a"]], strengths=[float("nan")]
        )


def test_sentences_of_several_lengths_are_erased_where_they_have_a_label():
    """Padding and unlabelled words stay to the bit: random weights, so that nothing is learned."""
    import torch
    import transformers as tf

    grammar = Grammar.from_text("S -> P | Z P | Z Z P\nP -> 'a' | 'b'\nZ -> 'm' | 'n'")
    words = word_ids(list(grammar.terminals))
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 8}
    ids = {"bos_token_id": 0, "eos_token_id": len(words) - 1}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = tf.GPT2Config(vocab_size=len(words), vocabulary=list(words), **shape, **ids)
        model = tf.GPT2LMHeadModel(config).eval()
    corpus = grammar.sample(80, seed=1)
    labels = np.where(np.isin(corpus.words, ["a", "b"]), corpus.words, "")
    others = np.where(labels == "", corpus.words, "")
    states = np.asarray(capture(model, corpus, progress=False)[SITE])
    space = pattern_subspace(states[labels != ""], labels[labels != ""])
    found = erasure_effects(model, corpus, SITE, space, {"last": labels, "first": others}, "last")
    rows = {row.arm: row for row in found.rows}
    assert rows["none"].decodability[SITE, "last"] == 1
    assert rows["leace"].decodability[SITE, "last"] < 0.75
    for row in rows.values():  # words without a label of the target come before it here
        assert row.decodability[SITE, "first"] == rows["none"].decodability[SITE, "first"] == 1
        assert 0 <= row.removed <= 1
