"""Runs the jobs of a grid, several at once where that gains time."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from multiprocessing import parent_process
from typing import final

import numpy as np
from jaxtyping import Float

from ...core import Engine, EngineError, progress
from ...core.engines import Serial
from ...core.limits import available_memory
from ...core.side_by_side import side_by_side
from ...core.threads import allowed_threads
from ..inputs.protocols import ActivationsLike
from .entrance import GivenArrays
from .guesses import Guessing
from .site_work import SiteFound, SiteWork, TwinFound, TwinWork, probe_in_worker

__all__ = ["GridFound", "run_grid", "sites_at_once"]

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
        needed: bytes of one job, as far as they are counted: of the solver, of a guess.
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


Job = Guessing | SiteWork | TwinWork
Result = dict[str, np.ndarray] | SiteFound | TwinFound


@final
@dataclass(frozen=True, eq=False)
class GridFound:
    """What all jobs of a grid have found.

    Args:
        guesses: of each target what is guessed without activations of any block.
        sites: what the model says at each site.
        twins: by site and target the credit of each test row in each untrained model that has
            the site.
        devices: by site where products were made; where one was made off the processor, that.
    """

    guesses: list[dict[str, np.ndarray]]
    sites: dict[str, SiteFound]
    twins: dict[tuple[str, str], Float[np.ndarray, "twin test"]]
    devices: dict[str, str]


def run_grid(
    runner: Engine,
    guesses: Sequence[Guessing],
    own: Sequence[SiteWork],
    twins: Sequence[TwinWork],
    at_once: int,
) -> GridFound:
    """Make all guesses, run all probes, and collect what they find.

    Each site of an untrained model is a job by itself and comes after those of the model: long jobs
    go first, so that few threads or workers wait at the end. Guesses are made in this process.

    Args:
        runner: where sites are worked on.
        guesses: one for each target.
        own: one for each site of the model.
        twins: one for each site of each of its untrained models.
        at_once: how many, where all is done in this process.

    Raises:
        ProbeError: a job fails: in this process the first in this order, in other engines the
            first that is known.
        EngineError: the engine has left a job out.
    """
    sites: list[SiteWork | TwinWork] = [*own, *twins]
    with _results(runner, guesses, sites, at_once) as results:
        total = len(guesses) + len(sites)
        found = dict(progress(results, "probing", total=total, unit="job"))
    if missing := [i for i in range(len(sites)) if len(guesses) + i not in found]:
        raise EngineError(
            f"the engine has left out {missing} of {len(sites)} jobs: its map has to yield the "
            "index and the result of each job"
        )
    guessed = [result for i in range(len(guesses)) if isinstance(result := found[i], dict)]
    said: dict[str, SiteFound] = {}
    credits: dict[tuple[str, str], list[np.ndarray]] = {}
    devices: dict[str, str] = {}
    for index, job in enumerate(sites, len(guesses)):
        result = found[index]
        if isinstance(result, SiteFound):
            said[job.site] = result
        elif isinstance(result, TwinFound):
            for name, credit in result.credits.items():
                credits.setdefault((job.site, name), []).append(credit)
        if not isinstance(result, dict) and devices.get(job.site, "cpu") == "cpu":
            devices[job.site] = result.device
    right = {cell: np.stack(each) for cell, each in credits.items()}
    return GridFound(guessed, said, right, devices)


@contextmanager
def _results(
    runner: Engine,
    guesses: Sequence[Guessing],
    sites: Sequence[SiteWork | TwinWork],
    at_once: int,
) -> Iterator[Iterator[tuple[int, Result]]]:
    """The result of every job with its index; in this process all have ended with the block."""
    if isinstance(runner, Serial):
        with closing(side_by_side(run, [*guesses, *sites], at_once)) as results:
            yield results
        return
    first = enumerate(map(run, guesses))
    rest = runner.map(probe_in_worker if runner.workers else run, sites)
    yield chain(first, ((len(guesses) + index, result) for index, result in rest))


def run(job: Job) -> Result:
    """Run in this process; a function, which engines can pass on."""
    return job.run()
