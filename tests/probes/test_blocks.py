"""Rows that are read in blocks give what rows in memory give, whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier

from linrep.core.stored import StoredRows, save_rows
from linrep.hooks.store.rows import Rows
from linrep.probes import ProbeError, probe
from linrep.probes.geometry.chance_patterns import EXCHANGES
from linrep.probes.grid import memory, site_spaces
from linrep.probes.inputs.blocks import Blocks
from linrep.probes.solvers import features as features_module
from linrep.probes.solvers.answers import answers
from linrep.probes.solvers.features import Features, KnownMoments
from linrep.probes.solvers.heads import fit_heads
from linrep.probes.solvers.methods import HeadProblem, Method
from linrep.probes.solvers.moments import Moments
from linrep.probes.solvers.number_ridge import NumberProblem, number_ridge, predictions
from linrep.probes.solvers.rotation import Rotation

K = 3


def stored(X, cuts):
    """The same rows in shards."""
    bounds = [0, *sorted(cuts), len(X)]
    parts = [lambda a=a, b=b: X[a:b].copy() for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    return Rows(parts, bounds, X.shape[1], X.dtype)


def classes_in_noise(rng, n, d, kind):
    y = np.concatenate([np.arange(K), rng.integers(0, K, n - K)])
    X = rng.standard_normal((n, d)) * rng.uniform(0.3, 3, d) + 5
    X[:, :K] += 2 * np.eye(K)[y]
    return X.astype(kind), y


# Sums of a few hundred numbers in another order: a few units of rounding of the product's type,
# which the smallest directions (a tenth of the largest) and the penalty carry on.
TOLERANCE = {np.float64: 1e-9, np.float32: 2e-4}


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 300), st.lists(st.integers(0, 200), max_size=4), st.integers(0, 2**31),
    st.sampled_from([np.float32, np.float64]), st.sampled_from(["lda", "ridge", "means"]),
)  # fmt: skip
def test_any_blocks_and_shards_give_what_plain_formulas_give(size, cuts, seed, kind, name):
    rng = np.random.default_rng(seed)
    X, y = classes_in_noise(rng, 200, 7, kind)
    rows = rng.permutation(200)
    train, test = rows[:140], rows[140:]
    assert isinstance(stored(X, cuts), StoredRows)
    known = KnownMoments(stored(X, cuts), size=size)
    rotation = Rotation.of(known.of(train), standardize=True)
    features = known.features(rotation, train, checked=True)
    (head,) = fit_heads(
        Method(name, alphas=(2.0,), shrinkage=0.1), features, [HeadProblem(y[train], K)],
        known.features(rotation, train[:0]),
    )  # fmt: skip
    (said,) = answers([head], known.features(rotation, test), [y[test]])
    Z = (X.astype(np.float64) - X[train].mean(0, dtype=float)) / X[train].std(0, dtype=float)
    if name == "means":
        means = np.stack([Z[train][y[train] == k].mean(axis=0) for k in range(K)])
        scores = Z @ means.T - 0.5 * np.square(means).sum(axis=1)
    elif name == "ridge":
        slow = RidgeClassifier(alpha=2.0).fit(Z[train], y[train])
        scores = (slow.decision_function(Z) + 1) / 2  # its indicators are -1 and 1
    else:
        slow = LinearDiscriminantAnalysis("lsqr", shrinkage=0.1).fit(Z[train], y[train])
        scores = slow.decision_function(Z)
    scores = scores[test]
    found = np.concatenate(
        [part for _, part in known.features(rotation, test).scored(head.weights)]
    )
    gap = (found + head.intercepts) - scores
    gap -= gap.mean(axis=1, keepdims=True)  # a shift of all classes changes nothing
    assert np.abs(gap).max() < TOLERANCE[kind] * max(1.0, np.abs(scores).max())
    clear = np.diff(np.sort(scores, axis=1)[:, -2:])[:, 0] > 1e-2
    assert (said.chosen == scores.argmax(axis=1))[clear].all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31))
def test_moments_sums_scatter_and_left_out_rows_do_not_see_the_blocks(one, other, seed):
    rng = np.random.default_rng(seed)
    X, y = classes_in_noise(rng, 90, 5, np.float64)
    Y = rng.standard_normal((90, 2)) + X[:, :2]
    told = []
    for size in (one, other):
        blocks = Blocks(X, size=size)
        moments = Moments.of(blocks)
        features = Features(Rotation.of(moments), blocks)
        fit = number_ridge(features, [NumberProblem(Y)])[0]
        weights = np.abs(fit.weights)  # eigenvectors come with either sign
        told.append([
            moments.covariance, *(np.abs(each) for each in features.class_sums([(y, K)])),
            np.abs(features.scatter()[1]), weights, fit.loo, predictions([fit], features)[0],
        ])  # fmt: skip
    for first, second in zip(*told, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-8, atol=1e-9)  # float64, 90 rows
    np.testing.assert_allclose(told[0][0], np.cov(X, rowvar=False), rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=9), st.integers(1, 60),
    st.integers(0, 900), st.integers(0, 2**31),
)  # fmt: skip
def test_sums_by_columns_do_not_see_how_many_share_a_pass(asked, size, room, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 4)) * rng.uniform(0.3, 3, 4) + 2
    features = Features(Rotation.fit(X), Blocks(X, size=size))
    tables = [rng.standard_normal((60, k)) * (rng.random((60, k)) < 0.4) for k, _ in asked]
    columns = [
        (k, (sparse.csr_array(table) if is_sparse else table).__getitem__)
        for table, (k, is_sparse) in zip(tables, asked, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patched:  # bytes: a sum takes up to 160 of them
        patched.setattr(features_module, "ROOM", room)
        found = list(features.products(columns))
    assert len(found) == len(asked)
    for table, sums in zip(tables, found, strict=True):
        # Sixty products of numbers of order 1, in another order.
        np.testing.assert_allclose(sums, table.T @ features.held, rtol=0, atol=1e-12)
        assert sums.dtype == np.float64


def test_exchanges_have_the_same_patterns_whatever_is_added_up_together(planted, monkeypatch):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12)
    told = []
    for room in (2**24, 1, 700):  # bytes: all exchanges, one, and a few
        monkeypatch.setattr(site_spaces, "TOGETHER", room)
        found = probe(acts, corpus, heights=[1, 2], method="lda", random_weights=acts)
        bases = [basis for drawn in found.chance_patterns.values() for basis in drawn]
        told.append((found.to_frame(), bases))
    assert len(told[0][1]) >= 2 * EXCHANGES
    for frame, bases in told[1:]:
        assert frame.equals(told[0][0])
        for one, other in zip(told[0][1], bases, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", ["lda", "ridge", "logistic"])
def test_a_grid_over_a_store_is_the_grid_over_arrays_to_the_byte(planted, method):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12)
    shards = type(acts)({s: stored(acts[s], [100, 101]) for s in acts.sites}, len(acts.kept))
    number = {"number": corpus.codes[1] * 1.0 + corpus.codes[2]}
    asked = {"heights": [1, 2], "targets": number, "method": method, "jackknife": 3}
    ours, theirs = (probe(a, corpus, random_weights=a, **asked) for a in (shards, acts))
    assert ours.to_frame().equals(theirs.to_frame())
    for key, pattern in ours.patterns.items():
        np.testing.assert_array_equal(pattern.basis, theirs.patterns[key].basis)
        for one, two in zip(ours.chance_patterns[key], theirs.chance_patterns[key], strict=True):
            np.testing.assert_array_equal(one, two)


def test_no_more_than_a_block_of_a_store_is_asked_for(planted, monkeypatch):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=900, d=12)
    rows = stored(acts["late"], [])
    asked = []
    read = Rows.read
    monkeypatch.setattr(Rows, "read", lambda self, i: asked.append(len(i)) or read(self, i))
    monkeypatch.setattr(Rows, "__array__", None)
    site = type(acts)({"late": rows}, len(acts.kept))
    assert probe(site, corpus, method="ridge").scores[0].value > 0.9
    assert 0 < max(asked) <= 4096 < len(rows)


def test_a_logistic_probe_beyond_memory_is_refused_and_closed_forms_are_not(planted, monkeypatch):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=60, d=12)
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000)
    with pytest.raises(ProbeError, match=r"12 numbers.* bytes.*method='lda'"):
        probe(acts, corpus, heights=[1])
    with pytest.raises(ProbeError, match="codelength"):
        probe(acts, corpus, heights=[1], method="lda", codelength=True)
    assert probe(acts, corpus, heights=[1], method="lda").scores[1].value > 0.9


def test_a_value_that_is_not_finite_is_found_in_any_part(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=60, d=6)
    for row in range(0, len(acts.kept), 37):
        broken = type(acts)({"late": acts["late"].copy()}, len(acts.kept))
        broken["late"][row, 2] = np.inf
        with pytest.raises(ProbeError, match="site 'late': activations hold NaN or infinite"):
            probe(broken, corpus, method="lda", permutations=0, bootstrap=0)


def test_stored_rows_become_a_file_of_numpy(tmp_path):
    X = np.arange(30, dtype=np.float32).reshape(10, 3)
    save_rows(tmp_path / "rows.npy", stored(X, [4]))
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy", allow_pickle=False), X)
