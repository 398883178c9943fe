"""How many sites are worked on at once, where, and what they say."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from multiprocessing import parent_process
from typing import final

import numpy as np
from jaxtyping import Float

from ...core import Engine, progress
from ...core.engines import Serial
from ...core.limits import available_memory
from ...core.side_by_side import side_by_side
from ...core.threads import allowed_threads
from ..inputs.protocols import ActivationsLike
from .entrance import GivenArrays
from .guesses import Guessing
from .site_work import SiteFound, SiteWork, TwinWork, probe_in_worker

__all__ = ["GridFound", "answered", "sites_at_once"]

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


Work = Guessing | SiteWork | TwinWork
Found = SiteFound | dict[str, np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class GridFound:
    """What all works have found.

    Args:
        guesses: of each target what is guessed without any activation of a block.
        sites: what the model says at each site.
        twins: by site and target the credit of each test row in each untrained model that has
            the site.
    """

    guesses: list[dict[str, np.ndarray]]
    sites: dict[str, SiteFound]
    twins: dict[tuple[str, str], Float[np.ndarray, "twin test"]]


def answered(
    runner: Engine,
    guesses: Sequence[Guessing],
    own: Sequence[SiteWork],
    twins: Sequence[TwinWork],
    at_once: int,
) -> GridFound:
    """Guess and probe.

    Each site of an untrained model is a work by itself and comes after those of the model, which
    take longest: so whoever works is at work until the end. Guesses are made in this process.

    Args:
        runner: where sites are worked on.
        guesses: one for each target.
        own: one for each site of the model.
        twins: one for each site of each of its untrained models.
        at_once: how many, where all is done in this process.

    Raises:
        ProbeError: the first work that fails, in this order.
    """
    sites: list[SiteWork | TwinWork] = [*own, *twins]
    with _found(runner, guesses, sites, at_once) as found:
        each = progress(found, "probing", total=len(guesses) + len(sites), unit="step")
        done = [here for _, here in sorted(each, key=lambda step: step[0])]
    said: dict[str, SiteFound] = {}
    right: dict[tuple[str, str], list[np.ndarray]] = {}
    for work, here in zip(sites, done[len(guesses) :], strict=True):
        if isinstance(here, SiteFound):
            said[work.site] = here
            continue
        for name, credit in here.items():
            right.setdefault((work.site, name), []).append(credit)
    guessed = [here for here in done[: len(guesses)] if isinstance(here, dict)]
    return GridFound(guessed, said, {cell: np.stack(each) for cell, each in right.items()})


@contextmanager
def _found(
    runner: Engine,
    guesses: Sequence[Guessing],
    sites: Sequence[SiteWork | TwinWork],
    at_once: int,
) -> Iterator[Iterator[tuple[int, Found]]]:
    """What every work finds, with its index; at the end of the block nothing works on."""
    if isinstance(runner, Serial):
        with closing(side_by_side(run, [*guesses, *sites], at_once)) as found:
            yield found
        return
    first = enumerate(map(run, guesses))
    rest = runner.map(probe_in_worker if runner.workers else run, sites)
    yield chain(first, ((len(guesses) + index, found) for index, found in rest))


def run(work: Work) -> Found:
    """Run in this process."""
    return work.run()
