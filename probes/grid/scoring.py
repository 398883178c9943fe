"""From what a site said to a score with interval, p-value and baselines beside it."""

import numpy as np

from ..evidence.intervals import accuracy_interval, sentence_sums
from .plan import Plan
from .results import HeldOut, Score
from .site import Cell

__all__ = ["held_out", "score_cell"]


def held_out(plan: Plan, cell: Cell) -> HeldOut:
    """What the probe said of each test token."""
    return HeldOut(
        rows=plan.test,
        predicted=cell.predicted,
        true=plan.codes[2],
        log_probability=cell.log_probability,
        groups=plan.groups[2],
        classes=plan.classes,
        shares=np.bincount(plan.codes[0], minlength=len(plan.classes)) / len(plan.train),
    )


def score_cell(
    site: str,
    plan: Plan,
    cell: Cell,
    *,
    weights: np.ndarray | None,
    ceiling: np.ndarray | None,
) -> Score:
    """Score one cell; columns that need other cells come later (:mod:`.judging`)."""
    held = held_out(plan, cell)
    right, tokens = sentence_sums(held.right, held.groups)
    accuracy = float(held.right.mean())
    nan = float("nan")
    control = nan if cell.control_right is None else float(cell.control_right.mean())
    interval = (nan, nan) if weights is None else accuracy_interval(right, tokens, weights)
    known = np.isfinite(held.log_probability)
    nll = float(-held.log_probability[known].mean()) if known.any() else nan
    gained = held.information[known]
    return Score(
        site=site,
        target=plan.name,
        accuracy=accuracy,
        nll=nll,
        interval=interval,
        chance=plan.baseline("position"),
        ceiling=_mean(ceiling, plan.test),
        shuffled=cell.shuffled,
        control_task=control,
        position=plan.baseline("position"),
        previous_word=plan.baseline("previous_word"),
        word_identity=plan.baseline("word_identity"),
        next_word=plan.baseline("next_word"),
        surface=plan.baseline("surface"),
        unseen=float(held.right[plan.unseen].mean()) if plan.unseen.any() else nan,
        selectivity=accuracy - control,
        codelength=cell.codelengths[0],
        control_codelength=cell.codelengths[1],
        v_information=float(gained.mean()) if known.any() else nan,
        n_train=len(plan.train),
        n_test=len(plan.test),
        n_classes=len(plan.classes),
        n_groups=len(right),
        n_unseen=int(plan.unseen.sum()),
        validation=cell.validation,
        penalty=cell.penalty,
    )


def _mean(ceiling: np.ndarray | None, rows: np.ndarray) -> float:
    """Mean of the known posteriors on the scored tokens; NaN if none is known."""
    if ceiling is None:
        return float("nan")
    values = ceiling[rows]
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")
