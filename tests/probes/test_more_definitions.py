"""Numbers that decide, each by its definition: intervals, labels that exchange, rivals, splits."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from linrep.probes import (
    ProbeError,
    Statistics,
    benjamini_hochberg,
    pattern_subspace,
    probe,
    split_by_group,
)
from linrep.probes.evidence.codelength import online_codelengths
from linrep.probes.evidence.intervals import FEW, accuracy_interval, bootstrap_weights
from linrep.probes.evidence.permutation import Frame, LabelNull
from linrep.probes.geometry.patterns import directions
from linrep.probes.grid.judging import Judged


def student(right, tokens, draws=10):
    """Student's interval of the log-odds, its variance by leaving out each sentence in turn."""
    n, p = len(tokens), right.sum() / tokens.sum()
    without = np.array(
        [np.delete(right, i).sum() / np.delete(tokens, i).sum() for i in range(len(tokens))]
    )
    variance = (n - 1) / n * ((without - without.mean()) ** 2).sum()
    least = min((right < tokens).sum(), (right > 0).sum()) + 1
    unlike = tokens.sum() ** 2 / (tokens**2).sum() - 1
    reach = stats.t.isf(0.025, min(least, unlike)) * np.sqrt(variance) / (p * (1 - p))
    odds = np.log(p / (1 - p))
    expected = [1 / (1 + np.exp(-odds - sign * reach)) for sign in (-1, 1)]
    weights = bootstrap_weights(n, draws, np.random.default_rng(0))
    return accuracy_interval(right, tokens, weights), expected


@pytest.mark.parametrize(
    ("n", "errors", "long"), [(10, 3, 1.0), (10, 7, 1.0), (12, 6, 6.0), (3 * FEW, 3, 1.0)]
)
def test_few_errors_or_right_answers_have_the_interval_of_their_log_odds(n, errors, long):
    """By few sentences, by sentences of unlike length, and by few errors among many sentences."""
    tokens = 2 * np.where(np.arange(n) % 2 == 0, long, 1.0)
    right = np.where(np.arange(n) < errors, 0.0, tokens)
    found, expected = student(right, tokens)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "errors"), [(10, 3), (10, 0), (10, 10), (1200, 1), (5000, 2500)])
def test_sentences_of_one_token_have_the_exact_binomial_interval(n, errors):
    right = np.where(np.arange(n) < errors, 0.0, 1.0)
    weights = bootstrap_weights(n, 20, np.random.default_rng(0))
    told = stats.binomtest(n - errors, n).proportion_ci(0.95, "exact")
    # quantiles of the beta distribution by two roads, each to about 1e-10
    assert accuracy_interval(right, np.ones(n), weights) == pytest.approx(tuple(told), abs=1e-8)


def test_two_sentences_are_enough_for_an_interval():
    low, high = accuracy_interval(np.ones(2), np.full(2, 2.0), np.ones((5, 2), np.float32))
    assert (low, high) == pytest.approx(stats.beta.ppf([0.025, 0.975], [1, 2], [2, 1]), rel=1e-12)


def test_percentiles_are_widened_as_published():
    """Hesterberg 2015: as the normal quantile is to Student's, times the root of n / (n - 1)."""
    tokens = np.full(FEW, 2.0)
    weights = bootstrap_weights(FEW, 200, np.random.default_rng(0))
    right = np.where(np.arange(FEW) % 2 == 0, 1.0, 1.5)
    tail = stats.norm.cdf(stats.t.ppf(0.025, FEW - 1) * np.sqrt(FEW / (FEW - 1)))
    expected = np.quantile(weights @ right / (weights @ tokens), [tail, 1 - tail])
    assert accuracy_interval(right, tokens, weights) == pytest.approx(expected, rel=1e-9)


