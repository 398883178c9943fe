"""Sites side by side: when, how many, and the same numbers to the byte."""

import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest

import linrep
from linrep.core.engines import Serial
from linrep.probes import ProbeError
from linrep.probes.grid import at_once
from linrep.probes.grid.at_once import MOST, WORTH, sites_at_once
from linrep.probes.grid.entrance import GivenArrays
from linrep.probes.grid.site_work import TwinFound
from linrep.probes.solvers.cross_entropy import own_places
from linrep.probes.solvers.rotation import Rotation

LARGE = GivenArrays({"a": np.zeros((WORTH // 64, 64), np.float32)})


@pytest.fixture
def eight(monkeypatch):
    """A machine with much memory, whose user allows eight threads."""
    monkeypatch.setattr(at_once, "allowed_threads", lambda: 8)
    monkeypatch.setattr(at_once, "available_memory", lambda: 2**40)
    monkeypatch.setattr(at_once, "parent_process", lambda: None)
    return monkeypatch


def test_as_many_as_threads_memory_and_the_most(eight):
    assert sites_at_once((LARGE,), "auto", 0) == 8
    assert sites_at_once((LARGE,), "cpu", 2**37) == 3  # of half of 8 times as much, less matrices
    assert sites_at_once((LARGE,), "cpu", 2**41) == 1
    eight.setattr(at_once, "allowed_threads", lambda: 64)
    assert sites_at_once((LARGE,), "cpu", 0) == MOST


def test_wide_sites_take_matrices(eight):
    wide = GivenArrays({"a": np.zeros((WORTH // 8192, 8192), np.float32)})
    eight.setattr(at_once, "available_memory", lambda: 2**34)
    # half of 16 GiB holds one times (0.5 GiB and 8 matrices of 0.5 GiB)
    assert sites_at_once((wide,), "cpu", 0) == 1
    assert sites_at_once((LARGE,), "cpu", 0) == 8


class Foreign:
    """Activations of another package, which may have one reader at a time."""

    sites = ("a",)
    manifest: dict[str, str] = {}
    kept = np.ones(WORTH // 64, dtype=bool)

    def __getitem__(self, site: str) -> np.ndarray:
        return LARGE[site]


def test_one_at_a_time_where_threads_gain_nothing_or_do_harm(eight):
    small = GivenArrays({"a": np.zeros((WORTH // 64 - 1, 64), np.float32)})
    assert sites_at_once((small,), "auto", 0) == 1
    assert sites_at_once((LARGE,), "cuda", 0) == 1
    assert sites_at_once((LARGE, Foreign()), "auto", 0) == 1
    assert sites_at_once((Foreign(),), "auto", 0) == 1
    eight.setattr(at_once, "parent_process", lambda: object())
    assert sites_at_once((LARGE,), "auto", 0) == 1


def test_captured_activations_have_many_readers(eight):
    acts = linrep.Activations.from_arrays({"blocks.0.hook_resid_post": LARGE["a"]}, None)
    assert sites_at_once((acts,), "auto", 0) == 8


@pytest.fixture
def two(monkeypatch):
    """Two sites at once, whatever the machine; where they were worked on is kept."""
    threads: list[int] = []
    run = at_once.run
    both = threading.Barrier(2, timeout=60)  # one thread alone may be done before the other begins

    def watched(work):
        threads.append(threading.get_ident())
        if len(threads) <= 2 and threading.current_thread() is not threading.main_thread():
            both.wait()
        return run(work)

    monkeypatch.setattr("linrep.probes.grid.probe.sites_at_once", lambda *_: 2)
    monkeypatch.setattr(at_once, "run", watched)
    return threads


def grid(method: str) -> linrep.probes.ProbeResults:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 400)
    rows = {
        f"site {size}": draw.standard_normal((400, 8)) + size * np.eye(8)[labels]
        for size in (0.0, 0.3, 0.6, 1.0)
    }
    numbers = labels + draw.standard_normal(400)
    twins = [{site: draw.standard_normal((400, 8)) for site in rows} for _ in range(2)]
    return linrep.probe(
        rows, targets={"class": labels, "number": numbers}, seed=1, method=method, codelength=True,
        random_weights=twins, permutations=19,
    )  # fmt: skip


@pytest.mark.parametrize("method", ["logistic", "lda", "ridge"])
def test_sites_side_by_side_are_the_same_to_the_byte(method, request):
    alone = grid(method)
    threads = request.getfixturevalue("two")
    beside = grid(method)
    assert len(set(threads)) == 2
    assert threading.get_ident() not in threads
    assert alone.to_frame().equals(beside.to_frame())
    assert alone.patterns.keys() == beside.patterns.keys()
    for key, space in alone.patterns.items():
        np.testing.assert_array_equal(space.basis, beside.patterns[key].basis)
    for site, covariance in alone.covariances.items():
        np.testing.assert_array_equal(covariance, beside.covariances[site])


class Counting:
    """An engine of another package that works in this process."""

    workers = False

    def __init__(self) -> None:
        self.jobs = 0
        self._serial = Serial()

    def map(self, fn, jobs):
        self.jobs += len(jobs)
        yield from self._serial.map(fn, jobs)

    def share(self, make):
        return self._serial.share(make)

    def close(self) -> None:
        """Nothing to let go of."""


class Backwards(Counting):
    """An engine whose last job is ready first."""

    def map(self, fn, jobs):
        yield from reversed(list(super().map(fn, jobs)))


class Forgetful(Counting):
    """An engine that runs a third of its jobs."""

    def map(self, fn, jobs):
        yield from list(super().map(fn, jobs))[-(len(jobs) // 3) :]


class Weighing(Counting):
    """An engine that knows how large the plans of its jobs are."""

    def map(self, fn, jobs):
        self.sizes = [len(pickle.dumps(job.plans)) for job in jobs]
        yield from super().map(fn, jobs)


class Gpu(Counting):
    """An engine that works on untrained models elsewhere."""

    def map(self, fn, jobs):
        for i, found in super().map(fn, jobs):
            yield i, replace(found, device="cuda") if isinstance(found, TwinFound) else found


def of_words(planted, engine="local") -> linrep.probes.ProbeResults:
    """With everything that is guessed from words, neighbours, positions and the embedding."""
    acts, corpus, _ = planted(signal=(0.1, 0.6), n_sentences=80)
    draw = np.random.default_rng(2)
    twins = [
        GivenArrays({site: draw.standard_normal(acts[site].shape) for site in acts.sites})
        for _ in range(2)
    ]
    numbers = corpus.codes[1] + draw.standard_normal(corpus.n_tokens)
    return linrep.probe(
        acts, corpus, targets={"number": numbers}, heights=[1, 2], random_weights=twins,
        permutations=19, bootstrap=20, seed=0, engine=engine,
    )  # fmt: skip


def test_guesses_side_by_side_are_the_same_and_the_embedding_is_learned_once(
    planted, request, monkeypatch
):
    alone = of_words(planted)
    request.getfixturevalue("two")
    learned: list[int] = []
    fit = Rotation.fit
    monkeypatch.setattr(Rotation, "fit", lambda *a, **k: learned.append(1) or fit(*a, **k))
    beside = of_words(planted).to_frame()
    assert alone.to_frame().equals(beside)
    assert len(learned) == 1  # the heights and the number have the same training rows
    told = beside[["surface", "word_identity", "next_word", "position"]]
    assert told.notna().all(axis=None)


def test_answers_belong_to_their_jobs_in_whatever_order_they_come(planted):
    assert of_words(planted).to_frame().equals(of_words(planted, Backwards()).to_frame())


def test_an_engine_that_leaves_a_job_out_is_told(planted):
    with pytest.raises(linrep.core.EngineError, match=r"has left out \[0, 1, 2, 3\] of 6 jobs"):
        of_words(planted, Forgetful())


def test_jobs_of_untrained_models_carry_no_draws(planted):
    """Of five untrained models they travel five times as often as the model's own."""
    acts, corpus, _ = planted(signal=(0.1, 0.6), n_sentences=80)
    few, many = Weighing(), Weighing()
    for engine, permutations in ((few, 19), (many, 199)):
        linrep.probe(
            acts, corpus, heights=[1], random_weights=[acts], permutations=permutations,
            bootstrap=0, seed=0, engine=engine,
        )  # fmt: skip
    assert min(many.sizes[:2]) > max(few.sizes[:2])  # the model's two sites
    assert many.sizes[2:] == few.sizes[2:]
    assert max(few.sizes[2:]) < min(few.sizes[:2]) / 2


def test_a_note_says_where_an_untrained_model_was_worked_on(planted):
    """With device="auto" a GPU may have room for one model's rows and not for another's."""
    assert any("2 of 2 sites were made on cuda" in note for note in of_words(planted, Gpu()).notes)
    assert not any("were made on" in note for note in of_words(planted, Counting()).notes)


def test_the_error_of_a_site_is_that_of_the_first(two):
    rows = np.random.default_rng(0).standard_normal((300, 4))
    wrong = np.where(np.arange(1200).reshape(300, 4) == 700, np.nan, rows)
    with pytest.raises(ProbeError, match="site 'second'"):
        linrep.probe({"first": rows, "second": wrong, "third": wrong}, np.arange(300) % 3, seed=0)
    assert len(set(two)) == 2


def test_an_engine_that_is_given_is_asked(two):
    engine = Counting()
    rows = np.random.default_rng(0).standard_normal((300, 4))
    linrep.probe({"a": rows, "b": rows}, np.arange(300) % 3, seed=0, engine=engine)
    assert engine.jobs == 2


def test_each_site_of_an_untrained_model_is_a_work_by_itself():
    """One that lacks a site has no work there, and its credit stands for no other's."""
    engine, draw = Counting(), np.random.default_rng(0)
    rows = {site: draw.standard_normal((300, 4)) for site in "ab"}
    twins = [{site: draw.standard_normal((300, 4)) for site in sites} for sites in ("ab", "b")]
    told = linrep.probe(
        rows, np.arange(300) % 3, seed=0, engine=engine, random_weights=twins, permutations=19
    ).to_frame()
    assert engine.jobs == 2 + 2 + 1
    assert told.set_index("site")["n_twins"].to_dict() == {"a": 1, "b": 2}


def test_places_of_narrow_codes_do_not_overflow():
    """Codes of 16 bits stand for all narrow ones: 200 * 300 is more than they hold."""
    codes = np.full(300, 200, dtype=np.int16)
    places = own_places(codes)
    np.testing.assert_array_equal(places, 200 * 300 + np.arange(300))
