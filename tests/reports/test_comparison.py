"""The comparison of learned and predicted subspaces, and its opposite: nothing is found."""

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from linrep.core import Prediction, Subspace
from linrep.probes.geometry.nulls import Anisotropy
from linrep.reports import ComparisonError, compare
from linrep.reports.meeting import AGREEMENT, Null, aligned, meet

WRITTEN = ("blocks.1.hook_resid_post", "height 2")
ABSENT = ("blocks.0.hook_resid_post", "height 2")


def row(comparison, cell):
    return next(r for r in comparison.rows if (r.site, r.target) == cell)


def test_planted_subspaces_are_found_where_written_and_only_there(grid):
    found = compare(grid, grid.predictions, draws=50)
    for each in found.rows:
        assert each.subspaces.as_predicted, (each.site, each.target)
        assert each.subspaces.beyond_null == each.subspaces.written
    assert row(found, WRITTEN).subspaces.overlap >= AGREEMENT


def tilted(share):
    """A plane whose overlap with the first two axes is ``share``."""
    lean, rest = np.sqrt(share), np.sqrt(1 - share)
    basis = np.zeros((40, 2))
    basis[[0, 1], [0, 1]], basis[[2, 3], [0, 1]] = lean, rest
    return Subspace(basis)


@pytest.mark.parametrize(
    ("share", "found", "state"), [(0.995, True, "yes"), (0.98, False, "yes"), (0.85, False, "no")]
)
def test_what_counts_as_found_is_stricter_than_what_counts_as_aligned(share, found, state):
    """Sampling noise of class means leaves 0.99 and more; 0.9 is another statement."""
    claim = Prediction(*WRITTEN, Subspace(np.eye(40)[:, :2]), True, "all", 2)
    met = meet(tilted(share), claim, Anisotropy.of(np.eye(40), 40), Null(50, 0.05, 0))
    assert met.overlap == pytest.approx(share, abs=1e-12)
    assert met.as_predicted is found
    assert aligned(met, claimed=True).state == state
    assert (AGREEMENT, aligned(met, claimed=True).instead[:6]) == (
        0.99, "" if state == "yes" else "partly",
    )  # fmt: skip


def test_nulls_of_many_cells_reach_higher_than_that_of_one(grid):
    """Their upper ends hold at all compared cells together."""
    claim = next(p for p in grid.predictions if (p.site, p.target) == WRITTEN)
    alone = row(compare(grid, [claim], draws=2000), WRITTEN).subspaces
    together = row(compare(grid, grid.predictions, draws=2000), WRITTEN).subspaces
    assert together.null_high > alone.null_high + 0.01
    assert together.null_covariance_high > alone.null_covariance_high + 0.01
    assert together.null_mean == alone.null_mean


@pytest.mark.parametrize(("p", "state"), [(0.04, "yes"), (0.06, "no"), (0.12, "no")])
def test_a_page_says_something_false_once_in_twenty_unless_told_otherwise(grid, p, state):
    grid.rows = [scores | dict.fromkeys(("p_family", "p_untrained"), p) for scores in grid.rows]
    assert compare(grid).verdicts[WRITTEN].decodable.state == state
    assert compare(grid, level=0.2).verdicts[WRITTEN].decodable.state == "yes"


def test_noise_is_found_nowhere(nothing_found):
    found = compare(nothing_found, nothing_found.predictions, draws=200)
    written = [r.subspaces for r in found.rows if r.subspaces.written]
    assert written
    assert not any(space.as_predicted for space in written)
    assert all(verdicts.rung == 0 for verdicts in found.verdicts.values())


def test_overlap_and_containment_equal_the_definition(grid):
    found = row(compare(grid, grid.predictions, draws=50), WRITTEN).subspaces
    learned = grid.patterns[WRITTEN].basis
    claim = next(p for p in grid.predictions if (p.site, p.target) == WRITTEN)
    squares = np.linalg.svd(learned.T @ claim.subspace.basis, compute_uv=False) ** 2
    # float64 products of 40 dimensions
    assert found.overlap == pytest.approx(squares.mean(), abs=1e-12)
    assert found.contains_learned_in_predicted == pytest.approx(squares.sum() / 2, abs=1e-12)
    assert found.contains_predicted_in_learned == pytest.approx(squares.sum() / 3, abs=1e-12)
    assert found.angle_max == pytest.approx(np.arccos(np.sqrt(squares.min())), abs=1e-7)


def test_the_null_is_that_of_random_subspaces(grid):
    found = row(compare(grid, grid.predictions, draws=400), WRITTEN).subspaces
    # mean over k = 2 directions of Beta(m/2, (d-m)/2), m/d = 3/40, standard deviation below 0.05:
    # four standard errors of 400 draws
    assert found.null_mean == pytest.approx(3 / 40, abs=4 * 0.05 / 20)
    assert found.null_mean < found.null_high < 0.3


