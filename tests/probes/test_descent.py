"""Cross-entropy along a line against its definition; a descent that goes on at another penalty."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import logsumexp

from linrep.probes.errors import ProbeError
from linrep.probes.solvers import cross_entropy
from linrep.probes.solvers.cross_entropy import along, own_places
from linrep.probes.solvers.descent import Descent
from linrep.probes.solvers.logistic import LogisticProblem, descend, fit_logistic, fit_of

TIGHT = 1e-10


def slow(logits, codes):
    """The definition, row by row: mean loss, and probabilities less the one-hot classes."""
    n = logits.shape[1]
    loss = sum(logsumexp(logits[:, i]) - logits[codes[i], i] for i in range(n)) / n
    shares = np.exp(logits - logsumexp(logits, axis=0))
    shares[codes, np.arange(n)] -= 1
    return loss, shares


@given(
    k=st.integers(2, 7),
    n=st.integers(1, 200),
    size=st.floats(-3, 3) | st.just(1.0),
    seed=st.integers(0, 9),
)
@pytest.mark.parametrize("cached", [2**18, 64])  # all rows at once, and 64 at a time
def test_along_a_line_is_the_definition_at_its_points(cached, k, n, size, seed):
    rng = np.random.default_rng(seed)
    logits, moves = rng.standard_normal((2, k, n)) * 4
    codes, room = rng.integers(0, k, n), np.empty((k, n))
    kept = logits.copy()
    old, cross_entropy.CACHED = cross_entropy.CACHED, cached
    try:
        loss, slope = along(logits, moves, size, own_places(codes), room)
    finally:
        cross_entropy.CACHED = old
    at, shares = slow(logits + size * moves, codes)
    # float64: sums of at most 200 terms of size 30
    assert loss / n == pytest.approx(at, abs=1e-11)
    np.testing.assert_allclose(room, shares, atol=1e-12)
    assert slope / n == pytest.approx(float((shares * moves).sum() / n), abs=1e-11)
    np.testing.assert_array_equal(logits, kept)


def test_scores_in_another_order_are_refused():
    """A line of them would be a copy, and what is written to it would be lost."""
    logits, places = np.zeros((3, 5)), own_places(np.zeros(5, dtype=int))
    with pytest.raises(ProbeError, match="in C order"):
        along(logits, None, 0.0, places, np.empty((5, 3)).T)


def planted(seed, n=240, d=9, k=4):
    rng = np.random.default_rng(seed)
    X, codes = rng.standard_normal((n, d)), rng.integers(0, k, n)
    return X + rng.standard_normal((k, d))[codes], codes, k


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize(("first", "then"), [(0.01, 1.0), (1.0, 0.01), (0.1, 0.1)])
def test_going_on_at_another_penalty_ends_where_a_new_start_ends(first, then, k):
    X, codes, k = planted(3, k=k)
    variances = np.square(X).mean(axis=0)
    run = Descent(LogisticProblem(codes, k, first, 1e-3), variances)
    descend(X, [run])
    run.again(then, TIGHT)
    descend(X, [run])
    (fresh,) = fit_logistic(X, [LogisticProblem(codes, k, then, TIGHT)], variances=variances)
    found = fit_of(run)
    assert found.converged
    # both within the tolerance of one optimum; weights by strong convexity, of modulus 1 / (C n)
    assert found.objective == pytest.approx(fresh.objective, rel=10 * TIGHT)
    np.testing.assert_allclose(found.weights, fresh.weights, atol=1e-3)


def test_a_descent_that_goes_on_needs_fewer_passes_than_a_new_one():
    X, codes, k = planted(5, n=2000, d=30, k=6)
    variances = np.square(X).mean(axis=0)
    run = Descent(LogisticProblem(codes, k, 0.3, 1e-6), variances)
    descend(X, [run])
    before = run.passes
    run.again(1.0, 1e-6)
    descend(X, [run])
    (fresh,) = fit_logistic(X, [LogisticProblem(codes, k, 1.0, 1e-6)], variances=variances)
    assert run.passes - before < fresh.passes


def test_a_kept_descent_stays_where_it_was():
    X, codes, k = planted(7)
    run = Descent(LogisticProblem(codes, k, 0.01, 1e-3), np.square(X).mean(axis=0))
    descend(X, [run])
    kept, point, logits = run.kept(), run.point.copy(), run.logits.copy()
    run.again(10.0, TIGHT)
    descend(X, [run])
    np.testing.assert_array_equal(kept.point, point)
    np.testing.assert_array_equal(kept.logits, logits)
    assert not np.array_equal(run.point, point)
    kept.again(10.0, TIGHT)
    descend(X, [kept])
    assert kept.objective == pytest.approx(run.objective, rel=10 * TIGHT)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("passes", [1, 2, 5, 20])  # without memory, and with more than is kept
def test_step_and_promise_are_those_of_the_inverse_hessian_written_out(passes, k):
    """Nocedal and Wright 2006, equation 6.17: the matrix that the two loops never build."""
    X, codes, k = planted(4, k=k)
    run = Descent(LogisticProblem(codes, k, 10.0, TIGHT, 0.1), np.square(X).mean(axis=0))
    descend(X, [run], max_iterations=passes)
    size = run.point.size
    unit = np.eye(size).reshape(size, *run.point.shape)
    first = np.stack([run._precondition(each).ravel() for each in unit])
    scale = 1.0
    if run.history:
        _, change, inverse = run.history[-1]
        scale = 1.0 / (inverse * float(change.ravel() @ first @ change.ravel()))
    promises = []
    for start in (first, scale * first):
        hessian = start
        for moved, change, inverse in run.history:
            kept = np.eye(size) - inverse * np.outer(moved.ravel(), change.ravel())
            hessian = kept @ hessian @ kept.T + inverse * np.outer(moved.ravel(), moved.ravel())
        step = -hessian @ run.gradient.ravel()
        promises.append(-0.5 * float(step @ run.gradient.ravel()))
    assert len(run.history) == min(passes - 1, 12)
    # float64: a dozen updates of 40 numbers
    np.testing.assert_allclose(run.step.ravel(), step, rtol=1e-8, atol=1e-12)
    assert run.promise == pytest.approx(max(promises), rel=1e-8)
