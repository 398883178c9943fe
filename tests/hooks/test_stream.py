"""Streaming equals keeping, whatever does the work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from linrep.hooks import Activations, CaptureError, capture, stream
from linrep.hooks.capturing import summing
from linrep.hooks.store.store import Store
from linrep.models import PlainConfig, PlainTransformer, initialise
from linrep.probes import Statistics

WORDS = ["<bos>", "a", "b", "c", "<eos>"]


@pytest.fixture(scope="module")
def model():
    return initialise(PlainTransformer(PlainConfig(vocabulary=WORDS, hidden_size=8)), seed=0)


@pytest.fixture(scope="module")
def corpus():
    random = np.random.default_rng(0)
    return [list(random.choice(WORDS[1:4], size=n)) for n in random.integers(1, 15, size=60)]


@pytest.fixture(scope="module")
def targets(corpus):
    words = np.array([w for s in corpus for w in s])
    place = np.array([str(i % 3) for s in corpus for i in range(len(s))])
    return {"word": words, "place": place, "rare": np.where(words == "a", place, "")}


@pytest.fixture(scope="module")
def whole(model, corpus, targets):
    return stream(model, corpus, Statistics.from_arrays, targets, shard_words=100)


def same(ours, theirs, **close):
    assert ours.totals.keys() == theirs.totals.keys()
    for key, mine in ours.totals.items():
        yours = theirs[key]
        assert mine.n == yours.n
        for field in ("mean_x", "scatter_xx", "scatter_xz", "scatter_zz"):
            np.testing.assert_allclose(getattr(mine, field), getattr(yours, field), **close)


def test_stream_equals_statistics_of_kept_activations(model, corpus, targets, whole):
    acts = capture(model, corpus, shard_words=100)
    for (site, target), total in whole.totals.items():
        use = targets[target] != ""
        expected = Statistics.from_arrays(np.asarray(acts[site])[use], targets[target][use])
        assert total.counts(target) == expected.counts()
        # float32 activations from batches of other shapes, summed in another order.
        close = {"rtol": 1e-4, "atol": 1e-4}
        np.testing.assert_allclose(total.class_means(target), expected.class_means(), **close)
        np.testing.assert_allclose(total.scatter_xx, expected.scatter_xx, **close)
    assert whole["blocks.0.hook_resid_pre", "word"] is whole["blocks.0.hook_resid_pre", "place"]


def test_undefined_words_are_left_out_of_their_target_only(targets, whole):
    site = "blocks.1.hook_resid_post"
    assert whole[site, "rare"].n == (targets["rare"] != "").sum() < whole[site, "word"].n
    assert whole[site, "word"].n == len(targets["word"])


def test_a_batch_that_is_repeated_counts_once(model, corpus, targets, whole, monkeypatch):
    from linrep.hooks.paths.module_path import ModulePath

    forward, calls = ModulePath.forward, []

    def tight(self, batch):
        out = forward(self, batch)  # all sites but the last have been seen when memory ends
        calls.append(batch.ids.numel())
        if batch.ids.numel() > 200:
            raise MemoryError
        return out

    monkeypatch.setattr(ModulePath, "forward", tight)
    halved = stream(model, corpus, Statistics.from_arrays, targets, check=False, shard_words=100)
    assert max(calls) > 200
    same(halved, whole, rtol=1e-4, atol=1e-4)  # other batches: float32 rounding


def test_passes_of_the_model_inside_make_are_not_read(model, corpus, targets, monkeypatch):
    monkeypatch.setattr(summing, "_ROWS", 50)  # sums are made while the taps hang

    def count(x, _):
        return np.array([len(x), x.sum()])

    def curious(x, labels):
        with torch.no_grad():
            for shape in ((8, 15), (1, 3)):  # as a batch may be, and as none is
                assert model(torch.ones(shape, dtype=torch.long)).logits.shape[:2] == shape
        return count(x, labels)

    quiet, loud = (
        stream(model, corpus, make, targets, shard_words=400) for make in (count, curious)
    )
    assert quiet.totals.keys() == loud.totals.keys()
    for key, total in quiet.totals.items():
        np.testing.assert_array_equal(total, loud[key])


def test_values_that_are_not_finite_are_no_sums(corpus, targets):
    loud = initialise(PlainTransformer(PlainConfig(vocabulary=WORDS, hidden_size=8)), seed=0)
    with torch.no_grad():
        loud.layers[1].mlp.down_proj.bias.fill_(float("inf"))
    with pytest.raises(CaptureError, match=r"blocks\.1\.hook_resid_post holds NaN or infinite"):
        stream(loud, corpus, lambda x, _: np.array([len(x)]), targets, check=False)


def test_labels_must_fit_the_corpus(model, corpus):
    with pytest.raises(CaptureError, match="has 1 labels"):
        stream(model, corpus, Statistics.from_arrays, {"word": ["a"]})
    with pytest.raises(CaptureError, match="at least one target"):
        stream(model, corpus, Statistics.from_arrays, {})


def test_memory_grows_by_the_token_table_only():
    """Peak memory of streaming 40 times the words, in processes of their own."""
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "capture_memory.py"
    told = []
    for batches in ("5", "200"):
        done = subprocess.run(
            [sys.executable, str(script), "--one", batches, "--small"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        told.append(json.loads(done.stdout))
    few, many = told
    assert many["peak"] <= 1.2 * few["peak"]
    grown = (many["added"] - few["added"]) * 2**20 / (many["words"] - few["words"])
    # Ids, rows and bounds of a word take some 100 bytes with Python's overhead; keeping its
    # activations would take ten times that.
    assert grown < 0.2 * many["bytes_per_word"], grown


def kill_one(pattern):
    """Kill one process below this one whose command begins so."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        if " ".join(process.cmdline()).startswith(pattern):
            process.kill()
            return [process.pid]
    return []


def test_ray_equals_local_though_a_worker_is_killed(
    model, corpus, targets, whole, tmp_path, monkeypatch
):
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    local, far = tmp_path / "local", tmp_path / "far"
    capture(model, corpus, store=local, shard_words=20)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        killed, finish = [], Store.finish

        def finish_and_kill(*args):  # in the midst of the work, however fast or slow it goes
            finish(*args)
            if not killed:  # at work on another shard; or done, and idle: no agent of the raylet
                killed.extend(kill_one("ray::write_in_worker") or kill_one("ray::IDLE"))

        monkeypatch.setattr(Store, "finish", finish_and_kill)
        capture(model, corpus, store=far, shard_words=20, engine="ray")
        assert killed
        acts = Activations.open(far, corpus)
        assert acts.complete
        for file in local.iterdir():
            assert (far / file.name).read_bytes() == file.read_bytes()
        streamed = stream(
            model, corpus, Statistics.from_arrays, targets, engine="ray", shard_words=100
        )
        same(streamed, whole, rtol=0, atol=0)
    finally:
        ray.shutdown()


def test_workers_into_memory_equal_local(model, corpus):
    here = capture(model, corpus, shard_words=100)
    there = capture(model, corpus, shard_words=100, engine="processes:2")
    assert json.dumps(there.manifest) == json.dumps(here.manifest)  # in the same order, too
    for site in here.sites:
        np.testing.assert_array_equal(there[site], here[site])
