"""Counts and shapes of states that do not change when a model's basis is turned.

A class moves the stream, and so does whatever goes along with it: the word, the states of other
nodes. All are regressed on together, so that a state is credited with its own movement alone (as
in :mod:`linrep.probes.grid.joint`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from ...core.decompositions import eigh, pinv_symmetric, rank, svd
from ..evidence.exchanging import exchangeable, swap_sentences

__all__ = ["EXCHANGES", "Own", "dimensions", "evenness", "overlap_of", "own_of"]

EXCHANGES: Final = 20  # a movement counts where none of 20 exchanges of labels reaches it
FREE: Final = 1e-9  # contrasts below this share of the target's scatter are fixed by others
FLOOR: Final = 1e-9  # variances below this share of the largest count as this
NAN: Final = float("nan")


@final
@dataclass(frozen=True, eq=False)
class Own:
    """Rows, with all that other states explain taken out of the stream and of the classes.

    Args:
        stream: ``[row, d_model]`` rest of the activations.
        classes: ``[row, class]`` rest of the indicators of the classes.
        others: ``[row, other]`` centred indicators of the other states.
        bridge: ``[other, other]`` pseudo-inverse of their scatter.
        codes: ``[row]`` class of each row.
    """

    stream: Float[np.ndarray, "row d_model"]
    classes: Float[np.ndarray, "row class"]
    others: Float[np.ndarray, "row other"]
    bridge: Float[np.ndarray, "other other"]
    codes: Int[np.ndarray, " row"]

    @property
    def free(self) -> int:
        """Independent differences of classes that the other states leave open."""
        return int(_contrasts(self.classes).shape[1])

    def rest(self, columns: np.ndarray) -> np.ndarray:
        """Columns without what the other states explain."""
        centred = columns - columns.mean(axis=0)
        left: np.ndarray = centred - self.others @ (self.bridge @ (self.others.T @ centred))
        return left


def own_of(X: np.ndarray, labels: npt.ArrayLike, others: Mapping[str, npt.ArrayLike]) -> Own:
    """Take out what other states explain.

    Args:
        X: ``[row, d_model]`` activations.
        labels: ``[row]`` classes.
        others: name -> ``[row]`` classes of the other states.
    """
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    columns = [_indicators(values) for values in others.values()]
    beside = np.concatenate(columns, axis=1) if columns else np.zeros((len(codes), 0))
    beside = beside - beside.mean(axis=0)
    bridge = pinv_symmetric(beside.T @ beside, 1e-10)
    empty = Own(np.zeros((len(codes), 0)), np.zeros((len(codes), 0)), beside, bridge, codes)
    return Own(empty.rest(X), empty.rest(_indicators(codes)), beside, bridge, codes)


def _indicators(values: npt.ArrayLike) -> np.ndarray:
    codes = np.unique(np.asarray(values), return_inverse=True)[1]
    return np.eye(int(codes.max(initial=-1)) + 1)[codes]


def _contrasts(classes: np.ndarray) -> Float[np.ndarray, "row contrast"]:
    """Orthonormal columns that span the differences of classes which others leave open."""
    values, vectors = eigh(classes.T @ classes)
    whole = max(float(len(classes)), 1e-300)
    kept = values > FREE * whole
    found: np.ndarray = classes @ (vectors[:, kept] / np.sqrt(values[kept]))
    return found


def dimensions(
    own: Own,
    positions: Int[np.ndarray, " row"],
    groups: Int[np.ndarray, " row"],
    seed: int = 0,
) -> int:
    """Dimensions in which a state moves the stream by more than exchanged labels do.

    Movements are in units of the scatter that no state explains. A dimension counts while its
    movement is larger than the largest that any of 20 exchanges of labels between sentences shows
    (level 1/21); the first that is not ends the count.

    Args:
        own: of the state.
        positions: place of each row in its sentence.
        groups: sentence of each row.
        seed: of the exchanges.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 3, 600)
    >>> X = rng.standard_normal((600, 6)); X[:, 2] += 2.0 * (y == 1)
    >>> dimensions(own_of(X, y, {}), np.zeros(600, int), np.arange(600))
    1
    """
    scatter = own.stream.T @ own.stream
    found = _strengths(own.stream, own.classes, scatter)
    wholes, pieces = exchangeable(groups, positions)
    rng = np.random.default_rng(seed)
    one_hot = _indicators(own.codes)
    highest = 0.0
    for _ in range(EXCHANGES):
        source = swap_sentences([*wholes, *pieces], rng)
        moved = _strengths(own.stream, own.rest(one_hot[source]), scatter)
        highest = max(highest, float(moved.max(initial=0.0)))
    beyond = found > highest
    return len(found) if beyond.all() else int(np.argmin(beyond))


def _strengths(
    stream: np.ndarray, classes: np.ndarray, scatter: np.ndarray
) -> Float[np.ndarray, " rank"]:
    """Movements over the scatter without them, largest first."""
    moves = stream.T @ _contrasts(classes)
    if not moves.size:
        return np.zeros(0)
    values, vectors = eigh(scatter - moves @ moves.T)
    least = FLOOR * max(float(np.trace(scatter)), 1e-300)
    seen = (vectors.T @ moves) / np.sqrt(np.maximum(values, least))[:, None]
    found: np.ndarray = np.sqrt(np.maximum(eigh(seen.T @ seen)[0][::-1], 0.0))
    return found


def _centred(values: np.ndarray) -> np.ndarray:
    rest: np.ndarray = values - values.mean(axis=0)
    return rest


def _effects(own: Own, rows: np.ndarray) -> Float[np.ndarray, "class d_model"]:
    """Movement of the stream with each class, of some rows; differences of classes are known."""
    classes = _centred(own.classes[rows])
    bridge = pinv_symmetric(classes.T @ classes, FREE)
    moved = bridge @ (classes.T @ _centred(own.stream[rows]))
    found: np.ndarray = moved - moved.mean(axis=0)
    return found


def evenness(own: Own, fold: Int[np.ndarray, " row"]) -> tuple[float, float, float]:
    """Smallest over largest extent of the figure that the classes of a state span.

    The stream without other states has one place for each class: the corners of a figure. The
    share is 1 where all are equally far from each other (a regular simplex), and 0 where one lies
    in the plane of the others. Extents are eigenvalues of products of places that *different*
    parts of the sentences show, so that noise adds nothing.

    Args:
        own: of a state with three classes or more.
        fold: ``[row]`` part of the sentences.

    Returns:
        The share, and its 95 % interval (jackknife over the parts); NaN where other states fix
        some of the classes, in all rows or in a part.
    """
    k, parts = own.classes.shape[1], np.unique(fold)
    if k < 3 or len(parts) < 3 or own.free < k - 1:
        return NAN, NAN, NAN
    if any(_contrasts(_centred(own.classes[fold == part])).shape[1] < k - 1 for part in parts):
        return NAN, NAN, NAN
    places = np.stack([_effects(own, fold == part) for part in parts])
    without = np.array([_extent(np.delete(places, i, axis=0)) for i in range(len(parts))])
    return jackknife(_extent(places), without)


def _extent(places: Float[np.ndarray, "part class d_model"]) -> float:
    """The share of :func:`evenness` from the places of several parts."""
    total = places.sum(axis=0)
    gram = total @ total.T - np.einsum("pid,pjd->ij", places, places)
    values = eigh(0.5 * (gram + gram.T))[0]
    # Places are centred, so one eigenvalue is that of the mean: 0, but for rounding.
    values = np.delete(values, np.argmin(np.abs(values)))
    return float(np.clip(values[0] / values[-1], 0.0, 1.0)) if values[-1] > 0 else 0.0


def overlap_of(
    first: Own, second: Own, fold: Int[np.ndarray, " row"]
) -> tuple[float, float, float]:
    """Overlap of the subspaces in which two states move the same rows; 0 where orthogonal.

    Args:
        first: of the one, with the other among the states that were taken out.
        second: of the other, likewise.
        fold: ``[row]`` part of the sentences.

    Returns:
        Mean squared cosine, and its 95 % interval (jackknife over the parts).
    """
    parts = np.unique(fold)
    whole = _overlap(first, second, np.ones(len(fold), dtype=bool))
    without = np.array([_overlap(first, second, fold != part) for part in parts])
    return jackknife(whole, without)


def _overlap(first: Own, second: Own, rows: np.ndarray) -> float:
    bases = []
    for own in (first, second):
        moved = _effects(own, rows).T
        left, sizes, _ = svd(moved)
        bases.append(left[:, : min(rank(moved), own.free)] if sizes.size else left)
    smaller = min(basis.shape[1] for basis in bases)
    return float(np.square(bases[0].T @ bases[1]).sum() / smaller) if smaller else NAN


def jackknife(whole: float, without: np.ndarray) -> tuple[float, float, float]:
    """A share with the 95 % interval that leaving out one part at a time gives.

    Args:
        whole: of all parts.
        without: ``[part]`` the same without each.
    """
    from scipy import stats

    k = len(without)
    if k < 3 or not np.isfinite([whole, *without]).all():
        return whole, NAN, NAN
    error = np.sqrt((k - 1) / k * np.square(without - without.mean()).sum())
    reach = float(stats.t.isf(0.025, k - 1)) * float(error)
    low, high = np.clip([whole - reach, whole + reach], 0.0, 1.0)
    return whole, float(low), float(high)
