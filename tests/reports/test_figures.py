"""Figures agree with the tables; remarks stand where the numbers call for them, only there."""

from dataclasses import replace

from linrep.reports import compare
from linrep.reports.drawing.edits import erased_figure, steered_figure
from linrep.reports.figures import accuracy_figure, grid_figure, overlap_figure, study_figures
from linrep.reports.html import render_html
from linrep.reports.record import Scores
from linrep.reports.remarks import remarks


def test_the_first_target_stands_on_top_as_in_the_tables(run):
    (study,) = run.studies
    for figure in (grid_figure(study.scores), overlap_figure(study.comparison.rows)):
        assert list(figure.data[0].y) == ["height 1", "height 2"]
        assert figure.layout.yaxis.autorange == "reversed"


def test_the_axis_says_what_its_numbers_count(run):
    (study,) = run.studies
    for figure in study_figures(study).values():
        for axis in figure.select_xaxes():
            assert axis.title.text == "after block (E: embedding)"
            assert list(axis.categoryarray) == ["E", "0", "1", "2"]


def test_a_comparison_without_overlaps_says_why_it_is_blank(grid):
    (said,) = compare(grid, [], draws=10).plot().layout.annotations
    assert said.text == "No overlap to draw: there are no predictions about these cells."
    grid.patterns.clear()
    (said,) = compare(grid, grid.predictions, draws=10).plot().layout.annotations
    assert "no predicted cell has a learned pattern" in said.text


def test_a_grid_without_any_score_says_so_and_the_page_leaves_it_out(run):
    """A language of one word, say, where every target is constant."""
    (study,) = run.studies
    nothing = tuple(
        {**row, "accuracy": float("nan"), "ceiling": None, "chance": None}
        for row in study.scores.rows
    )
    for rows in (nothing, ()):
        for draw in (grid_figure, accuracy_figure):
            (said,) = draw(Scores(rows)).layout.annotations
            assert said.text == "Nothing to draw: no cell has a score."
    for figure in (erased_figure(()), steered_figure(())):
        assert figure.layout.annotations[0].text.startswith("No ")
    bare = replace(study, scores=replace(study.scores, rows=nothing))
    assert list(study_figures(study))
    assert list(study_figures(bare)) == []


def twin(accuracy):
    row = {"site": "blocks.0.hook_resid_post", "target": "height 1", "accuracy": 1.0}
    return Scores(({**row, "random_weights": accuracy, "chance": 0.33, "n_test": 400},))


def test_random_weights_above_chance_are_explained():
    (sentence,) = remarks(twin(0.6))
    assert "height 1" in sentence
    assert "0.600, chance 0.330" in sentence


def test_random_weights_at_chance_need_no_word():
    assert remarks(twin(0.35)) == ()
    assert remarks(twin(None)) == ()


def test_the_page_shows_the_remark(run):
    (study,) = run.studies
    assert all(sentence in render_html(run) for sentence in remarks(study.scores))


def test_targets_may_be_numbers():
    (row,) = twin(0.6).rows
    (told,) = remarks(Scores(({**row, "target": 1}, {**row, "target": "height 2"})))
    assert told.startswith("Random weights read 1 above chance at 1 site")
    assert "and height 2 above chance at 1 site" in told
