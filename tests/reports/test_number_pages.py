"""Pages name the score of what they show: accuracy of classes, R2 of numbers."""

import pytest

from linrep.reports import Run, Scores, Study, check_run, compare, compare_runs, read_run, write_run
from linrep.reports.html import render_html
from linrep.reports.markdown import render_markdown, summary_lines
from linrep.reports.record import RecordError
from linrep.reports.regression import compare_runs as between
from linrep.reports.requirements import Requirement
from linrep.reports.rungs import decodable
from linrep.reports.values import plain

CLEAR = {"p_family": 0.005, "p_untrained": 0.001, "n_twins": 5, "n_groups": 40}


@pytest.fixture
def numbers(grid):
    """Height 2 becomes a number."""
    for row in grid.rows:
        if row["target"] == "height 2":
            row |= {"kind": "number", "r2": row["accuracy"], "accuracy": float("nan"),
                    "spearman": 0.5, "collapsed": False, "converged": True}  # fmt: skip
    rows = tuple(
        {str(k): plain(v) for k, v in row.items()} for row in grid.to_frame().to_dict("records")
    )
    study = Study("mixed", "?", {}, Scores(rows), compare(grid, grid.predictions, draws=20))
    return Run("Classes and numbers", "?", {}, {}, (study,))


def test_rungs_mean_the_same_of_numbers():
    row = {"kind": "number", "r2": 0.5, "chance": 0.0, "random_weights": 0.1, "collapsed": False}
    told = decodable(row | CLEAR)
    assert told.state == "yes"
    assert told.reason.startswith("0.500 is above chance (0)")
    assert decodable(row | CLEAR | {"r2": -0.1}).state == "no"
    assert decodable(row | CLEAR | {"p_untrained": 0.5}).state == "no"
    constant = decodable(row | {"r2": None, "chance": None, "n_classes": 1})
    assert constant.state == "not tested"
    assert "one value" in constant.reason


def test_a_collapsed_probe_is_no_finding():
    row = {"accuracy": 0.75, "chance": 0.3, "random_weights": 0.4} | CLEAR
    assert decodable(row).state == "yes"
    told = decodable(row | {"collapsed": True})
    assert told.state == "no"
    assert "same of every held-out token" in told.reason


def test_pages_name_the_score(numbers):
    page, text = render_html(numbers), render_markdown(numbers)
    assert "(R²)" in page
    assert "then accuracy or R² / ceiling" in page
    assert "| R² |" in text
    assert any("height 1: accuracy 1.000" in line for line in summary_lines(numbers))
    assert any("height 2: R² 1.000" in line for line in summary_lines(numbers))
    assert "nan" not in page.split("<style>")[0] + text.lower()


def test_a_run_with_numbers_is_written_read_and_compared(numbers, tmp_path):
    write_run(numbers, tmp_path / "run")
    again = read_run(tmp_path / "run")
    assert render_markdown(again) == render_markdown(numbers)
    assert compare_runs is between
    changes = compare_runs(numbers, again).changes
    assert all(change.difference == 0 for change in changes)
    outcomes = check_run(again, (Requirement.from_text("r2>=0.99@blocks.2*/height 2"),))
    assert [outcome.passed for outcome in outcomes] == [True]


def test_a_row_without_a_score_is_refused():
    with pytest.raises(RecordError, match="lacks accuracy"):
        Scores(({"site": "late", "target": "a"},))
    with pytest.raises(RecordError, match="lacks r2"):
        Scores(({"site": "late", "target": "a", "kind": "number", "accuracy": 0.5},))
    assert Scores(({"site": "late", "target": "a", "kind": "number", "r2": None},)).rows
