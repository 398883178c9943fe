"""Subspaces of one cell: where activations move with a target, and what reads it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ...core import Subspace
from ..geometry.chance_patterns import chance_moves
from ..geometry.fold_patterns import patterns_without
from ..geometry.number_patterns import number_moves
from ..geometry.patterns import directions
from ..geometry.statistics import Statistics
from ..solvers.features import Features
from ..solvers.rotation import Rotation
from .numbers import NumberPlan
from .plan import Plan

__all__ = ["Companions", "Spaces", "class_spaces", "number_spaces"]

TOGETHER = 2**24  # bytes of sums that stay in the processor's cache


@final
@dataclass(frozen=True, eq=False)
class Companions:
    """Codes of every target on every token (-1 undefined), for joint estimation.

    Args:
        names: of the targets.
        codes: per target ``[token]`` class codes.
        folds: ``[token]`` part of the groups, for patterns without one part each; or ``None``.
    """

    names: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    folds: np.ndarray | None = None


@final
@dataclass(frozen=True, eq=False)
class Spaces:
    """Subspaces of one target at one site, in the activations' own coordinates.

    Args:
        pattern: where activations move with the target.
        readout: what reads it.
        chance: for each exchange of labels the ordered basis of the pattern that it shows.
        without: orthonormal bases of the pattern without one part of the training groups each.
    """

    pattern: Subspace
    readout: Subspace
    chance: tuple[Float[np.ndarray, "d_model _"], ...]
    without: tuple[Float[np.ndarray, "d_model _"], ...] = ()


def class_spaces(
    features: Features, plans: Sequence[Plan], companions: Companions
) -> dict[str, Spaces]:
    """Pattern and readout of each target of classes, all targets jointly.

    Args:
        features: of the training rows.
        plans: of the targets, all on the same rows.
        companions: all targets, these among them.
    """
    rotation, train = features.rotation, plans[0].train
    classes, places = {}, {}
    for name, codes in zip(companions.names, companions.codes, strict=True):
        here, places[name] = np.unique(codes[train], return_inverse=True)
        classes[name] = tuple(str(code) for code in here)
    table = _table(list(places.values()), [len(names) for names in classes.values()])
    parts = _parts(features, table, classes, train, companions.folds)
    shares = {plan.name: _shares(plan, len(classes[plan.name]), features) for plan in plans}
    asked = [
        (len(share) * len(classes[name]), partial(_exchanged, places[name], share, classes[name]))
        for name, of_target in shares.items()
        for share in of_target
    ]
    # Sums of the labels and of their exchanges: they share a pass over the rows.
    summed = features.products([(table.shape[1], table.__getitem__), *asked])
    statistics = _statistics(features, next(summed), table, classes)
    how: dict[str, Any] = {
        "geometry": rotation.scale[:, None] * rotation.axes,
        "resolution": float(np.finfo(features.dtype).eps),
    }
    found = {plan.name: directions(statistics, plan.name, **how) for plan in plans}
    spaces = {}
    for plan in plans:
        name, of_plan = plan.name, found[plan.name]
        beside = [other for other in classes if other != name]
        text = f"{name} from {len(train)} training tokens"
        text += f", jointly with {', '.join(beside)}" if beside else ""
        together = _together(table, statistics, name, places[name], plan.exchanges)
        drawn = (sums for share in shares[name] for sums in np.split(next(summed), len(share)))
        moved = zip(drawn, together, strict=True)
        moves = chance_moves(statistics, name, moved)
        rank = of_plan.pattern.shape[1]
        without = patterns_without(parts, name, rank, **how) if rank else []
        spaces[name] = Spaces(
            Subspace(_unit(rotation.directions(of_plan.pattern)), "pattern", f"pattern of {text}"),
            Subspace(_unit(rotation.readers(of_plan.readout)), "readout", f"readout of {text}"),
            tuple(_ordered(rotation, each) for each in moves),
            tuple(_ordered(rotation, each) for each in without),
        )
    return spaces


def number_spaces(features: Features, plan: NumberPlan, weights: np.ndarray) -> Spaces:
    """Pattern and readout of one target of numbers, its columns together.

    Args:
        features: of the training rows.
        plan: of the target.
        weights: ``[column, feature]`` of the ridge regression.
    """
    rotation, n = features.rotation, len(features)
    values = plan.values[0] - plan.values[0].mean(axis=0)
    width = values.shape[1]
    sums = features.products(
        [
            (width, values.__getitem__),
            *((width, partial(_moved, values, source)) for source in plan.exchanges),
        ]
    )
    statistics = Statistics(
        n=n,
        mean_x=np.zeros(len(rotation.variances)),
        mean_z=np.zeros(width),
        scatter_xx=np.diag(rotation.variances * n),
        scatter_xz=next(sums).T,
        scatter_zz=values.T @ values,
        classes={plan.name: plan.columns},
        numeric=frozenset([plan.name]),
    )
    text = f"{plan.name} from {n} training tokens, by regression on its values"
    moved = rotation.directions(number_moves(statistics, plan.name))
    alone = np.zeros((width, 0))
    moves = chance_moves(statistics, plan.name, ((each, alone) for each in sums))
    return Spaces(
        Subspace(_unit(moved), "pattern", f"pattern of {text}"),
        Subspace(_unit(rotation.readers(weights.T)), "readout", f"readout of {text}"),
        tuple(_ordered(rotation, each) for each in moves),
    )


def _table(places: Sequence[np.ndarray], widths: Sequence[int]) -> sparse.csr_array:
    """``[token, column]`` ones at the class of each target, targets side by side."""
    starts = np.cumsum([0, *widths])
    columns = np.stack([own + start for own, start in zip(places, starts[:-1], strict=True)], 1)
    n, count = columns.shape
    bounds = np.arange(0, n * count + 1, count)
    return sparse.csr_array((np.ones(n * count), columns.ravel(), bounds), shape=(n, starts[-1]))


def _shares(plan: Plan, k: int, features: Features) -> list[np.ndarray]:
    """Exchanges of labels whose sums stay in the cache while one row is added to all of them."""
    each = 8 * features.blocks.width * k
    step = max(1, TOGETHER // max(each, 1))
    return [plan.exchanges[i : i + step] for i in range(0, len(plan.exchanges), step)]


def _exchanged(
    places: np.ndarray, sources: np.ndarray, classes: Sequence[str], here: slice
) -> sparse.csr_array:
    """``[token, draw and class]`` ones at the class that each exchange gives a token."""
    return _table([places[source[here]] for source in sources], [len(classes)] * len(sources))


def _moved(values: np.ndarray, source: np.ndarray, here: slice) -> np.ndarray:
    moved: np.ndarray = values[source[here]]
    return moved


def _together(
    table: sparse.csr_array,
    statistics: Statistics,
    name: str,
    places: np.ndarray,
    exchanges: np.ndarray,
) -> Iterator[np.ndarray]:
    """For each exchange of a target's labels its products with the other targets' columns."""
    block = statistics.block(name)
    other = np.ones(table.shape[1], dtype=bool)
    other[block] = False
    shares = statistics.mean_z[other]
    k, width = block.stop - block.start, table.shape[1]
    columns = table.indices.reshape(len(places), -1)  # of every token, one for each target
    for source in exchanges:
        own = places[source]
        pairs = np.bincount((own[:, None] * width + columns).ravel(), minlength=k * width)
        met = pairs.reshape(k, width)[:, other]
        yield met - np.outer(np.bincount(own, minlength=k), shares)


def _statistics(
    features: Features,
    products: np.ndarray,
    table: sparse.csr_array,
    classes: Mapping[str, tuple[str, ...]],
) -> Statistics:
    """Of rotated rows: they are centred, and their scatter is diagonal."""
    n, variances = len(features), features.rotation.variances
    mean_z = np.asarray(table.sum(axis=0)) / n
    return Statistics(
        n=n,
        mean_x=np.zeros(len(variances)),
        mean_z=mean_z,
        scatter_xx=np.diag(variances * n),
        scatter_xz=products.T,
        scatter_zz=(table.T @ table).toarray() - n * np.outer(mean_z, mean_z),
        classes=classes,
    )


def _parts(
    features: Features,
    table: sparse.csr_array,
    classes: Mapping[str, tuple[str, ...]],
    train: np.ndarray,
    folds: np.ndarray | None,
) -> list[Statistics]:
    """Statistics of each part of the training groups, where patterns without one are asked for."""
    if folds is None:
        return []
    fold, parts = folds[train], []
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        own = table[rows]
        part = replace(features, blocks=replace(features.blocks, rows=train[rows]))
        mean_x, scatter = part.scatter()
        mean_z = np.asarray(own.sum(axis=0)) / len(rows)
        products = next(part.products([(own.shape[1], own.__getitem__)]))
        xz = products.T - len(rows) * np.outer(mean_x, mean_z)
        zz = (own.T @ own).toarray() - len(rows) * np.outer(mean_z, mean_z)
        parts.append(Statistics(len(rows), mean_x, mean_z, scatter, xz, zz, classes))
    return parts


def _ordered(rotation: Rotation, moved: np.ndarray) -> np.ndarray:
    """Orthonormal columns, of which the first r span what the first r movements span."""
    basis: np.ndarray = np.linalg.qr(rotation.directions(moved))[0]
    return basis.astype(np.float32)


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=0)
    scaled: np.ndarray = matrix / np.where(lengths > 0, lengths, 1.0)
    return scaled
