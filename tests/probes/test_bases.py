"""Maps between two streams beside slow, obvious twins; laws; what is planted and what is noise."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import linalg

import linrep
from linrep.core import Subspace
from linrep.grammars import families
from linrep.probes import ProbeError
from linrep.probes.bases.cross import CrossStatistics, Splits, cross_statistics
from linrep.probes.bases.measured import upper_end
from linrep.probes.bases.measures import canonical, linear_cka, procrustes
from linrep.probes.bases.ridge import Solver, Solvers, fit_folds
from linrep.probes.bases.rows import deal_rows, exchanged_rows

SEEDS = st.integers(0, 2**31)


def two_streams(seed, n=120, dx=5, dy=4, noise=0.5):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dx)) * rng.uniform(0.5, 2, dx)
    y = x @ rng.standard_normal((dx, dy)) + noise * rng.standard_normal((n, dy)) + 3.0
    return x, y


def whole(x, y):
    return cross_statistics(x, y)[0]


def cca_of(x, y):
    found = whole(x, y)
    return canonical(found, Solver.of(found.scatter_xx), Solver.of(found.scatter_yy)).correlations


def folds_of(x, y, k=5):
    return Splits.of(cross_statistics(x, y, np.arange(len(x)) % k))


def held_out(x, y, penalties=(0.0,)):
    fit = fit_folds(folds_of(x, y), Solvers(), penalties)
    return 1 - fit.errors.sum() / fit.spreads.sum()


# ------------------------------------------------------------------ slow twins


def test_statistics_of_parts_add_up_to_those_of_the_rows():
    x, y = two_streams(0)
    x[:, 0] += 1e6  # a mean that a raw product would drown in
    parts = cross_statistics(x, y, np.arange(len(x)) % 7)
    found = sum(parts[1:], start=parts[0])
    both = np.hstack([x, y])
    slow = (both - both.mean(axis=0)).T @ (both - both.mean(axis=0))
    assert found.n == len(x)
    np.testing.assert_allclose(found.scatter_xx, slow[:5, :5], rtol=1e-9)
    np.testing.assert_allclose(found.scatter_xy, slow[:5, 5:], rtol=1e-9)
    np.testing.assert_allclose(found.scatter_yy, slow[5:, 5:], rtol=1e-9)
    about = parts[0].about(np.ones(5), np.zeros(4))
    np.testing.assert_allclose(about.scatter_xy, (x[::7] - 1).T @ y[::7], rtol=1e-6)


def test_what_is_learned_from_is_all_but_one_fold_or_two_neighbours():
    x, y = two_streams(1, n=50)
    fold = np.arange(50) % 5
    splits = Splits.of(cross_statistics(x, y, fold))
    for k in range(5):
        for found, left in ((splits.rests[k], [k]), (splits.pairs[k], [k, (k + 1) % 5])):
            rows = ~np.isin(fold, left)
            np.testing.assert_allclose(found.scatter_xy, whole(x[rows], y[rows]).scatter_xy)


def test_held_out_r2_is_that_of_fits_on_the_rows():
    from sklearn.linear_model import Ridge

    x, y = two_streams(2, noise=2.0)
    fold, penalty = np.arange(len(x)) % 5, 0.1
    errors = spreads = 0.0
    for k in range(5):
        seen, here = fold != k, fold == k
        centred = x[seen] - x[seen].mean(axis=0)
        alpha = penalty * linalg.eigvalsh(centred.T @ centred).mean()
        said = Ridge(alpha=alpha).fit(x[seen], y[seen]).predict(x[here])
        errors += np.square(y[here] - said).sum()
        spreads += np.square(y[here] - y[seen].mean(axis=0)).sum()
    assert held_out(x, y, (penalty,)) == pytest.approx(1 - errors / spreads, rel=1e-10)


def test_the_penalty_is_chosen_without_the_fold_that_is_scored():
    """Rows of one fold are made to ask for another penalty: that fold's own map stays."""
    x, y = two_streams(3, n=60, noise=3.0)
    fold = np.arange(60) % 5
    spoiled = y.copy()
    spoiled[fold == 2] *= -50.0
    maps = [
        fit_folds(Splits.of(cross_statistics(x, each, fold)), Solvers()) for each in (y, spoiled)
    ]
    np.testing.assert_allclose(maps[0].without[2], maps[1].without[2])
    assert not np.allclose(maps[0].without[1], maps[1].without[1])


def test_cka_is_that_of_the_kernels_of_all_pairs_of_rows():
    x, y = two_streams(4, n=40)
    centre = np.eye(40) - 1 / 40
    one, other = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    slow = (one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other))
    assert linear_cka(whole(x, y)) == pytest.approx(slow, rel=1e-12)


def test_canonical_correlations_are_cosines_of_the_row_spaces():
    x, y = two_streams(5)
    x = np.hstack([x, x[:, :2] - x[:, 2:4]])  # of less than full rank
    slow = np.cos(linalg.subspace_angles(*(linalg.orth(z - z.mean(axis=0)) for z in (x, y))))
    np.testing.assert_allclose(np.sort(cca_of(x, y)), np.sort(slow), atol=1e-7)


