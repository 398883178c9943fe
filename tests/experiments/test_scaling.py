"""The sweep finds the slopes of the theorem, and writes what it promises."""

import json

import pytest

from linrep.experiments.scaling import Curve, ScalingError, run


@pytest.fixture(scope="module")
def scaling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaling") / "run"
    return run(folder, tiny=True), folder


def test_layers_grow_by_two_per_level_and_by_one_in_one_pass(scaling):
    found, _ = scaling
    assert found.curve("depth", "two passes").slope == pytest.approx(2, abs=1e-9)
    assert found.curve("depth", "one pass").slope == pytest.approx(1, abs=1e-9)


def test_neurons_are_linear_in_shapes_or_independent_of_them(scaling):
    found, _ = scaling
    shapes, spans = found.curve("shapes", "shapes, two passes"), found.curve("shapes", "spans")
    assert shapes.x == spans.x == (2, 4, 8, 16)
    assert shapes.largest_deviation < 0.05
    assert shapes.exponent == pytest.approx(1, abs=0.15)
    assert spans.exponent < 0.5
    assert spans.slope < shapes.slope / 5


def test_neurons_grow_at_most_with_the_square_of_the_rules(scaling):
    found, _ = scaling
    assert found.curve("rules", "spans").slope == pytest.approx(2, abs=1e-9)
    assert 1.2 < found.curve("rules", "pairs of rules").exponent <= 2


def test_the_folder_holds_the_figures_and_their_numbers(scaling):
    found, folder = scaling
    content = json.loads((folder / "scaling.json").read_text("utf-8"))
    assert content["fits"] == found.table()
    page = (folder / "scaling.html").read_text("utf-8")
    assert page.count("plotly-graph-div") >= 3
    assert "<script src=" not in page  # readable without a network
    with pytest.raises(ScalingError, match="already holds something"):
        run(folder, tiny=True)


def test_a_curve_that_is_no_line_is_told_from_one():
    bent = Curve("rules", "bent", (1, 2, 3, 4), (1, 4, 9, 16), "")
    assert bent.exponent == pytest.approx(2)
    assert bent.largest_deviation > 0.05
