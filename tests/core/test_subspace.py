"""Laws of subspaces: angles, overlap, containment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linrep.core import Subspace, SubspaceError

# float64 products of d <= 12 dimensions: rounding of a few dozen operations.
TOLERANCE = 1e-12


def random_basis(seed: int, d: int, k: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((d, k))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 12), st.data())
def test_overlap_is_mean_squared_cosine_of_angles(seed, d, data):
    k, m = data.draw(st.integers(1, d)), data.draw(st.integers(1, d))
    a, b = Subspace(random_basis(seed, d, k)), Subspace(random_basis(seed + 1, d, m))
    angles = a.angles(b)
    assert angles.shape == (min(k, m),)
    assert (np.diff(angles) >= -TOLERANCE).all()
    assert a.overlap(b) == pytest.approx(np.mean(np.cos(angles) ** 2), abs=TOLERANCE)
    assert a.overlap(b) == pytest.approx(b.overlap(a), abs=TOLERANCE)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 12), st.data())
def test_complement_splits_every_vector(seed, d, data):
    k = data.draw(st.integers(0, d))
    a = Subspace(random_basis(seed, d, k))
    x = random_basis(seed + 1, d, 3).T
    rest = a.complement()
    assert rest.dim == d - a.dim
    assert np.allclose(a.project(x) + rest.project(x), x, rtol=0, atol=TOLERANCE * 10)


def test_tiny_angles_are_accurate():
    angle = 1e-9  # the cosine alone would lose every digit of it
    a = Subspace(np.array([[1.0], [0.0]]))
    b = Subspace(np.array([[np.cos(angle)], [np.sin(angle)]]))
    assert a.angles(b)[0] == pytest.approx(angle, rel=1e-6)


def test_dependent_columns_shrink_to_the_rank():
    basis = random_basis(0, 6, 2)
    assert Subspace(np.hstack([basis, basis @ np.ones((2, 1))])).dim == 2


def test_containment_is_one_way():
    line, plane = Subspace(np.eye(5)[:, :1]), Subspace(np.eye(5)[:, :2])
    assert plane.contains(line) == 1.0
    assert line.contains(plane) == 0.5


@pytest.mark.parametrize(
    ("basis", "message"),
    [(np.ones(3), "matrix"), (np.array([[np.nan]]), "finite")],
)
def test_bad_bases_are_refused(basis, message):
    with pytest.raises(SubspaceError, match=message):
        Subspace(basis)


def test_patterns_and_readouts_are_not_compared():
    with pytest.raises(SubspaceError, match="pattern cannot be compared with a readout"):
        Subspace(np.eye(2), "pattern").overlap(Subspace(np.eye(2), "readout"))


def test_a_frozen_basis_cannot_change():
    with pytest.raises(ValueError, match="read-only"):
        Subspace(np.eye(2)).basis[0, 0] = 5.0
