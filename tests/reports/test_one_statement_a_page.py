"""What a page says of its best site, of small overlaps, and of perfect cells among many."""

from dataclasses import replace

import numpy as np
import pytest

from linrep.core import Prediction, Subspace
from linrep.probes.evidence.intervals import accuracy_interval, bootstrap_weights, family_wise
from linrep.reports import compare
from linrep.reports.html import render_html
from linrep.reports.markdown import summary_lines
from linrep.reports.rungs import decodable
from linrep.reports.values import best_row


def test_the_best_site_is_chosen_by_validation_and_named_alike(run):
    (study,) = run.studies
    names = ("blocks.0.hook_resid_post", "blocks.1.hook_resid_post")
    told = dict(zip(names, ((0.8, 0.71), (0.7, 0.93)), strict=True))  # validation, then test
    rows = tuple(
        {**row, "validation": told.get(row["site"], (0.1, 0.1))[0],
         "accuracy": told.get(row["site"], (0.1, 0.1))[1]}
        for row in study.scores.rows
    )  # fmt: skip
    run = replace(run, studies=(replace(study, scores=replace(study.scores, rows=rows)),))
    lines = [line for line in summary_lines(run) if line.startswith("  height")]
    assert lines
    assert all("0.710" in line for line in lines)
    best = render_html(run).split("read best, by validation data", 1)[1]
    assert "0.710" in best.split("</table>", 1)[0]


def test_the_interval_at_the_best_site_holds_its_accuracy():
    """Of 25 sites alike, that of highest test accuracy lies above its own accuracy too often."""
    rng = np.random.default_rng(0)
    weights = bootstrap_weights(40, 200, rng)
    tokens = np.full(40, 12.0)
    held = {"validation": 0, "accuracy": 0}
    for _ in range(300):
        right = rng.binomial(12, 0.6, (2, 25, 40)).astype(float)
        validation, accuracy = right.sum(axis=2) / tokens.sum()
        rows = [
            {"site": site, "validation": validation[site], "accuracy": accuracy[site]}
            for site in range(25)
        ]
        chosen = {
            "validation": best_row(rows)["site"],
            "accuracy": max(rows, key=lambda row: row["accuracy"])["site"],
        }
        for name, site in chosen.items():
            low, high = accuracy_interval(right[1, site], tokens, weights)
            held[name] += low <= 0.6 <= high
    assert held["accuracy"] < 0.7 * 300
    assert held["validation"] >= 0.92 * 300  # 95 % less three standard errors


@pytest.mark.parametrize(("share", "state"), [(0.95, "yes"), (0.8, "no"), (0.4, "no")])
def test_a_part_of_a_state_is_no_alignment(grid, share, state):
    cell = ("blocks.1.hook_resid_post", "height 2")
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 40)))[0]
    grid.patterns[cell] = Subspace(np.sqrt(share) * turn[:, :2] + np.sqrt(1 - share) * turn[:, 2:4])
    claim = Prediction(*cell, Subspace(turn[:, :2]), True, "all", 2, None, "P1", "test")
    found = compare(grid, [claim], draws=100).verdicts[cell].aligned
    assert found.state == state
    if state == "no":
        assert found.instead == f"partly aligned ({share:.3f})"


def test_a_perfect_cell_is_decodable_however_many_cells_stand_beside_it():
    rng = np.random.default_rng(0)
    draws = rng.normal(0.3, 0.02, (28, 200))
    seen = rng.normal(0.3, 0.02, 28)
    seen[5] = 1.0
    p = family_wise(seen, draws)[5]
    row = {"accuracy": 1.0, "chance": 0.3, "random_weights": 0.4, "n_twins": 5}
    found = decodable(row | {"p_family": p, "p_untrained": 0.001}, permutations=200)
    assert found.state == "yes"
    assert 28 * p > 0.05  # what a correction by the number of cells would have said
