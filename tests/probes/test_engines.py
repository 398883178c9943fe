"""A grid is the same wherever its sites are worked on."""

import numpy as np
import pytest

from linrep.core import EngineError, running
from linrep.probes import probe
from linrep.probes.errors import ProbeError


def grid(planted, engine, **changes):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, d=12)
    twin, _, _ = planted(signal=(0.0, 0.0), n_sentences=120, d=12)
    asked = {"permutations": 19, "bootstrap": 50, "codelength": True, "heights": [1, 2], **changes}
    asked["targets"] = {"number": corpus.codes[1] * 1.0 + corpus.codes[2]}
    return probe(acts, corpus, random_weights=twin, engine=engine, seed=3, **asked)


def same(ours, theirs):
    assert ours.to_frame().equals(theirs.to_frame())
    assert ours.notes == theirs.notes
    assert ours.examples is not None
    assert ours.examples == theirs.examples
    assert ours.settings == theirs.settings
    assert list(ours.covariances) == list(theirs.covariances)
    for site, covariance in ours.covariances.items():
        np.testing.assert_array_equal(covariance, theirs.covariances[site])
    for key, pattern in ours.patterns.items():
        np.testing.assert_array_equal(pattern.basis, theirs.patterns[key].basis)
    for key, held in ours.held_out.items():
        np.testing.assert_array_equal(held.right, theirs.held_out[key].right)


def mistaken(planted, engine):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=60, d=6)
    acts["late"][5] = np.nan
    with pytest.raises(ProbeError) as caught:
        probe(acts, corpus, permutations=0, bootstrap=0, engine=engine)
    return str(caught.value)


def test_processes_equal_local(planted):
    same(grid(planted, "processes:2"), grid(planted, "local"))
    assert mistaken(planted, "processes:1") == mistaken(planted, "local")


def test_ray_equals_local(planted, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        with running("ray") as engine:
            same(grid(planted, engine), grid(planted, "local"))
        assert ray.is_initialized()  # the caller's cluster
        assert mistaken(planted, "ray") == mistaken(planted, "local")
    finally:
        ray.shutdown()


def test_an_unknown_engine_is_refused(planted):
    with pytest.raises(EngineError, match="unknown engine 'dask'"):
        grid(planted, "dask")
