"""Constructed models: the exchange gives the exact counterfactual where theory says so."""

import numpy as np
import pytest
import torch

from linrep.causal import CausalError, interchange, interchange_pairs, pairs_of
from linrep.constructions import GrammarTransformer
from linrep.core import Subspace
from linrep.grammars import families

EXACT, NOTHING = 1e-10, 1e-9
GRAMMARS = {
    "hierarchy": lambda: families.random_hierarchy(4, 2, 2, 3, seed=0),
    "latin": lambda: families.latin(3, 3, start="one"),
    "drawn": lambda: families.random_hierarchy(3, 2, 3, 2, seed=5),
}
SETTINGS = ({}, {"passes": 1, "rotation": 3}, {"mode": "shapes"}, {"rotation": 1})


def exchanged(built, corpus, **options):
    claims = {(p.site, p.target): p for p in built.predictions}
    spaces = {cell: claim.subspace for cell, claim in claims.items()}
    how = {"n": 30, "draws": 2, "bootstrap": 0, "twin": False} | options
    return claims, interchange(built, corpus, spaces, **how)


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_counterfactual_inside_the_window_and_nothing_outside(name, settings):
    grammar = GRAMMARS[name]()
    built = GrammarTransformer.from_grammar(grammar, **settings)
    claims, found = exchanged(built, grammar.sample(80, seed=1))
    seen = {True: 0, False: 0}
    for row in found.rows:
        claim = claims[row.site, row.target]
        assert row.identity
        if claim.exact:
            assert row.error <= EXACT
            assert row.error_base > 0.1
            assert row.reliability == pytest.approx(1, abs=1e-9)
            assert row.share == pytest.approx(1, abs=1e-6)
        elif not claim.used:
            assert row.change <= NOTHING
            assert row.completeness <= 1e-9
        seen[bool(claim.exact)] += 1
    assert min(seen.values()) >= 1


def test_the_whole_span_may_be_exchanged_too():
    grammar = GRAMMARS["hierarchy"]()
    built = GrammarTransformer.from_grammar(grammar)
    claims, found = exchanged(built, grammar.sample(80, seed=1), protocol="whole span")
    for row in found.rows:
        if claims[row.site, row.target].exact:
            assert row.error <= EXACT


def test_given_pairs_of_other_lengths_are_exact_where_the_grammar_is():
    """Spans of different lengths: the state at the last token stands for either."""
    grammar = families.random_hierarchy(4, 2, 2, 3, seed=0)
    made = interchange_pairs(grammar.sample(80, seed=2), 1, 20)
    moved = made.select(np.flatnonzero(made.moved))
    again = pairs_of(
        grammar, moved.base, moved.source, moved.base_at, moved.source_at,
        target="height 1", before=moved.before, after=moved.after,
    )  # fmt: skip
    for one, other in zip(moved.expected, again.expected, strict=True):
        assert np.array_equal(one, other)


def test_passes_that_begin_at_the_site_say_what_whole_passes_say():
    grammar = GRAMMARS["hierarchy"]()
    built = GrammarTransformer.from_grammar(grammar, rotation=1)
    corpus = grammar.sample(80, seed=1)
    (_, short), (_, whole) = (exchanged(built, corpus, resume=r) for r in (True, False))
    for one, other in zip(short.rows, whole.rows, strict=True):
        assert one.edit == pytest.approx(other.edit, abs=1e-9)
        assert one.share_whole == pytest.approx(other.share_whole, abs=1e-9, nan_ok=True)


def test_the_model_is_left_as_it_was_also_after_an_error():
    grammar = GRAMMARS["hierarchy"]()
    model = GrammarTransformer.from_grammar(grammar).model
    model.layers[0].train()
    before = [vars(layer).get("forward") for layer in model.layers]
    corpus = grammar.sample(40, seed=1)
    space = {("blocks.2.hook_resid_post", "height 1"): Subspace(np.eye(53)[:, :2])}
    good = {"n": 6, "draws": 2, "bootstrap": 0, "twin": False}
    width = model.config.hidden_size
    interchange(model, corpus, {k: Subspace(np.eye(width)[:, :2]) for k in space}, **good)
    with pytest.raises(CausalError, match="d_model"):
        interchange(model, corpus, {k: Subspace(np.eye(9)) for k in space}, **good)
    assert [vars(layer).get("forward") for layer in model.layers] == before
    assert model.layers[0].training
    assert not model.layers[1].training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subspaces": {}}, "nothing to exchange"),
        ({"subspaces": {("blocks.0.hook_resid_mid", "height 1"): Subspace(np.eye(4))}}, "resid_p"),
        ({"subspaces": {("blocks.0.hook_resid_post", "word"): Subspace(np.eye(4))}}, "of its own"),
        ({"protocol": "first"}, "last token, whole span"),
        ({"draws": 1}, "2..1000"),
        ({"corpus": [["a"]]}, "sampled from a grammar"),
        ({"pairs": []}, "pairs of"),
        ({"pairs": 3}, "received int"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(change, words):
    grammar = GRAMMARS["hierarchy"]()
    asked = {
        "model": GrammarTransformer.from_grammar(grammar),
        "corpus": grammar.sample(10),
        "subspaces": {("blocks.0.hook_resid_post", "height 1"): Subspace(np.eye(4))},
    } | change
    with pytest.raises(CausalError, match=words):
        interchange(asked.pop("model"), asked.pop("corpus"), asked.pop("subspaces"), **asked)
