"""Subspaces of one cell: where activations move with a target, and what reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float

from ...core import Subspace
from ..geometry.chance_patterns import chance_moves, indicators
from ..geometry.fold_patterns import patterns_without
from ..geometry.number_patterns import number_moves
from ..geometry.patterns import directions
from ..geometry.statistics import Statistics
from ..inputs.labels import one_hot
from ..solvers.rotation import Rotation
from .numbers import NumberPlan
from .plan import Plan

__all__ = ["Companions", "Spaces", "class_spaces", "number_spaces"]


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
    rotation: Rotation, train: np.ndarray, plan: Plan, companions: Companions
) -> Spaces:
    """Pattern and readout of one target of classes, all targets jointly.

    Args:
        rotation: how the features were made.
        train: ``[token, feature]`` of the training rows.
        plan: of the target.
        companions: the targets beside it.
    """
    classes = {plan.name: plan.classes}
    columns = [one_hot(plan.codes[0], len(plan.classes))]
    for name, codes in zip(companions.names, companions.codes, strict=True):
        if name == plan.name:
            continue
        here, place = np.unique(codes[plan.train], return_inverse=True)
        columns.append(one_hot(place, len(here)))
        classes[name] = tuple(str(code) for code in here)
    z = np.hstack(columns)
    statistics = _statistics(rotation, train, z, classes, frozenset())
    how: dict[str, Any] = {
        "geometry": rotation.scale[:, None] * rotation.axes,
        "resolution": float(np.finfo(train.dtype).eps),
    }
    found = directions(statistics, plan.name, **how)
    beside = [name for name in classes if name != plan.name]
    text = f"{plan.name} from {len(train)} training tokens"
    text += f", jointly with {', '.join(beside)}" if beside else ""
    k = len(plan.classes)
    others = z[:, k:] - z[:, k:].mean(axis=0)
    moves = chance_moves(
        train, rotation.variances, indicators(plan.codes[0], k), others, plan.exchanges
    )
    return Spaces(
        Subspace(_unit(rotation.directions(found.pattern)), "pattern", f"pattern of {text}"),
        Subspace(_unit(rotation.readers(found.readout)), "readout", f"readout of {text}"),
        tuple(_ordered(rotation, each) for each in moves),
        _without(rotation, train, z, classes, plan, companions, found.pattern.shape[1], how),
    )


def number_spaces(
    rotation: Rotation, train: np.ndarray, plan: NumberPlan, weights: np.ndarray
) -> Spaces:
    """Pattern and readout of one target of numbers, its columns together.

    Args:
        rotation: how the features were made.
        train: ``[token, feature]`` of the training rows.
        plan: of the target.
        weights: ``[column, feature]`` of the ridge regression.
    """
    values = plan.values[0]
    statistics = _statistics(
        rotation, train, values, {plan.name: plan.columns}, frozenset([plan.name])
    )
    text = f"{plan.name} from {len(train)} training tokens, by regression on its values"
    moved = rotation.directions(number_moves(statistics, plan.name))
    moves = chance_moves(
        train, rotation.variances, values, np.zeros((len(train), 0)), plan.exchanges
    )
    return Spaces(
        Subspace(_unit(moved), "pattern", f"pattern of {text}"),
        Subspace(_unit(rotation.readers(weights.T)), "readout", f"readout of {text}"),
        tuple(_ordered(rotation, each) for each in moves),
    )


def _statistics(
    rotation: Rotation,
    train: np.ndarray,
    z: np.ndarray,
    classes: Mapping[str, tuple[str, ...]],
    numeric: frozenset[str],
) -> Statistics:
    """Of rotated rows: they are centred, and their scatter is diagonal."""
    mean_z = z.mean(axis=0)
    z = z - mean_z
    return Statistics(
        n=len(train),
        mean_x=np.zeros(train.shape[1]),
        mean_z=mean_z,
        scatter_xx=np.diag(rotation.variances * len(train)),
        scatter_xz=train.T.astype(np.float64) @ z,
        scatter_zz=z.T @ z,
        classes=classes,
        numeric=numeric,
    )


def _without(
    rotation: Rotation,
    train: np.ndarray,
    z: np.ndarray,
    classes: Mapping[str, tuple[str, ...]],
    plan: Plan,
    companions: Companions,
    rank: int,
    how: Mapping[str, Any],
) -> tuple[np.ndarray, ...]:
    """Bases of the pattern without one part of the training groups each, where they are asked."""
    if companions.folds is None or not rank:
        return ()
    fold = companions.folds[plan.train]
    parts = []
    for number in np.unique(fold):
        x, own = train[fold == number].astype(np.float64), z[fold == number]
        mean_x, mean_z = x.mean(axis=0), own.mean(axis=0)
        x, own = x - mean_x, own - mean_z
        parts.append(Statistics(len(x), mean_x, mean_z, x.T @ x, x.T @ own, own.T @ own, classes))
    moved = patterns_without(parts, plan.name, rank, **how)
    return tuple(_ordered(rotation, each) for each in moved)


def _ordered(rotation: Rotation, moved: np.ndarray) -> np.ndarray:
    """Orthonormal columns, of which the first r span what the first r movements span."""
    basis: np.ndarray = np.linalg.qr(rotation.directions(moved))[0]
    return basis.astype(np.float32)


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=0)
    scaled: np.ndarray = matrix / np.where(lengths > 0, lengths, 1.0)
    return scaled
