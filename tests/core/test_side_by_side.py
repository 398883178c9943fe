"""Jobs on threads of this process: the same results in the same order, errors of the first."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import linrep
from linrep.core.side_by_side import side_by_side


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_jobs(threads, n):
    jobs = [3 * job for job in range(n)]
    assert list(side_by_side(lambda job: job + 1, jobs, threads)) == [
        (index, job + 1) for index, job in enumerate(jobs)
    ]


def test_jobs_run_at_the_same_time():
    """Each waits for the other: one after the other they would wait for ever."""
    meeting = threading.Barrier(2, timeout=60)
    found = dict(side_by_side(lambda job: meeting.wait() >= 0 and job, [5, 6], 2))
    assert found == {0: 5, 1: 6}


def test_with_one_thread_all_is_done_in_the_thread_that_asks():
    here = threading.get_ident()
    assert dict(side_by_side(lambda _: threading.get_ident(), [0, 1], 1)) == {0: here, 1: here}


def test_the_error_of_the_first_job_that_fails_is_raised():
    later = threading.Event()

    def work(job: int) -> int:
        if job == 1:
            later.wait(60)  # the third job fails before the second
        if job == 2:
            later.set()
        if job:
            raise KeyError(job)
        return job

    found = side_by_side(work, [0, 1, 2, 3], 3)
    assert next(found) == (0, 0)
    with pytest.raises(KeyError, match="1"):
        next(found)


def test_whoever_stops_asking_begins_no_other_job():
    begun: list[int] = []
    ended: list[int] = []

    def work(job: int) -> int:
        begun.append(job)
        while job:  # for ever, one step of Python after the other
            pass
        ended.append(job)
        return job

    before = threading.active_count()
    found = side_by_side(work, range(50), 2)
    assert next(found) == (0, 0)
    found.close()
    assert threading.active_count() == before  # nothing runs on
    assert ended == [0]
    assert len(begun) <= 3


def test_threads_see_how_the_caller_treats_overflow():
    def work(_: int) -> bool:
        return bool(np.isinf(np.float64(1e300) * np.float64(1e300)))

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(side_by_side(work, [0, 1], 2))
    with np.errstate(over="ignore"):
        assert dict(side_by_side(work, [0, 1], 2)) == {0: True, 1: True}


@pytest.mark.parametrize("method", ["logistic", "lda", "ridge"])
def test_sites_side_by_side_are_the_same_to_the_byte(method):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 300)
    rows = {
        f"site {size}": draw.standard_normal((300, 8)) + size * np.eye(8)[labels]
        for size in (0.0, 0.3, 0.6, 1.0)
    }
    frames = []
    for allowed in (1, 2):
        with threadpool_limits(allowed, user_api="blas"):
            frames.append(linrep.probe(rows, labels, seed=1, method=method).to_frame())
    assert frames[0].equals(frames[1])


def test_the_error_of_a_site_is_that_of_the_first():
    rows = np.random.default_rng(0).standard_normal((300, 4))
    wrong = np.where(np.arange(1200).reshape(300, 4) == 700, np.nan, rows)
    with (
        threadpool_limits(2, user_api="blas"),
        pytest.raises(linrep.probes.ProbeError, match="site 'second'"),
    ):
        linrep.probe({"first": rows, "second": wrong, "third": wrong}, np.arange(300) % 3, seed=0)
