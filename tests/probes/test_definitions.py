"""Intervals, nulls, splits and rivals by their definitions, at the edges where slips would hide."""

import numpy as np
import pytest
from scipy import stats

from linrep.core import Subspace
from linrep.probes import ProbeError, Split, overlap_null, pattern_subspace, probe
from linrep.probes.evidence.intervals import FEW, accuracy_interval, bootstrap_weights
from linrep.probes.evidence.rivals import AT_ONCE, beats_untrained
from linrep.probes.geometry.nulls import Anisotropy, OverlapNull, exchanged_null

LEVEL = 0.95


def interval(right, tokens, draws=4000):
    weights = bootstrap_weights(len(tokens), draws, np.random.default_rng(0))
    return accuracy_interval(np.asarray(right, float), np.asarray(tokens, float), weights)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_sentences_that_are_all_alike_are_one_witness_each(share):
    """Clopper and Pearson 1934, with sentences in the place of tokens."""
    n, tokens = 12, 4
    low, high = interval([share * tokens] * n, [tokens] * n)
    hits = share * n
    assert low == pytest.approx(stats.beta.ppf(0.025, hits, n - hits + 1), rel=1e-12)
    assert high == pytest.approx(stats.beta.ppf(0.975, hits + 1, n - hits), rel=1e-12)


@pytest.mark.parametrize("wrong", [0, 3, FEW - 1])
def test_errors_and_right_answers_mirror_each_other(wrong):
    n = 3 * FEW
    right = np.ones(n)
    right[:wrong] = 0
    low, high = interval(right, np.ones(n))
    mirrored = interval(1 - right, np.ones(n))
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


def test_many_sentences_have_the_normal_interval():
    n = 4 * FEW
    low, high = interval(np.arange(n) % 2, np.ones(n), draws=20_000)
    half = stats.norm.ppf(0.975) * np.sqrt(0.25 / n)
    # An end is a quantile of 20,000 draws: its standard error is 1.3 % of the half width.
    assert (high - low) / 2 == pytest.approx(half, rel=0.04)
    assert (high + low) / 2 == pytest.approx(0.5, abs=0.04 * half)


def test_unequal_sentences_count_as_few():
    """One long sentence and many short ones: the interval is that of hardly any witness."""
    tokens = np.array([400.0, *[1.0] * 40])
    right = np.array([300.0, *([1.0, 0.0] * 20)])
    low, high = interval(right, tokens)
    alike = interval([8.0, 7.0] * 20, [10.0] * 40)
    assert high - low > 3 * (alike[1] - alike[0])


@pytest.mark.parametrize("score", [0.52, 0.54, 0.56])
def test_one_cell_against_five_models_is_a_prediction_interval(score):
    """Student's t for one more model of the kind: spread of the models and of their mean."""
    models = np.array([[0.50], [0.52], [0.49], [0.51], [0.53]])
    (p,) = beats_untrained(np.array([score]), models, np.array([400.0]), seed=0)
    spread = models.std(ddof=1) * np.sqrt(1 + 1 / len(models))
    expected = stats.t.sf((score - models.mean()) / spread, len(models) - 1)
    # Never much below; above by the degree of freedom that is given away, and by the draws.
    assert 0.8 * expected <= p <= 1.5 * expected


def test_draws_need_not_fill_their_blocks():
    models = np.array([[0.50], [0.52], [0.49], [0.51], [0.53]])
    asked = np.array([0.52]), models, np.array([400.0])
    whole = beats_untrained(*asked, seed=0, draws=AT_ONCE)[0]
    more = beats_untrained(*asked, seed=0, draws=AT_ONCE + AT_ONCE // 2)[0]
    assert more == pytest.approx(whole, abs=4 * 0.5 / np.sqrt(AT_ONCE))


@pytest.mark.parametrize(
    "parts", [("train", "validation"), ("train", "test"), ("validation", "test")]
)
def test_each_pair_of_parts_is_disjoint(parts):
    masks = {name: np.arange(9) // 3 == i for i, name in enumerate(("train", "validation", "test"))}
    Split(**masks)
    masks[parts[0]] = masks[parts[0]] | masks[parts[1]]
    with pytest.raises(ProbeError, match="share tokens"):
        Split(**masks)


@pytest.mark.parametrize(("k", "m"), [(1, 3), (3, 1), (2, 2)])
def test_a_null_of_exchanged_labels_is_of_overlaps(k, m):
    rng = np.random.default_rng(0)
    fixed = Subspace(np.linalg.qr(rng.standard_normal((6, m)))[0])
    drawn = [np.linalg.qr(rng.standard_normal((6, k)))[0] for _ in range(5)]
    null = exchanged_null(drawn, k, fixed)
    expected = sorted(Subspace(basis).overlap(fixed) for basis in drawn)
    assert null.draws == pytest.approx(expected, abs=1e-12)


def test_the_upper_end_of_a_null_is_that_of_a_beta_distribution():
    null = overlap_null(k=1, m=4, d=40, n=4000)
    assert null.upper(0.01) == pytest.approx(stats.beta.isf(0.01, 2, 18), rel=0.05)
    assert null.upper(0.01) != null.draws.max()
    still = OverlapNull(np.full(10, 0.25), "euclidean")
    assert still.upper(0.01) == 0.25


@pytest.mark.parametrize(("k", "m", "n"), [(0, 1, 5), (1, 0, 5), (4, 1, 5), (1, 4, 5), (1, 1, 0)])
def test_dimensions_of_nulls_at_their_ends(k, m, n):
    with pytest.raises(ProbeError):
        overlap_null(k, m, 3, n=n)
    assert overlap_null(3, 3, 3, n=1).mean == pytest.approx(1.0, abs=1e-12)


def test_a_stream_that_does_not_move_overlaps_nothing():
    still = Anisotropy.of(np.zeros((4, 4)), 4)
    assert still.null(2, 2, n=5).draws.tolist() == [0.0] * 5


@pytest.mark.parametrize("scale", [1e-75, 1e75])
def test_activations_of_any_size_have_the_same_pattern(scale):
    """Squares of their squares would leave the range of numbers."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    X = rng.standard_normal((300, 5)) + 2.0 * np.eye(5)[y]
    assert pattern_subspace(X * scale, y).overlap(pattern_subspace(X, y)) > 1 - 1e-9


def test_controls_beside_a_state_are_judged_where_the_ceiling_is_known(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    asked = {"heights": [1], "bootstrap": 0, "permutations": 0}
    sure = {"height 1": np.ones(corpus.n_tokens)}
    known = probe(acts, corpus, controls=("control_task",), ceilings=sure, **asked)
    assert known.score("late", "height 1").p_control < 0.01
    assert known.score("blocks.0.hook_resid_pre", "height 1").p_control > 0.05
    for other in (
        probe(acts, corpus, controls=("control_task",), **asked),
        probe(acts, corpus, controls=(), ceilings=sure, **asked),
    ):
        assert np.isnan(other.score("late", "height 1").p_control)
    assert "<th>random_weights</th>" not in known._repr_html_()
    beside = probe(acts, corpus, controls=("random_weights",), random_weights=acts, **asked)
    assert "<th>random_weights</th>" in beside._repr_html_()
