"""One small run of the whole path, shared by the tests that look at it."""

import pytest

from linrep.experiments import Experiment, StudySettings, run_experiment
from linrep.experiments.settings import (
    Causal,
    Constructed,
    HierarchyFamily,
    LatinFamily,
    Probes,
)


def small(language, name, causal):
    return StudySettings(
        name=name,
        question="small",
        language=language,
        model=Constructed(positions="onehot", rotation=1),
        sentences=600,
        probes=Probes(
            positions="boundary",
            C=10.0,
            permutations=50,
            bootstrap=200,
            charts=False,
            causal=causal,
        ),
    )


SMALL = Experiment(
    title="small",
    studies=(
        small(LatinFamily(order=3, depth=3), "latin", Causal()),
        small(
            HierarchyFamily(n_symbols=4, n_rules=3, depth=3, seed=1),
            "random_hierarchy",
            Causal(erase=True, steer=True, strengths=(-0.5, 0.0, 0.5)),
        ),
    ),
)


@pytest.fixture(scope="session")
def small_run():
    return run_experiment(SMALL)


@pytest.fixture(params=["latin", "random_hierarchy"])
def study(small_run, request):
    return small_run.study(request.param)
