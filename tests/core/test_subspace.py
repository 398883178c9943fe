"""Laws of subspaces: angles, overlap, containment."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

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


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.floats(-12, -1), st.integers(1, 4))
def test_known_angles_of_any_size_are_measured(seed, exponent, k):
    """Planes turned by known angles inside a random frame, tiny ones beside large ones."""
    rng = np.random.default_rng(seed)
    angles = np.sort(np.append(10.0**exponent * rng.uniform(0.5, 1.0, k), [0.7, np.pi / 2 - 1e-9]))
    frame = np.linalg.qr(rng.standard_normal((14, 14)))[0]
    first, second = frame[:, : k + 2], frame[:, 7 : 7 + k + 2]
    mix = rng.standard_normal((k + 2, k + 2))
    a = Subspace(first @ mix)
    b = Subspace(first * np.cos(angles) + second * np.sin(angles))
    # Rounding of 14-dimensional products, whatever the angle; the condition of the spanning columns
    # multiplies it, for the plane itself is known no better.
    assert np.abs(a.angles(b) - angles).max() < 14 * 2.0**-52 * np.linalg.cond(mix)


def test_units_of_a_basis_do_not_matter():
    basis = random_basis(0, 6, 3)
    for scale in (1e-300, 1e-20, 1e20, 1e300):
        assert Subspace(basis * scale).overlap(Subspace(basis)) == pytest.approx(1.0)
        assert Subspace(basis * scale).dim == 3


def test_nothing_and_everything_have_angles_and_complements():
    nothing, everything = Subspace(np.zeros((4, 0))), Subspace(random_basis(0, 4, 4))
    assert (nothing.complement().dim, everything.complement().dim) == (4, 0)
    assert nothing.angles(everything).shape == (0,)
    assert nothing.overlap(everything) == everything.contains(nothing) == 0.0


def test_words_of_users_are_shown_as_they_are():
    assert "&lt;bos&gt;" in Subspace(np.eye(2), provenance="pattern of <bos>")._repr_html_()


def test_dependent_columns_shrink_to_the_rank():
    basis = random_basis(0, 6, 2)
    assert Subspace(np.hstack([basis, basis @ np.ones((2, 1))])).dim == 2


def test_containment_is_one_way():
    line, plane = Subspace(np.eye(5)[:, :1]), Subspace(np.eye(5)[:, :2])
    assert plane.contains(line) == 1.0
    assert line.contains(plane) == 0.5


@pytest.mark.parametrize(
    ("basis", "message"),
    [
        (np.ones(3), "matrix"),
        (np.array([[np.nan]]), "finite"),
        (np.array([["a"]]), "basis is an array"),
        (1j * np.eye(2), "basis is an array"),
    ],
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
