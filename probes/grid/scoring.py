"""From what a site said to a score with interval and baselines beside it."""

import numpy as np

from ..evidence.class_scores import class_scores
from ..evidence.intervals import accuracy_interval, sentence_sums
from ..evidence.number_scores import credits_of, r2_interval, spearman
from ..evidence.texts import TEXT_PARTS
from ..geometry.class_means import Direction, directions_between
from .held_out import HeldOut, HeldOutNumbers
from .number_site import NumberCell
from .numbers import NumberPlan
from .plan import Plan
from .score import Score
from .site import Cell

__all__ = ["directions_of", "held_out", "score_cell"]

NAN = float("nan")


def held_out(plan: Plan | NumberPlan, cell: Cell | NumberCell) -> HeldOut | HeldOutNumbers:
    """What the probe said of each test token."""
    if isinstance(plan, NumberPlan):
        return HeldOutNumbers(
            rows=plan.test,
            predicted=plan.scale.back(cell.predicted),
            true=plan.scale.back(plan.values[2]),
            credit=plan.credit(cell.predicted),
            groups=plan.groups[2],
            columns=plan.columns,
        )
    assert isinstance(cell, Cell)  # noqa: S101 - classes have cells of classes
    return HeldOut(
        rows=plan.test,
        predicted=cell.predicted,
        true=plan.codes[2],
        log_probability=cell.log_probability,
        groups=plan.groups[2],
        classes=plan.classes,
        shares=np.bincount(plan.codes[0], minlength=len(plan.classes)) / len(plan.train),
        confidence=np.full(len(plan.test), NAN) if cell.confidence is None else cell.confidence,
    )


def directions_of(plan: Plan | NumberPlan, cell: Cell | NumberCell) -> tuple[Direction, ...]:
    """Differences of class means, named, where the probe goes by them."""
    if not isinstance(plan, Plan) or not isinstance(cell, Cell) or cell.means is None:
        return ()
    counts = np.bincount(plan.codes[0], minlength=len(plan.classes)).astype(np.float64)
    return directions_between(cell.means, counts, plan.classes)


def _floor(r2: float) -> float:
    """What counts as chance of an R2: never below 0, and what a constant gives but for rounding."""
    return r2 if r2 > 1e-12 else 0.0


def score_cell(
    site: str,
    plan: Plan | NumberPlan,
    cell: Cell | NumberCell,
    *,
    weights: np.ndarray | None,
    ceiling: np.ndarray | None,
) -> Score:
    """Score one cell; columns that need other cells come later (:mod:`.judging`)."""
    right = plan.credit(cell.predicted)
    value = float(right.mean())
    control = NAN if cell.control_right is None else float(cell.control_right.mean())
    number = isinstance(plan, NumberPlan)
    beside = _of_numbers(plan, cell, weights) if number else _of_classes(plan, cell, weights)
    chance = plan.baseline("position")
    said = cell.predicted
    shared = {
        "kind": "number" if number else "class",
        "accuracy": NAN if number else value,
        "r2": value if number else NAN,
        "chance": _floor(chance) if number and not plan.constant else chance,
        "ceiling": _mean(ceiling, plan.test),
        "shuffled": cell.shuffled,
        "control_task": control,
        **{
            name: plan.baseline(name)
            for name in (
                "position",
                "previous_word",
                "word_identity",
                "next_word",
                "n_gram",
                "surface",
                *TEXT_PARTS,
            )
        },
        "unseen": _unseen(plan, cell),
        "selectivity": value - control,
        "codelength": cell.codelengths[0],
        "control_codelength": cell.codelengths[1],
        "n_train": len(plan.train),
        "n_test": len(plan.test),
        "n_groups": len(np.unique(plan.groups[2])),
        "n_unseen": int(plan.unseen.sum()),
        "validation": cell.validation,
        "penalty": cell.penalty,
        "collapsed": not plan.constant
        and len(said) > 1
        and bool((np.ptp(said, axis=0) == 0).all()),
        "converged": cell.converged,
    }
    return Score(site=site, target=plan.name, **(shared | beside))  # type: ignore[arg-type]


def _of_classes(
    plan: Plan | NumberPlan, cell: Cell | NumberCell, weights: np.ndarray | None
) -> dict[str, object]:
    """What only classes have."""
    held = held_out(plan, cell)
    assert isinstance(held, HeldOut)  # noqa: S101 - classes
    assert isinstance(plan, Plan)  # noqa: S101
    assert isinstance(cell, Cell)  # noqa: S101
    right, tokens = sentence_sums(held.right, held.groups)
    known = np.isfinite(held.log_probability)
    gained = held.information[known]
    return {
        "interval": (NAN, NAN) if weights is None else accuracy_interval(right, tokens, weights),
        "nll": float(-held.log_probability[known].mean()) if known.any() else NAN,
        "v_information": float(gained.mean()) if known.any() else NAN,
        "n_classes": len(plan.classes),
        **({} if plan.constant else class_scores(cell.predicted, plan.codes[2], cell.margin)),
    }


def _of_numbers(
    plan: Plan | NumberPlan, cell: Cell | NumberCell, weights: np.ndarray | None
) -> dict[str, object]:
    """What only numbers have."""
    assert isinstance(plan, NumberPlan)  # noqa: S101 - numbers
    if plan.constant:
        return {"n_classes": 1}
    true, groups = plan.values[2], plan.groups[2]
    errors, _ = sentence_sums(np.square(cell.predicted - true).sum(axis=1), groups)
    deviations, _ = sentence_sums(np.square(true).sum(axis=1), groups)
    single = len(plan.columns) == 1
    return {
        "interval": (NAN, NAN) if weights is None else r2_interval(errors, deviations, weights),
        "spearman": spearman(cell.predicted[:, 0], true[:, 0]) if single else NAN,
    }


def _unseen(plan: Plan | NumberPlan, cell: Cell | NumberCell) -> float:
    """The score on the tokens whose word was never trained on."""
    if not plan.unseen.any():
        return NAN
    if isinstance(plan, NumberPlan):
        here = plan.unseen
        return float(credits_of(cell.predicted[here], plan.values[2][here]).mean())
    return float(plan.credit(cell.predicted)[plan.unseen].mean())


def _mean(ceiling: np.ndarray | None, rows: np.ndarray) -> float:
    """Mean of the known posteriors on the scored tokens; NaN if none is known."""
    if ceiling is None:
        return NAN
    values = ceiling[rows]
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else NAN
