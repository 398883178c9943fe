"""Intervals of overlaps: the slow jackknife, and that they hold the overlap of endless data."""

import numpy as np
import pytest

import linrep
from linrep.core import Subspace
from linrep.probes import Statistics, pattern_subspace
from linrep.probes.geometry.fold_patterns import deal, overlap_interval, patterns_without

WHEEL = np.array([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])


def _stream(
    rng: np.random.Generator, n: int, share: float
) -> tuple[np.ndarray, np.ndarray, Subspace]:
    """Activations, classes and a plane in which that share of their state lies."""
    turn = np.linalg.qr(rng.standard_normal((24, 24)))[0].T
    plane = np.sqrt(share) * turn[:2] + np.sqrt(1 - share) * turn[2:4]
    y = rng.integers(0, 3, n)
    return rng.standard_normal((n, 24)) + 3 * WHEEL[y] @ plane, y, Subspace(turn[:2].T)


def test_leaving_out_is_a_fit_to_the_others():
    rng = np.random.default_rng(0)
    X, y, _ = _stream(rng, 300, 0.5)
    fold = deal(np.arange(300) // 3, 5, rng)
    parts = [Statistics.from_arrays(X[fold == k], {"y": y[fold == k]}) for k in range(5)]
    for k, moved in enumerate(patterns_without(parts, "y", 2)):
        slow = pattern_subspace(X[fold != k], y[fold != k])
        fast = Subspace(np.linalg.qr(moved)[0])
        assert fast.overlap(slow) == pytest.approx(1.0, abs=1e-9)  # float64 sums of 300 rows


def test_a_fold_divides_no_group():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 40, 500)
    fold = deal(groups, 10, rng)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    sizes = [len(np.unique(groups[fold == k])) for k in range(10)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
def test_the_interval_holds_what_endless_data_would_show(share):
    held = wide = 0
    for run in range(12):
        rng = np.random.default_rng([run, int(10 * share)])
        X, y, predicted = _stream(rng, 400, share)
        fold = deal(np.arange(400), 10, rng)
        parts = [Statistics.from_arrays(X[fold == k], {"y": y[fold == k]}) for k in range(10)]
        without = [np.linalg.qr(each)[0] for each in patterns_without(parts, "y", 2)]
        learned = pattern_subspace(X, y)
        low, high = overlap_interval(learned, without, predicted)
        held += low <= share <= high
        wide += high - low > 0.2
        if share == 1.0:
            assert learned.overlap(predicted) < 0.995  # noise of the means, which is corrected
    # Of 12 at 95 %: fewer than 9 have a probability of 0.2 %; wide ones would hold anything.
    assert held >= 9
    assert wide == 0


def test_too_few_parts_and_no_pattern_have_none():
    plane = Subspace(np.eye(4)[:, :2])
    basis = np.eye(4)[:, :1]
    assert overlap_interval(plane, [basis] * 2, plane) is None
    assert overlap_interval(plane, [basis, basis, basis[:, :0]], plane) is None
    assert overlap_interval(plane, [basis] * 3, plane) == (1.0, 1.0)


def test_of_a_grammar_it_is_there_and_of_one_s_own_arrays_on_request():
    rng = np.random.default_rng(2)
    corpus = linrep.families.latin(order=3, depth=2).sample(60, seed=0)
    X = rng.standard_normal((corpus.n_tokens, 6))
    acts = linrep.Activations.from_arrays({"here": X}, corpus)
    few = {"permutations": 0, "bootstrap": 0, "controls": ()}
    found = linrep.probe(acts, heights=[1], **few)
    assert {len(each) for each in found.fold_patterns.values()} == {10}
    assert not linrep.probe(acts, heights=[1], jackknife=0, **few).fold_patterns
    assert not linrep.probe({"here": X}, corpus.labels(1), **few).fold_patterns
    asked = linrep.probe({"here": X}, corpus.labels(1), jackknife=5, **few)
    assert {len(each) for each in asked.fold_patterns.values()} == {5}
