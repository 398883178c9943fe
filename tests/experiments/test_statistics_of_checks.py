"""Checks of many cells hold at all of them together: what would refuse one alone passes in a crowd.

The opposite stands beside each: what is far off is refused in a crowd as well.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from linrep import Prediction, Subspace, probe
from linrep.experiments.checks import DRAWS, apart_from_ceiling
from linrep.experiments.unwritten import beyond_null
from linrep.probes.evidence.intervals import accuracy_interval, bootstrap_weights, sentence_sums

CELLS = 40
SITE = "blocks.0.hook_resid_post"


@pytest.fixture(scope="module")
def one_cell():
    """A grid of one cell, read with errors."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = rng.standard_normal((400, 4)) + 1.2 * y[:, None] * np.eye(4)[0]
    return probe({SITE: x}, y, groups=np.arange(400) // 4, permutations=0, bootstrap=0, controls=())


def copies(results, n):
    """The same cell so many times, under other names."""
    (score,), (held,) = results.scores, results.held_out.values()
    names = [f"t{i}" for i in range(n)]
    return replace(
        results,
        scores=tuple(replace(score, target=name) for name in names),
        held_out={(SITE, name): held for name in names},
        patterns={(SITE, name): next(iter(results.patterns.values())) for name in names},
    )


def upper_end(results, level):
    (held,) = results.held_out.values()
    right, tokens = sentence_sums(held.right, held.groups)
    draws = bootstrap_weights(len(right), DRAWS, np.random.default_rng(0))
    return accuracy_interval(right, tokens, draws, level=level)[1]


def test_intervals_around_ceilings_hold_at_all_cells_together(one_cell):
    alone, together = upper_end(one_cell, 0.95), upper_end(one_cell, 1 - 0.05 / CELLS)
    assert together > alone + 0.01

    def apart(n, ceiling):
        many = copies(one_cell, n)
        told = {cell: np.full(400, ceiling) for cell in many.held_out}
        return len(apart_from_ceiling(many, told))

    between = (alone + together) / 2
    assert apart(1, between) == 1
    assert apart(CELLS, between) == 0
    assert apart(CELLS, together + 0.01) == CELLS


def leaning(share):
    """A line whose squared cosine with the first axis is ``share``."""
    return Subspace(np.array([[np.sqrt(share)], [np.sqrt(1 - share)], *[[0.0]] * 10]))


def test_false_alignments_hold_at_all_cells_together(one_cell):
    """The squared cosine of a random line of 12 dimensions with a fixed one is Beta(1/2, 11/2)."""

    def beyond(n, p):
        names = [f"t{i}" for i in range(n)]
        learned = leaning(float(stats.beta.isf(p, 0.5, 5.5)))
        claimed = [
            Prediction(SITE, name, Subspace(np.eye(12)[:, :1]), False, "all", 1) for name in names
        ]
        grid = replace(
            one_cell,
            patterns={(SITE, name): learned for name in names},
            covariances={SITE: np.eye(12)},
        )
        return sum(beyond_null(grid, claimed, level=0.05))

    assert beyond(1, 0.03) == 1
    assert beyond(3, 0.03) == 0
    assert beyond(3, 0.002) == 3
    assert beyond(1, 0.1) == 0
