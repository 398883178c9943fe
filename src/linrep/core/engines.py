"""Engines on this machine, and the choice of one by its name. Equal results on every one."""

import multiprocessing
import os
import re
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np

from .arguments import checked
from .engine import Engine, EngineError, Shared
from .ray_cluster import RayCluster
from .stored import StoredRows, save_rows

__all__ = ["Processes", "Serial", "make_engine", "running"]

ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

Job = TypeVar("Job")
Result = TypeVar("Result")


@checked(EngineError)
def make_engine(name: str) -> Engine:
    """The engine of this name.

    Args:
        name: ``local``; ``processes:N`` (workers import the script that asks for them: there the
            call stands below ``if __name__ == "__main__":``); ``ray`` (a cluster that is running,
            else a local one is started); ``ray://host:port``.

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
    if re.fullmatch(r"ray://[^\s/:][^\s/]*", name):
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

    def share(self, make: Callable[[], np.ndarray | StoredRows]) -> Shared:
        """Made when asked for, and not kept."""
        return _Made(make)

    def close(self) -> None:
        """Nothing to let go of."""


@final
@dataclass(frozen=True, eq=False)
class _Made:
    """Made anew whenever it is asked for."""

    make: Callable[[], np.ndarray | StoredRows]

    def get(self) -> np.ndarray | StoredRows:
        """Make it."""
        return self.make()


@contextmanager
def _unheard() -> Iterator[None]:
    """Processes begun inside never hear a Ctrl-C: the one who began them ends them.

    A signal that comes meanwhile is handled afterwards: half begun, a process would not know what
    to do, and say so.
    """
    late: list[int] = []
    handlers: dict[int, Any] = {}
    mask = None
    try:
        if threading.current_thread() is threading.main_thread():
            for number in ENDS:
                if callable(handler := signal.getsignal(number)):
                    handlers[number] = handler
                    signal.signal(number, lambda number, _: late.append(number))
        if hasattr(signal, "pthread_sigmask"):
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in late:
            signal.raise_signal(number)


def _begin(begun: Event) -> None:
    """A worker's first step: it says that it lives, and dies with the process that began it."""
    begun.set()
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@final
class Processes:
    """Spawned workers; when one is killed the pool is rebuilt and what is left resubmitted.

    Workers stay for the next jobs until the engine is closed: each spends seconds on its imports.

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
        self._context = multiprocessing.get_context("spawn")
        self._begun = self._context.Event()
        self._pool: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order of completion.

        Raises:
            EngineError: workers keep dying.
        """
        todo = set(range(len(jobs)))
        for attempt in range(self._retries + 1):
            try:
                with _unheard():
                    pool = self._workers()
                    futures = {pool.submit(fn, jobs[i]): i for i in sorted(todo)}
                for future in as_completed(futures):
                    result = future.result()
                    todo.discard(futures[future])
                    yield futures[future], result
                return
            except BrokenProcessPool as error:
                self._end()
                self._explain(self._begun.is_set(), attempt, len(todo), error)
            except BaseException:  # the caller has had enough: what runs is not waited for
                self._end()
                raise

    def _workers(self) -> ProcessPoolExecutor:
        """The pool, made when it is first asked for."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=self._context, initializer=_begin, initargs=(self._begun,)
            )
        return self._pool

    def _end(self) -> None:
        """Workers end at once, whatever they are at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for worker in list((pool._processes or {}).values()):
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)

    def _explain(self, begun: bool, attempt: int, left: int, error: BrokenProcessPool) -> None:
        """Say why workers died, unless it is worth another try.

        Raises:
            EngineError: no worker came to life, or they keep dying.
        """
        if not begun:
            raise EngineError(
                "no worker came to life. In a script, what uses processes must stand under\n"
                "    if __name__ == '__main__':\n"
                "since every worker imports the script anew; or the system ended the workers at "
                "once, for want of memory say"
            ) from error
        if attempt == self._retries:
            raise EngineError(
                f"workers died {attempt + 1} times, {left} jobs are left: they are "
                "probably killed for memory; use fewer processes or smaller shards"
            ) from error

    def share(self, make: Callable[[], np.ndarray | StoredRows]) -> Shared:
        """A file in a temporary folder, mapped into memory by the workers."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="linrep-shared-")
        file = Path(self._folder.name) / f"{self._files}.npy"
        self._files += 1
        made = make()
        if isinstance(made, np.ndarray):
            np.save(file, made, allow_pickle=False)
        else:
            save_rows(file, made)
        return _Saved(file)

    def close(self) -> None:
        """Let the workers go, and remove what was shared."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
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
