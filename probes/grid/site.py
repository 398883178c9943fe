"""One site: fit every target with its controls, and look at the held-out tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ..errors import ProbeError
from ..evidence.codelength import block_ends, block_order, online_codelengths
from ..solvers.answers import Answers, answers
from ..solvers.features import Features, KnownMoments
from ..solvers.heads import fit_heads
from ..solvers.methods import HeadProblem, LinearClassifier, Method
from .common_rows import CommonRows, scaled_alike
from .number_site import NumberCell, number_cells
from .numbers import NumberPlan
from .plan import Plan
from .site_spaces import Companions, Spaces, class_spaces

__all__ = ["Cell", "Companions", "probe_site"]


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """What one site says about one target.

    Args:
        predicted: ``[test]`` class codes.
        log_probability: ``[test]`` of the true class, NaN where there is none.
        shuffled: accuracy of the same probe when training and test labels are exchanged between
            sentences.
        control_right: ``[test]`` share of the control tasks that the same probe gets right.
        validation: accuracy on validation tokens, for choices among sites.
        penalty: the one chosen (C, alpha or shrinkage).
        codelengths: bits of the labels and of the control task's, NaN where not asked.
        spaces: where class means move and what a discriminant reads, where they are asked for.
        converged: the solver met its tolerance, for the target and for its controls.
        margin: ``[test]`` of two classes, how much higher the second scores than the first.
        means: ``[class, d_model]`` of the training rows, where the method goes by them.
        confidence: ``[test]`` log-probability of the class predicted, NaN where there is none.
    """

    predicted: Int[np.ndarray, " test"]
    log_probability: Float[np.ndarray, " test"]
    shuffled: float
    control_right: Float[np.ndarray, " test"] | None
    validation: float
    penalty: float
    codelengths: tuple[float, float]
    spaces: Spaces | None
    converged: bool = True
    margin: Float[np.ndarray, " test"] | None = None
    means: Float[np.ndarray, "class d_model"] | None = None
    confidence: Float[np.ndarray, " test"] | None = None


def probe_site(
    known: KnownMoments,
    plans: Sequence[Plan | NumberPlan],
    *,
    method: Method,
    controls: Sequence[str],
    companions: Companions | None,
    site: str,
    send: int | None = None,
) -> dict[str, Cell | NumberCell]:
    """Fit and score all targets at one site; those that read the same rows share every pass.

    Closed forms read the rows a block at a time. The logistic probe keeps rotated training and
    validation rows in memory or in a temporary file, codelengths in memory.

    Args:
        known: the site's rows, and what is known of their moments.
        plans: one per target.
        method: what kind of probe.
        controls: ``shuffled`` and ``control_task`` are fitted here.
        companions: targets for the joint patterns; none are estimated without.
        site: its name, for messages.
        send: seed of the order in which labels are sent; no codelength without.

    Raises:
        ProbeError: activations are not finite, or not a matrix.
    """
    cells: dict[str, Cell | NumberCell] = {}
    shared: dict[tuple[object, bool], list[Plan | NumberPlan]] = {}
    read = {plan.name: _rows(plan, method, known) for plan in plans}
    for plan in plans:
        # Distances between means are those of the activations as they are.
        standardize = method.name != "means" or isinstance(plan, NumberPlan)
        shared.setdefault((read[plan.name].key, standardize), []).append(plan)
    for (_, standardize), same_rows in shared.items():
        train, validation, test = read[same_rows[0].name].rows
        numbers = [plan for plan in same_rows if isinstance(plan, NumberPlan)]
        classes = [plan for plan in same_rows if isinstance(plan, Plan)]
        try:
            rotation = known.rotation(train, standardize=standardize)
            features = (
                known.features(rotation, train, checked=True),
                known.features(rotation, validation),
                known.features(rotation, test),
            )
            if numbers:
                told = number_cells(features, numbers, controls, subspaces=companions is not None)
                cells.update(told)
            if classes:
                cells.update(
                    _class_cells(known, features, classes, read, method, controls, companions, send)
                )
        except ProbeError as error:
            raise ProbeError(f"site {site!r}: {error}") from error
    return cells


def _rows(plan: Plan | NumberPlan, method: Method, known: KnownMoments) -> CommonRows:
    """The rows that a probe of this target reads.

    The logistic probe goes over them again and again, and many targets cost hardly more than one.
    Closed forms are exact in the coordinates of a target's own rows.
    """
    if not isinstance(plan, Plan) or method.name != "logistic":
        return plan.own
    return plan.common if scaled_alike(plan.common, known) else plan.own


def _class_cells(
    known: KnownMoments,
    features: tuple[Features, Features, Features],
    plans: Sequence[Plan],
    read: Mapping[str, CommonRows],
    method: Method,
    controls: Sequence[str],
    companions: Companions | None,
    send: int | None,
) -> dict[str, Cell]:
    """Fit and score all class targets that read the same rows."""
    train, validation, test = features
    rotation, nan = train.rotation, float("nan")
    heads = _fit(train, validation, plans, read, method, controls)
    said, chosen = _said(heads, plans, read, validation, test)
    lengths: dict[str, tuple[float, float]] = {}
    spaces: dict[str, Spaces] = {}
    wanted = send is not None or companions is not None
    for rows, same in _by_own_rows(known, train, plans if wanted else (), read):
        if send is not None:
            lengths |= _codelengths(rows, same, heads, method, send)
        if companions is not None:
            spaces |= class_spaces(rows, same, companions)
    cells = {}
    for plan in plans:
        found, sent = spaces.get(plan.name), lengths.get(plan.name, (nan, nan))
        if plan.constant:
            cells[plan.name] = _certain(plan, found, sent)
            continue
        own = {kind: head for (name, kind), head in heads.items() if name == plan.name}
        answered = {kind: each for (name, kind), each in said.items() if name == plan.name}
        cells[plan.name] = _cell(plan, own, answered, chosen[plan.name], found, sent)
        if method.name == "means":
            moved = rotation.directions(own["true"].weights.T).T
            cells[plan.name] = replace(cells[plan.name], means=moved + rotation.mean)
    return cells


def _by_own_rows(
    known: KnownMoments, train: Features, plans: Sequence[Plan], read: Mapping[str, CommonRows]
) -> Iterator[tuple[Features, list[Plan]]]:
    """Plans with the same training rows, beside these rows in the coordinates of their own."""
    same: dict[bytes, list[Plan]] = {}
    for plan in plans:
        same.setdefault(plan.train.tobytes(), []).append(plan)
    for rows, those in same.items():
        if rows == read[those[0].name].key[0]:
            yield train, those
        else:
            rotation = known.rotation(those[0].train)
            yield known.features(rotation, those[0].train, checked=True), those


def _said(
    heads: dict[tuple[str, str], LinearClassifier],
    plans: Sequence[Plan],
    read: Mapping[str, CommonRows],
    validation: Features,
    test: Features,
) -> tuple[dict[tuple[str, str], Answers], dict[str, Answers]]:
    """What every head says of the test rows, and those of the targets of the validation rows."""
    codes = {plan.name: read[plan.name].spread(plan.codes[2], 2) for plan in plans}
    wanted = [codes[name] if kind == "true" else None for name, kind in heads]
    told = zip(heads, answers(list(heads.values()), test, wanted), strict=True)
    said = {key: each.at(read[key[0]].own(2)) for key, each in told}
    own = [key for key in heads if key[1] == "true"]
    chosen = answers([heads[key] for key in own], validation, [None] * len(own))
    known = zip(own, chosen, strict=True)
    return said, {name: each.at(read[name].own(1)) for (name, _), each in known}


def _fit(
    train: Features,
    validation: Features,
    plans: Sequence[Plan],
    read: Mapping[str, CommonRows],
    method: Method,
    controls: Sequence[str],
) -> dict[tuple[str, str], LinearClassifier]:
    """One head per target and kind (``true``, ``shuffled``, ``control 0`` and so on)."""
    problems: dict[tuple[str, str], HeadProblem] = {}
    for plan in plans:
        if plan.constant:
            continue
        k, place, rows = len(plan.classes), len(problems), read[plan.name]
        learned, chosen = (rows.spread(plan.codes[part], part) for part in (0, 1))
        problems[plan.name, "true"] = HeadProblem(learned, k, chosen)
        others = {"shuffled": plan.shuffled[0]} if "shuffled" in controls else {}
        if "control_task" in controls:
            others |= {f"control {i}": codes for i, (codes, _) in enumerate(plan.controls)}
        for kind, codes in others.items():
            problems[plan.name, kind] = HeadProblem(rows.spread(codes, 0), k, like=place)
    fitted = fit_heads(method, train, list(problems.values()), validation)
    return dict(zip(problems, fitted, strict=True))


def _codelengths(
    train: Features,
    plans: Sequence[Plan],
    heads: dict[tuple[str, str], LinearClassifier],
    method: Method,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Online codelength of each target and of its control task, all sent in one pass.

    One class costs nothing. Methods without probabilities send with the logistic probe at C = 1.
    """
    order = block_order(plans[0].groups[0], np.random.default_rng(seed))
    ends = block_ends(plans[0].groups[0][order])
    sent = [plan for plan in plans if not plan.constant]
    problems = []
    for plan in sent:
        C = heads[plan.name, "true"].penalty if method.name == "logistic" else 1.0
        for codes in (plan.codes[0], plan.controls[0][0]):
            problems.append((codes[order], len(plan.classes), C))
    found = online_codelengths(
        train.held[order], problems, ends, variances=train.rotation.variances
    )
    lengths = {plan.name: (0.0, 0.0) for plan in plans}
    for index, plan in enumerate(sent):
        lengths[plan.name] = found[2 * index].bits, found[2 * index + 1].bits
    return lengths


