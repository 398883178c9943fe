"""Invariants of a constructed model are as predicted; an untrained one is never called so."""

import numpy as np
import pytest

from linrep import (
    GrammarTransformer,
    Prediction,
    ProbeError,
    Subspace,
    capture,
    families,
    measure_invariants,
    probe,
    random_twin,
)
from linrep.probes.invariants.layers import _order, _used, first_sites, first_written
from linrep.probes.invariants.materials import materials_of

SEEDS = range(5)


@pytest.fixture(scope="module")
def latin():
    """A model, its sentences, activations of it and of six untrained ones."""
    made = GrammarTransformer.from_grammar(families.latin(3, 3, start="one"), rotation=1)
    corpus = made.grammar.sample(600, seed=1)
    acts = capture(made.model, corpus, progress=False)
    twins = [
        capture(random_twin(made.model, seed=seed), corpus, progress=False) for seed in range(6)
    ]
    return made, corpus, acts, twins


def grid(acts, corpus, twins):
    return probe(
        acts, corpus, heights=[1, 2], positions="boundary", random_weights=twins, controls=(
            "random_weights",), permutations=0, bootstrap=50, C=10.0, jackknife=0,
        ceilings={
            f"height {h}": corpus.max_posterior(h, "boundary") for h in (1, 2)
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows(latin):
    made, corpus, acts, twins = latin
    found = measure_invariants(
        grid(acts, corpus, twins[1:]), acts, corpus, made.predictions, random_weights=twins[1:]
    )
    assert not found.notes
    return {(row.name, row.target): row for row in found.rows}


def test_a_construction_shows_what_is_predicted_of_it(rows):
    for height, blocks in (("height 1", 1), ("height 2", 2)):
        assert rows["blocks until it is read", height].measured == blocks
        assert rows["blocks until it is read", height].state == "as predicted"
        assert rows["dimensions of the state", height].measured == 2
        assert rows["evenness of the classes", height].measured == pytest.approx(1, abs=1e-3)
        assert rows["accuracy at the last token", height].measured == 1.0
    # Untrained models read the sum of two words now and then, so that height 1 may tell nothing.
    assert rows["accuracy at the last token", "height 2"].state == "as predicted"
    both = "height 1, height 2"
    assert rows["overlap of two states", both].measured == pytest.approx(0, abs=1e-3)
    assert rows["dimensions of both states", both].measured == 4


def test_the_order_of_two_heights_tells_little(rows):
    """Of two heights one order is right by chance half of the time."""
    row = rows["order of heights", "height 1, height 2"]
    assert (row.measured, row.state) == (1.0, "not telling")


def test_an_untrained_model_is_never_as_predicted(latin):
    made, corpus, _, twins = latin
    found = measure_invariants(
        grid(twins[0], corpus, twins[1:]), twins[0], corpus, made.predictions,
        random_weights=twins[1:],
    )  # fmt: skip
    assert {row.state for row in found.rows} <= {"not as predicted", "not telling", "not tested"}


def test_without_untrained_models_nothing_is_as_predicted(latin):
    made, corpus, acts, twins = latin
    found = measure_invariants(grid(acts, corpus, twins[:3]), acts, corpus, made.predictions)
    judged = [row for row in found.rows if not row.name.startswith("order")]
    assert {row.state for row in judged} == {"not tested"}


def test_theory_says_after_which_block_all_of_a_state_is_written(latin):
    made, _, _, _ = latin
    assert first_written(made.predictions) == {"height 1": 1, "height 2": 2}


def test_a_state_that_is_written_in_parts_is_there_when_all_of_it_is():
    def claim(block, rank):
        return Prediction(
            f"blocks.{block}.hook_resid_post", "height 2", Subspace(np.eye(6)[:, :rank]), True,
            "boundary", rank,
        )  # fmt: skip

    assert first_written([claim(0, 1), claim(1, 2), claim(2, 2)]) == {"height 2": 2}


def first_reads(acts, corpus, made, twins):
    """Rows of the first sites, of a grid without untrained models."""
    results = probe(
        acts, corpus, heights=[1, 2], positions="boundary", controls=(), permutations=0,
        bootstrap=0, C=10.0, jackknife=0,
    )  # fmt: skip
    materials = materials_of(results, acts, corpus, twins, 0)
    rows = first_sites(materials, first_written(made.predictions), 0.05)
    return {row.target: row for row in rows if row.name == "blocks until it is read"}


def test_no_first_site_is_as_predicted_of_a_grid_without_untrained_models(latin):
    made, corpus, acts, twins = latin
    for row in first_reads(acts, corpus, made, twins).values():
        assert row.state == "not tested"
        assert "random_weights" in row.reason


def test_blocks_are_counted_by_the_names_of_sites(latin):
    """A grid that starts after the first block does not say when height 1 is first read."""
    made, corpus, acts, twins = latin
    sites = acts.sites[1:]
    told = [{site: twin[site] for site in sites} for twin in twins[1:4]]
    results = probe(
        {site: acts[site] for site in sites}, corpus, heights=[1, 2], positions="boundary",
        random_weights=told, controls=("random_weights",), permutations=0, bootstrap=0, C=10.0,
        jackknife=0,
        ceilings={f"height {h}": corpus.max_posterior(h, "boundary") for h in (1, 2)},
    )  # fmt: skip
    materials = materials_of(results, acts, corpus, twins[1:4], 0)
    rows = list(first_sites(materials, first_written(made.predictions), 0.05))
    assert [(row.measured, row.state) for row in rows[:2]] == [
        (1.0, "not tested"), (2.0, "as predicted"),
    ]  # fmt: skip


def test_an_order_that_an_untrained_model_may_show_tells_nothing():
    found = {height: float(height) for height in range(1, 6)}
    assert _order(found, 0.05, readable=False).state == "as predicted"
    assert _order(found, 0.05, readable=True).state == "not telling"


def test_grids_of_other_tokens_are_refused(latin):
    _, corpus, acts, twins = latin
    results = probe(acts, corpus, heights=[1], controls=(), permutations=0, bootstrap=0)
    with pytest.raises(ProbeError, match="where spans end"):
        measure_invariants(results, acts, corpus, random_weights=twins)


def test_targets_that_are_no_heights_are_refused(latin):
    _, corpus, acts, twins = latin
    results = probe(
        acts, corpus, targets={"word": corpus.words}, controls=(), permutations=0, bootstrap=0
    )
    with pytest.raises(ProbeError, match="heights|spans end"):
        measure_invariants(results, acts, corpus, random_weights=twins)


def test_an_effect_without_a_chance_or_an_interval_is_not_tested():
    assert _used((1.0, 0.9, 1.1), 0.001, 0.05)[0] == "as predicted"
    assert _used((1.0, 0.9, 1.1), 0.5, 0.05)[0] == "not as predicted"
    assert _used((1.0, 0.9, 1.1), np.nan, 0.05)[0] == "not tested"
    assert _used((1.0, np.nan, np.nan), 0.001, 0.05)[0] == "not tested"
