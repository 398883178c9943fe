"""The maxout experiment, in its tiny mode: every check passes, every picture is there."""

import json
from html import escape

import pytest

from linrep.core import LinrepError
from linrep.experiments.maxout import (
    figures as maxout_figures,
    page as maxout,
    staircase as maxout_staircase,
)


def test_the_tiny_experiment_passes_every_check(tmp_path):
    page = maxout.run(tmp_path / "out", tiny=True)
    html = page.read_text("utf-8")
    numbers = json.loads((tmp_path / "out" / "maxout.json").read_text("utf-8"))
    checks = [check for section in numbers.values() for check in section["checks"]]
    assert len(checks) >= 23
    assert [check for check in checks if not check.startswith("ok")] == []
    assert "FAILED" not in html
    assert html.count('class="plotly-graph-div"') == 5
    assert "http" not in html.split("</script>")[-1]  # figures need nothing from outside
    found = numbers["Does the number of regions grow exponentially with depth?"]
    assert found["tent, rank 2"] == [2, 4, 8]
    assert found["zigzag, rank 3"] == [5, 25, 125]
    stairs = numbers["Where is the active piece linearly decodable?"]
    assert len(stairs["random weights"]) == len(stairs["accuracy"]) == 7
    assert stairs["layers beyond random weights"] == [6, 7]
    # A share of the test points each: a twin that was not measured would be NaN, and no such share.
    assert all(0.0 <= share <= 1.0 for row in stairs["random weights"] for share in row)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for taken in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(LinrepError, match="already holds something"):
            maxout.run(taken, tiny=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_check_is_shown(tmp_path):
    section = maxout.growth(True, 0)
    wrong = maxout.Check("impossible", 2.0, "<=", 1.0, "on purpose")
    shown = maxout_figures.page(
        [maxout.Section(section.title, section.text, section.figure, (wrong,), {})]
    )
    assert "FAILED" in shown
    assert "0 of 1" in shown
    with pytest.raises(LinrepError, match="no section"):
        maxout_figures.page([])


def test_the_page_scrolls_by_the_box_and_breaks_no_number():
    section = maxout.slice_of_regions(True, 0)
    shown = maxout_figures.page([section]).split("</script>", 1)  # plotly's own text left aside
    head, body = shown[0], shown[1]
    assert "name='viewport'" in head
    assert ".scroll { overflow-x: auto }" in head
    assert ".n { white-space: nowrap }" in head
    assert body.count("<div class='scroll") == 2  # the figure and the table
    assert body.index("<div class='scroll'><table>") > body.index("<div class='scroll drawing'>")
    for check in section.checks:
        assert f"<td class='n'>{check.value:.3g}</td>" in body
        assert f"<td class='n'>{escape(check.relation)} {check.limit:.3g}</td>" in body


def test_the_slice_says_that_colours_repeat():
    section = maxout.slice_of_regions(True, 0)
    colours = {trace.fillcolor for trace in section.figure.data}
    assert len(colours) <= 24 < section.data["counts"][2]  # fewer colours than affine maps
    assert "24 colours, so they repeat" in section.text
    meanings = [check.meaning for check in section.checks]
    assert "rounding decides nothing" in meanings
    assert "the cells tile the window" in meanings


def test_a_twin_that_holds_the_pieces_is_not_at_chance(monkeypatch):
    monkeypatch.setattr(maxout_staircase, "random_twin", lambda model, seed: model)
    section = maxout_staircase.staircase(True, 0)
    failed = [check.name for check in section.checks if not check.passed]
    assert any(name.startswith("random weights, layers 6 to 7") for name in failed)
    assert any(name.startswith("random weights, layer 1") for name in failed)  # held at one site


def test_labels_that_are_not_shuffled_are_not_at_chance(monkeypatch):
    monkeypatch.setattr(
        maxout_staircase,
        "_shuffled",
        lambda labels, names, seed: {f"shuffled {name}": labels[name] for name in names},
    )
    section = maxout_staircase.staircase(True, 0)
    failed = [check.name for check in section.checks if not check.passed]
    assert failed == ["shuffled labels, largest distance from 1/2"]


@pytest.mark.parametrize("seed", [1, 4, 7])  # 4: one stream is isotropic; 7: two pieces never meet
def test_the_staircase_stands_for_other_seeds(seed):
    section = maxout_staircase.staircase(True, seed)
    assert [check.name for check in section.checks if not check.passed] == []
