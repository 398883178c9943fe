"""Targets that share the rows of a pass get what each of them would get by itself."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LogisticRegression

import linrep
from linrep.probes.evidence.splits import Split
from linrep.probes.grid import plan
from linrep.probes.grid.common_rows import common_rows, own_rows, scaled_alike
from linrep.probes.solvers import heads
from linrep.probes.solvers.features import KnownMoments
from linrep.probes.solvers.logistic import LogisticProblem, fit_logistic

TIGHT = 1e-10


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 5), share=st.floats(0, 0.6))
def test_rows_that_are_left_out_count_nowhere(seed, k, share):
    rng = np.random.default_rng(seed)
    X, codes = rng.standard_normal((150, 6)), rng.integers(0, k, 150)
    codes[:k] = np.arange(k)
    out = rng.random(150) < share
    out[:k] = False
    marked = np.where(out, -1, codes)
    variances = np.square(X).mean(axis=0)
    some, alone, every = (
        LogisticProblem(marked, k, 0.3, TIGHT), LogisticProblem(codes[~out], k, 0.3, TIGHT),
        LogisticProblem(codes, k, 0.3, TIGHT),
    )  # fmt: skip
    with_others, _ = fit_logistic(X, [some, every], variances=variances)
    (by_itself,) = fit_logistic(X[~out], [alone], variances=variances)
    # A relative gap of 1e-10 in an objective that the penalty bends by about 1/(0.3 n).
    assert with_others.objective == pytest.approx(by_itself.objective, rel=1e-8)
    np.testing.assert_allclose(with_others.weights, by_itself.weights, atol=2e-3)
    slow = LogisticRegression(C=0.3, tol=1e-10, max_iter=10_000).fit(X[~out], codes[~out])
    shares = np.exp(with_others.logits(X))
    np.testing.assert_allclose(
        shares / shares.sum(axis=1, keepdims=True), slow.predict_proba(X), atol=2e-3
    )


@given(st.data())
def test_common_rows_hold_the_targets_own_at_their_places(data):
    n = data.draw(st.integers(3, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    order, part, kept = rng.permutation(n), rng.integers(0, 3, n), rng.random(n) < 0.9
    split = Split(part == 0, part == 1, part == 2)
    asked = (rng.random(n) < data.draw(st.sampled_from([0.2, 0.5, 0.9, 1.0]))) & kept
    parts = [np.flatnonzero(asked[order] & (part == i)[order]) for i in range(3)]
    common = common_rows(order, kept, split, parts)
    for i, own in enumerate(parts):
        codes = rng.integers(0, 9, len(own))
        spread, at = common.spread(codes, i), common.own(i)
        assert len(spread) == len(common.rows[i])
        mine = spread if at is None else spread[at]
        np.testing.assert_array_equal(mine, codes)
        rows = common.rows[i] if at is None else common.rows[i][at]
        np.testing.assert_array_equal(rows, order[own])
        assert (spread >= 0).sum() == len(own)
        assert (part[common.rows[i]] == i).all()
        assert kept[common.rows[i]].all()
    all_train = kept & (part == 0)
    if len(parts[0]) < 0.5 * all_train.sum():  # a pass over twice as many rows is not shared
        assert common.places is None
    else:
        assert len(common.rows[0]) == all_train.sum()


def test_a_target_on_common_rows_scores_as_on_its_own(monkeypatch):
    rng = np.random.default_rng(0)
    n = 960
    X = rng.standard_normal((n, 10)).astype(np.float32)
    whole, most, few = (rng.integers(0, k, n).astype(str) for k in (2, 3, 2))
    X[:, 0] += 2 * (whole == "1")
    X[:, 1] += 2 * (most == "2")
    X[:, 2] += 2 * (few == "1")
    most[rng.random(n) < 0.2] = ""
    few[rng.random(n) < 0.8] = ""
    targets = {"whole": whole, "most": most, "few": few}

    def scores():
        found = linrep.probe(
            {"x": X}, targets=targets, groups=np.repeat(np.arange(120), 8), seed=0,
            controls=["shuffled", "control_task"], permutations=19,
        )  # fmt: skip
        return {one.target: one for one in found.scores}

    common = scores()
    monkeypatch.setattr(plan, "common_rows", lambda order, _kept, _split, parts: own_rows(
        [order[places] for places in parts]
    ))  # fmt: skip
    for name, own in scores().items():
        assert common[name].n_train == own.n_train
        assert common[name].n_test == own.n_test
        # Where the rows are the same, only the solver's tolerance of 1e-4; else features are scaled
        # by standard deviations of 4/5 of the rows or of all, which lie 1/sqrt(2 * 500) apart.
        slack = 0.03 if name == "most" else 1e-4
        assert common[name].value == pytest.approx(own.value, abs=0.03)
        assert common[name].nll == pytest.approx(own.nll, abs=slack)


def first_words_apart(scale):
    """Sentences of eight words; the first has no label, and is larger by ``scale``."""
    rng = np.random.default_rng(1)
    n, groups = 1600, np.repeat(np.arange(200), 8)
    X = rng.standard_normal((n, 16)).astype(np.float32)
    labels = rng.integers(0, 2, n).astype(str)
    X[:, 3] += 2 * (labels == "1")
    first = np.arange(n) % 8 == 0
    labels[first] = ""
    X[first, 3] *= scale
    return X, labels, groups, first


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_rows_without_a_label_do_not_take_a_target_out_of_reach(scale):
    """As an attention sink does: the first token is many times as large as the others."""
    X, labels, groups, _ = first_words_apart(scale)
    found = linrep.probe({"x": X}, labels, groups=groups, controls=[], permutations=0, seed=0)
    (score,) = found.scores
    # Two normal classes two standard deviations apart: 0.841, here on some 280 test rows, of
    # which three standard errors are 0.066.
    assert score.value == pytest.approx(0.841, abs=0.066)


@pytest.mark.parametrize(("size", "alike"), [(1.0, True), (4.0, False)])
def test_scales_are_compared_by_the_definition(size, alike):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 5)) * [1, 10, 1e-3, 1, 0] + 7
    out = rng.random(400) < 0.2
    X[out, 1] = 7 + size * (X[out, 1] - 7)
    order, train = np.arange(400), np.arange(400) < 300
    split = Split(train, np.arange(400) >= 350, ~train & (np.arange(400) < 350))
    parts = [np.flatnonzero(part & ~out) for part in (split.train, split.validation, split.test)]
    common = common_rows(order, np.ones(400, dtype=bool), split, parts)
    ratio = X[train & ~out].std(axis=0) / np.where(
        X[train].std(axis=0) > 0, X[train].std(axis=0), 1
    )
    assert ((ratio[:4] > 1 / 1.1) & (ratio[:4] < 1.1)).all() == alike
    assert scaled_alike(common, KnownMoments(X)) == alike
    held_out = X.copy()
    held_out[np.flatnonzero(split.test & out)[0]] = np.nan  # no row of this target
    assert not scaled_alike(common, KnownMoments(held_out))


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 4000))
def test_problems_are_solved_together_as_far_as_their_logits_have_room(classes, column):
    problems = [LogisticProblem(np.arange(k), k) for k in classes]
    old, heads.LOGITS = heads.LOGITS, 50_000
    try:
        found = list(heads._together(problems, column))
    finally:
        heads.LOGITS = old
    assert [i for some in found for i in some] == list(range(len(classes)))
    sizes = [sum(classes[i] for i in some) * column for some in found]
    assert all(size <= 50_000 or len(some) == 1 for size, some in zip(sizes, found, strict=True))
    first = [classes[some[0]] * column for some in found]
    assert all(a + b > 50_000 for a, b in zip(sizes, first[1:], strict=False))
