"""Rung 3 through a linear map: found in another basis, refused for noise, said on every page."""

import numpy as np
import pytest

import linrep
from linrep.core import Prediction, Subspace
from linrep.grammars import families
from linrep.reports import ComparisonError, read_run, write_run
from linrep.reports.through_table import through_table

SITE, FROM = "blocks.0.hook_resid_post", "blocks.2.hook_resid_post"
WIDE, NARROW = 10, 8


@pytest.fixture(scope="module")
def corpus():
    return families.latin(order=3, depth=3).sample(240, seed=0)


def reference_of(corpus, seed=0):
    """A stream with the state of height 1 in its first coordinates, beside noise."""
    rng = np.random.default_rng(seed)
    stream = rng.standard_normal((corpus.n_tokens, NARROW))
    codes = np.unique(corpus.labels(1), return_inverse=True)[1]
    stream[:, :3] = np.eye(3)[codes] * corpus.boundary(1)[:, None]
    return stream


def acts(corpus, stream, site=SITE):
    return linrep.Activations.from_arrays({site: stream}, corpus)


def claim(written=True, rank=2, site=FROM):
    basis = np.linalg.qr(np.array([[1.0, 1], [-1, 1], [0, -2]]))[0]
    space = Subspace(np.vstack([basis, np.zeros((NARROW - 3, 2))]))
    return Prediction(site, "height 1", space, written, "boundary", rank, 1.0, "P1+P2", "here")


@pytest.fixture(scope="module")
def models(corpus):
    """A model that is another basis of the reference, one that holds noise, and twins."""
    rng = np.random.default_rng(1)
    reference = reference_of(corpus)
    moved = reference @ rng.standard_normal((NARROW, WIDE)) + 0.05 * rng.standard_normal(
        (corpus.n_tokens, WIDE)
    )
    noise = [rng.standard_normal((corpus.n_tokens, WIDE)) for _ in range(4)]
    return reference, moved, noise[0], [acts(corpus, each) for each in noise[1:]]


def page(corpus, models, stream, *, twins=None, shuffles=6):
    reference, _, _, known = models
    one = acts(corpus, stream)
    results = linrep.probe(
        one, corpus, heights=[1], positions="boundary", random_weights=known, permutations=200,
        bootstrap=0,
    )  # fmt: skip
    maps = linrep.linear_maps(
        one, acts(corpus, reference, FROM), corpus, shuffles=shuffles,
        random_weights=known if twins is None else twins, rows=~results.learned_from,
    )  # fmt: skip
    return results, maps, linrep.compare(results, [claim()], through=maps, draws=50)


@pytest.fixture(scope="module")
def aligned(corpus, models):
    return page(corpus, models, models[1])


def test_a_state_in_another_basis_is_aligned_up_to_the_map(aligned):
    (row,) = aligned[2].rows
    assert row.subspaces.overlap > 0.98
    assert row.verdicts.aligned.state == "yes", row.verdicts
    assert row.verdicts.aligned.instead == "up to a map"
    assert "up to the map" in row.verdicts.aligned.reason
    assert "block 2 of the constructed model" in row.verdicts.aligned.reason
    assert row.through.reference_site == FROM
    assert row.through.r2 > 0.95
    assert (row.through.dims, row.through.asked) == (2, 2)
    assert row.subspaces.null_map_high == max(
        row.through.null_twins_high, row.through.null_shuffled_high
    )
    assert row.subspaces.as_predicted
    assert row.predicted_accuracy is None  # what theory says of the constructed model alone
    assert "up to a map" in row.verdicts.headline


def test_noise_has_no_state_whose_place_could_be_asked(corpus, models):
    _, _, found = page(corpus, models, models[2])
    (row,) = found.rows
    assert row.verdicts.aligned.state == "not tested"
    assert "its overlaps, which stand in their table, decide nothing" in row.verdicts.aligned.reason
    assert row.verdicts.rung == 0


def with_state(corpus, models, stream):
    """The verdict where the state is read, but the map is another matter."""
    (row,) = page(corpus, models, stream)[2].rows
    assert row.verdicts.decodable.state == "yes"
    return row


def test_a_state_that_lies_elsewhere_is_not_where_the_map_puts_it(corpus, models):
    """The reference's state goes one way; a stronger one, that moves at other times, another."""
    rng = np.random.default_rng(2)
    reference, turn = models[0], rng.standard_normal((NARROW, WIDE))
    stream = reference @ turn + 0.05 * rng.standard_normal((corpus.n_tokens, WIDE))
    codes = np.unique(corpus.labels(1), return_inverse=True)[1]
    other = reference.copy()  # what the map is learned from has a second state of another place
    other[:, :3] = np.eye(3)[rng.permutation(codes)]
    row = with_state(corpus, (other, *models[1:]), stream + other @ rng.standard_normal(turn.shape))
    assert row.verdicts.aligned.state == "no"
    assert row.subspaces.overlap < 0.9
    assert "up to the map" in row.verdicts.aligned.reason


