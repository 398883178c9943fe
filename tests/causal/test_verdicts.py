"""Rung 4 from end to end: reached where a state is used, by no decoy and by no false claim."""

from dataclasses import replace

import numpy as np
import pytest

from linrep import GrammarTransformer, capture, compare, families, interchange, probe, random_twin
from linrep.core import Subspace

GRAMMAR = families.latin(3, 3, start="one")


@pytest.fixture(scope="module")
def built():
    return GrammarTransformer.from_grammar(GRAMMAR, rotation=1)


@pytest.fixture(scope="module")
def page(built):
    corpus = GRAMMAR.sample(400, seed=1)
    twins = [capture(random_twin(built.model, seed=s), corpus, progress=False) for s in (1, 2, 3)]
    found = probe(
        capture(built, corpus, progress=False), corpus, heights=[1], positions="boundary", C=1.0,
        random_weights=twins, controls=("shuffled", "random_weights"), permutations=60, bootstrap=0,
    )  # fmt: skip
    done = interchange(built, corpus, found.patterns, n=60, draws=8, bootstrap=0, isolation=False)
    return found, done


def test_used_states_reach_the_fourth_rung_and_decoys_do_not(built, page):
    """Later blocks hold the state, decodable and aligned: nothing reads it there."""
    found, done = page
    claims = {(p.site, p.target): p for p in built.predictions}
    rows = compare(found, built.predictions, exchanges=done, draws=50).rows
    used = [row for row in rows if claims[row.site, row.target].exact]
    decoys = [
        row for row in rows
        if claims[row.site, row.target].written and not claims[row.site, row.target].used
    ]  # fmt: skip
    assert used
    assert decoys
    for row in used:
        assert row.verdicts.word == "causal"
    for row in decoys:
        assert row.verdicts.decodable.state == row.verdicts.aligned.state == "yes"
        assert row.verdicts.causal.state == "no"
        assert row.verdicts.headline == "aligned, not used from here"
        assert row.predicted_use is False


def test_wrong_predictions_stop_at_the_third_rung(built, page):
    found, done = page
    rng = np.random.default_rng(0)
    wrong = [
        replace(p, subspace=Subspace(rng.standard_normal(p.subspace.basis.shape)))
        for p in built.predictions
    ]
    for row in compare(found, wrong, exchanges=done, draws=50).rows:
        assert row.verdicts.rung < 3


def test_a_readout_that_meets_the_prediction_in_part_is_not_aligned(built, page):
    """Under correlated noise a readout leans towards the prediction, and no further."""
    found, done = page
    claims = {(p.site, p.target): p for p in built.predictions if p.exact}
    rng = np.random.default_rng(1)
    patterns = dict(found.patterns)
    for cell, claim in claims.items():
        noise = rng.standard_normal(claim.subspace.basis.shape)
        noise -= claim.subspace.basis @ (claim.subspace.basis.T @ noise)
        patterns[cell] = Subspace(claim.subspace.basis + Subspace(noise).basis)
    leaning = replace(found, patterns=patterns)
    for row in compare(leaning, built.predictions, exchanges=done, draws=50).rows:
        if (row.site, row.target) in claims:
            assert row.subspaces.overlap == pytest.approx(0.5, abs=0.1)
            assert row.verdicts.aligned.state == "no"
            assert row.verdicts.rung < 3


def test_shuffled_labels_reach_nothing(built):
    corpus = GRAMMAR.sample(200, seed=2)
    rng = np.random.default_rng(3)
    layer = corpus.layers[1]
    ends = np.flatnonzero(layer.boundary)
    symbols = layer.symbols.copy()
    symbols[ends] = rng.permutation(symbols[ends])
    shuffled = replace(corpus, layers={**corpus.layers, 1: replace(layer, symbols=symbols)})
    twins = [capture(random_twin(built.model, seed=s), corpus, progress=False) for s in (1, 2, 3)]
    found = probe(
        capture(built, shuffled, progress=False), shuffled, heights=[1], positions="boundary",
        C=1.0, random_weights=twins, controls=("shuffled", "random_weights"), permutations=40,
        bootstrap=0,
    )  # fmt: skip
    done = interchange(built, corpus, found.patterns, n=20, draws=2, bootstrap=0, twin=False,
                       isolation=False)  # fmt: skip
    for row in compare(found, exchanges=done, draws=20).rows:
        assert row.verdicts.rung == 0
        assert row.verdicts.causal.state == "not tested"
