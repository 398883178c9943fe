"""A grid of made-up results with known answers, so that reports are tested without a model."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from linrep.core import Prediction, Subspace
from linrep.reports import Check, Run, Scores, Study, compare
from linrep.reports.values import plain

DECIDING = ("p_family", "p_untrained", "p_surface", "p_embedding", "p_control")
D_MODEL, LAYERS, HEIGHTS = 40, 3, (1, 2)
SITES = ("blocks.0.hook_resid_pre", *(f"blocks.{i}.hook_resid_post" for i in range(LAYERS)))


@dataclass
class Grid:
    """What ``compare`` needs of probe results."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    patterns: dict[tuple[str, str], Subspace] = field(default_factory=dict)
    covariances: dict[str, np.ndarray] = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=lambda: {"word_types": 900})

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


def make_grid(found: bool = True, seed: int = 0) -> Grid:
    """A staircase: height h is written by block h - 1; ``found`` tells whether probes see it."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((D_MODEL, D_MODEL)))[0]
    grid = Grid(covariances={site: np.eye(D_MODEL) for site in SITES})
    for layer, site in enumerate(SITES):
        for height in HEIGHTS:
            target, written = f"height {height}", layer >= height
            accuracy = 1.0 if written and found else 0.33
            grid.rows.append(
                {
                    "site": site, "target": target, "accuracy": accuracy, "nll": 0.1,
                    "interval": (accuracy - 0.02, min(1.0, accuracy + 0.02)), "chance": 0.33,
                    "ceiling": 1.0 if written else 0.33, "random_weights": 0.4, "position": 0.33,
                    "control_task": 0.5, "shuffled": 0.33, "p": 0.005, "q": 0.01,
                    "surface": 0.5, "n_twins": 5, "n_groups": 40, "validation": accuracy,
                    **dict.fromkeys(DECIDING, 0.005 if written and found else 0.9),
                    "codelength": float("nan"), "n_train": 700, "n_test": 200, "n_classes": 3,
                }
            )  # fmt: skip
            true = frame[:, 3 * height : 3 * height + 3]
            seen = true[:, :2] + 0.01 * rng.standard_normal((D_MODEL, 2))
            noise = rng.standard_normal((D_MODEL, 2))
            grid.patterns[site, target] = Subspace(seen if written and found else noise)
            grid.predictions.append(
                Prediction(
                    site,
                    target,
                    Subspace(true),
                    written,
                    "boundary",
                    2,
                    None,
                    "P1",
                    "test",
                    used=written and layer < LAYERS,
                )
            )
    return grid


def make_run(found: bool = True, seed: int = 0, limit: float = 1e-12) -> Run:
    grid = make_grid(found, seed)
    rows = tuple(
        {str(k): plain(v) for k, v in row.items()} for row in grid.to_frame().to_dict("records")
    )
    study = Study(
        name="planted",
        question="Is it found where it was put? <b>& not elsewhere</b>",
        facts={"tokens": 900, "model": "none"},
        scores=Scores(rows, ("codelength: not asked for",), {"seed": seed}),
        comparison=compare(grid, grid.predictions, draws=50),
        checks=(Check("error", 2e-16, "<=", limit, "exact up to rounding"),),
        notes=("one note",),
        subspaces={
            "learned": grid.patterns,
            "predicted": {(p.site, p.target): p.subspace for p in grid.predictions},
        },
    )
    settings = {"seed": seed, "probes": {"heights": [1, 2]}}
    return Run("A planted staircase", "What was asked.", settings, {"linrep": "test"}, (study,))


@pytest.fixture
def grid() -> Grid:
    return make_grid()


@pytest.fixture
def nothing_found() -> Grid:
    return make_grid(found=False)


@pytest.fixture
def run() -> Run:
    return make_run()


@pytest.fixture
def make():
    """The maker itself, for tests that need two different runs."""
    return make_run
