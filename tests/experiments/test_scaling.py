"""The sweep finds the slopes of the theorem, and writes what it promises."""

from dataclasses import replace

import pytest

from linrep import Grammar, families
from linrep.experiments.scaling import Curve, Scaling, ScalingError, run
from linrep.experiments.scaling_page import as_run
from linrep.reports import read_run

CURVES = tuple(
    Curve(sweep, name, (1, 2), (slope, 2 * slope), "")
    for sweep, name, slope in (
        ("depth", "two passes", 2), ("depth", "one pass", 1), ("shapes", "shapes, two passes", 9),
        ("shapes", "shapes, one pass", 9), ("shapes", "spans", 1), ("rules", "spans", 2),
        ("rules", "pairs of rules", 3),
    )
)  # fmt: skip


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
    read = read_run(folder)
    for study in read.studies:
        (picture,) = study.pictures
        assert picture == found.picture(study.name)
        for curve in found.curves:
            if curve.sweep == study.name:
                assert f"slope {curve.slope:.3f}" in study.facts[f"{curve.name}: fit"]
    page = (folder / "report.html").read_text("utf-8")
    assert page.count('class="plot" id=') == 3
    assert "<script src=" not in page  # readable without a network
    with pytest.raises(ScalingError, match="already holds something"):
        run(folder, tiny=True)


def test_nothing_else_varies_and_weights_are_ordinary_ones(scaling):
    found, _ = scaling
    for curve in found.curves:
        assert all(len(set(values)) == 1 for values in curve.fixed.values()), curve.name
        assert curve.fixed
        assert set(curve.weights) == {"dense"}


def test_the_run_says_pass_or_fail(scaling):
    found, folder = scaling
    run_ = read_run(folder)
    assert run_.passed
    assert [study.name for study in run_.studies] == ["depth", "shapes", "rules"]
    first, *others = found.curves
    for wrong in (replace(first, y=(4, 6, 9)), replace(first, fixed={"rules M": (1, 2, 2)})):
        assert not as_run(Scaling((wrong, *others), {}), {}).study("depth").passed


def test_a_grammar_of_ones_own_is_held_to_the_formulas():
    small = families.latin(order=2, depth=2)
    own = as_run(Scaling(CURVES, {}), {"mine": small}).study("grammar 1")
    assert own.passed
    assert len(own.checks) == 3
    many = Grammar.from_text("S -> " + " ".join(["A"] * 12) + "\nA -> 'a' | 'a' 'b'")
    own = as_run(Scaling(CURVES, {}), {"many shapes": many}).study("grammar 1")
    assert own.passed
    assert [note[:18] for note in own.notes] == ["not tested: shapes"] * 2


def test_a_curve_that_is_no_line_is_told_from_one():
    bent = Curve("rules", "bent", (1, 2, 3, 4), (1, 4, 9, 16), "")
    assert bent.exponent == pytest.approx(2)
    assert bent.largest_deviation > 0.05
