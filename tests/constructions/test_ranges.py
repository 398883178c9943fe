"""Weights and scores at the ends of a dtype's range, and sentences of a thousand tokens."""

from fractions import Fraction

import numpy as np
import pytest

from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.grammars import Grammar, families

EXACT = 1e-12  # float64 sums of fewer than a hundred products


def rare(weight):
    """``S -> A A A`` with a token of this weight."""
    share = Fraction(weight)
    rules = [("S", ["A"] * 3, Fraction(1)), ("A", ["a"], share), ("A", ["b"], 1 - share)]
    return Grammar.from_rules(rules, "S")


@pytest.mark.parametrize("semiring", ["probability", "deterministic"])
@pytest.mark.parametrize("backend", ["dense", "sparse"])
def test_a_log_block_whose_hinges_overflow_is_refused(semiring, backend):
    grammar = rare("1e-24")
    settings = {"head": "log", "semiring": semiring, "backend": backend}
    with pytest.raises(
        ConstructionError, match=r"down to 10\^-72; float32 holds .*dtype='float64'"
    ):
        GrammarTransformer.from_grammar(grammar, dtype="float32", **settings)
    kept = GrammarTransformer.from_grammar(grammar, **settings)
    (rows,) = kept.next_tokens([("a", "b", "a")])
    exact = grammar.next_token_probabilities(("a", "b", "a"))
    assert np.abs(rows - exact).max() <= 2 * kept.settings.log_error
    assert rows[0, 0] == pytest.approx(1e-24, rel=2 * kept.settings.log_error)
    likelier = GrammarTransformer.from_grammar(rare("1e-9"), dtype="float32", **settings)
    (rows,) = likelier.next_tokens([("a", "b", "a")])
    assert rows[0, 0] == pytest.approx(1e-9, rel=3e-3)


SETTINGS = [{}, {"passes": 1}, {"mode": "shapes"}, {"gauge": False}, {"semiring": "deterministic"},
            {"head": "log"}, {"beliefs": "prefix"}]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(("weight", "dtype"), [("1e-60", "float32"), ("1e-330", "float64")])
def test_a_weight_below_the_range_of_its_dtype_is_refused(settings, weight, dtype):
    grammar = rare(weight)
    with pytest.raises(ConstructionError) as caught:
        GrammarTransformer.from_grammar(grammar, dtype=dtype, **settings)
    message = str(caught.value)
    assert f"about 10^-{weight[3:]}.0" in message
    assert f"{dtype} holds numbers from" in message
    assert ("dtype='float64'" in message) == (dtype == "float32")


def test_weights_that_fit_are_built_and_those_that_do_not_can_be_left_out():
    kept = GrammarTransformer.from_grammar(rare("1e-60"))
    assert kept.next_token(["b"])["a"] == pytest.approx(1e-60, rel=1e-12)
    assert kept.accounting().holds
    lost = GrammarTransformer.from_grammar(rare("1e-60"), dtype="float32", inexact="allow")
    assert not lost.guarantee.holds
    assert lost.next_token(["b"]) == {"a": 0.0, "b": 1.0, "<eos>": 0.0}
    words = str(lost.accounting())
    assert not lost.accounting().holds
    assert "VIOLATED" not in words  # no theorem fails: weights were taken out of the model
    assert "weights are too small for the dtype and count as 0" in words
    support = GrammarTransformer.from_grammar(rare("1e-330"), semiring="boolean")
    assert support.next_token(["b"]) == {"a": 0.5, "b": 0.5, "<eos>": 0.0}


DEEP = [{}, {"passes": 1}, {"mode": "shapes"}, {"mode": "shapes", "passes": 1},
        {"semiring": "deterministic"}, {"beliefs": "boundary"}, {"dtype": "float32"}]  # fmt: skip


@pytest.mark.parametrize("settings", DEEP)
def test_sentences_of_a_thousand_tokens_are_exact(settings):
    grammar = families.latin(order=2, depth=10)
    sentence = grammar.sample(1, seed=0).sentences[0]
    if settings == {"passes": 1}:
        sentence = sentence[:40]  # all 1024 take seconds
    model = GrammarTransformer.from_grammar(grammar, backend="sparse", **settings)
    exact = grammar.next_token_probabilities(sentence)
    (rows,) = model.next_tokens([sentence])
    assert np.abs(rows - exact).max() <= (1e-6 if "dtype" in settings else EXACT)
    assert model.guarantee.holds


@pytest.mark.parametrize("settings", [{"gauge": False}, {"gauge": False, "passes": 1},
                                      {"gauge": False, "mode": "shapes"}, {"token_scale": 7.0},
                                      {"token_scale": 7.0, "passes": 1}])  # fmt: skip
def test_a_scale_beyond_the_range_of_its_dtype_is_refused(settings):
    grammar = families.latin(order=2, depth=10)
    with pytest.raises(ConstructionError, match=r"float64 holds numbers up to 1.8e\+308: use") as e:
        GrammarTransformer.from_grammar(grammar, backend="sparse", **settings)
    assert ("gauge=True" in str(e.value)) == ("gauge" in settings)


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("gauge", [True, False])
@pytest.mark.parametrize("mode", ["spans", "shapes"])
def test_every_scale_is_carried_by_every_mode(twin, mode, gauge, passes):
    """Scores are the weights of prefix and next token times kappa to the tokens read."""
    grammar = twin.random_grammar(3, max_sentences=60)
    language = twin.language(grammar)
    joint = {}
    for sentence, p in language.items():
        for t in range(len(sentence) + 1):
            key = sentence[:t], sentence[t] if t < len(sentence) else "<eos>"
            joint[key] = joint.get(key, 0.0) + float(p)
    model = GrammarTransformer.from_grammar(
        grammar, mode=mode, gauge=gauge, passes=passes, token_scale=1.5, backend="sparse"
    )
    sentences = list(language)
    for rows, sentence in zip(model.outputs(sentences), sentences, strict=True):
        for t in range(len(sentence) + 1):
            expected = [joint.get((sentence[:t], x), 0.0) * 1.5**t for x in model.vocabulary]
            assert rows[t] == pytest.approx(expected, rel=1e-12, abs=1e-300)
