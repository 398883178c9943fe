"""Constructed models: the exchange gives the exact counterfactual where theory says so."""

import numpy as np
import pytest
import torch

from linrep.causal import CausalError, interchange, interchange_pairs, pairs_of
from linrep.constructions import GrammarTransformer
from linrep.core import LinrepError, Subspace
from linrep.grammars import families

EXACT, NOTHING = 1e-10, 1e-9
GRAMMARS = {
    "hierarchy": lambda: families.random_hierarchy(4, 2, 2, 3, seed=0),
    "latin": lambda: families.latin(3, 3, start="one"),
    "drawn": lambda: families.random_hierarchy(3, 2, 3, 2, seed=5),
}
SETTINGS = [
    {"mode": mode, "passes": passes, "rotation": rotation}
    for mode in ("spans", "shapes")
    for passes in (1, 2)
    for rotation in (None, 3)
]
OTHERS = ({"semiring": "deterministic"}, {"position_code": "bias"}, {"merge": "bodies"})


def exchanged(built, corpus, **options):
    claims = {(p.site, p.target): p for p in built.predictions}
    spaces = {cell: claim.subspace for cell, claim in claims.items()}
    how = {"n": 30, "draws": 2, "bootstrap": 0, "twin": False, "isolation": False} | options
    return claims, interchange(built, corpus, spaces, **how)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *(("hierarchy", settings) for settings in (*SETTINGS, *OTHERS)),
        *((name, SETTINGS[i]) for i in (1, 2, 4) for name in ("latin", "drawn")),
    ],
    ids=str,
)
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
            three = row.completeness, row.selectivity, row.reliability
            assert three == pytest.approx((1, 1, 1), abs=1e-9)
            assert row.share == pytest.approx(1, abs=1e-6)
        elif not claim.used:
            assert row.change <= NOTHING
            assert row.completeness <= 1e-9
        seen[bool(claim.exact)] += 1
    assert min(seen.values()) >= 1


def test_the_sparse_back_end_has_no_stream_to_edit():
    grammar = GRAMMARS["hierarchy"]()
    built = GrammarTransformer.from_grammar(grammar, backend="sparse")
    with pytest.raises(LinrepError, match="dense"):
        exchanged(built, grammar.sample(40, seed=1))


def test_other_targets_are_left_alone_by_a_pattern_and_carried_by_the_whole_state():
    """Inside the window the exchange is exact; probes of the other height say what they said."""
    grammar = GRAMMARS["hierarchy"]()
    built = GrammarTransformer.from_grammar(grammar)
    how = {"isolation": True, "bootstrap": 200}
    claims, found = exchanged(built, grammar.sample(60, seed=1), **how)
    for row in found.rows:
        if claims[row.site, row.target].exact:
            other = {"height 1": "height 2", "height 2": "height 1"}[row.target]
            assert (row.isolation, row.isolation_of) == (1, other)
            assert (row.isolation_low, row.isolation_high) == (1, 1)
    rows = {(row.site, row.target, row.other): row for row in found.isolation}
    higher = rows["blocks.1.hook_resid_post", "height 2", "height 1"]
    assert higher.kept_whole < 0.85  # with the whole state the other words' symbol comes along
    assert higher.accuracy_before == higher.accuracy_after == 1
    assert higher.n_groups == len(set(found.pairs["height 2"].groups.tolist()))


def test_an_exchange_that_carries_another_target_is_seen():
    """The pattern of one height, widened by that of the other."""
    grammar = GRAMMARS["hierarchy"]()
    built = GrammarTransformer.from_grammar(grammar)
    site = "blocks.1.hook_resid_post"
    spaces = {p.target: p.subspace for p in built.predictions if p.site == site}
    both = Subspace(np.hstack([spaces["height 1"].basis, spaces["height 2"].basis]))
    found = interchange(
        built, grammar.sample(80, seed=1), {(site, "height 2"): both},
        n=60, draws=2, bootstrap=200, twin=False,
    )  # fmt: skip
    (row,) = found.rows
    assert row.share == pytest.approx(1, abs=1e-6)  # the effect alone shows nothing
    assert row.isolation_high < 1
    assert row.isolation == pytest.approx(row.isolation_whole, abs=0.05)


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
