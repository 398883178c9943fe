"""Recursion, unrolled: sizes are the theorem's, and every depth has what was asked of it."""

import pytest

from linrep.experiments import RecursionSettings, SettingsError, recursion
from linrep.experiments.questions.recursion import SUMS
from linrep.grammars import LanguageError, unroll
from linrep.reports import read_run


@pytest.fixture(scope="module")
def unrolled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recursion") / "run"
    return recursion(tiny=True, out=folder), folder


def test_sizes_are_those_of_the_theorem_at_every_depth(unrolled):
    found, folder = unrolled
    read = read_run(folder)
    assert [study.name for study in read.studies] == [
        "sizes", "constructed, depth 3", "trained, depth 3"
    ]  # fmt: skip
    assert read.study("sizes").passed
    table = found.to_frame().set_index("depth")
    assert table["layers"].tolist() == ["6 = 6", "10 = 10"]
    assert table["shapes"].tolist() == ["1", "4"]
    assert table["longest"].tolist() == [3, 7]


def test_a_row_holds_what_was_asked_of_its_depth(unrolled):
    shallow, deep = unrolled[0].rows
    assert "KL" not in shallow
    assert deep["KL"] > 0
    assert deep["heights as predicted"] == "0, 1, 2, 3 of 0, 1, 2, 3"
    assert deep["R2 of beliefs by height"].count(",") == 1
    names = {row["target"] for row in unrolled[0].run.study("trained, depth 3").scores.rows}
    assert names == {"belief at boundary height 1", "belief at boundary height 2"}


def test_shapes_grow_by_squaring_and_the_sums_are_right():
    shapes = [unroll(SUMS, depth).n_shapes for depth in range(2, 6)]
    assert shapes == [1, 4, 25, 676]  # one more than the last, squared: two sums, each any shape
    for tree in unroll(SUMS, 4).sample(30, seed=0).trees:
        assert value(tree)[1]


def value(tree):
    """The sum modulo 2 of a tree, and whether every node is named after it."""
    if isinstance(tree, str):
        return {"a": 1, "b": 0, "+": 0}[tree], True
    parts = [value(child) for child in tree.children]
    total = sum(part for part, _ in parts) % 2
    named = {"A": 1, "B": 0}.get(tree.label.split("@")[0], total)
    return total, named == total and all(good for _, good in parts)


def test_what_cannot_be_unrolled_is_refused():
    with pytest.raises(SettingsError, match="settings is"):
        recursion(3)
    with pytest.raises(LanguageError, match="no sentence of the grammar"):
        recursion(RecursionSettings(text="S -> S S", depths=(2,)))
