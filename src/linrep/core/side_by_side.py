"""Jobs side by side on threads of this process; what they return comes in the order of the jobs."""

import contextvars
import ctypes
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["side_by_side"]

Job = TypeVar("Job")
Result = TypeVar("Result")

LISTENING = 1.0
"""Seconds after which a wait is begun again: on some systems a wait alone hears no Ctrl-C."""


def side_by_side(
    function: Callable[[Job], Result], jobs: Sequence[Job], threads: int
) -> Generator[tuple[int, Result], None, None]:
    """Apply a function to every job, several at once; each uses one thread of linear algebra.

    NumPy lets other threads run while it computes. Every job is worked on by one thread alone, in
    the context of the caller, so its result is the same to the byte whatever ``threads`` is.

    Where the caller stops asking (an error, an interrupt), jobs that have not begun are dropped,
    and those at work end at their next step in Python: after that nothing runs on.

    Args:
        function: what is done.
        jobs: with each of these.
        threads: how many at once; with one nothing is begun, and all is done here.

    Yields:
        The index of each job and its result, in the order of the jobs.

    Raises:
        BaseException: what the first job that failed has raised, in the order of the jobs.

    >>> list(side_by_side(lambda job: job**2, [1, 2, 3], threads=2))
    [(0, 1), (1, 4), (2, 9)]
    """
    threads = min(threads, len(jobs))
    if threads <= 1:
        for index, job in enumerate(jobs):
            yield index, function(job)
        return
    todo = deque((Future[Result](), job) for job in jobs)
    results = [result for result, _ in todo]
    from threadpoolctl import ThreadpoolController

    # Found once, before any thread: looking through the loaded libraries beside threads that
    # compute could wait for them for ever (joblib/threadpoolctl issue 239).
    libraries = ThreadpoolController()
    workers = [_Worker(function, todo, libraries) for _ in range(threads)]
    with libraries.limit(limits=1, user_api="blas"):
        try:
            for worker in workers:
                worker.start()
            for index, result in enumerate(results):
                while not wait([result], LISTENING).done:
                    pass
                yield index, result.result()
        except BaseException:
            todo.clear()
            for worker in workers:  # all are told before one is waited for
                worker.drop()
            raise
        finally:
            for worker in workers:
                while worker.is_alive():
                    worker.join(LISTENING)


class _Worker(threading.Thread):
    """A thread that takes up one job after the other, until there are none.

    Args:
        function: what is done with a job.
        todo: jobs, each with the place of its result; shared with the other threads.
        libraries: of linear algebra, that are told how many threads they have.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        todo: "deque[tuple[Future[Any], Any]]",
        libraries: Any,
    ) -> None:
        super().__init__(daemon=True)
        self._function, self._todo, self._libraries = function, todo, libraries
        self._context = contextvars.copy_context()  # how NumPy treats overflow is told there
        self._telling = threading.Lock()
        self._at_work = False

    def run(self) -> None:
        """Work."""
        # Where linear algebra counts its threads by who calls it, a new one begins with many.
        with self._libraries.limit(limits=1, user_api="blas"), suppress(_Dropped):
            self._context.run(self._take_up)

    def _take_up(self) -> None:
        self._begin()
        while self._todo:
            try:
                result, job = self._todo.popleft()
            except IndexError:  # another thread has taken the last one meanwhile
                break
            try:
                found = self._function(job)
            except BaseException as error:
                result.set_exception(error)
            else:
                result.set_result(found)
        with self._telling:
            self._at_work = False

    def _begin(self) -> None:
        with self._telling:
            self._at_work = True

    def drop(self) -> None:
        """End the job at its next step in Python; nothing, where the thread is not at work.

        CPython raises an exception in another thread on demand (``PyThreadState_SetAsyncExc``). A
        thread that ran on would use the processor for nobody, and could still be computing while
        the interpreter takes NumPy's memory down. An interpreter that cannot do so ends the job.
        """
        with self._telling, suppress(AttributeError):
            if self._at_work and self.ident is not None:
                raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
                raise_in(ctypes.c_ulong(self.ident), ctypes.py_object(_Dropped))


class _Dropped(BaseException):
    """Nobody asks for the result of this job any more."""
