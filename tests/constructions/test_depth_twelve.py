"""Grammars of depth 11 and 12 in every mode: exact after any prefix, or refused by name."""

import numpy as np
import pytest

from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.grammars import families

EXACT = 1e-12  # float64 sums of fewer than a hundred products
MODES = [{}, {"mode": "shapes"}, {"semiring": "deterministic"}, {"semiring": "boolean"},
         {"beliefs": "boundary"}, {"position_code": "circular"}, {"dtype": "float32"}]  # fmt: skip
LATIN = {depth: families.latin(order=2, depth=depth) for depth in (10, 11, 12)}


def built(grammar, **settings):
    return GrammarTransformer.from_grammar(grammar, backend="sparse", **settings)


def deviation(model, grammar, sentence):
    (rows,) = model.next_tokens([sentence])
    return float(np.abs(rows - expected(model, grammar, sentence)).max())


def expected(model, grammar, sentence):
    exact = grammar.next_token_probabilities(sentence)
    return exact if model.settings.semiring != "boolean" else support(exact)


def support(exact):
    possible = exact > 0
    return possible / np.maximum(possible.sum(-1, keepdims=True), 1)


@pytest.mark.parametrize("settings", MODES, ids=str)
def test_two_passes(settings):
    grammar = LATIN[12]  # all 4096 tokens in one mode, as many as show the rest in the others
    sentence = grammar.sample(1, seed=0).sentences[0][: None if settings == {} else 400]
    model = built(grammar, **settings)
    assert deviation(model, grammar, sentence) <= (1e-6 if "dtype" in settings else EXACT)
    assert model.guarantee.holds


@pytest.mark.parametrize(("depth", "mode"), [(11, "spans"), (12, "shapes")])
def test_one_pass(depth, mode):  # depth 12 in spans takes seconds
    grammar = LATIN[depth]
    sentence = grammar.sample(1, seed=0).sentences[0][:40]
    model = built(grammar, passes=1, mode=mode)
    assert deviation(model, grammar, sentence) <= EXACT
    assert model.guarantee.holds


@pytest.mark.parametrize(
    ("depth", "mode", "passes"),
    [(12, "spans", 2), (11, "spans", 2), (12, "shapes", 2), (10, "spans", 1), (11, "shapes", 1)],
)
def test_without_a_gauge_the_reason_is_named(depth, mode, passes):
    with pytest.raises(ConstructionError, match=r"a weight .* about 10\^.*: use gauge=True"):
        built(LATIN[depth], gauge=False, mode=mode, passes=passes)


def test_a_log_head_says_what_it_may_be_off_by():
    grammar = LATIN[11]
    sentence = grammar.sample(1, seed=0).sentences[0][:40]
    model = built(grammar, head="log")
    assert deviation(model, grammar, sentence) <= 2 * model.settings.log_error
    assert "too small for float64" in str(model.guarantee)  # a prefix's weight is 2^-1000


def test_a_hierarchy_drawn_at_random():
    grammar = families.random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=12, seed=0)
    sentence = grammar.sample(1, seed=0).sentences[0][:24]
    model = built(grammar)
    assert deviation(model, grammar, sentence) <= EXACT


@pytest.mark.parametrize("settings", [{}, {"passes": 1}, {"gauge": False}], ids=str)
def test_ragged_grammars(settings):
    grammar = families.random_grammar(depth=12, arity=(1, 2), skip=0.6, unary=0.5, seed=1)
    sentence = grammar.sample(1, seed=0).sentences[0][:24]
    assert deviation(built(grammar, **settings), grammar, sentence) <= EXACT
    with pytest.raises(ConstructionError, match=r"10\^23 tree shapes.*use mode='spans'"):
        built(grammar, mode="shapes", **settings)