def test_procrustes_is_that_of_padded_rows():
    x, y = two_streams(6)
    padded = np.hstack([y, np.zeros((len(y), 1))])
    one, other = (z - z.mean(axis=0) for z in (x, padded))
    turn, size = linalg.orthogonal_procrustes(one, other)
    said = size / np.square(one).sum() * one @ turn
    slow = 1 - np.square(other - said).sum() / np.square(other).sum()
    assert procrustes(folds_of(x, y))[0] == pytest.approx(slow, rel=1e-10)


# ------------------------------------------------------------------ laws


def invertible(rng, d):
    return rng.standard_normal((d, d)) + 3 * np.eye(d)


@settings(max_examples=20)
@given(SEEDS)
def test_invertible_maps_change_neither_cca_nor_the_r2_of_least_squares(seed):
    rng = np.random.default_rng(seed)
    x, y = two_streams(seed % 1000)
    turned = x @ invertible(rng, 5) + rng.standard_normal(5)
    np.testing.assert_allclose(cca_of(x, y), cca_of(turned, y @ invertible(rng, 4)), atol=1e-6)
    assert held_out(turned, y) == pytest.approx(held_out(x, y), abs=1e-8)


@settings(max_examples=20)
@given(SEEDS, st.floats(0.01, 100))
def test_rotations_and_scales_change_neither_cka_nor_procrustes_nor_r2(seed, scale):
    rng = np.random.default_rng(seed)
    x, y = two_streams(seed % 1000)
    turned = scale * x @ np.linalg.qr(rng.standard_normal((5, 5)))[0] + 1.0
    other = y @ np.linalg.qr(rng.standard_normal((4, 4)))[0] / scale
    assert linear_cka(whole(turned, other)) == pytest.approx(linear_cka(whole(x, y)))
    before, after = folds_of(x, y), folds_of(turned, other)
    assert procrustes(after)[0] == pytest.approx(procrustes(before)[0])
    assert procrustes(after.turned)[0] == pytest.approx(procrustes(before)[0])
    penalties = (0.0, 1e-2, 1.0)
    assert held_out(turned, other, penalties) == pytest.approx(held_out(x, y, penalties))


@settings(max_examples=20)
@given(SEEDS)
def test_both_ways_agree_where_they_must(seed):
    x, y = two_streams(seed % 1000)
    np.testing.assert_allclose(cca_of(x, y), cca_of(y, x), atol=1e-9)
    assert linear_cka(whole(x, y)) == pytest.approx(linear_cka(whole(y, x)))
    assert isinstance(whole(x, y).turned, CrossStatistics)


# ------------------------------------------------------------------ whole maps


@pytest.fixture(scope="module")
def corpus():
    return families.latin(order=3, depth=2).sample(150, seed=0)


def acts(corpus, stream, site="blocks.0.hook_resid_post"):
    return linrep.Activations.from_arrays({site: np.asarray(stream)}, corpus)


def test_a_planted_map_is_found_and_independent_streams_stay_at_the_null(corpus):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((corpus.n_tokens, 6))
    planted = x @ rng.standard_normal((6, 8)) + 1.0
    noise = [rng.standard_normal((corpus.n_tokens, 8)) for _ in range(4)]
    reference, twins = acts(corpus, x), [acts(corpus, each) for each in noise[1:]]
    one = linrep.linear_maps(acts(corpus, planted), reference, random_weights=twins, shuffles=5)
    (row,) = one.rows
    assert row.r2.value == pytest.approx(1.0, abs=1e-9)
    assert row.r2_back.value == pytest.approx(1.0, abs=1e-9)
    assert row.cca_held_out.value == pytest.approx(1.0, abs=1e-9)
    assert (row.rank, row.rank_reference) == (6, 6)
    assert row.r2.above_twins
    assert row.r2.above_shuffled
    assert max(row.r2.twins + row.r2.shuffled) < 0.05
    none = linrep.linear_maps(acts(corpus, noise[0]), reference, random_weights=twins, shuffles=5)
    for measured in (none.rows[0].r2, none.rows[0].r2_back, none.rows[0].cca_held_out):
        assert abs(measured.value) < 0.05
        assert not measured.above_twins
        assert not measured.above_shuffled
    assert none.rows[0].r2.low <= none.rows[0].r2.value <= none.rows[0].r2.high


