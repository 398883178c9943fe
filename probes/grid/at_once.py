"""How many sites are worked on at once, where, and what they say."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import parent_process

import numpy as np
from jaxtyping import Float

from ...core import Engine, progress
from ...core.engines import Serial
from ...core.limits import available_memory
from ...core.side_by_side import side_by_side
from ...core.threads import allowed_threads
from ..inputs.protocols import ActivationsLike
from .entrance import GivenArrays
from .site_work import SiteFound, SiteWork, TwinWork, probe_in_worker, run

__all__ = ["sites_answered", "sites_at_once"]

WORTH = 2**21
"""Numbers of a site from which threads gain: NumPy lets others run only while it computes, and the
steps between the computations of small sites would wait for each other."""
MOST = 8  # sites at once: those steps of all threads share one interpreter
LEAST = 2**29  # bytes that the work on any site may take: blocks of rows, sums, columns of labels
MATRICES = 8  # of d x d float64 numbers that the work on one site holds


def sites_at_once(stores: Sequence[ActivationsLike], device: str, needed: int) -> int:
    """Sites that are worked on side by side, on threads of this process.

    As many as linear algebra may use threads, and as half of this machine's memory holds. One,
    where the rows are few, where products are made on a GPU, in a process that another one has
    begun, and where an object of another package gives the rows: it may have one reader at a time.

    Args:
        stores: activations of the model and of its untrained models.
        device: where products are made, as asked for.
        needed: bytes of the work on one site, as far as the solver has counted them.
    """
    shapes = [np.shape(acts[site]) for acts in stores if _many_readers(acts) for site in acts.sites]
    if (
        parent_process() is not None
        or device not in ("auto", "cpu")
        or not all(map(_many_readers, stores))
        or max((np.prod(shape) for shape in shapes), default=0) < WORTH
    ):
        return 1
    width = max(shape[-1] for shape in shapes if shape)
    memory, each = available_memory(), max(needed, LEAST) + MATRICES * 8 * width**2
    room = MOST if memory is None else memory // (2 * each)
    return max(1, min(allowed_threads(), room, MOST))


def _many_readers(acts: ActivationsLike) -> bool:
    """Whether several threads may read sites of it at the same time."""
    if isinstance(acts, GivenArrays):
        return all(isinstance(rows, np.ndarray) for rows in acts.values())
    return getattr(acts, "many_readers", False) is True


@contextmanager
def _answered(
    runner: Engine, works: Sequence[SiteWork | TwinWork], at_once: int
) -> Iterator[Iterator[tuple[int, SiteFound | dict[str, np.ndarray]]]]:
    """What every work finds, with its index; at the end of the block nothing works on."""
    if isinstance(runner, Serial):
        with closing(side_by_side(run, works, at_once)) as found:
            yield found
    else:
        yield runner.map(probe_in_worker if runner.workers else run, works)


def sites_answered(
    runner: Engine, own: Sequence[SiteWork], twins: Sequence[TwinWork], at_once: int
) -> tuple[dict[str, SiteFound], dict[tuple[str, str], Float[np.ndarray, "twin test"]]]:
    """What every site says.

    Each site of the untrained models is a work by itself, and comes after the model's own, which
    take longest: so whoever works is at work until the end.

    Args:
        runner: where the work is done.
        own: one for each site of the model.
        twins: one for each site of each of its untrained models.
        at_once: how many, where all is done in this process.

    Returns:
        By site, what the model says; by site and target, the credit of each test row in each
        untrained model that has the site.

    Raises:
        ProbeError: the first work that fails, in this order.
    """
    works: list[SiteWork | TwinWork] = [*own, *twins]
    said: dict[int, SiteFound | dict[str, np.ndarray]] = {}
    with _answered(runner, works, at_once) as answered:
        said.update(progress(answered, "probing", total=len(works), unit="site"))
    found: dict[str, SiteFound] = {}
    right: dict[tuple[str, str], list[np.ndarray]] = {}
    for index, work in enumerate(works):
        here = said[index]
        if isinstance(here, SiteFound):
            found[work.site] = here
            continue
        for name, credit in here.items():
            right.setdefault((work.site, name), []).append(credit)
    return found, {cell: np.stack(each) for cell, each in right.items()}
