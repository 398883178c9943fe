"""One measurement before it is judged; and states as dimensions, corners and factors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, final

import numpy as np

from ...core import height_target
from ..grid.joint import left_of
from .geometry import Own, dimensions, evenness, overlap_of, own_of
from .materials import Materials

__all__ = ["Beside", "MeasuredInvariant", "beside_state", "states"]

ROUNDING: Final = 1e-3  # of shares of float32 activations, summed over tokens


@final
@dataclass(frozen=True)
class MeasuredInvariant:
    """A number of the model, the same of each untrained model, and what theory says.

    Args:
        name: of the invariant.
        target: of which target.
        site: where.
        predicted: by theory.
        value: of the model.
        interval: of the value; ``None`` for a count.
        nulls: of untrained models.
        resolution: smallest step of the measure.
        note: what a reader should know beside the verdict.
    """

    name: str
    target: str
    site: str
    predicted: float
    value: float
    interval: tuple[float, float] | None
    nulls: tuple[float, ...]
    resolution: float = 0.0
    note: str = ""


def states(materials: Materials) -> Iterator[MeasuredInvariant]:
    """Dimensions of each state, evenness of its classes, and what two heights share.

    By theory a state has one dimension less than there are labels, its classes are the corners of a
    regular simplex, two heights are orthogonal, and both labels together have the sum of their
    dimensions. The last three are asked where the words and the lower states, each for itself,
    leave a state open; else the stream moves with the words in any model.

    Args:
        materials: what is measured.
    """
    for height in materials.heights:
        beside = beside_state(materials, height)
        target, site = height_target(height), materials.site(height)
        streams = materials.streams(site, beside.rows)
        own, *twins = (own_of(stream, beside.labels, beside.others) for stream in streams)
        yield _rank(
            "dimensions of the state", target, site, materials, beside, [own, *twins], own.free
        )
        if beside.strict and own.classes.shape[1] > 2:  # of two corners nothing is uneven
            fold = materials.fold[beside.rows]
            value, low, high = evenness(own, fold)
            nulls = tuple(evenness(twin, fold)[0] for twin in twins)
            yield MeasuredInvariant(
                "evenness of the classes", target, site, 1.0, value, (low, high), nulls, ROUNDING
            )
    for low_height, high_height in combinations(materials.heights, 2):
        yield from _factors(materials, low_height, high_height)


@final
@dataclass(frozen=True, eq=False)
class Beside:
    """A state and what is taken out beside it.

    Args:
        rows: tokens that end a node of its height.
        labels: ``[row]`` its labels.
        others: name -> ``[row]`` the other states.
        strict: words and lower states, of the node and of the one to its left, are among them.
    """

    rows: np.ndarray
    labels: np.ndarray
    others: Mapping[str, np.ndarray]
    strict: bool


def beside_state(materials: Materials, height: int) -> Beside:
    """As many other states as leave all differences of classes open.

    Args:
        materials: what is measured.
        height: of the state.
    """
    corpus = materials.corpus
    labels = corpus.labels(height)
    rows = np.flatnonzero(corpus.boundary(height) & (labels != "") & materials.kept)
    wanted = len(np.unique(labels[rows])) - 1
    place = {"position": corpus.positions[rows].astype(str)}
    lower = _lower(corpus, height, rows)
    left = {f"left of height {k}": left_of(corpus, k)[rows] for k in range(height + 1)}
    ladder = ({**place, **lower, **left}, {**place, **lower}, place)
    open_at = [_free(labels[rows], others) == wanted for others in ladder[:-1]]
    step = open_at.index(True) if any(open_at) else len(open_at)
    return Beside(rows, labels[rows], ladder[step], strict=step == 0)


def _lower(corpus: Any, height: int, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The word and the states below a height."""
    return {f"height {k}": (corpus.labels(k) if k else corpus.words)[rows] for k in range(height)}


def _factors(materials: Materials, low: int, high: int) -> Iterator[MeasuredInvariant]:
    """What two heights share, at tokens that end both."""
    corpus, site, state = materials.corpus, materials.site(high), beside_state(materials, high)
    below, above = corpus.labels(low)[state.rows], state.labels
    rest = {name: values for name, values in state.others.items() if name != height_target(low)}
    beside_low, beside_high = {**rest, "high": above}, {**rest, "low": below}
    wanted = len(np.unique(below)) + len(np.unique(above)) - 2
    sums = _free(below, beside_low) + _free(above, beside_high)
    if not state.strict or sums < wanted:
        return
    target = f"{height_target(low)}, {height_target(high)}"
    streams, fold = materials.streams(site, state.rows), materials.fold[state.rows]
    found, *nulls = (
        overlap_of(own_of(stream, below, beside_low), own_of(stream, above, beside_high), fold)
        for stream in streams
    )
    value, least, most = found
    twins = tuple(null[0] for null in nulls)
    yield MeasuredInvariant(
        "overlap of two states", target, site, 0.0, value, (least, most), twins, ROUNDING
    )
    both = np.char.add(np.char.add(below, " in "), above)
    joint = [own_of(stream, both, rest) for stream in streams]
    if sums < joint[0].free:
        note = f"{joint[0].free} if the two were not kept apart"
        yield _rank("dimensions of both states", target, site, materials, state, joint, sums, note)


def _free(labels: np.ndarray, others: Mapping[str, np.ndarray]) -> int:
    """Differences of classes that other states leave open."""
    return own_of(np.zeros((len(labels), 0)), labels, others).free


def _rank(
    name: str,
    target: str,
    site: str,
    materials: Materials,
    state: Beside,
    owns: list[Own],
    predicted: int,
    note: str = "",
) -> MeasuredInvariant:
    corpus = materials.corpus
    places, ids = corpus.positions[state.rows], corpus.sentence_ids[state.rows]
    found, *nulls = (float(dimensions(own, places, ids, materials.seed)) for own in owns)
    return MeasuredInvariant(
        name, target, site, float(predicted), found, None, tuple(nulls), 1.0, note
    )
