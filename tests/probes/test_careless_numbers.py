"""Numbers of any size, and arguments of any type: an answer or a ProbeError, never a raw error."""

import jaxtyping
import numpy as np
import pytest
import torch
from scipy import stats

from linrep.core import LinrepError, Subspace, SubspaceError
from linrep.probes import (
    DifferenceOfMeans,
    DiscriminantProbe,
    Eraser,
    OverlapNull,
    ProbeError,
    RidgeProbe,
    Statistics,
    benjamini_hochberg,
    overlap_null,
    paired_test,
    pattern_subspace,
    readout_subspace,
)
from linrep.reports import ComparisonError, compare

RAGGED = [[1.0], [1.0, 2.0]]


@pytest.fixture(autouse=True)
def as_users_run_it():
    """Users have no annotations checked while they run: the messages are the package's own."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def data(n=200, d=5):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    X = rng.standard_normal((n, d))
    X[:, 1] += 3.0 * (y == 1)
    X[:, 3] += 2.0 * (y == 2)
    return X, y


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-77, 1e77, 1e119, 1e160, 1e300])
@pytest.mark.parametrize("find", [pattern_subspace, readout_subspace])
def test_a_subspace_does_not_know_the_scale_of_its_features(find, scale):
    X, y = data()
    assert find(X * scale, y).overlap(find(X, y)) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-70, 1e70])
def test_directions_from_statistics_do_not_either(scale):
    X, y = data()
    found = pattern_subspace(Statistics.from_arrays(X * scale, y))
    assert found.overlap(pattern_subspace(X, y)) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("small", [1e-280, 1e-160, 1e-30])
def test_an_eraser_erases_columns_of_any_size(small):
    X, y = data()
    X[:, 1] *= small
    X[:, 3] /= small
    erased = Eraser.fit(X, y)(X)
    spread = np.abs(erased).max(axis=0)
    for one, other in ((0, 1), (1, 2)):
        gap = np.abs(erased[y == one].mean(0) - erased[y == other].mean(0))
        assert (gap <= 1e-9 * spread).all()


def test_one_huge_column_leaves_an_answer():
    X, y = data()
    X[:, 0] *= 1e200
    for find in (pattern_subspace, readout_subspace):  # the others are below its rounding
        assert find(X, y).d_model == 5


@pytest.mark.parametrize("scale", [1e121, 1e160, 1e307])
def test_statistics_refuse_numbers_whose_squares_overflow(scale):
    X, y = data()
    with pytest.raises(ProbeError, match="divide them"):
        Statistics.from_arrays(X * scale, y)
    with pytest.raises(ProbeError, match="divide it"):
        Statistics.from_arrays(X, X * scale)


@pytest.mark.parametrize(
    "probe",
    [DiscriminantProbe(), DiscriminantProbe(0.0, standardize=False), DifferenceOfMeans(),
     RidgeProbe(), RidgeProbe(standardize=False)],
)  # fmt: skip
@pytest.mark.parametrize("scale", [1e-320, 1e-308, 1e160, 1e300])
def test_probes_answer_or_refuse_at_any_scale(probe, scale):
    X, y = data()
    try:
        right = probe.fit(X * scale, y).predict(X * scale) == y
    except ProbeError:
        return
    assert right.mean() > 0.7


def test_wider_numbers_than_float64_are_refused():
    X, y = data()
    if np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
        pytest.skip("long doubles are no wider here")
    wide = X.astype(np.longdouble) * np.longdouble(10) ** 400
    for call in (pattern_subspace, Eraser.fit, RidgeProbe().fit, Statistics.from_arrays):
        with pytest.raises(ProbeError):
            call(wide, y)


def test_a_null_costs_no_more_in_ten_million_dimensions():
    null = overlap_null(1, 1, 10_000_000, n=2000)
    assert stats.kstest(null.draws, stats.beta(0.5, (1e7 - 1) / 2).cdf).pvalue > 0.01


@pytest.mark.parametrize(("k", "m", "d"), [(2, 3, 5), (3, 3, 4), (6, 2, 25), (3, 4, 5)])
def test_a_null_has_the_law_of_random_subspaces(k, m, d):
    rng = np.random.default_rng(1)
    drawn = [
        Subspace(rng.standard_normal((d, k))).overlap(Subspace(np.eye(d)[:, :m]))
        for _ in range(600)
    ]
    assert stats.ks_2samp(overlap_null(k, m, d, n=2000).draws, drawn).pvalue > 0.01


def test_subspaces_that_fill_the_space_overlap_wholly():
    assert overlap_null(3, 5, 5, n=4).draws == pytest.approx(np.ones(4))
    assert overlap_null(1, 2, covariance=np.zeros((4, 4)), n=3).high == 0.0


def test_a_covariance_of_any_scale_gives_the_same_null():
    covariance = np.diag([4.0, 2.0, 1.0, 0.5])
    plain = overlap_null(1, 2, covariance=covariance, n=50)
    for scale in (1e-300, 1e-160, 1e160, 1e300):
        assert overlap_null(1, 2, covariance=covariance * scale, n=50).high == pytest.approx(
            plain.high
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 1, 4), "overlap_null: k is a whole number; received float 1.5"),
        (("1", 1, 4), "k is a whole number"),
        ((None, 1, 4), "k is a whole number; received None"),
        ((True, 1, 4), "k is a whole number; received bool True"),
        ((1, 1, 4.0), "d is a whole number or None"),
        ((10**6, 10**6, 10**7), "do not fit in memory"),
    ],
)
def test_dimensions_are_whole_numbers(arguments, message):
    with pytest.raises(ProbeError, match=message):
        overlap_null(*arguments)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n", 10.5, "n is a whole number"),
        ("n", 10**12, "at most 100,000,000 are worked off"),
        ("n", 10**30, "does not fit 64 bits"),
        ("seed", -1, "seed is a whole number of at least 0"),
        ("seed", "a", "seed is a whole number of at least 0"),
        ("covariance", "a", "covariance is an array"),
        ("covariance", RAGGED, "covariance is an array"),
        ("covariance", np.ones(4), "covariance is a finite"),
        ("covariance", np.full((4, 4), np.nan), "covariance is a finite"),
        ("fixed", np.eye(4), "fixed is a Subspace or None"),
    ],
)
def test_settings_of_a_null_are_named(name, value, message):
    with pytest.raises(LinrepError, match=message):
        overlap_null(1, 1, 4, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rank", 1.5, "rank is a whole number or None; received float 1.5"),
        ("rank", "2", "rank is a whole number or None"),
        ("rank", -1, "not negative"),
        ("shrinkage", "a", "shrinkage is a number or None"),
        ("shrinkage", float("nan"), "shrinkage lies in 0..1"),
        ("others", ["a"], "others is a mapping"),
        ("others", {3: [1]}, "others is a mapping from text"),
        ("others", {"o": RAGGED}, "others is a mapping"),
        ("others", {"o": None}, "others is a mapping"),
        ("target", 3, "target is text or None"),
        ("y", RAGGED, "y is an array"),
        ("y", 3, "no rows"),
        ("X", RAGGED, "X is an array"),
        ("X", "text", "numeric matrix"),
        ("X", np.ones(3), "numeric matrix"),
        ("X", np.ones((200, 2), complex), "numeric matrix"),
    ],
)
@pytest.mark.parametrize("find", [pattern_subspace, readout_subspace])
def test_arguments_of_a_pattern_are_named(find, name, value, message):
    X, y = data()
    with pytest.raises(ProbeError, match=message):
        find(**{"X": X, "y": y} | {name: value})


def test_tensors_are_taken_with_and_without_gradients():
    X, y = data()
    known = pattern_subspace(X, y)
    for tensor in (torch.tensor(X), torch.tensor(X, requires_grad=True)):
        assert pattern_subspace(tensor, torch.tensor(y)).overlap(known) == pytest.approx(1.0)
        assert Eraser.fit(tensor, y)(tensor).shape == X.shape
        assert RidgeProbe().fit(tensor, y).predict(tensor).shape == y.shape
        assert Subspace(tensor.T[:, :2]).dim == 2
    low = torch.tensor(X, dtype=torch.bfloat16)
    assert pattern_subspace(low, y).overlap(known) > 0.99


def test_statistics_add_to_statistics_alone():
    X, y = data()
    whole, parts = Statistics.from_arrays(X, y), [Statistics.from_arrays(X[:50], y[:50])]
    parts.append(Statistics.from_arrays(X[50:], y[50:]))
    assert np.allclose(sum(parts).scatter_xx, whole.scatter_xx)
    for other in (1, None, "a", np.ones(3), True):
        with pytest.raises(ProbeError, match="add to statistics alone"):
            whole + other
    with pytest.raises(ProbeError, match="add to statistics alone; received int 1"):
        1 + whole


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 1.5), ("n", -1), ("mean_x", np.ones(3)), ("mean_x", "a"), ("scatter_xx", np.ones(5)),
     ("scatter_xz", RAGGED), ("classes", {"target": ("a",)}), ("classes", ["a"])],
)  # fmt: skip
def test_statistics_are_of_one_size(name, value):
    X, y = data()
    fields = vars(Statistics.from_arrays(X, y))
    assert Statistics(**fields).n == 200
    with pytest.raises(ProbeError):
        Statistics(**fields | {name: value})


@pytest.mark.parametrize("basis", [None, "a", 3, RAGGED, np.ones(3), {}, torch.ones(2, 2).bool(),
                                   np.ones((2, 2), complex)])  # fmt: skip
def test_a_basis_is_a_matrix(basis):
    if isinstance(basis, torch.Tensor):
        assert Subspace(basis).dim == 1  # True and False are numbers
        return
    with pytest.raises(SubspaceError, match="basis"):
        Subspace(basis)


def test_subspaces_are_compared_with_subspaces():
    plane = Subspace(np.eye(4)[:, :2])
    for method in (plane.overlap, plane.contains, plane.angles):
        with pytest.raises(SubspaceError, match="other is a Subspace"):
            method(np.eye(4))
    with pytest.raises(SubspaceError, match="4 dimensions can be projected"):
        plane.project(np.ones((2, 3)))


@pytest.mark.parametrize("given", [["a"], None, RAGGED, "0.1", [None], {}, [2.0], 1j])
def test_p_values_are_numbers(given):
    with pytest.raises(ProbeError, match="p"):
        benjamini_hochberg(given)


def test_scores_of_a_paired_test_are_numbers():
    with pytest.raises(ProbeError, match="scores are numbers"):
        paired_test(["a"], [1], [0])
    with pytest.raises(ProbeError, match="draws is a whole number"):
        paired_test([1], [1], [0], draws=1.5)


@pytest.mark.parametrize("given", [None, 3, "text", [], {}])
def test_what_is_no_grid_is_refused(given):
    with pytest.raises(ComparisonError, match="compare: results is a ProbeGrid"):
        compare(given)


def test_an_eraser_and_a_null_are_of_one_size():
    X, y = data()
    eraser = Eraser.fit(X, y)
    with pytest.raises(ProbeError, match="goes with"):
        Eraser(eraser.left, eraser.left, eraser.mean, eraser.emptied)
    with pytest.raises(ProbeError, match="numbers"):
        eraser(np.full((2, 5), "a"))
    with pytest.raises(ProbeError, match="at least one"):
        OverlapNull(np.zeros(0), "euclidean")