def test_a_subspace_is_carried_and_noise_is_not(corpus):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((corpus.n_tokens, 6))
    turn = rng.standard_normal((6, 8))
    lost = np.diag([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])  # what the model does not hold
    stream = x @ lost @ turn + 0.1 * rng.standard_normal((corpus.n_tokens, 8))
    found = linrep.linear_maps(acts(corpus, stream), acts(corpus, x), shuffles=3)
    (site,) = found.sites
    plane = found.carry(Subspace(np.eye(6)[:, :2]), site)
    assert plane.subspace.overlap(Subspace(turn[:2].T)) > 0.99
    assert (plane.subspace.dim, plane.lost) == (2, 0)
    half = found.carry(Subspace(np.eye(6)[:, 1:3]), site)
    assert half.subspace.overlap(Subspace(turn[1:2].T)) > 0.99
    assert (half.subspace.dim, half.lost) == (1, 1)
    none = found.carry(Subspace(np.eye(6)[:, 2:3]), site)
    assert none.subspace.dim == 0


def test_collinear_coordinates_of_the_reference_do_not_disturb(corpus):
    """Constructed streams are of less than full rank: copies of a state share its effect."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((corpus.n_tokens, 4))
    x = np.hstack([x, x[:, :1], np.zeros((corpus.n_tokens, 2))]).astype(np.float32)
    turn = rng.standard_normal((4, 5))
    found = linrep.linear_maps(acts(corpus, x[:, :4] @ turn), acts(corpus, x), shuffles=3)
    assert found.rows[0].rank_reference == 4
    assert found.rows[0].r2.value == pytest.approx(1.0, abs=1e-6)
    line = found.carry(Subspace(np.eye(7)[:, :1]), found.sites[0])
    assert line.subspace.overlap(Subspace(turn[:1].T)) == pytest.approx(1.0, abs=1e-6)


def test_texts_exchange_their_rows_whole_and_copies_alike(corpus):
    rng = np.random.default_rng(0)
    dealt = deal_rows(corpus, np.ones(corpus.n_tokens, bool), None, None, 5, rng)
    source = exchanged_rows(dealt, corpus, rng)
    rows = np.flatnonzero(dealt.used)
    assert (corpus.positions[source] == corpus.positions).all()
    assert dealt.used[source[rows]].all()
    texts = dealt.texts
    pairs = {(texts[row], texts[source[row]]) for row in rows}
    assert len(pairs) == len(np.unique(texts[rows]))  # each text gets the rows of one text
    assert all(own != other for own, other in pairs)
    folds = {int(t): {f for f, part in enumerate(dealt.parts) if (texts[part] == t).any()}
             for t in np.unique(texts[rows])}  # fmt: skip
    assert all(len(each) == 1 for each in folds.values())  # equal texts are never on both sides
    assert not set(texts[rows]) & set(texts[~dealt.used])


def test_tables_and_pictures(corpus):
    rng = np.random.default_rng(3)
    x, y = (rng.standard_normal((corpus.n_tokens, 3)) for _ in range(2))
    reference = linrep.Activations.from_arrays({"a": x, "b": y}, corpus)
    found = linrep.linear_maps(acts(corpus, x + y), reference, reference_sites="all", shuffles=3)
    assert found.reference_sites == ("a", "b")
    frame = found.to_frame()
    assert len(frame) == 2
    assert {"r2", "r2_low", "r2_shuffled", "cka", "procrustes_held_out"} <= set(frame)
    assert "r2_back" in found._repr_html_()
    assert len(found.plot().data) == 12
    assert found.at(found.sites[0], "a").reference_site == "a"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference_sites": "first"}, "'last', 'all' or a list"),
        ({"reference_sites": ["nowhere"]}, "no site nowhere"),
        ({"sites": ["nowhere"]}, "no site nowhere"),
        ({"folds": 2}, "at least 3 folds"),
        ({"rows": [True, False]}, "bool"),
        ({"rows": np.zeros(600, bool)}, "equal sentences are one group.*at least 6 are needed"),
    ],
)
def test_what_cannot_be_mapped_is_said(corpus, change, words):
    stream = acts(corpus, np.random.default_rng(0).standard_normal((corpus.n_tokens, 3)))
    with pytest.raises(ProbeError, match=words):
        linrep.linear_maps(stream, stream, corpus, **change)


def test_maps_are_shown_in_one_line(corpus):
    stream = acts(corpus, np.random.default_rng(0).standard_normal((corpus.n_tokens, 3)))
    found = linrep.linear_maps(stream, stream, shuffles=0)
    assert "\n" not in repr(found)
    assert repr(found).startswith(f"BaseMaps(to {[*stream.sites]} from {[*stream.sites]}, learned")


def test_carrying_names_what_does_not_fit(corpus):
    stream = acts(corpus, np.random.default_rng(0).standard_normal((corpus.n_tokens, 3)))
    found = linrep.linear_maps(stream, stream, shuffles=0)
    with pytest.raises(ProbeError, match="has 3 dimensions"):
        found.carry(Subspace(np.eye(4)[:, :1]), stream.sites[0])
    with pytest.raises(ProbeError, match="no map leads"):
        found.carry(Subspace(np.eye(3)[:, :1]), "nowhere")


def test_few_values_tell_no_upper_end():
    assert upper_end([0.2, 0.3]) == np.inf
    assert upper_end([0.2, 0.2, 0.2]) == pytest.approx(0.2)
