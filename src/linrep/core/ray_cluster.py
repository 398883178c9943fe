"""Work on a Ray cluster; Ray is an extra and is imported when a cluster is asked for."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import numpy as np

from .engine import EngineError, Shared
from .stored import StoredRows

__all__ = ["RayCluster"]

Job = TypeVar("Job")
Result = TypeVar("Result")


@final
class RayCluster:
    """Tasks on a Ray cluster, each on one CPU; a killed worker's task runs again elsewhere.

    Args:
        address: of a running cluster; without one, the cluster this process belongs to, or a new
            local one.
        retries: times a task may lose its worker.
        in_flight: tasks submitted ahead.

    Raises:
        EngineError: Ray is not installed, or the cluster cannot be reached.
    """

    workers = True

    def __init__(self, address: str | None = None, retries: int = 3, in_flight: int = 256) -> None:
        try:
            import ray
        except ImportError as error:
            raise EngineError(
                'engine="ray" needs Ray: pip install "linrep[ray]", or engine="processes:N"'
            ) from error
        self._ray, self._retries, self._in_flight = ray, retries, in_flight
        self._ours = not ray.is_initialized()
        if self._ours:
            before = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(
                    address=address, include_dashboard=False, log_to_driver=False,
                    logging_level=logging.ERROR,
                )  # fmt: skip
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise EngineError(
                    f"no Ray cluster at {address!r}: {str(error).splitlines()[0]}. Is the address "
                    "that of its client server (port 10001 by default), and is RAY_AUTH_MODE the "
                    "same on both sides?"
                ) from error
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, before)  # Ray puts its own in place

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield in order of completion.

        Raises:
            EngineError: a task's worker died too often.
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

    def share(self, make: Callable[[], np.ndarray | StoredRows]) -> Shared:
        """An object of the cluster's store: one copy per machine, read without another."""
        made = make()
        whole = made if isinstance(made, np.ndarray) else made.read(np.arange(len(made)))
        return _Put(self._ray.put(whole))

    def close(self) -> None:
        """End the cluster if it was started here."""
        if self._ours:
            self._ray.shutdown()

    def _get(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # the job's own error, as it was there
            raise error.cause from None
        except self._ray.exceptions.WorkerCrashedError as error:
            raise EngineError(
                f"a worker died {self._retries + 1} times on the same job: it is probably killed "
                "for memory; use smaller shards"
            ) from error
        except self._ray.exceptions.RayError as error:
            raise EngineError(
                f"the Ray cluster broke down ({str(error).splitlines()[0]:.200}): look into its "
                "logs, and start it anew"
            ) from error


@final
@dataclass(frozen=True, eq=False)
class _Put:
    """An object in Ray's store."""

    reference: Any

    def get(self) -> np.ndarray:
        """Fetch it."""
        import ray

        found: np.ndarray = ray.get(self.reference)
        return found
