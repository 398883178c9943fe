"""Non-linear, multi-position and rank-limited probes: each finds its own, and only its own."""

import numpy as np
import pytest

from linrep.probes import ProbeError, split_by_group
from linrep.probes.estimators.linear_probe import LinearProbe
from linrep.probes.estimators.nonlinear import MLPProbe, NeighbourProbe
from linrep.probes.estimators.positions_probe import PositionsProbe
from linrep.probes.estimators.rank_limited import RankLimitedProbe, rank_curve


def exclusive_or(n=1200, seed=0):
    """A state that is there, but not linearly."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n, 2))
    X = np.hstack([bits * 2.0 - 1, np.zeros((n, 2))]) + 0.2 * rng.standard_normal((n, 4))
    return X, bits[:, 0] ^ bits[:, 1]


@pytest.mark.parametrize("probe", [MLPProbe(32, seed=0), NeighbourProbe()], ids=["mlp", "knn"])
def test_a_state_that_is_not_linear_is_seen_by_the_ceiling_alone(probe):
    X, y = exclusive_or()
    assert LinearProbe().fit(X[:900], y[:900]).score(X[900:], y[900:]) < 0.62
    assert probe.fit(X[:900], y[:900]).score(X[900:], y[900:]) > 0.95


def test_the_ceiling_of_noise_is_chance():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((1200, 6)), rng.integers(0, 2, 1200)
    for probe in (MLPProbe(32), NeighbourProbe()):
        # 300 fair coins: standard error 0.029
        assert probe.fit(X[:900], y[:900]).score(X[900:], y[900:]) < 0.5 + 4 * 0.029


def test_training_is_seeded_and_leaves_the_global_generator_alone():
    import torch

    X, y = exclusive_or(300)
    before = torch.get_rng_state()
    first, second = (MLPProbe(8, epochs=3, seed=1).fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_the_hidden_layer_never_trains_on_groups_it_stops_by(monkeypatch):
    X, y = exclusive_or(200)
    groups = np.repeat(np.arange(20), 10)
    usual, seen = MLPProbe._train, []

    def spied(self, features, codes, train, held):
        seen.append((set(groups[train]), set(groups[held])))
        return usual(self, features, codes, train, held)

    monkeypatch.setattr(MLPProbe, "_train", spied)
    MLPProbe(8, epochs=2).fit(X, y, groups)
    ((trained, stopped),) = seen
    assert trained
    assert stopped
    assert not trained & stopped
    assert trained | stopped == set(range(20))
    with pytest.raises(ProbeError, match="cannot make"):
        MLPProbe(8, epochs=2).fit(X, y, np.zeros(200))


def shifted(n_sentences=250, length=5, seed=0):
    """The class of a token is written at the first token of its sentence only."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(n_sentences), length)
    topic = rng.integers(0, 3, n_sentences)
    X = 0.3 * rng.standard_normal((len(ids), 6))
    X[::length, :3] += np.eye(3)[topic]
    return X, topic[ids].astype(str), ids


def test_states_spread_over_positions_are_found_by_looking_there():
    X, y, ids = shifted()
    train = ids < 180
    alone = LinearProbe().fit(X[train], y[train]).score(X[~train], y[~train])
    probe = PositionsProbe(heads=2, epochs=40).fit(X[train], y[train], ids[train])
    together = (probe.predict(X[~train], ids[~train]) == y[~train]).mean()
    assert alone < 0.6
    assert together > 0.9
    looks = probe.position_weights()
    assert looks.shape == (2, 5, 5)
    assert np.allclose(looks.sum(axis=-1), 1.0, atol=1e-5)
    assert looks[:, :, 0].max() > 0.5


def test_positions_alone_say_nothing():
    X, y, ids = shifted()
    train = ids < 180
    noise = np.random.default_rng(1).standard_normal(X.shape)
    probe = PositionsProbe(heads=2, epochs=20).fit(noise[train], y[train], ids[train])
    assert (probe.predict(noise[~train], ids[~train]) == y[~train]).mean() < 0.5


def test_a_causal_probe_never_looks_ahead():
    X, y, ids = shifted(60)
    looks = PositionsProbe(heads=1, epochs=2, causal=True).fit(X, y, ids).position_weights()
    assert np.triu(looks[0], 1).max() == 0.0


def test_undefined_labels_are_seen_but_not_learned():
    X, y, ids = shifted(80)
    y = np.where(np.arange(len(y)) % 2, "", y)
    probe = PositionsProbe(heads=1, epochs=3).fit(X, y, ids)
    assert set(probe.predict(X, ids)) <= {"0", "1", "2"}


@pytest.mark.parametrize("seed", range(3))
def test_few_sentences_with_labels_are_learned_from(seed):
    X, y, ids = shifted()
    known = ids % 9 == 0  # eight in nine sentences hold no label
    probe = PositionsProbe(heads=2, epochs=150, batch=4, patience=30, seed=seed)
    probe.fit(X, np.where(known, y, ""), ids)
    assert all(np.isfinite(weight).all() for weight in probe.weights_)
    assert (probe.predict(X[known], ids[known]) == y[known]).mean() > 0.8


