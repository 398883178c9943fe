"""Two runs beside each other."""

from dataclasses import replace

import pytest

from linrep.reports import Comparison, RegressionError, Scores, Verdict, compare_runs


def test_a_run_equals_itself(run):
    found = compare_runs(run, run)
    assert len(found.changes) == len(run.rows())
    assert not found.worse
    assert not found.settings
    assert all(change.difference == 0 and not change.apart for change in found.changes)


def test_runs_without_cells_are_compared_by_their_studies(run):
    """Runs of sizes, and of languages too small to probe, have none."""
    bare = tuple(
        replace(study, scores=Scores(()), comparison=Comparison(())) for study in run.studies
    )
    without = replace(run, studies=bare)
    found = compare_runs(without, replace(without, settings={"seed": 9}))
    assert not found.changes
    assert "seed" in found.settings
    other = replace(without, studies=tuple(replace(s, name="other") for s in bare))
    for before, after in ((without, other), (without, run), (run, without)):
        with pytest.raises(RegressionError, match="share no"):
            compare_runs(before, after)


def test_a_loss_is_seen_and_a_gain_is_not_worse(run, make):
    lost = make(found=False)
    worse = compare_runs(run, lost).worse
    assert {(c.site, c.target) for c in worse} == {
        (f"blocks.{i}.hook_resid_post", f"height {h}")
        for i in range(3)
        for h in (1, 2)
        if i >= h - 1
    }
    assert not compare_runs(lost, run).worse


def test_a_lost_rung_is_worse_though_the_accuracy_is_what_it_was(run):
    study = run.studies[0]
    cell = ("blocks.2.hook_resid_post", "height 1")

    def told(state):
        rows = tuple(
            replace(row, verdicts=replace(row.verdicts, aligned=Verdict(state, "so it is")))
            if (row.site, row.target) == cell
            else row
            for row in study.comparison.rows
        )
        return replace(run, studies=(replace(study, comparison=Comparison(rows)),))

    (lost,) = compare_runs(told("yes"), told("no")).worse
    assert (lost.site, lost.target) == cell
    assert (lost.rung_before, lost.rung_after, lost.difference) == (3, 2, 0.0)
    assert not compare_runs(told("no"), told("yes")).worse


def test_settings_and_cells_that_differ_are_listed(run, make):
    other = make(seed=3)
    assert compare_runs(run, other).settings == {"seed": (0, 3)}
    study = run.studies[0]
    fewer = replace(study, scores=replace(study.scores, rows=study.scores.rows[:-1]))
    found = compare_runs(run, replace(run, studies=(fewer,)))
    assert found.only_before == (("planted", "blocks.2.hook_resid_post", "height 2"),)
    assert len(found.to_frame()) == len(run.rows()) - 1


def test_runs_with_nothing_in_common_are_refused(run):
    other = replace(run, studies=(replace(run.studies[0], name="other"),))
    with pytest.raises(RegressionError, match="share no"):
        compare_runs(run, other)


@pytest.mark.parametrize(("moved", "apart"), [(4e-16, False), (1e-8, False), (0.01, True)])
def test_rounding_is_no_change_however_short_the_intervals_are(run, moved, apart):
    """R2 of 1 has an interval of no length: another library's last digit lies outside it."""

    def scored(value):
        rows = tuple(
            {**row, "accuracy": value, "interval": [value, value]}
            for row in run.studies[0].scores.rows
        )
        return replace(run, studies=(replace(run.studies[0], scores=Scores(rows)),))

    found = compare_runs(scored(1.0), scored(1.0 - moved))
    assert [change.apart for change in found.changes] == [apart] * len(found.changes)
    assert bool(found.worse) == apart
