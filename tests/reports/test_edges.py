"""Exactly at a bound: what a page says there, and that it is what its words say."""

from dataclasses import replace

import numpy as np
import pytest

from linrep import Prediction, Subspace, Verdict, Verdicts
from linrep.probes.evidence.rivals import LEAST_GROUPS
from linrep.probes.geometry.fold_patterns import overlap_interval
from linrep.probes.geometry.nulls import Anisotropy, overlap_null
from linrep.reports import Comparison, Requirement, check_run, compare, compare_runs
from linrep.reports.meeting import AGREEMENT, ALIGNED, Null, aligned, meet
from linrep.reports.rungs import GIVEN, decodable, selective

SITE = "blocks.1.hook_resid_post"
ROW = {
    "site": SITE, "accuracy": 0.75, "chance": 0.3, "surface": 0.5, "random_weights": 0.4,
    "n_twins": 5, "n_groups": 40, "n_classes": 3, "p_family": 0.01, "p_untrained": 0.01,
    "p_surface": 0.01, "p_perfect": 0.01,
}  # fmt: skip
WORDS = {"word_types": 900, "features": 64}
NO, YES, OPEN = (Verdict(state, "so it is") for state in ("no", "yes", "not tested"))


def test_a_p_value_at_the_level_is_small_enough():
    """“At most” the level, at each question of the first two rungs."""
    at = ROW | dict.fromkeys(("p_family", "p_untrained"), 0.05)
    assert decodable(at, level=0.05).state == "yes"
    for name in ("p_surface", "p_perfect"):
        assert selective(ROW | {name: 0.05}, level=0.05, **WORDS).state == "yes", name
        assert selective(ROW | {name: 0.0501}, level=0.05, **WORDS).state != "yes", name


def test_the_least_number_of_groups_is_enough():
    assert decodable(ROW | {"n_groups": LEAST_GROUPS}).state == "yes"
    assert decodable(ROW | {"n_groups": LEAST_GROUPS - 1}).state == "not tested"


def met(overlap, *, written):
    """Two lines that overlap so much, beside nulls that reach 0.5."""
    line = Subspace(np.eye(3)[:, :1])
    claim = Prediction(SITE, "it", line, written, "all", 1)
    found = meet(line, claim, Anisotropy.of(np.eye(3), 3), Null(20, 0.05, 0))
    return replace(found, overlap=overlap, null_high=0.5, null_covariance_high=0.5)


def test_overlaps_at_their_bounds():
    assert met(AGREEMENT, written=True).as_predicted
    assert not met(AGREEMENT - 1e-9, written=True).as_predicted
    assert aligned(met(ALIGNED, written=True), claimed=True).state == "yes"
    assert aligned(met(ALIGNED - 1e-9, written=True), claimed=True).state == "no"
    assert met(0.5, written=False).as_predicted
    assert not met(0.5 + 1e-9, written=False).as_predicted


def test_a_pattern_without_dimensions_overlaps_nothing():
    nothing, line = Subspace(np.zeros((5, 0))), Subspace(np.eye(5)[:, :1])
    null = Null(20, 0.05, 0)
    assert null(nothing, line, None) == null(line, nothing, None) == (0.0, 0.0)


def test_one_compared_cell_is_held_to_the_whole_level(grid):
    claim = grid.predictions[0]
    alone = compare(grid, [claim], draws=500).rows[0].subspaces
    null = overlap_null(alone.dim_learned, alone.dim_predicted, alone.d_model, n=500)
    assert alone.null_high == pytest.approx(null.upper(0.05), rel=0.1)
    assert null.upper(0.025) > 1.1 * null.upper(0.05)


def test_what_is_selective_lifts_nothing_that_is_not_decodable():
    assert Verdicts(OPEN, YES, OPEN, OPEN).rung == 0
    assert Verdicts(YES, YES, OPEN, OPEN).rung == 2
    assert Verdicts(OPEN, YES, YES, OPEN).rung == 3