def test_a_map_to_something_else_is_no_map(corpus, models):
    """The stream holds the state in a way of its own, and nothing of the reference."""
    rng = np.random.default_rng(3)
    codes = np.unique(corpus.labels(1), return_inverse=True)[1]
    codes = np.where(corpus.boundary(1), codes, 0)
    stream = 3 * np.eye(WIDE)[codes] + rng.standard_normal((corpus.n_tokens, WIDE))
    reference = np.random.default_rng(4).standard_normal((corpus.n_tokens, NARROW))
    row = with_state(corpus, (reference, *models[1:]), stream)
    assert row.verdicts.aligned.state == "not tested", row
    assert "no map leads here" in row.verdicts.aligned.reason


def test_nothing_comes_through_where_the_state_is_not_in_the_map(corpus, models):
    """The rest of the stream is mapped; of the state the model holds nothing linear in it."""
    rng = np.random.default_rng(5)
    reference = models[0].copy()
    reference[:, :3] = rng.standard_normal((corpus.n_tokens, 3))  # not the state, though predicted
    stream = models[0][:, 3:] @ rng.standard_normal((NARROW - 3, WIDE))
    codes = np.unique(corpus.labels(1), return_inverse=True)[1]
    stream += 3 * np.eye(WIDE)[np.where(corpus.boundary(1), codes, 0)]
    stream += 0.3 * rng.standard_normal(stream.shape)
    row = with_state(corpus, (reference, *models[1:]), stream)
    assert row.through.dims == 0
    assert "nothing of the state comes through" in row.verdicts.aligned.reason


def test_without_nulls_nothing_is_said(corpus, models):
    for change, words in (({"twins": []}, "untrained models"), ({"shuffles": 2}, "exchanges")):
        (row,) = page(corpus, models, models[1], **change)[2].rows
        assert row.verdicts.aligned.state == "not tested"
        assert words in row.verdicts.aligned.reason


def test_the_first_site_with_the_whole_state_is_carried(corpus, models):
    reference, moved, _, twins = models
    both = linrep.Activations.from_arrays(
        {"blocks.0.hook_resid_post": reference, "blocks.1.hook_resid_post": reference,
         FROM: reference}, corpus
    )  # fmt: skip
    results, _, _ = page(corpus, models, moved)
    maps = linrep.linear_maps(
        acts(corpus, moved), both, corpus, random_weights=twins, rows=~results.learned_from,
        reference_sites="all", shuffles=3,
    )  # fmt: skip
    part = claim(rank=1, site="blocks.0.hook_resid_post")
    claims = [part, claim(site="blocks.1.hook_resid_post"), claim(site=FROM)]
    (row,) = linrep.compare(results, claims, through=maps, draws=20).rows
    assert row.through.reference_site == "blocks.1.hook_resid_post"
    (row,) = linrep.compare(results, [claim(written=False)], through=maps, draws=20).rows
    assert row.verdicts.aligned.state == "not tested"
    assert "no map leads here" in row.verdicts.aligned.reason


def test_rows_of_patterns_and_of_maps_are_not_the_same(corpus, models, aligned):
    reference, moved, _, twins = models
    results = aligned[0]
    shared = linrep.linear_maps(
        acts(corpus, moved), acts(corpus, reference, FROM), corpus, random_weights=twins,
        rows=np.ones(corpus.n_tokens, bool), shuffles=0,
    )  # fmt: skip
    with pytest.raises(ComparisonError, match="rows=~results.learned_from"):
        linrep.compare(results, [claim()], through=shared)
    with pytest.raises(ComparisonError, match=r"what linrep\.linear_maps returns"):
        linrep.compare(results, [claim()], through="maps")
    with pytest.raises(ComparisonError, match="through=linear_maps"):
        linrep.compare(results, [claim()])


def test_pages_and_files_carry_the_map(tmp_path, aligned):
    from linrep.experiments.scores import scores_of
    from linrep.reports import Run, Study
    from linrep.reports.html import render_html
    from linrep.reports.markdown import render_markdown

    results, _, comparison = aligned
    study = Study("other basis", "", {}, scores_of(results), comparison)
    run = Run("title", "question", {}, {}, (study,))
    again = read_run(write_run(run, tmp_path / "run"))
    assert again.studies[0].comparison.rows == comparison.rows
    assert "map_r2" in comparison.to_frame()
    heads, (line,) = through_table(comparison.rows)
    assert len(heads) == len(line)
    for text in (render_html(again), render_markdown(again)):
        assert "R² of the map" in text
        assert "up to a map" in text
        assert "block 2" in text
