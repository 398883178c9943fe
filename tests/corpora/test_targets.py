"""Values of every kind become targets in one way, or one clear error."""

import numpy as np
import pandas as pd
import pytest
import torch

from linrep import CorpusError, Target

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        (["a", "b", ""], "class", "a"),
        ([True, False, None], "class", "True"),
        (np.array([True, False]), "class", "True"),
        (pd.Series([1, 2, None], dtype="category"), "class", "1.0"),
        (pd.Series(["x", None], dtype="string"), "class", "x"),
        (pd.Series([True, None], dtype="boolean"), "class", "True"),
        (["a", 1, None], "class", "a"),
        ([1.5, None], "number", 1.5),
        (np.array([0.5, NAN], dtype=np.float32), "number", 0.5),
        (torch.tensor([2.5, 3.5], dtype=torch.bfloat16), "number", 2.5),
        (pd.Series([7, None], dtype="Int64"), "number", 7.0),
        (pd.Series([7.5, None], dtype="Float64"), "number", 7.5),
        ([0, 1] * 5, "class", "0"),
        ([0, 1] * 4, "number", 0.0),
        (list(range(21)) * 5, "number", 0.0),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "number", 1.0),
        (pd.DataFrame({"lat": [1.0, 2.0]}), "number", 1.0),
    ],
)
def test_the_kind_is_told_from_the_values(values, kind, first):
    target = Target.read("y", values)
    assert target.kind == kind
    assert target.columns == ()
    assert (target.values[0] if kind == "class" else target.values[0, 0]) == first


@pytest.mark.parametrize(
    "values",
    [
        ["a", None],
        ["a", ""],
        [1.5, NAN],
        [1.5, None],
        np.ma.array([3, 4], mask=[0, 1]),
        np.ma.array(["a", "b"], mask=[0, 1]),
        pd.Series(["a", pd.NA]),
        [[1.0, 2.0], [NAN, 2.0]],
    ],
)
def test_what_is_missing_is_undefined(values):
    assert Target.read("y", values).defined.tolist() == [True, False]


def test_integers_say_how_they_were_read_and_how_to_say_otherwise():
    assert "kind='number'" in Target.read("y", [0, 1] * 10).note
    assert "kind='class'" in Target.read("y", range(50)).note
    told = Target.read("y", [0, 1] * 10, "number")
    assert (told.kind, told.note) == ("number", "")
    assert Target.read("y", range(50), kind="class").values[49] == "49"


def test_integers_that_came_as_floats_are_numbers_and_that_is_said():
    gaps = Target.read("label", pd.Series([0, 1, None] * 9))
    assert gaps.kind == "number"
    assert "given as floats, were read as numbers; Target.read(" in gaps.note
    assert Target.read("label", [0.5, 1.0] * 9).note == ""
    assert Target.read("label", [None, None]).note == ""


def test_tables_are_vectors_with_names():
    frame = pd.DataFrame({"lat": [1.0, 2.0], "lon": [3, 4]})
    assert Target.read("place", frame).columns == ("lat", "lon")
    plain = Target.read("place", np.ones((4, 3)))
    assert (plain.columns, plain.values.shape) == (("0", "1", "2"), (4, 3))
    assert Target.read("place", np.ones((4, 2)), columns=("a", "b")).columns == ("a", "b")


def test_rows_are_taken_by_index_and_mask():
    target = Target.read("y", [1.0, 2.0, 3.0])
    assert target.take([2, 0]).values[:, 0].tolist() == [3.0, 1.0]
    assert target.take(np.array([False, True, False])).values[:, 0].tolist() == [2.0]
    assert len(target.take([])) == 0
    assert Target.read("y", ["a", "b"]).take([1]).values.tolist() == ["b"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("y", "text"), "one value for each row"),
        (("y", 3.0), "one value for each row"),
        (("y", {"a": 1}), "one value for each row"),
        (("y", [[1.0], [1.0, 2.0]]), "one value for each row"),
        (("y", np.ones((2, 2, 2))), r"shape \(2, 2, 2\)"),
        (("y", [1j, 2j]), "complex"),
        (("y", [1.0, np.inf]), "infinite value in row 1"),
        (("y", ["a", "b"], "number"), "asks for numbers"),
        (("y", np.ones((2, 2)), "class"), "targets of their own"),
        (("y", np.ones((2, 0))), "without columns"),
        (("", [1.0]), "has a name"),
        (("y", [1.0], "ordinal"), "kind is"),
        (("y", np.ones((2, 2)), None, ("a",)), "names of columns"),
    ],
)
def test_what_cannot_be_read_is_refused(arguments, says):
    with pytest.raises(CorpusError, match=says):
        Target.read(*arguments)


def test_a_row_outside_is_refused():
    with pytest.raises(CorpusError, match="2 rows"):
        Target.read("y", [1.0, 2.0]).take([5])


def test_values_of_another_form_are_refused():
    with pytest.raises(CorpusError, match=r"Target\.read"):
        Target("y", np.array([1.0, 2.0]), "number")