def test_one_sentence_with_labels_is_refused():
    X, y, ids = shifted(40)
    with pytest.raises(ProbeError, match="1 sentence.s. hold a label"):
        PositionsProbe(epochs=1).fit(
            X, np.where(ids == 3, (np.arange(200) % 2).astype(str), ""), ids
        )


def test_positions_are_standardised_on_training_sentences_alone():
    X, y, ids = shifted(40)
    probe = PositionsProbe(heads=1, epochs=1).fit(X, y, ids)
    held = split_by_group(np.arange(40), fractions=(0.9, 0.1, 0.0)).validation
    assert held.any()
    far = X + 100.0 * held[ids][:, None]
    again = PositionsProbe(heads=1, epochs=1).fit(far, y, ids)
    assert np.array_equal(probe.rotation_.mean, again.rotation_.mean)
    assert np.array_equal(probe.spread_, again.spread_)


def test_longer_sentences_than_seen_are_refused():
    X, y, ids = shifted(40)
    probe = PositionsProbe(heads=1, epochs=1).fit(X, y, ids)
    with pytest.raises(ProbeError, match="longer than any seen"):
        probe.predict(X[:10], np.zeros(10, dtype=int))
    with pytest.raises(ProbeError, match="lengths differ"):
        probe.fit(X, y[:-1], ids)
    with pytest.raises(ProbeError, match="one class only"):
        probe.fit(X, np.zeros(len(y)), ids)


def on_a_line(n=1500, seed=0):
    """Six classes whose means vary in two dimensions of ten."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 6, n)
    angle = y * np.pi / 3
    X = rng.standard_normal((n, 10)) * 0.4
    X[:, :2] += 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X, y, np.repeat(np.arange(n // 10), 10)


def test_rank_curve_stops_at_the_dimensions_of_the_state():
    X, y, groups = on_a_line()
    curve = rank_curve(X, y, groups, ranks=[1, 2, 3, 5])
    assert curve.chosen == 2
    assert curve.accuracy[0] < 0.8 < curve.accuracy[1]
    assert curve.to_frame().shape == (4, 3)


def test_rank_curves_are_those_of_probes_fitted_one_by_one():
    X, y, groups = on_a_line(600)
    curve = rank_curve(X, y, groups, ranks=[1, 2, 5], C=0.3, seed=1)
    split = split_by_group(groups, y, fractions=(0.75, 0.0, 0.25), seed=1)
    alone = [
        RankLimitedProbe(rank, C=0.3)
        .fit(X[split.train], y[split.train])
        .score(X[split.test], y[split.test])
        for rank in (1, 2, 5)
    ]
    assert curve.accuracy == pytest.approx(tuple(alone))


def test_weights_have_the_rank_asked_for():
    X, y, _ = on_a_line()
    probe = RankLimitedProbe(2).fit(X, y)
    assert np.linalg.matrix_rank(probe.coef_, tol=1e-6) == 2
    free = LinearProbe().fit(X, y).score(X, y)
    assert RankLimitedProbe().fit(X, y).score(X, y) == pytest.approx(free, abs=0.01)


def test_ranks_below_one_are_refused():
    X, y, groups = on_a_line(200)
    with pytest.raises(ProbeError, match="positive"):
        RankLimitedProbe(0).fit(X, y)
    with pytest.raises(ProbeError, match="positive"):
        rank_curve(X, y, groups, ranks=[0])


def test_what_a_rank_curve_or_a_positions_probe_cannot_use_is_named():
    X, y, groups = on_a_line(200)
    with pytest.raises(ProbeError, match="one label and one group per token"):
        rank_curve(X, y[:5], groups)
    with pytest.raises(ProbeError, match=r"received \(200,\)"):
        rank_curve(X[:, 0], y, groups)
    probe = PositionsProbe(heads=1, epochs=1).fit(X, y, groups)
    with pytest.raises(ProbeError, match=r"\[token, 10\]"):
        probe.predict(X[:, :3], groups)
    with pytest.raises(ProbeError, match="NaN"):
        probe.predict(X * np.nan, groups)
    with pytest.raises(ProbeError, match="heads is a positive whole number"):
        PositionsProbe(0.5).fit(X, y, groups)
    with pytest.raises(ProbeError, match="one id per row"):
        MLPProbe(8, epochs=1).fit(X, y, groups[:4])


def test_rank_curves_leave_undefined_labels_out():
    X, y, groups = on_a_line()
    known = np.arange(len(y)) % 3 > 0
    labels = np.where(known, y.astype(str), "")
    far = np.where(known[:, None], X, 100.0)
    curve = rank_curve(far, labels, groups, ranks=[1, 2])
    assert curve.accuracy == rank_curve(X[known], y[known], groups[known], ranks=[1, 2]).accuracy
