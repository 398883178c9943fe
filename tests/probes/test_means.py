"""The nearest class mean as a method of the grid, and the differences of means it goes by."""

import numpy as np
import pytest

from linrep import Direction
from linrep.probes import ProbeError, probe

RNG = np.random.default_rng(0)
SOON = {"permutations": 0, "bootstrap": 0}


@pytest.mark.parametrize(("n", "d"), [(200, 6), (40, 90)])
@pytest.mark.parametrize("k", [2, 3])
def test_the_nearest_mean_is_that_of_the_activations_as_they_are(n, d, k):
    y = RNG.integers(0, k, n)
    scale = np.geomspace(0.1, 10, d)
    X = (RNG.standard_normal((n, d)) + y[:, None] * RNG.standard_normal(d)) * scale + 3
    names = np.array(["a", "b", "c"])[y]
    found = probe(X, names, method="means", **SOON)
    held = found.held_out["activations", "target"]
    directions = found.directions["activations", "target"]
    means = {one.toward: one.start + one.vector for one in directions}
    means |= {one.away: one.start for one in directions if k == 2}
    centres = np.stack([means[name] for name in held.classes])
    nearest = np.square(X[held.rows][:, None] - centres).sum(axis=2).argmin(axis=1)
    assert np.array_equal(nearest, held.predicted)


def test_directions_are_named_signed_and_scaled():
    y = np.tile([0, 1], 60)
    X = RNG.standard_normal((120, 4))
    X[:, 2] += 5.0 * y
    found = probe(X, np.array(["false", "true"])[y], method="means", **SOON)
    (step,) = found.directions["activations", "target"]
    assert step.name == "true − false"
    assert step.vector[2] == pytest.approx(5.0, abs=0.6)
    assert step.place(X[y == 1]).mean() == pytest.approx(1.0, abs=0.1)
    assert step.place(X[y == 0]).mean() == pytest.approx(0.0, abs=0.1)
    moved = X[y == 0] + step.vector
    assert step.place(moved).mean() == pytest.approx(1.0, abs=0.1)
    assert found.score("activations", "target").accuracy > 0.9


def test_of_several_classes_each_has_one():
    y = RNG.integers(0, 3, 150)
    X = np.eye(3)[y] + 0.1 * RNG.standard_normal((150, 3))
    found = probe(X, np.array(["NP", "S", "VP"])[y], method="means", **SOON)
    names = [one.name for one in found.directions["activations", "target"]]
    assert names == ["NP − the rest", "S − the rest", "VP − the rest"]


def test_other_methods_and_numbers_have_none():
    y = RNG.standard_normal(60)
    X = np.stack([y, RNG.standard_normal(60)], axis=1)
    assert probe(X, np.where(y > 0, "a", "b"), C=1.0, **SOON).directions == {}
    both = probe(X, {"n": y, "c": np.where(y > 0, "a", "b")}, method="means", **SOON)
    assert both.directions["activations", "n"] == ()
    assert both.score("activations", "n").r2 > 0.999


def test_what_is_no_way_is_refused():
    step = Direction("b", "a", np.zeros(3), np.zeros(3))
    with pytest.raises(ProbeError, match="do not differ"):
        step.place(np.ones((2, 3)))
    with pytest.raises(ProbeError, match="2 dimensions, the direction 3"):
        step.place(np.ones((2, 2)))
    with pytest.raises(ProbeError, match="one length"):
        Direction("b", "a", np.zeros(2), np.zeros(3))