def test_p_values_may_be_nothing_or_one():
    assert benjamini_hochberg([0.0, 1.0]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("most", [1, 126, 127, 128, 129, 255])
def test_labels_of_many_classes_are_the_same_labels_after_an_exchange(most):
    codes = np.tile([0, most, -1, 1], 60)
    groups, positions = np.repeat(np.arange(60), 4), np.tile(np.arange(4), 60)
    null = LabelNull.draw(codes, groups, positions, 5, np.random.default_rng(0))
    assert len(null.whole) == len(codes)
    assert (np.sort(null.swapped, axis=1) == np.sort(codes)).all()


def test_rows_without_a_partner_are_counted():
    groups, positions = np.array([0, 0, 1, 2, 2, 2, 2]), np.array([0, 1, 0, 0, 1, 2, 3])
    assert Frame.of(groups, positions).alone == 2  # the last two places of the last sentence


def test_labels_of_two_classes_cost_what_the_paper_says():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    X = rng.standard_normal((200, 3)) + 1.5 * y[:, None]
    model = LogisticRegression(C=1.0, tol=1e-10).fit(X[:50], y[:50])
    sent = (50 * model.predict_proba(X[50:])[np.arange(150), y[50:]] + 1) / 52
    (code,) = online_codelengths(X, [(y, 2, 1.0)], [50, 200], variances=X.var(0), tolerance=1e-8)
    assert code.bits == pytest.approx(50 - np.log2(sent).sum(), rel=1e-4)


@pytest.fixture
def cell():
    """Four test tokens, three of them right; two twins; a surface that is right at the first."""
    right = np.array([1.0, 1.0, 1.0, 0.0])
    plan = SimpleNamespace(
        credit=lambda predicted: predicted, right=lambda rival: np.array([1.0, 0.0, 0.0, 0.0]),
        guesses=("surface",), control_way=(0.25, 0.75),
    )  # fmt: skip
    control = np.array([1.0, 0.0, 0.0, 1.0])
    return SimpleNamespace(
        plan=plan, right=right, twins=np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
        score=SimpleNamespace(chance=0.5, ceiling=0.9),
        cell=SimpleNamespace(predicted=right, control_right=control),
    )  # fmt: skip


def test_what_a_cell_has_over_each_rival(cell):
    assert Judged.left_by_surface(cell).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert Judged.over_twins(cell).tolist() == [0.5, 0.0, 1.0, 0.0]
    way, control_way = 0.9 - 0.5, 0.75 - 0.25
    expected = (cell.right - 0.5) / way - (cell.cell.control_right - 0.25) / control_way
    assert Judged.over_controls(cell) == pytest.approx(expected, abs=1e-12)


def test_models_without_twins_are_counted_as_none(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0), n_sentences=60)
    found = probe(acts, corpus, controls=(), heights=[1], bootstrap=0, permutations=0)
    assert {score.n_twins for score in found.scores} == {0}


def test_the_shares_of_a_split_are_those_that_are_written():
    split = split_by_group(np.arange(1000))
    assert [int(p.sum()) for p in (split.train, split.validation, split.test)] == [700, 100, 200]


def test_a_part_may_be_left_out_and_no_share_is_endless():
    split = split_by_group(np.arange(100), fractions=(0.8, 0.0, 0.2))
    assert [int(p.sum()) for p in (split.train, split.validation, split.test)] == [80, 0, 20]
    with pytest.raises(ProbeError, match="three numbers"):
        split_by_group(np.arange(9), fractions=(np.inf, 1.0, 1.0))


def test_a_giant_is_learned_from_also_without_validation():
    groups = np.concatenate([np.zeros(60, int), np.arange(1, 41)])
    for seed in range(5):
        split = split_by_group(groups, fractions=(0.5, 0.0, 0.5), seed=seed)
        assert split.train[groups == 0].all()


def planted_classes(n=600):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    X = rng.standard_normal((n, 5)) * [3.0, 1.0, 1.0, 1.0, 0.3]
    X[:, 0] += 2.0 * (y == 0)
    X[:, 4] += y == 1
    return X, y


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_strongest_direction_does_not_depend_on_the_unit(scale):
    """The floor under variances is a share of the largest."""
    X, y = planted_classes()
    usual = directions(Statistics.from_arrays(X, y)).strength
    other = directions(Statistics.from_arrays(X * scale, y)).strength
    assert other == pytest.approx(usual, rel=1e-4)


def test_no_shrinkage_and_all_of_it_are_allowed():
    X, y = planted_classes()
    for shrinkage in (0.0, 1.0):
        assert pattern_subspace(X, y, shrinkage=shrinkage).dim == 2
    for shrinkage in (-0.01, 1.01):
        with pytest.raises(ProbeError, match="shrinkage"):
            pattern_subspace(X, y, shrinkage=shrinkage)
