"""The maxout experiment, in its tiny mode: every check passes, every picture is there."""

from dataclasses import replace

import pytest

from linrep.core import LinrepError
from linrep.experiments.maxout import page as maxout, staircase as maxout_staircase
from linrep.reports import Check, read_run
from linrep.reports.html import render_html


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maxout") / "out"
    return maxout.run(folder, tiny=True), folder


def test_the_tiny_experiment_passes_every_check(made):
    run, folder = made
    checks = [check for study in run.studies for check in study.checks]
    assert len(checks) >= 23
    assert [str(check) for check in checks if not check.passed] == []
    html = (folder / "report.html").read_text("utf-8")
    assert "FAILED" not in html.split("</script>")[-1]
    assert html.count('class="plot" id=') >= 4 + 2  # pictures; lines and grid of the probes
    found = run.study("growth").facts
    assert found["tent, rank 2"] == "2, 4, 8"
    assert found["zigzag, rank 3"] == "5, 25, 125"
    stairs = run.study("staircase")
    assert stairs.facts["layers beyond random weights"] == "6, 7"
    # A share of the test points each: a twin that was not measured would be NaN, and no such share.
    rows = [row for row in stairs.scores.rows if not str(row["target"]).startswith("shuffled")]
    assert len(rows) == 7 * 8
    assert all(0.0 <= row["random_weights"] <= 1.0 for row in rows)


def test_the_run_is_read_back_as_it_was_written(made):
    run, folder = made
    read = read_run(folder)
    for study in run.studies:
        again = read.study(study.name)
        assert again.pictures == study.pictures
        assert again.checks == study.checks
        assert again.scores == study.scores


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for taken, said in ((tmp_path, "is not empty"), (tmp_path / "notes.txt", "is a file")):
        with pytest.raises(LinrepError, match=said):
            maxout.run(taken, tiny=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_check_is_shown():
    wrong = Check("impossible", 2.0, "<=", 1.0, "on purpose")
    run = maxout.as_run([replace(maxout.growth(True, 0), checks=(wrong,))], tiny=True, seed=0)
    assert not run.passed
    shown = render_html(run)
    assert "FAILED" in shown
    assert "0 of 1 checks passed" in shown


def test_the_slice_says_that_colours_repeat():
    study = maxout.slice_of_regions(True, 0)
    (picture,) = study.pictures
    colours = {trace.fillcolor for trace in picture.plot().data}
    counts = study.facts["counts"].split(", ")
    assert len(colours) <= 24 < int(counts[2])  # fewer colours than affine maps
    assert len(picture.cells) == int(counts[0])
    assert "24 colours, so they repeat" in study.question
    meanings = [check.meaning for check in study.checks]
    assert "with a tolerance a hundred times as large the same cells are counted" in meanings
    assert any("that were counted tile the window" in one for one in meanings)


def test_a_twin_that_holds_the_pieces_is_not_at_chance(monkeypatch):
    monkeypatch.setattr(maxout_staircase, "random_twin", lambda model, seed: model)
    study = maxout_staircase.staircase(True, 0)
    failed = [check.name for check in study.checks if not check.passed]
    assert any(name.startswith("random weights, layers 6 to 7") for name in failed)
    assert any(name.startswith("random weights, layer 1") for name in failed)  # held at one site


def test_labels_that_are_not_shuffled_are_not_at_chance(monkeypatch):
    monkeypatch.setattr(
        maxout_staircase,
        "_shuffled",
        lambda labels, names, seed: {f"shuffled {name}": labels[name] for name in names},
    )
    study = maxout_staircase.staircase(True, 0)
    failed = [check.name for check in study.checks if not check.passed]
    assert failed == ["shuffled labels, largest distance from 1/2"]


@pytest.mark.parametrize("seed", [1, 4, 7])  # 4: one stream is isotropic; 7: two pieces never meet
def test_the_staircase_stands_for_other_seeds(seed):
    study = maxout_staircase.staircase(True, seed)
    assert [check.name for check in study.checks if not check.passed] == []
