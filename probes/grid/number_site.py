"""One site's numbers: fit every number target with its controls, and look at held-out tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ...core import Subspace
from ..evidence.number_scores import credits_of
from ..geometry.number_patterns import number_moves
from ..geometry.statistics import Statistics
from ..solvers.number_ridge import NumberFit, NumberProblem, number_ridge
from ..solvers.rotation import Rotation
from .numbers import NumberPlan

__all__ = ["NumberCell", "number_cells"]


@final
@dataclass(frozen=True, eq=False)
class NumberCell:
    """What one site says about one number target.

    Args:
        predicted: ``[test, column]`` in training standard deviations from the training mean.
        shuffled: R2 of the same probe when training and test numbers are exchanged between
            sentences.
        control_right: ``[test]`` mean credit of the same probe on the control tasks.
        validation: R2 on validation tokens, for choices among sites.
        penalty: ridge's ``alpha``, the median of the columns'.
        pattern: where activations move with the numbers.
        readout: what the probe reads.
    """

    predicted: Float[np.ndarray, "test column"]
    shuffled: float
    control_right: Float[np.ndarray, " test"] | None
    validation: float
    penalty: float
    pattern: Subspace | None
    readout: Subspace | None
    codelengths: tuple[float, float] = (float("nan"), float("nan"))
    converged: bool = True


def number_cells(
    rotation: Rotation,
    features: tuple[np.ndarray, np.ndarray, np.ndarray],
    plans: Sequence[NumberPlan],
    controls: Sequence[str],
    *,
    subspaces: bool,
) -> dict[str, NumberCell]:
    """Fit and score all number targets on the same rows of one site.

    Args:
        rotation: how the features were made.
        features: of the training, validation and test rows.
        plans: one per target.
        controls: ``shuffled`` and ``control_task`` are fitted here.
        subspaces: also find patterns and readouts.
    """
    problems: dict[tuple[str, str], NumberProblem] = {}
    for plan in plans:
        if plan.constant:
            continue
        place = len(problems)
        problems[plan.name, "true"] = NumberProblem(plan.values[0])
        if "shuffled" in controls:
            problems[plan.name, "shuffled"] = NumberProblem(plan.shuffled[0], like=place)
        for index, (values, _) in enumerate(plan.controls if "control_task" in controls else ()):
            problems[plan.name, f"control {index}"] = NumberProblem(values, like=place)
    fitted = number_ridge(features[0], list(problems.values()), rotation)
    fits = dict(zip(problems, fitted, strict=True))
    cells = {}
    for plan in plans:
        own = {kind: fit for (name, kind), fit in fits.items() if name == plan.name}
        if plan.constant:
            cells[plan.name] = _nothing(plan)
        else:
            cells[plan.name] = _cell(rotation, features, plan, own, subspaces=subspaces)
    return cells


def _cell(
    rotation: Rotation,
    features: tuple[np.ndarray, np.ndarray, np.ndarray],
    plan: NumberPlan,
    fits: dict[str, NumberFit],
    *,
    subspaces: bool,
) -> NumberCell:
    _, validation, test = features
    controls = [
        credits_of(fits[f"control {index}"](test), values)
        for index, (_, values) in enumerate(plan.controls)
        if f"control {index}" in fits
    ]
    fit, nan = fits["true"], float("nan")
    pattern, readout = _subspaces(rotation, features[0], plan, fit) if subspaces else (None, None)
    return NumberCell(
        predicted=fit(test),
        shuffled=_r2(fits["shuffled"](test), plan.shuffled[1]) if "shuffled" in fits else nan,
        control_right=np.mean(controls, axis=0) if controls else None,
        validation=_r2(fit(validation), plan.values[1]),
        penalty=float(np.median(fit.alphas)),
        pattern=pattern,
        readout=readout,
    )


def _nothing(plan: NumberPlan) -> NumberCell:
    """Of numbers that do not vary nothing is said."""
    nan = float("nan")
    return NumberCell(np.zeros_like(plan.values[2]), nan, None, nan, nan, None, None)


def _r2(predicted: np.ndarray, true: np.ndarray) -> float:
    return float(credits_of(predicted, true).mean()) if len(true) else float("nan")


def _subspaces(
    rotation: Rotation, train: np.ndarray, plan: NumberPlan, fit: NumberFit
) -> tuple[Subspace, Subspace]:
    """Pattern and readout of one target, its columns together, in the activations' coordinates."""
    values = plan.values[0] - plan.values[0].mean(axis=0)
    statistics = Statistics(
        n=len(train),
        mean_x=np.zeros(train.shape[1]),
        mean_z=np.zeros(values.shape[1]),
        scatter_xx=np.diag(rotation.variances * len(train)),
        scatter_xz=train.T.astype(np.float64) @ values,
        scatter_zz=values.T @ values,
        classes={plan.name: plan.columns},
        numeric=frozenset([plan.name]),
    )
    text = f"{plan.name} from {len(train)} training tokens, by regression on its values"
    moved = rotation.directions(number_moves(statistics, plan.name))
    return (
        Subspace(_unit(moved), "pattern", f"pattern of {text}"),
        Subspace(_unit(rotation.readers(fit.weights.T)), "readout", f"readout of {text}"),
    )


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=0)
    scaled: np.ndarray = matrix / np.where(lengths > 0, lengths, 1.0)
    return scaled