def test_the_last_rung_has_none_above_it():
    told = Verdicts(YES, YES, YES, YES)
    assert (told.rung, told.headline) == (4, told.word)


def test_runs_without_intervals_differ_where_their_numbers_do(run):
    study = run.studies[0]
    bare = tuple(
        {name: value for name, value in row.items() if name != "interval"}
        for row in study.scores.rows
    )
    lower = tuple(row | {"accuracy": row["accuracy"] - 0.1} for row in bare)

    def told(rows):
        changed = replace(study, scores=replace(study.scores, rows=rows), comparison=Comparison(()))
        return replace(run, studies=(changed,))

    same, moved = compare_runs(told(bare), told(bare)), compare_runs(told(bare), told(lower))
    assert not any(change.apart for change in same.changes)
    assert all(change.apart is None and change.worse for change in moved.changes)
    assert len(moved.worse) == len(bare)
    assert {(change.rung_before, change.rung_after) for change in same.changes} == {(None, None)}


def test_cells_that_one_run_alone_has_are_told(run):
    study = run.studies[0]
    fewer = replace(study.scores, rows=study.scores.rows[1:])
    less = replace(run, studies=(replace(study, scores=fewer, comparison=Comparison(())),))
    first = study.scores.rows[0]
    cell = (study.name, first["site"], first["target"])
    assert (compare_runs(run, less).only_before, compare_runs(run, less).only_after) == (
        (cell,),
        (),
    )
    assert (compare_runs(less, run).only_before, compare_runs(less, run).only_after) == (
        (),
        (cell,),
    )


def test_the_larger_p_value_is_the_one_that_is_told():
    for name in ("p_family", "p_untrained"):
        assert decodable(ROW | {name: 0.03}).reason.endswith("p is at most 0.030")


@pytest.mark.parametrize(("twins", "given"), [(0.95, True), (0.94, True), (0.92, False)])
def test_what_untrained_models_give_away_is_told(twins, given):
    row = ROW | {"accuracy": 0.95, "random_weights": twins, "p_untrained": 0.5}
    assert (GIVEN in decodable(row).reason) == given


def test_the_interval_of_an_overlap_has_its_ends_in_order():
    rng = np.random.default_rng(0)
    line = Subspace(np.eye(6)[:, :1])
    slanted = np.eye(6)[:, :1] + 0.5 * np.eye(6)[:, 1:2]
    parts = [np.linalg.qr(slanted + 0.05 * rng.standard_normal((6, 1)))[0] for _ in range(10)]
    learned = Subspace(slanted)
    claim = Prediction(SITE, "it", line, True, "all", 1)
    found = meet(learned, claim, Anisotropy.of(np.eye(6), 6), Null(20, 0.05, 0), (), parts)
    assert (found.overlap_low, found.overlap_high) == overlap_interval(learned, parts, line)
    assert found.overlap_low < found.overlap_high


@pytest.mark.parametrize(("name", "told"), [("P1", None), ("P6", 0.33)])
def test_a_ceiling_is_what_posteriors_predict_and_nothing_else(grid, name, told):
    claim = replace(grid.predictions[0], claim=name, accuracy=None)
    (row,) = [
        row
        for row in compare(grid, [claim], draws=20).rows
        if (row.site, row.target) == (claim.site, claim.target)
    ]
    ceiling = next(r["ceiling"] for r in grid.rows if r["site"] == claim.site)
    assert told in (None, ceiling)
    assert row.predicted_accuracy == told


def test_a_requirement_of_classes_is_not_asked_of_numbers(run):
    study = run.studies[0]
    rows = tuple(
        row | ({"kind": "number", "r2": 0.5} if row["target"] == "height 2" else {})
        for row in study.scores.rows
    )
    mixed = replace(run, studies=(replace(study, scores=replace(study.scores, rows=rows)),))
    outcomes = check_run(mixed, (Requirement.from_text("accuracy>=0"),))[1:]
    assert {outcome.target for outcome in outcomes} == {"height 1"}
