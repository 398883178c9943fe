"""Numbers and vectors stand in the grid beside classes, with the same controls.

What a score means is held against slow twins; what a page may not say is in test_false_numbers.py.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from linrep import Target
from linrep.probes import ProbeError, probe
from linrep.probes.evidence.number_guesses import control_numbers, mean_guess
from linrep.probes.evidence.number_null import NumberNull
from linrep.probes.evidence.number_scores import Scale, credits_of, r2_interval, unexplained
from linrep.probes.evidence.permutation import Frame, LabelNull
from linrep.probes.evidence.rivals import beats_untrained
from linrep.probes.inputs.labels import one_hot

SITES = ("blocks.0.hook_resid_pre", "late")


def text(sentences=90, length=5, words=9, seed=0):
    rng = np.random.default_rng(seed)
    n = sentences * length
    return SimpleNamespace(
        words=np.array([f"w{i}" for i in rng.integers(0, words, n)]),
        sentence_ids=np.repeat(np.arange(sentences), length),
        positions=np.tile(np.arange(length), sentences),
        heights=(),
        labels=lambda height: None,
        boundary=lambda height: None,
        n_tokens=n,
    )


def stream(corpus, Y, d=12, noise=0.0, seed=1, kind=np.float64):
    """Numbers written along directions of their own, beside what has nothing to do with them."""
    rng = np.random.default_rng(seed)
    written = Y @ rng.standard_normal((Y.shape[1], d))
    base = rng.standard_normal((corpus.n_tokens, 3)) @ rng.standard_normal((3, d))
    early = base + 0.01 * rng.standard_normal(base.shape)
    late = base + written + noise * rng.standard_normal(base.shape)
    return dict(zip(SITES, (early.astype(kind), late.astype(kind)), strict=True))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3])
def test_what_is_there_without_noise_is_read_exactly(kind, width):
    corpus = text()
    Y = np.random.default_rng(3).standard_normal((corpus.n_tokens, width)) * 1e3 + 1e4
    found = probe(stream(corpus, Y, kind=kind), corpus, targets={"y": Y}, bootstrap=20)
    score = found.score("late", "y")
    assert 1 - 1e-9 <= score.r2 <= 1
    assert score.p_family <= 0.01
    assert (score.spearman > 0.999) if width == 1 else np.isnan(score.spearman)
    assert abs(found.score(SITES[0], "y").r2) < 0.3


def test_scores_are_those_of_their_definitions():
    corpus = text()
    rng = np.random.default_rng(5)
    Y = rng.standard_normal((corpus.n_tokens, 2)) * [1.0, 50.0]
    found = probe(stream(corpus, Y, noise=1.5), corpus, targets={"y": Y, "z": Y[:, 1]})
    for name in ("y", "z"):
        held, score = found.held_out["late", name], found.score("late", name)
        test = np.isin(np.arange(corpus.n_tokens), held.rows)
        table = Y if name == "y" else Y[:, 1:]
        assert np.array_equal(table[held.rows], held.true.astype(float)) or np.allclose(
            table[held.rows], held.true
        )
        groups = found.settings["groups"]
        assert groups["test"] == score.n_groups == len(np.unique(held.groups))
        assert held.right.mean() == pytest.approx(score.r2)
        assert score.n_test == test.sum()
        assert score.interval[0] < score.r2 < score.interval[1]
        assert np.isnan(score.accuracy)
        assert score.value == score.r2
    errors = np.square(held.predicted - held.true).sum()
    # "z" is one column: R2 with the mean of the training rows, which are the other 70 percent.
    best = 1 - errors / np.square(held.true - held.true.mean()).sum()
    assert best <= score.r2 < best + 0.05
    assert score.spearman == pytest.approx(
        stats.spearmanr(held.predicted[:, 0], held.true[:, 0]).statistic
    )


def test_columns_that_do_not_vary_are_left_out_and_undefined_rows_are_no_rows():
    corpus = text()
    Y = np.random.default_rng(6).standard_normal((corpus.n_tokens, 3))
    Y[:, 1] = 7.0
    target = Target.read("place", Y, columns=("a", "b", "c"))
    acts = stream(corpus, Y[:, [0, 2]])
    found = probe(acts, corpus, targets=[target], bootstrap=0)
    assert "place: 1 of 3 columns do not vary in training and are left out (b)" in found.notes
    assert found.held_out["late", "place"].columns == ("a", "c")
    assert found.score("late", "place").r2 > 0.999
    Y[::2, 0] = np.nan
    half = probe(acts, corpus, targets={"place": Y}, bootstrap=0)
    assert (half.held_out["late", "place"].rows % 2 == 1).all()


def test_a_number_that_does_not_vary_is_not_tested():
    corpus = text()
    found = probe(
        stream(corpus, np.ones((corpus.n_tokens, 1))), corpus, targets={"y": np.ones(450)}
    )
    assert np.isnan(found.score("late", "y").r2)
    assert np.isnan(found.score("late", "y").p)
    assert "y: one value, nothing to learn; p is not tested" in found.notes


def test_numbers_too_few_to_split_are_refused():
    corpus = text()
    values = np.full(corpus.n_tokens, np.nan)
    values[0] = 1.0
    with pytest.raises(ProbeError, match="more sentences in which it is defined"):
        probe(stream(corpus, np.ones((450, 1))), corpus, targets={"y": values})


def test_classes_stand_beside_numbers_as_they_stand_alone():
    corpus = text()
    rng = np.random.default_rng(7)
    Y = rng.standard_normal((corpus.n_tokens, 1))
    label = np.where(Y[:, 0] + rng.standard_normal(len(Y)) > 0, "high", "low")
    acts = stream(corpus, Y, noise=1.0)
    alone = probe(acts, corpus, targets={"label": label}, C=1.0)
    beside = probe(acts, corpus, targets={"label": label, "y": Y[:, 0]}, C=1.0)
    one, two = alone.score("late", "label"), beside.score("late", "label")
    assert one.n_classes == 2
    if (alone.held_out["late", "label"].rows == beside.held_out["late", "label"].rows).all():
        assert one.accuracy == two.accuracy
    frame = beside.to_frame().set_index(["site", "target"])
    assert np.isnan(frame.loc[("late", "y"), "accuracy"])
    assert np.isnan(frame.loc[("late", "label"), "r2"])


def test_the_pattern_is_where_activations_move_with_the_values():
    corpus = text()
    rng = np.random.default_rng(8)
    Y = rng.standard_normal((corpus.n_tokens, 2))
    directions = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    acts = {"late": Y @ directions[:2] * 3 + rng.standard_normal((450, 4)) @ directions[2:6]}
    found = probe(acts, corpus, targets={"both": Y, "first": Y[:, 0]}, bootstrap=0)
    both = found.patterns["late", "both"]
    assert both.dim == 2
    assert both.overlap(type(both)(directions[:2].T)) > 0.97
    first = found.patterns["late", "first"]
    assert first.dim == 1
    assert first.overlap(type(both)(directions[:1].T)) > 0.95
    assert found.readouts["late", "both"].kind == "readout"


def test_exchanges_of_numbers_are_those_of_labels():
    """Indicators of classes are numbers: the statistic is the number of right answers."""
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(40), 3)
    positions = np.tile([0, 1, 2], 40)
    drop = rng.random(120) < 0.1  # some sentences are ragged
    groups, positions = groups[~drop], positions[~drop]
    codes = rng.integers(0, 3, len(groups))
    said = np.where(rng.random(len(codes)) < 0.5, codes, rng.integers(0, 3, len(codes)))
    labels = LabelNull.draw(codes, groups, positions, 50, np.random.default_rng(1))
    numbers = NumberNull.draw(
        one_hot(codes, 3), Frame.of(groups, positions), 50, np.random.default_rng(1)
    )
    seen, drawn = labels.statistic(said)
    seen_too, drawn_too = numbers.statistic(one_hot(said, 3))
    # Up to what no exchange moves.
    assert np.allclose(drawn - seen, drawn_too - seen_too, atol=1e-12)


def test_credits_add_up_to_r2_and_scales_are_of_the_training_rows():
    rng = np.random.default_rng(10)
    train, test = rng.standard_normal((50, 2)) * [1, 1e200], rng.standard_normal((30, 2))
    scale = Scale.of(train)
    assert np.allclose(scale(train).std(axis=0), 1)
    assert np.allclose(scale.back(scale(train)), train)
    true, said = test, test + 0.5 * rng.standard_normal(test.shape)
    r2 = 1 - np.square(said - true).sum() / np.square(true).sum()
    assert credits_of(said, true).mean() == pytest.approx(r2)
    assert np.isnan(credits_of(np.ones((3, 1)), np.zeros((3, 1)))).all()


def test_guesses_are_means_drawn_in_where_they_say_little():
    rng = np.random.default_rng(11)
    keys = np.repeat(np.arange(5), 40)
    values = keys[:, None] * 10.0 + rng.standard_normal((200, 1))
    assert np.allclose(mean_guess(keys, values, np.arange(5))[:, 0], np.arange(5) * 10, atol=0.6)
    noise = rng.standard_normal((200, 1))
    once = mean_guess(np.arange(200), noise, np.arange(200))
    assert np.allclose(once, noise.mean())  # keys seen once: leave-one-out prefers the mean of all


def test_control_numbers_are_one_draw_per_word():
    values = np.array([[1.0], [2.0], [5.0]])
    drawn = control_numbers(np.array([0, 1, 1, 2, 0]), values, np.random.default_rng(0))
    assert drawn[0] == drawn[4]
    assert drawn[1] == drawn[2]
    assert set(drawn[:, 0]) <= {1.0, 2.0, 5.0}


@pytest.mark.parametrize("groups", [12, 150])
def test_intervals_of_r2_cover(groups):
    rng = np.random.default_rng(groups)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=300).astype(np.float32)
    missed = 0
    for _ in range(200):
        shared = rng.standard_normal((2, groups, 1)) * 0.6
        y, e = shared + rng.standard_normal((2, groups, 5)) * 0.8
        low, high = r2_interval(0.4 * np.square(e).sum(axis=1), np.square(y).sum(axis=1), weights)
        missed += not low <= 0.6 <= high
    assert 2 <= missed <= 20  # of 200: 10 are expected
    assert r2_interval(np.zeros(groups), np.ones(groups), weights) == (1.0, 1.0)


def test_untrained_models_of_numbers_are_no_yardstick_for_classes():
    """A spread is pooled within its kind: logarithms and log-odds are no common scale."""
    rng = np.random.default_rng(12)
    accuracy = 0.5 + 0.02 * rng.standard_normal((5, 4))
    r2 = 0.9 + 0.05 * rng.standard_normal((5, 4))
    tokens = np.full(8, 400.0)
    both = np.hstack([accuracy, np.minimum(r2, 0.99)])
    numbers = np.arange(8) >= 4
    seen = np.full(8, 0.6)
    seen[4:] = 0.999
    together = beats_untrained(seen, both, tokens, seed=0, numbers=numbers)
    alone = beats_untrained(seen[:4], accuracy, tokens[:4], seed=0)
    assert (together[:4] <= 2 * alone).all()  # twice as many cells
    wide = np.hstack([accuracy, 0.9 + 0.09 * np.sign(r2 - 0.9)])  # numbers that differ by much
    apart = beats_untrained(seen, wide, tokens, seed=0, numbers=numbers)
    assert (apart[:4] <= 2 * alone).all()
    assert np.isfinite(unexplained(np.array([1.0, -3.0]), np.array([100.0, 100.0]))).all()


@pytest.mark.parametrize("size", [1e-30, 1e25])
def test_activations_of_any_size_have_their_covariance(size):
    X = np.random.default_rng(13).standard_normal((60, 3)) * size
    found = probe(X, X[:, 0] / size, permutations=9, bootstrap=9)
    assert found.scores[0].r2 > 1 - 1e-9
    seen = np.diag(found.covariances["activations"]) / size**2
    assert (seen > 0.4).all()
    assert (seen < 2.5).all()
