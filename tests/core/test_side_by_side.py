"""Jobs on threads of this process: the same results in the same order, errors of the first."""

import signal
import sys
import threading

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - a limit holds for the libraries that are loaded when it is set
from threadpoolctl import threadpool_info, threadpool_limits

from linrep.core.side_by_side import side_by_side


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


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


def test_linear_algebra_has_one_thread_inside_and_its_own_afterwards():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        inside = dict(side_by_side(lambda _: blas_threads(), [0, 1, 2], 2))
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError):
            list(side_by_side(lambda job: 1 / job, [1, 0, 2], 2))
        assert blas_threads() == before
    assert inside == {0: {1}, 1: {1}, 2: {1}}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to itself")
def test_an_interrupt_ends_what_is_at_work():
    """The main thread waits, two others never end by themselves."""
    begun = threading.Barrier(3, timeout=60)

    def work(_: int) -> None:
        begun.wait()
        while True:
            pass

    def interrupt() -> None:
        begun.wait()
        signal.raise_signal(signal.SIGINT)

    before = threading.active_count()
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(work, [0, 1], 2))
    assert threading.active_count() == before


def test_threads_that_are_interrupted_anywhere_end_without_a_word(monkeypatch):
    """Threads change places every few steps; what a thread does not catch is seen."""
    unseen: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda found: unseen.append(repr(found.exc_value)))
    usual, before = sys.getswitchinterval(), threading.active_count()
    sys.setswitchinterval(1e-5)
    try:
        for threads in [2, 3, 5] * 20:
            jobs = range(threads + 2)
            assert list(side_by_side(lambda job: 2 * job, jobs, threads))[-1] == (
                threads + 1, 2 * (threads + 1),
            )  # fmt: skip
            stopped = side_by_side(lambda _: sum(range(2000)), jobs, threads)
            next(stopped)
            stopped.close()
    finally:
        sys.setswitchinterval(usual)
    assert not unseen
    assert threading.active_count() == before
