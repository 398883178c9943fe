"""Activations without any noise, as constructed models have them, are ordinary input everywhere."""

import numpy as np
import pytest

from linrep import probes

SENTENCES, LENGTH = 12, 3
ESTIMATORS = {
    "logistic": lambda: probes.LinearProbe(C=1.0),
    "lda": probes.DiscriminantProbe,
    "lda, nothing shrunk": lambda: probes.DiscriminantProbe(0.0),
    "lda, all shrunk": lambda: probes.DiscriminantProbe(1.0),
    "lda, as they are": lambda: probes.DiscriminantProbe(standardize=False),
    "means": probes.DifferenceOfMeans,
    "ridge": probes.RidgeProbe,
    "least squares": lambda: probes.RidgeProbe(alphas=[0.0]),
    "rank one": lambda: probes.RankLimitedProbe(1, shrinkage=0.0),
    "neighbours": probes.NeighbourProbe,
}
SUBSPACES = {
    f"{make.__name__}, shrinkage {shrinkage}": (make, shrinkage)
    for make in (probes.pattern_subspace, probes.readout_subspace)
    for shrinkage in (None, 0.0, 1.0)
}


def stream(seed, dtype):
    """States of few labels written as one-hot vectors, some tied, some constant, perhaps rotated.

    Everything varies in fewer dimensions than there are, and what is left of it is exactly zero
    (or rounding, where rotated).
    """
    rng = np.random.default_rng(seed)
    tokens = SENTENCES * LENGTH
    word = rng.integers(0, 2 + seed % 3, tokens)
    place = np.tile(np.arange(LENGTH), SENTENCES)
    label = [word % 2, place % 2, (word + place) % 2, (word == word[0]) + 0][seed % 4]
    states = [np.eye(5)[word], np.eye(LENGTH)[place], np.eye(2)[label], np.ones((tokens, 1))]
    x = np.hstack([*states, np.zeros((tokens, 3))]) * [1.0, 1e-12, 1e12][seed % 3]
    if seed % 2:
        x = x @ np.linalg.qr(rng.standard_normal((x.shape[1],) * 2))[0]
    return x.astype(dtype), label, word


CASES = pytest.mark.parametrize(
    ("seed", "dtype"), [(seed, dtype) for seed in range(6) for dtype in ("float32", "float64")]
)


@CASES
def test_estimators_answer_and_what_is_written_exactly_is_read_exactly(seed, dtype):
    x, label, _ = stream(seed, dtype)
    for name, make in ESTIMATORS.items():
        fitted = make().fit(x, label)
        if hasattr(fitted, "predict_proba"):
            assert np.isfinite(fitted.predict_proba(x)).all(), name
        if name not in ("means", "rank one", "neighbours", "lda, all shrunk"):
            assert (fitted.predict(x) == label).all(), name


@CASES
def test_subspaces_and_erasure_answer(seed, dtype):
    x, label, word = stream(seed, dtype)
    for make, shrinkage in SUBSPACES.values():
        assert make(x, label, shrinkage=shrinkage).dim == 1
        assert make(x, label, others={"word": word}, shrinkage=shrinkage).dim <= 1
    found = probes.number_patterns(x, {"label": np.eye(2)[label], "word": np.eye(5)[word]})
    assert all(np.isfinite(space.basis).all() for space in found.values())
    eraser = probes.Eraser.fit(x, label)
    erased = eraser(x)
    means = np.stack([erased[label == kind].mean(axis=0, dtype=np.float64) for kind in (0, 1)])
    size = float(np.abs(x).max())
    assert np.ptp(means, axis=0) == pytest.approx(0.0, abs=64 * float(np.finfo(x.dtype).eps) * size)
    assert np.isfinite(probes.Eraser.fit(erased, label)(erased)).all()
