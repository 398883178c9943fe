"""What an engine is: it runs a function on every job, wherever that may be."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from .errors import LinrepError
from .stored import StoredRows

__all__ = ["Engine", "EngineError", "Shared"]

Job = TypeVar("Job")
Result = TypeVar("Result")


class EngineError(LinrepError):
    """Work cannot run where it was asked to: no such engine, no cluster, workers that die."""


@runtime_checkable
class Shared(Protocol):
    """An array that every worker can reach; jobs carry this instead of the array."""

    def get(self) -> np.ndarray | StoredRows:
        """The array, not to be written to; in this process also rows that lie elsewhere."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Runs a function on every job.

    Jobs carry references (folders, ranges, settings, shared arrays), never models; results are
    small. A job may run twice if its worker dies, so it must be indifferent to that.
    """

    workers: bool
    """Whether jobs run in other processes, which load the model by themselves."""

    def map(self, fn: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield ``(index, result)`` in order of completion."""
        ...

    def share(self, make: Callable[[], np.ndarray | StoredRows]) -> Shared:
        """Put an array where jobs can reach it; here it is made only when a job asks for it."""
        ...

    def close(self) -> None:
        """Let go of what was started."""
        ...
