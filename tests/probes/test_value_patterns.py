"""One regression on all values: what a corpus identifies, and where that is written."""

import numpy as np
import pytest

from linrep.core import Subspace
from linrep.probes import ProbeError
from linrep.probes.geometry.value_movements import movements

ROUNDING = {"float64": 2.3e-16, "float32": 1.2e-7}


def stream(values, directions, dtype="float64"):
    return (values @ directions).astype(dtype)


def meets(found, target, values, directions, dtype="float64", written=None):
    """Overlap of learned and predicted, and their dimensions."""
    named = directions if written is None else directions * np.array(written)[:, None]
    x = stream(values, named, dtype)
    noise = ROUNDING[dtype] * float(np.linalg.norm(x, axis=1).max())
    learned = found.learned(target, found.projections(x), noise)
    predicted = found.predicted(target, named, noise)
    return learned.overlap(predicted), learned.dim, predicted.dim


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_independent_values_are_found_at_their_directions(dtype):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((80, 5)) @ np.triu(np.ones((5, 5)))  # far from uncorrelated
    directions = np.linalg.qr(rng.standard_normal((7, 5)))[0].T
    found = movements(values, {"a": [0, 1], "b": [2, 3, 4]}, dtype=dtype)
    for target, rows in (("a", [0, 1]), ("b", [2, 3, 4])):
        assert found.combinations(target).own
        assert meets(found, target, values, directions, dtype) == (
            pytest.approx(1, abs=1e-6), len(rows), len(rows),
        )  # fmt: skip
        learned = found.learned(target, found.projections(values @ directions), 0.0)
        assert learned.overlap(Subspace(directions[rows].T)) == pytest.approx(1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_not_written_has_no_pattern_though_it_goes_along(dtype):
    rng = np.random.default_rng(1)
    values = rng.standard_normal((80, 4)) @ np.triu(np.ones((4, 4)))
    directions = np.linalg.qr(rng.standard_normal((6, 4)))[0].T
    found = movements(values, {"a": [0, 1], "b": [2, 3]}, dtype=dtype)
    overlap, learned, predicted = meets(found, "a", values, directions, dtype, [0, 0, 1, 1])
    assert (overlap, learned, predicted) == (0, 0, 0)


def test_classes_of_one_are_compared_by_their_contrasts():
    rng = np.random.default_rng(2)
    hot = np.eye(3)[rng.integers(0, 3, 60)]  # the columns sum to 1
    found = movements(hot, {"state": [0, 1, 2]})
    told = found.combinations("state")
    assert (told.rank, told.moving, told.own) == (2, 2, True)
    assert meets(found, "state", hot, np.eye(5)[:3])[0] == pytest.approx(1)
    learned = found.learned("state", found.projections(hot @ np.eye(5)[:3]), 1e-15)
    assert np.abs(learned.basis.sum(axis=0)).max() < 1e-12


def test_equal_values_are_compared_together_and_named():
    rng = np.random.default_rng(3)
    one = rng.standard_normal(50)
    values = np.column_stack([one, 3 * one + 1, rng.standard_normal(50), np.full(50, 2.0)])
    groups = {"a": [0], "b": [1], "c": [2, 3], "d": [3]}
    found = movements(values, groups, ["p", "q", "r", "s"])
    told = found.combinations("b")
    assert not told.own
    assert told.reason == (
        "equal on this corpus, up to a factor: q is p; compared together with what it is tied to"
    )
    assert found.combinations("c").reason == "constant here: s"
    assert found.combinations("d").rank == 0
    assert found.combinations("d").reason == "constant here"
    directions = np.eye(4)
    learned = found.learned("b", found.projections(values @ directions), 1e-15)
    np.testing.assert_allclose(
        np.abs(learned.basis[:, 0]), np.array([1, 3, 0, 0]) / 10**0.5, atol=1e-12
    )
    assert meets(found, "b", values, directions)[0] == pytest.approx(1)
    # Where only its twin is written, its value lies along the twin.
    assert meets(found, "b", values, directions, written=[1, 0, 1, 1]) == (pytest.approx(1), 1, 1)


def test_sums_of_others_are_found_out():
    rng = np.random.default_rng(4)
    free = rng.standard_normal((60, 3))
    values = np.column_stack([free, free[:, 0] + free[:, 1]])
    found = movements(values, {"a": [0, 2], "sum": [3]}, ["p", "q", "r", "s"])
    told = found.combinations("a")
    assert (told.rank, told.moving, told.own) == (1, 2, True)
    assert told.reason == (
        "told from other values only in combination: p; 1 of 2 dimensions are its own and compared"
    )
    assert meets(found, "a", values, np.eye(4)) == (pytest.approx(1), 1, 1)
    assert meets(found, "sum", values, np.eye(4)) == (pytest.approx(1), 1, 1)


def test_fewer_rows_than_values():
    rng = np.random.default_rng(5)
    values = rng.standard_normal((6, 9))
    found = movements(values, {"a": [0, 1]})
    assert not found.combinations("a").own
    assert meets(found, "a", values, np.eye(9)) == (pytest.approx(1), 2, 2)


def test_mistakes_are_told():
    with pytest.raises(ProbeError, match="finite"):
        movements(np.array([[np.nan]]), {})
    with pytest.raises(ProbeError, match="names 3"):
        movements(np.zeros((2, 2)), {"a": [3]})
    with pytest.raises(ProbeError, match="no target"):
        movements(np.zeros((2, 2)), {}).combinations("b")


def test_a_combination_that_is_nearly_determined_is_not_taken_for_one_that_is():
    """r = p + 3e-5 q: coefficients may move along (1, 3e-5, -1), and q's with them."""
    rng = np.random.default_rng(7)
    p, q = np.linalg.qr(rng.standard_normal((120, 3)))[0][:, :2].T
    p, q = p - p.mean(), q - q.mean()
    values = np.column_stack([p, q, p + 3e-5 * q])
    found = movements(values, {"q": [1], "rest": [0, 2]})
    assert not found.combinations("q").own
    # with nothing written of q itself, what it is tied to is compared, and only that is found
    overlap, learned, predicted = meets(found, "q", values, np.eye(5)[:3], written=[1, 0, 1])
    assert (learned, predicted) == (1, 1)
    assert overlap == pytest.approx(1)
    # a tie that reaches no written value brings no pattern
    assert meets(found, "q", values, np.eye(5)[:3], written=[0, 0, 0]) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_value_that_nearly_equals_another_leaves_no_rounding_in_the_rest(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((160, 12))
    for column, far in ((0, 3e-7), (1, 3e-6)):
        values[:, column] = values[:, 6 + column] + far * values[:, column]
    directions = np.linalg.qr(rng.standard_normal((30, 12)))[0].T
    written = [0] * 6 + [1] * 6
    found = movements(values, {"near": range(6), "others": range(6, 12)})
    assert found.combinations("near").own
    assert meets(found, "near", values, directions, written=written) == (0, 0, 0)
    # and what is near is still found where it is written
    overlap, learned, predicted = meets(found, "near", values, directions, written=[1] * 12)
    assert (learned, predicted) == (6, 6)
    assert overlap == pytest.approx(1, abs=1e-6)  # rounding divided by a movement of 3e-7


@pytest.mark.parametrize("written", [0.0, 1e-9, 1.0])
@pytest.mark.parametrize("tie", [0.0, 1e-5, 1e-3])
def test_a_slight_tie_to_what_is_written_is_no_pattern_of_its_own(tie, written):
    """Another value takes a small part: what that writes is in the prediction, or in neither."""
    rng = np.random.default_rng(6)
    one, two, three = np.linalg.qr(rng.standard_normal((60, 3)))[0].T
    values = np.column_stack([one, two, two + tie * one, three])
    found = movements(values, {"a": [0], "b": [1, 3], "c": [2]})
    directions = np.diag([written, 0.0, 1.0, 0.0])
    x = values @ directions
    rounding = ROUNDING["float64"] * float(np.linalg.norm(x, axis=1).max())
    for target in "abc":
        learned = found.learned(target, found.projections(x), rounding)
        predicted = found.predicted(target, directions, rounding)
        assert learned.dim == predicted.dim
        assert not learned.dim or learned.overlap(predicted) > 0.999
