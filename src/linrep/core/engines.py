"""Engines on this machine, and the choice of one by its name. Equal results on every one."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar, final

import numpy as np

from .engine import Engine, EngineError, Shared
from .ray_cluster import RayCluster

__all__ = ["Processes", "Serial", "make_engine", "running"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def make_engine(name: str) -> Engine:
    """The engine of this name.

    Args:
        name: ``local``; ``processes:N``; ``ray`` (a cluster that is running, else a local one is
            started); ``ray://host:port``.

    Raises:
        EngineError: an unknown name, or Ray is not installed.

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
    raise EngineError(f"unknown engine {name!r}: give local, processes:N, ray or ray://host:port")


@contextmanager
def running(engine: "str | Engine") -> Iterator[Engine]:
    """An engine by name, closed at the end; one that runs already is left running.

    Args:
        engine: a name as for :func:`make_engine`, or an engine.

    Raises:
        EngineError: it is neither.

    >>> with running("local") as engine:
    ...     engine.workers
    False
    """
    if not isinstance(engine, str):
        if not isinstance(engine, Engine):
            raise EngineError(
                f"an engine is a name, local, processes:N, ray or ray://host:port, or what "
                f"make_engine returns; received {engine!r}"
            )
        yield engine
        return
    made = make_engine(engine)
    try:
        yield made
    finally:
        made.close()


@final
class Serial:
    """One job after the other, in this process."""

    workers = False

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order."""
        for i, job in enumerate(jobs):
            yield i, fn(job)

    def share(self, make: Callable[[], np.ndarray]) -> Shared:
        """Made when asked for, and not kept."""
        return _Made(make)

    def close(self) -> None:
        """Nothing to let go of."""


@final
@dataclass(frozen=True, eq=False)
class _Made:
    """Made anew whenever it is asked for."""

    make: Callable[[], np.ndarray]

    def get(self) -> np.ndarray:
        """Make it."""
        return self.make()


@final
class Processes:
    """Spawned workers; when one is killed the pool is rebuilt and what is left resubmitted.

    Args:
        workers_count: number of processes.
        retries: pools that may break before giving up.

    Raises:
        EngineError: no worker was asked for.
    """

    workers = True

    def __init__(self, workers_count: int, retries: int = 3) -> None:
        if workers_count < 1:
            raise EngineError("processes:N needs at least one process; received 0")
        self._count, self._retries = workers_count, retries
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order of completion.

        Raises:
            EngineError: workers keep dying.
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
                    raise EngineError(
                        f"workers died {attempt + 1} times, {len(todo)} jobs are left: they are "
                        "probably killed for memory; use fewer processes or smaller shards"
                    ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def share(self, make: Callable[[], np.ndarray]) -> Shared:
        """A file in a temporary folder, mapped into memory by the workers."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="linrep-shared-")
        file = Path(self._folder.name) / f"{self._files}.npy"
        self._files += 1
        np.save(file, make(), allow_pickle=False)
        return _Saved(file)

    def close(self) -> None:
        """Remove what was shared; pools end with their work."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


@final
@dataclass(frozen=True)
class _Saved:
    """A file of NumPy's."""

    file: Path

    def get(self) -> np.ndarray:
        """Map it."""
        mapped: np.ndarray = np.load(self.file, mmap_mode="r", allow_pickle=False)
        return mapped
