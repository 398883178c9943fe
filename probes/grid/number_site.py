"""One site's numbers: fit every number target with its controls, and look at held-out tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from ..evidence.number_scores import credits_of
from ..solvers.features import Features
from ..solvers.number_ridge import NumberProblem, number_ridge, predictions
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
    features: tuple[Features, Features, Features],
    plans: Sequence[NumberPlan],
    controls: Sequence[str],
    *,
    subspaces: bool,
) -> dict[str, NumberCell]:
    """Fit and score all number targets on the same rows of one site.

    Args:
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
    train, validation, test = features
    fits = dict(zip(problems, number_ridge(train, list(problems.values())), strict=True))
    said = dict(zip(fits, predictions(list(fits.values()), test), strict=True))
    true = [key for key in fits if key[1] == "true"]
    chosen = predictions([fits[key] for key in true], validation)
    known = {name: each for (name, _), each in zip(true, chosen, strict=True)}
    cells = {}
    for plan in plans:
        if plan.constant:
            cells[plan.name] = _nothing(plan)
            continue
        fit = fits[plan.name, "true"]
        own = {kind: each for (name, kind), each in said.items() if name == plan.name}
        spaces = number_spaces(train, plan, fit.weights) if subspaces else None
        penalty = float(np.median(fit.alphas))
        cells[plan.name] = _cell(plan, own, known[plan.name], penalty, spaces)
    return cells


def _cell(
    plan: NumberPlan,
    said: dict[str, np.ndarray],
    validation: np.ndarray,
    penalty: float,
    spaces: Spaces | None,
) -> NumberCell:
    controls = [
        credits_of(said[f"control {index}"], values)
        for index, (_, values) in enumerate(plan.controls)
        if f"control {index}" in said
    ]
    nan = float("nan")
    return NumberCell(
        predicted=said["true"],
        shuffled=_r2(said["shuffled"], plan.shuffled[1]) if "shuffled" in said else nan,
        control_right=np.mean(controls, axis=0) if controls else None,
        validation=_r2(validation, plan.values[1]),
        penalty=penalty,
        spaces=spaces,
    )


def _nothing(plan: NumberPlan) -> NumberCell:
    """Of numbers that do not vary nothing is said."""
    nan = float("nan")
    return NumberCell(np.zeros_like(plan.values[2]), nan, None, nan, nan, None)


def _r2(predicted: np.ndarray, true: np.ndarray) -> float:
    return float(credits_of(predicted, true).mean()) if len(true) else float("nan")
