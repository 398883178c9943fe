"""Codelength against a slow twin written from the papers' formulas."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from linrep.probes.evidence.codelength import FRACTIONS, block_ends, block_order, online_codelengths


def data(seed=0, n_groups=60, classes=4, signal=1.5):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), rng.integers(5, 15, n_groups))
    y = rng.integers(0, classes, len(groups))
    X = rng.standard_normal((len(groups), 8)) + signal * rng.standard_normal((classes, 8))[y]
    return X - X.mean(0), y, groups


def slow_codelength(X, y, ends, C):
    """Voita and Titov 2020, equation 3, with the smoothing that the docstring states."""
    K = len(np.unique(y))
    bits = ends[0] * np.log2(K)
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        p = np.zeros((end - begin, K))
        seen = np.unique(y[:begin])
        if len(seen) == 1:
            p[:, seen[0]] = 1.0
        else:
            model = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X[:begin], y[:begin])
            p[:, seen] = model.predict_proba(X[begin:end])
        sent = (begin * p[np.arange(end - begin), y[begin:end]] + 1) / (begin + K)
        bits -= np.log2(sent).sum()
    return bits


@pytest.mark.parametrize("C", [0.1, 1.0])
def test_codelength_is_the_papers(C):
    X, y, groups = data()
    ends = block_ends(groups)
    (code,) = online_codelengths(X, [(y, 4, C)], ends, variances=X.var(0), tolerance=1e-8)
    assert code.bits == pytest.approx(slow_codelength(X, y, ends, C), rel=1e-4)
    assert code.bits == pytest.approx(sum(code.blocks))
    assert code.uniform == len(y) * 2


def test_what_can_be_read_is_short_and_what_cannot_is_not():
    X, y, groups = data()
    noise = np.random.default_rng(9).permutation(y)
    ends = block_ends(groups)
    clear, random = online_codelengths(X, [(y, 4, 0.1), (noise, 4, 0.1)], ends, variances=X.var(0))
    assert clear.bits < 0.7 * clear.uniform
    assert random.bits > 0.98 * random.uniform


def test_targets_sent_together_cost_what_they_cost_alone():
    X, y, groups = data()
    other = (y + 1) % 3
    ends = block_ends(groups)
    problems = [(y, 4, 1.0), (other, 3, 1.0)]
    together = online_codelengths(X, problems, ends, variances=X.var(0), tolerance=1e-7)
    for code, problem in zip(together, problems, strict=True):
        (alone,) = online_codelengths(X, [problem], ends, variances=X.var(0), tolerance=1e-7)
        assert code.bits == pytest.approx(alone.bits, rel=1e-6)


def test_blocks_end_where_groups_end():
    _, _, groups = data()
    ends = block_ends(groups)
    assert ends[-1] == len(groups)
    assert all(end == len(groups) or groups[end] != groups[end - 1] for end in ends)
    assert len(ends) <= len(FRACTIONS)


def test_order_keeps_groups_whole():
    _, _, groups = data()
    order = block_order(groups, np.random.default_rng(0))
    moved = groups[order]
    assert (np.diff(moved) != 0).sum() == len(np.unique(groups)) - 1
    assert not np.array_equal(moved, groups)


def test_one_class_costs_nothing():
    X, y, groups = data()
    (code,) = online_codelengths(X, [(0 * y, 1, 1.0)], block_ends(groups), variances=X.var(0))
    assert code.bits == pytest.approx(0.0, abs=1e-9)
