"""A grid whose products are made on a device is the grid that NumPy makes.

The lines that a GPU runs are run on the processor here; what only a GPU can show is skipped where
there is none.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import sparse

from linrep.core import devices
from linrep.core.products import NUMPY
from linrep.core.torch_products import TorchProducts
from linrep.probes import probe
from linrep.probes.errors import ProbeError
from linrep.probes.grid import site_work
from linrep.probes.inputs.blocks import Blocks
from linrep.probes.solvers.closed_form import ridge_weights
from linrep.probes.solvers.features import Features, KnownMoments
from linrep.probes.solvers.moments import Moments
from linrep.probes.solvers.number_ridge import NumberProblem, number_ridge, predictions
from linrep.probes.solvers.rotation import Rotation
from linrep.probes.solvers.scratch import PlacedRows, moved, weighted

NO_GPU = "no CUDA device here: run this where there is one"
THERE = TorchProducts("cpu")
METHODS = ["lda", "ridge", "means", "logistic"]
# NumPy multiplies rotated float32 rows in float32, the device in float64: they differ by the
# rounding of float32, of float64 rows by that of float64; both grow along the smallest directions.
TOLERANCE = {np.float64: 1e-8, np.float32: 2e-4}


def near(one, other, kind=np.float64):
    scale = max(1.0, float(np.abs(one).max(initial=0.0)))
    np.testing.assert_allclose(other, one, rtol=TOLERANCE[kind], atol=TOLERANCE[kind] * scale)


def sides(X, y, Y, size):
    """Everything that closed forms take from rows, by NumPy and on the device."""
    table = sparse.csr_array(np.eye(int(y.max()) + 1)[y])
    rotation = Rotation.of(Moments.of(Blocks(X)))
    for place in (NUMPY, THERE):
        features = Features(rotation, Blocks(X, size=size), False, place)
        sums = features.class_sums([(y, 3), (1 - y % 2, 2)])
        fits = ridge_weights(features, sums[:1], [(y, 3)], (0.5, 3.0))
        numbers = number_ridge(features, [NumberProblem(Y)], (0.5, 3.0))
        yield [
            features.held, *sums, *features.scatter(), fits[0].weights, fits[0].loo,
            *features.products([(2, Y.__getitem__), (3, table.__getitem__)]),
            np.concatenate([part for _, part in features.scored(fits[0].weights)]),
            numbers[0].weights, numbers[0].loo, predictions(numbers, features)[0],
        ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.integers(20, 200), st.integers(1, 70), st.integers(0, 2**31),
    st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_what_closed_forms_take_from_rows_is_the_same_on_a_device(n, size, seed, kind):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((n, 6)) * np.linspace(0.3, 3, 6) + 2).astype(kind)
    y, Y = rng.permutation(np.arange(n) % 3), rng.standard_normal((n, 2))
    for one, other in zip(*sides(X, y, Y, size), strict=True):
        near(one, other, kind)


def test_rows_that_stay_on_a_device_are_moved_once(planted, monkeypatch):
    moved = []
    put = TorchProducts.put
    monkeypatch.setattr(TorchProducts, "put", lambda p, x: (moved.append(x.shape), put(p, x))[1])
    monkeypatch.setattr(site_work, "products_for", lambda *_: THERE)
    acts, _, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12, dtype=np.float64)
    whole = acts[next(iter(acts.sites))].shape
    counts = []
    for room in (np.inf, 0.0):
        monkeypatch.setattr(TorchProducts, "room", lambda _, room=room: room)
        moved.clear()
        grid(planted, "lda")
        counts.append(sum(shape[0] for shape in moved if shape[1:] == whole[1:]) / whole[0])
    kept, again = counts
    assert again > 3 * kept  # every pass moves its rows


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_what_is_not_finite_is_refused_on_a_device_as_well(kind):
    X = np.ones((9, 3), kind)
    for bad in (np.nan, np.inf, -np.inf):
        X[4, 1] = bad
        known = KnownMoments(X, size=2, place=THERE)
        with pytest.raises(ProbeError, match="NaN or infinite"):
            known.of(np.arange(9))
        known.of(np.array([0, 8]))
        rotation = Rotation.fit(X[:3])
        with pytest.raises(ProbeError, match="NaN or infinite"):
            list(known.features(rotation, np.arange(9)).standardised())


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 90), st.integers(1, 40), st.integers(0, 2**31), st.booleans())
def test_moments_and_rotations_are_the_same_on_a_device(n, size, seed, standardize):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5)) @ rng.standard_normal((5, 5)) + 10
    rows = rng.permutation(n)
    told = []
    for place in (NUMPY, THERE):
        known = KnownMoments(X, size=size, place=place)
        turned = known.rotation(rows, standardize=standardize)
        whole = turned.axes * turned.variances @ turned.axes.T  # vectors come with either sign
        told.append([known.of(rows).mean, known.of(rows).scatter, turned.scale, whole])
    for one, other in zip(*told, strict=True):
        near(one, other)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_of_the_logistic_solver_on_a_device_multiply_as_those_in_memory(kind, monkeypatch):
    monkeypatch.setattr("linrep.probes.solvers.scratch.NUMBERS", 40)  # several blocks
    rng = np.random.default_rng(0)
    X, steps = rng.standard_normal((50, 7)).astype(kind), rng.standard_normal((3, 7)).astype(kind)
    features = Features(Rotation.fit(X), Blocks(X, size=8), True, THERE)
    rows, held = features.rows, features.held
    assert isinstance(rows, PlacedRows)
    assert (len(rows), rows.shape, rows.dtype, held.dtype) == (50, held.shape, kind, kind)
    out, residuals = np.empty((3, 50), kind), rng.standard_normal((3, 50)).astype(kind)
    moved(steps, rows, out)
    near(steps @ held.T, out, kind)
    near(residuals @ held, weighted(residuals, rows), kind)
    product = rows @ steps.T
    assert product.dtype == kind
    near(held @ steps.T, product, kind)


def grid(planted, method, **options):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12, dtype=np.float64)
    twin, _, _ = planted(signal=(0.0, 0.0), n_sentences=120, d=12, dtype=np.float64)
    number = {"number": corpus.codes[1] * 1.0 + corpus.codes[2]}
    asked = {"permutations": 19, "bootstrap": 50, "heights": [1, 2], "targets": number, **options}
    return probe(acts, corpus, method=method, random_weights=twin, seed=3, **asked)


def same(ours, theirs, tolerance):
    pd.testing.assert_frame_equal(
        ours.to_frame(), theirs.to_frame(), rtol=tolerance, atol=tolerance
    )
    for site, covariance in ours.covariances.items():
        np.testing.assert_allclose(covariance, theirs.covariances[site], rtol=1e-6, atol=1e-6)
    for key, pattern in ours.patterns.items():
        other = theirs.patterns[key].basis  # the same span, whatever vectors it is written in
        np.testing.assert_allclose(pattern.basis @ pattern.basis.T, other @ other.T, atol=1e-5)
    for key, held in ours.held_out.items():
        np.testing.assert_allclose(held.right, theirs.held_out[key].right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("room", [np.inf, 0.0])  # for rows to stay there
@pytest.mark.parametrize("method", METHODS)
def test_a_grid_on_a_device_is_the_grid_of_numpy(planted, method, room, monkeypatch):
    monkeypatch.setattr(TorchProducts, "room", lambda _: room)
    extra = {"codelength": method == "lda", "jackknife": 3}
    plain = grid(planted, method, **extra)
    monkeypatch.setattr(site_work, "products_for", lambda *_: THERE)
    found = grid(planted, method, **extra)
    # The logistic solver stops where a tolerance of 1e-4 is met, a little elsewhere each time.
    same(plain, found, 1e-6 if method != "logistic" else 1e-3)
    assert not any("products" in note for note in plain.notes)


def test_notes_say_where_products_were_made(planted, monkeypatch):
    class Elsewhere(type(NUMPY)):
        device = "cuda:1"

    monkeypatch.setattr(site_work, "products_for", lambda *_: Elsewhere())
    notes = grid(planted, "lda", permutations=0, bootstrap=0).notes
    assert any(note.startswith("products of 2 of 2 sites were made on cuda:1") for note in notes)


def test_a_device_that_is_not_there_is_refused_before_the_work(planted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ProbeError, match="device='cuda' asks for a CUDA GPU"):
        grid(planted, "lda", device="cuda")
    with pytest.raises(ProbeError, match="device is 'auto'"):
        grid(planted, "lda", device="gpu")


def test_a_device_whose_memory_is_full_is_named(planted, monkeypatch):
    def full(self, matrix):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(TorchProducts, "eigh", full)
    monkeypatch.setattr(site_work, "products_for", lambda *_: THERE)
    with pytest.raises(ProbeError, match=r"memory of 'cpu' is full: .* \(CUDA out of memory"):
        grid(planted, "lda")


def test_auto_is_the_processor_where_the_work_is_small(planted, monkeypatch):
    monkeypatch.setattr(devices, "_gpus", lambda: 1)  # it would fail if it were taken
    assert grid(planted, "lda", permutations=0, bootstrap=0).notes


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("method", METHODS)
def test_a_grid_on_a_gpu_is_the_grid_of_numpy(planted, method):
    found = grid(planted, method, device="cuda")
    same(grid(planted, method, device="cpu"), found, 1e-6 if method != "logistic" else 1e-3)
    assert any("were made on cuda" in note for note in found.notes)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_processes_share_a_gpu(planted):
    one, two = (grid(planted, "lda", device="cuda", engine=e) for e in ("local", "processes:2"))
    same(one, two, 1e-9)
