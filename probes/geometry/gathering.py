"""Statistics of more rows than memory holds, added up over workers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ...core import Engine, Shared, progress, running
from ...core.arguments import checked
from ...core.devices import check_device, products_for
from ...core.stored import StoredRows
from ...core.threads import threads_for
from ..errors import ProbeError
from ..inputs.blocks import Matrix, as_matrix
from ..inputs.reading import as_array
from .statistics import Statistics, statistics_of

__all__ = ["gather_statistics"]

ROWS, NUMBERS = 8192, 2**24  # of what a worker reads at once, at most
BLOCKS = 8  # that a job adds up before it hands its sums over: these are d x d, a block is n x d


@final
@dataclass(frozen=True, eq=False)
class _Part:
    """Some rows and their labels."""

    matrix: Shared
    start: int
    blocks: Sequence[Mapping[str, np.ndarray]]
    size: int
    threads: int
    device: str

    def run(self) -> Statistics:
        """Read a block at a time and add up, in the order of the rows."""
        matrix, start = self.matrix.get(), self.start
        products = products_for(self.device, matrix.shape, ProbeError)
        parts = []
        for labels in self.blocks:
            stop = min(start + self.size, len(matrix))
            parts.append(statistics_of(_read(matrix, start, stop), labels, products))
            parts = [sum(parts[1:], parts[0])]  # one is kept: each has a scatter of all features
            start = stop
        return parts[0]


@checked(ProbeError)
def gather_statistics(
    X: npt.ArrayLike | StoredRows,
    y: npt.ArrayLike | Mapping[str, npt.ArrayLike],
    *,
    engine: str | Engine = "local",
    device: str = "auto",
) -> Statistics:
    """:meth:`Statistics.from_arrays` of rows that need not fit into memory, over several workers.

    Rows are cut into parts whose bounds depend on the width alone, and the statistics of the parts
    are added in the order of the rows (Chan, Golub and LeVeque 1983): the result is equal to the
    byte on every engine and at any number of workers. From other cuts it differs by rounding.
    In memory are, for each worker, one block of rows and the ``[feature, feature]`` sums.

    Args:
        X: ``[token, feature]``: an array, or a site of activations that lie in a store.
        y: class labels ``[token]`` (or numbers ``[token, k]``); several targets as a mapping.
        engine: ``local``, ``processes:N``, ``ray``, or one that :func:`linrep.core.make_engine`
            returned.
        device: where products are made: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, or ``"auto"``, as in
            :func:`linrep.probe`. The sums of every block of rows come back from a GPU and are
            added up here: beside the block, one ``[feature, feature]`` matrix is moved.

    Raises:
        ProbeError: lengths differ, there are no rows, a value is not finite, or there is no such
            device.
        EngineError: no such engine, or its workers die.

    >>> X, y = np.arange(6.0).reshape(3, 2), ["a", "b", "b"]
    >>> gathered, whole = gather_statistics(X, y), Statistics.from_arrays(X, y)
    >>> bool((gathered.scatter_xx == whole.scatter_xx).all()), gathered.counts()
    (True, {'a': 1, 'b': 2})
    """
    matrix = as_matrix(X, "features are a numeric matrix [token, feature]")
    if len(matrix.shape) != 2 or not len(matrix):
        raise ProbeError(
            "features are a numeric matrix [token, feature] with one row at least; received "
            f"{matrix.dtype} of shape {tuple(matrix.shape)}"
        )
    check_device(device, ProbeError)
    n, d = matrix.shape
    size = max(1, min(ROWS, NUMBERS // max(d, 1)))
    with threads_for(float(size) * d * d) as threads, running(engine) as runner:
        shared = runner.share(lambda: matrix)
        jobs = list(_parts(shared, n, _targets(y, n), size, threads, device))
        found = progress(runner.map(_run, jobs), "statistics", total=len(jobs), unit="part")
        return reduce(add, _in_order(found))


def _parts(
    shared: Shared,
    n: int,
    targets: Mapping[str, np.ndarray],
    size: int,
    threads: int,
    device: str,
) -> Iterator[_Part]:
    """Jobs of a few blocks each."""
    for start in range(0, n, BLOCKS * size):
        starts = range(start, min(start + BLOCKS * size, n), size)
        blocks = [{k: v[at : min(at + size, n)] for k, v in targets.items()} for at in starts]
        yield _Part(shared, start, blocks, size, threads, device)


def _run(part: _Part) -> Statistics:
    """With as many threads as everywhere: products are then added in the same order."""
    with threadpool_limits(part.threads, user_api="blas"):
        return part.run()


def _in_order(found: Iterator[tuple[int, Statistics]]) -> Iterator[Statistics]:
    """Parts in the order of the rows, whichever comes first; what is early waits."""
    waiting: dict[int, Statistics] = {}
    due = 0
    for index, part in found:
        waiting[index] = part
        while due in waiting:
            yield waiting.pop(due)
            due += 1


def _targets(y: Any, n: int) -> dict[str, np.ndarray]:
    """Each target's values, one for each row.

    Raises:
        ProbeError: another number of them.
    """
    given = y if isinstance(y, Mapping) else {"target": y}
    targets = {}
    for name, values in given.items():
        array = as_array(values, f"target {name!r} has one value for each row")
        if array.ndim == 0 or len(array) != n:
            rows = len(array) if array.ndim else "no"
            raise ProbeError(f"target {name!r} has {rows} rows, the features have {n}")
        targets[name] = array
    return targets


def _read(matrix: Matrix, start: int, stop: int) -> np.ndarray:
    if isinstance(matrix, np.ndarray):
        return matrix[start:stop]
    return matrix.read(np.arange(start, stop))
