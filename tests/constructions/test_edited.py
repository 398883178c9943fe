"""What a constructed model says next after its stream was edited: the counterfactual, or zeros."""

import numpy as np
import pytest
import torch

from linrep.constructions import GrammarTransformer
from linrep.grammars import Grammar, ImpossiblePrefix, families
from linrep.hooks import swap

EXACT = 1e-12  # float64 sums of fewer than a hundred products, and one edit
TWO = [list("11232021"), list("31200323")]  # names of tokens without their a
LENGTHS = {1: 2, 2: 4}  # tokens of a node, by height


def expected(grammar, prefix):
    """The exact next-token distribution; zeros after an impossible prefix."""
    try:
        return grammar.next_token_probabilities(prefix)[-1]
    except ImpossiblePrefix:
        return np.zeros(len(grammar.terminals) + 1)


def after_swaps(model, sentences, height):
    """(distribution after an interchange of the first node, its exact value), at later tokens."""
    target = f"height {height}"
    claim = next(p for p in model.predictions if p.target == target and p.written)
    block, end = int(claim.site.split(".")[1]), LENGTHS[height]
    for base, other in zip(sentences, sentences[1:], strict=False):
        ids = torch.from_numpy(model.encode(other))[None]
        with torch.inference_mode():
            source = model.model(ids, output_hidden_states=True).hidden_states[block + 1]
        where = torch.zeros(1, ids.shape[1], dtype=torch.bool)
        where[0, end] = True
        changed = {claim.site: claim.subspace}
        with swap(model.model, changed, {claim.site: source}, where=where):
            (rows,) = model.next_tokens([base])
        mixed = (*other[:end], *base[end:])
        for t in range(end, len(base) + 1):
            yield rows[t], expected(model.grammar, mixed[:t])


@pytest.mark.parametrize("settings", [{"semiring": "deterministic", "passes": 1},
                                      {"semiring": "deterministic"}, {"passes": 1}, {},
                                      {"head": "probabilities", "dtype": "float32"}])  # fmt: skip
def test_what_is_impossible_after_an_interchange_gets_zeros(settings):
    """Rounding of an edit turns zeros into 1e-18, which dividing by the sum would make certain."""
    grammar = families.random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=3, seed=0)
    model = GrammarTransformer.from_grammar(grammar, **settings)
    sentences = grammar.sample(12, seed=1).sentences
    impossible = 0
    for height in LENGTHS:
        for found, exact in after_swaps(model, sentences, height):
            assert ((found > 0) == (exact > 0)).all()
            assert np.abs(found - exact).max() <= (1e-6 if "dtype" in settings else EXACT)
            impossible += exact.sum() == 0
    assert impossible > 8


def test_an_interchange_shows_in_a_latin_grammar_whose_start_symbol_has_one_class():
    """The last token answers; where every sentence is possible, nothing can."""
    for start, moved in (("one", True), ("every", False)):
        grammar = families.latin(order=3, depth=3, start=start)
        model = GrammarTransformer.from_grammar(grammar)
        sentences = grammar.sample(8, seed=0).sentences
        gaps = []
        for height in LENGTHS:
            for base, (found, exact) in zip(
                np.repeat(np.arange(7), 9 - LENGTHS[height]),
                after_swaps(model, sentences, height),
                strict=True,
            ):
                assert found == pytest.approx(exact, abs=EXACT)
                unchanged = expected(grammar, sentences[base][:7])
                gaps.append(np.abs(found - unchanged).max() if exact[:-1].max() == 1 else 0)
        assert (max(gaps) == 1) == moved


@pytest.mark.parametrize("rare", [1e-9, 1e-15, 1e-60, 1e-300])
@pytest.mark.parametrize("settings", [{}, {"passes": 1}, {"token_scale": 1.0, "gauge": False},
                                      {"head": "probabilities"}])  # fmt: skip
def test_what_is_possible_is_kept_however_rare(rare, settings):
    grammar = Grammar.from_text(f"S -> A 'c' | 'c' A\nA -> 'a' [{rare!r}] | 'b' [{1 - rare!r}]")
    model = GrammarTransformer.from_grammar(grammar, **settings)
    assert 0 < model.model.config.score_floor < 1
    assert model.next_token(["c"])["a"] == pytest.approx(rare, rel=1e-12)
    for sentence in (["a", "c"], ["c", "a"]):
        assert model.next_token(sentence) == {"a": 0.0, "b": 0.0, "c": 0.0, "<eos>": 1.0}


def test_a_rare_state_that_is_put_in_is_read():
    """The interchange makes the rare node; what follows it is certain, however rare it is."""
    text = "S -> A B 'c' [1/2] | B A 'd' [1/2]\nA -> 'a' [1e-15] | 'x' [999999999999999e-15]\n"
    grammar = Grammar.from_text(text + "B -> 'a' [0.5] | 'b' [0.5]")
    model = GrammarTransformer.from_grammar(grammar)
    claim = next(p for p in model.predictions if p.target == "height 1" and p.written)
    ids = torch.from_numpy(model.encode(["a", "b"]))[None]
    with torch.inference_mode():
        states = model.model(ids, output_hidden_states=True).hidden_states
    where = torch.tensor([[False, True, False]])
    source = {claim.site: states[int(claim.site.split(".")[1]) + 1]}
    with swap(model.model, {claim.site: claim.subspace}, source, where=where):
        (rows,) = model.next_tokens([["x", "b"]])
    assert rows[2] == pytest.approx(expected(grammar, ("a", "b")), abs=EXACT)


@pytest.mark.parametrize("settings", [{}, {"passes": 1}, {"semiring": "deterministic"},
                                      {"mode": "shapes"}, {"beliefs": "boundary"},
                                      {"head": "log"}])  # fmt: skip
def test_a_state_is_used_where_theory_says_and_a_decoy_elsewhere(settings):
    """An interchange at any node's end: some effect inside the window, none at all outside."""
    grammar = families.random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=3, seed=0)
    model = GrammarTransformer.from_grammar(grammar, **settings)
    base, other = (torch.from_numpy(model.encode([f"a{x}" for x in s]))[None] for s in TWO)
    with torch.inference_mode():
        states = model.model(other, output_hidden_states=True).hidden_states
        plain = model.model(base).logits
    windows = {True: 0, False: 0}
    for claim in model.predictions:
        if claim.site == "blocks.0.hook_resid_pre":
            assert not claim.used  # nothing is written yet
            continue
        source = states[int(claim.site.split(".")[1]) + 1]
        with torch.inference_mode(), swap(model.model, {claim.site: claim.subspace},
                                          {claim.site: source}):  # fmt: skip
            gap = float((model.model(base).logits - plain).abs().max())
        assert (gap > 0.1) if claim.used else (gap == 0)
        windows[claim.used] += claim.written
    assert min(windows.values()) >= 2
