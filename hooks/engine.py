"""Where work runs: here, in processes, or on a Ray cluster. One protocol, equal results."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar, final, runtime_checkable

from .errors import CaptureError

__all__ = ["Engine", "Processes", "RayCluster", "Serial", "make_engine"]

Job = TypeVar("Job")
Result = TypeVar("Result")


@runtime_checkable
class Engine(Protocol):
    """Runs a function on every job.

    Jobs carry references (folders, ranges, settings), never models; results are small. A job may
    run twice if its worker dies, so it must be indifferent to that.
    """

    workers: bool
    """Whether jobs run in other processes, which load the model by themselves."""

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield ``(index, result)`` in order of completion."""
        ...

    def close(self) -> None:
        """Let go of what was started."""
        ...


def make_engine(name: str) -> Engine:
    """The engine of this name.

    Args:
        name: ``local``; ``processes:N``; ``ray`` (a cluster that is running, else a local one is
            started); ``ray://host:port``.

    Raises:
        CaptureError: an unknown name, or Ray is not installed.

    >>> dict(make_engine("local").map(lambda job: job + 1, [1, 2]))
    {0: 2, 1: 3}
    """
    if name == "local":
        return Serial()
    if found := re.fullmatch(r"processes:(\d+)", name):
        return Processes(int(found[1]))
    if name == "ray":
        return RayCluster()
    if name.startswith("ray://"):
        return RayCluster(name)
    raise CaptureError(f"unknown engine {name!r}: give local, processes:N, ray or ray://host:port")


@final
class Serial:
    """One job after the other, in this process."""

    workers = False

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order."""
        for i, job in enumerate(jobs):
            yield i, fn(job)

    def close(self) -> None:
        """Nothing to let go of."""


@final
class Processes:
    """Spawned workers; when one is killed the pool is rebuilt and what is left resubmitted.

    Args:
        workers_count: number of processes.
        retries: pools that may break before giving up.

    Raises:
        CaptureError: no worker was asked for.
    """

    workers = True

    def __init__(self, workers_count: int, retries: int = 3) -> None:
        if workers_count < 1:
            raise CaptureError("processes:N needs at least one process; received 0")
        self._count, self._retries = workers_count, retries

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order of completion.

        Raises:
            CaptureError: workers keep dying.
        """
        todo = set(range(len(jobs)))
        for attempt in range(self._retries + 1):
            pool = ProcessPoolExecutor(self._count, mp_context=get_context("spawn"))
            futures = {pool.submit(fn, jobs[i]): i for i in sorted(todo)}
            try:
                for future in as_completed(futures):
                    result = future.result()
                    todo.discard(futures[future])
                    yield futures[future], result
                return
            except BrokenProcessPool as error:
                if attempt == self._retries:
                    raise CaptureError(
                        f"workers died {attempt + 1} times, {len(todo)} jobs are left: they are "
                        "probably killed for memory; use fewer processes or smaller shards"
                    ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Nothing to let go of: pools end with their work."""


@final
class RayCluster:
    """Tasks on a Ray cluster, each on one CPU; a killed worker's task runs again elsewhere.

    Args:
        address: of a running cluster; without one, the cluster this process belongs to, or a new
            local one.
        retries: times a task may lose its worker.
        in_flight: tasks submitted ahead.

    Raises:
        CaptureError: Ray is not installed, or the cluster cannot be reached.
    """

    workers = True

    def __init__(self, address: str | None = None, retries: int = 3, in_flight: int = 256) -> None:
        try:
            import ray
        except ImportError as error:
            raise CaptureError(
                'engine="ray" needs Ray: pip install "linrep[ray]", or engine="processes:N"'
            ) from error
        self._ray, self._retries, self._in_flight = ray, retries, in_flight
        self._ours = not ray.is_initialized()
        if self._ours:
            try:
                ray.init(address=address, include_dashboard=False, logging_level=logging.ERROR)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise CaptureError(
                    f"no Ray cluster at {address!r}: {str(error).splitlines()[0]}"
                ) from error

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order of completion.

        Raises:
            CaptureError: a task's worker died too often.
        """
        task = self._ray.remote(fn).options(max_retries=self._retries, num_cpus=1)
        pending: dict[Any, int] = {}
        left = iter(range(len(jobs)))
        try:
            while True:
                for i in left:
                    pending[task.remote(jobs[i])] = i
                    if len(pending) >= self._in_flight:
                        break
                if not pending:
                    return
                done, _ = self._ray.wait(list(pending), num_returns=1)
                yield pending.pop(done[0]), self._get(done[0])
        finally:
            for reference in pending:
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """End the cluster if it was started here."""
        if self._ours:
            self._ray.shutdown()

    def _get(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.WorkerCrashedError as error:
            raise CaptureError(
                f"a worker died {self._retries + 1} times on the same job: it is probably killed "
                "for memory; use smaller shards"
            ) from error