def _certain(plan: Plan, spaces: Spaces | None, lengths: tuple[float, float]) -> Cell:
    """Of one class nothing has to be learned."""
    true = plan.codes[2]
    zero = np.zeros(len(true), dtype=np.int64)
    certain = np.where(true == 0, 0.0, np.nan)
    right = float(np.mean(true == 0))
    return Cell(
        zero, certain, right, np.ones(len(true)), 1.0, float("nan"), lengths, spaces,
        confidence=np.zeros(len(true)),
    )  # fmt: skip


def _cell(
    plan: Plan,
    heads: dict[str, LinearClassifier],
    said: dict[str, Answers],
    validation: Answers,
    spaces: Spaces | None,
    lengths: tuple[float, float],
) -> Cell:
    true, nan = said["true"], float("nan")
    assert true.log_probability is not None  # noqa: S101 - the target's own is asked for
    controls = [
        said[f"control {index}"].chosen == codes
        for index, (_, codes) in enumerate(plan.controls)
        if f"control {index}" in said
    ]
    shuffled = _accuracy(said["shuffled"], plan.shuffled[1]) if "shuffled" in said else nan
    return Cell(
        predicted=true.chosen,
        log_probability=true.log_probability,
        shuffled=shuffled,
        control_right=np.mean(controls, axis=0) if controls else None,
        validation=_accuracy(validation, plan.codes[1]),
        penalty=heads["true"].penalty,
        codelengths=lengths,
        spaces=spaces,
        converged=all(head.converged for head in heads.values()),
        margin=true.margin,
        confidence=true.confidence,
    )


def _accuracy(said: Answers, codes: np.ndarray) -> float:
    return float(np.mean(said.chosen == codes)) if len(codes) else float("nan")
