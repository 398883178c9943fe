"""One site's numbers: fit every number target with its controls, and look at held-out tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ..evidence.number_scores import credits_of
from ..solvers.number_ridge import NumberFit, NumberProblem, number_ridge
from ..solvers.rotation import Rotation
from .numbers import NumberPlan
from .site_spaces import Spaces, number_spaces

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
        spaces: where activations move with the numbers, and the ridge weights, where asked for.
    """

    predicted: Float[np.ndarray, "test column"]
    shuffled: float
    control_right: Float[np.ndarray, " test"] | None
    validation: float
    penalty: float
    spaces: Spaces | None
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
    spaces = number_spaces(rotation, features[0], plan, fit.weights) if subspaces else None
    return NumberCell(
        predicted=fit(test),
        shuffled=_r2(fits["shuffled"](test), plan.shuffled[1]) if "shuffled" in fits else nan,
        control_right=np.mean(controls, axis=0) if controls else None,
        validation=_r2(fit(validation), plan.values[1]),
        penalty=float(np.median(fit.alphas)),
        spaces=spaces,
    )


def _nothing(plan: NumberPlan) -> NumberCell:
    """Of numbers that do not vary nothing is said."""
    nan = float("nan")
    return NumberCell(np.zeros_like(plan.values[2]), nan, None, nan, nan, None)


def _r2(predicted: np.ndarray, true: np.ndarray) -> float:
    return float(credits_of(predicted, true).mean()) if len(true) else float("nan")