def test_the_covariance_makes_the_null_harder(grid):
    claim = next(p for p in grid.predictions if (p.site, p.target) == WRITTEN)
    inside = claim.subspace.basis @ claim.subspace.basis.T
    grid.covariances[WRITTEN[0]] = np.eye(40) + 100 * inside
    found = row(compare(grid, grid.predictions, draws=50), WRITTEN).subspaces
    assert found.null_covariance_high > 0.9 > found.null_high


def test_without_predictions_alignment_is_not_tested(grid):
    verdicts = compare(grid).verdicts[WRITTEN]
    assert verdicts.aligned.state == "not tested"
    assert "no construction shares this basis" in verdicts.aligned.reason
    assert verdicts.word == "decodable" or verdicts.word == "selective"


def test_a_missing_pattern_is_not_tested(grid):
    del grid.patterns[WRITTEN]
    verdicts = compare(grid, grid.predictions, draws=20).verdicts[WRITTEN]
    assert verdicts.aligned.state == "not tested"


def test_a_prediction_about_other_tokens_is_named(grid):
    claim = next(p for p in grid.predictions if (p.site, p.target) == WRITTEN)
    verdicts = compare(grid, elsewhere=[claim]).verdicts
    assert verdicts[WRITTEN].aligned.state == "not tested"
    assert "predicted at boundary tokens only" in verdicts[WRITTEN].aligned.reason
    assert "no construction shares this basis" in verdicts[ABSENT].aligned.reason


def test_what_is_found_where_theory_writes_nothing_refutes_it(grid):
    claim = next(p for p in grid.predictions if (p.site, p.target) == WRITTEN)
    verdicts = compare(grid, [replace(claim, written=False)], draws=50).verdicts[WRITTEN]
    assert verdicts.aligned.state == "no"
    assert "writes nothing: refuted" in verdicts.aligned.reason
    assert verdicts.rung < 3


def test_causality_is_never_claimed(grid):
    for verdicts in compare(grid, grid.predictions, draws=20).verdicts.values():
        assert verdicts.causal.state == "not tested"
        assert verdicts.causal.reason


def test_readouts_are_left_aside(grid):
    space = Subspace(np.eye(40)[:, :2], kind="readout")
    claims = [Prediction(*WRITTEN, space, True, "boundary", 2)]
    assert compare(grid, claims, draws=20).verdicts[WRITTEN].aligned.state == "not tested"


def test_contradictions_are_refused(grid):
    first = grid.predictions[0]
    with pytest.raises(ComparisonError, match="two predictions about height 1"):
        compare(grid, [first, first])
    elsewhere = Prediction("blocks.9.hook_resid_post", "height 1", first.subspace, True, "all", 2)
    with pytest.raises(ComparisonError, match=r"no prediction is about .* that was probed"):
        compare(grid, [elsewhere])
    small = Subspace(np.eye(7)[:, :2])
    with pytest.raises(ComparisonError, match="40 dimensions, the prediction 7"):
        compare(grid, [Prediction(*WRITTEN, small, True, "boundary", 2)])


def test_the_frame_has_a_row_per_cell(grid):
    frame = compare(grid, grid.predictions, draws=20).to_frame()
    assert len(frame) == len(grid.rows)
    assert {"overlap", "null_high", "decodable", "rung", "as_predicted"} <= set(frame.columns)
    assert "overlap" in compare(grid, grid.predictions, draws=20)._repr_html_()


def test_the_table_says_what_the_command_line_says(grid):
    for row in grid.rows:  # the surface tells the state already: selective is not tested
        row["p_perfect"] = 1.0
    found = compare(grid, grid.predictions, draws=50)
    verdicts = found.verdicts[WRITTEN]
    assert verdicts.sentence == "aligned (selective: not tested)"
    shown = unescape(found._repr_html_())
    for each in found.rows:
        assert f"<td>{each.verdicts.sentence}</td>" in shown  # reasons are not cut short
    assert any(len(each.verdicts.sentence) > 50 for each in found.rows)


def test_the_same_seed_gives_the_same_comparison(grid):
    assert compare(grid, grid.predictions, draws=20) == compare(grid, grid.predictions, draws=20)


def test_what_exchanged_labels_show_as_well_is_no_alignment() -> None:
    axis = Subspace(np.eye(40)[:, :1])
    claim = Prediction("blocks.0.hook_resid_post", "word", axis, True, "all", 1, None, "?", "?")
    null, stream = Null(200, 0.05, 0), Anisotropy.of(np.eye(40), 40)
    rng = np.random.default_rng(0)
    alike = [np.linalg.qr(axis.basis + 0.05 * rng.standard_normal((40, 1)))[0] for _ in range(20)]
    other = [np.linalg.qr(rng.standard_normal((40, 1)))[0] for _ in range(20)]
    learned = Subspace(np.linalg.qr(axis.basis + 0.05 * rng.standard_normal((40, 1)))[0])
    assert meet(learned, claim, stream, null).beyond_null
    assert meet(learned, claim, stream, null, other).beyond_null
    found = meet(learned, claim, stream, null, alike)
    assert not found.beyond_null
    assert aligned(found, claimed=True).state == "no"
