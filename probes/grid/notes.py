"""What a grid says about itself: its settings, and what it did not test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core import Subspace
from ..evidence.groups import Division
from ..evidence.rivals import LEAST_TWINS
from ..inputs.protocols import ActivationsLike
from ..solvers.methods import Method
from .number_site import NumberCell
from .numbers import NumberPlan
from .plan import Plan
from .score import Score
from .site import Cell
from .targets import ClassTarget, NumberTarget

__all__ = [
    "CONTROLS",
    "EMBEDDINGS",
    "about_devices",
    "collect_notes",
    "describe_settings",
    "lost_dimensions",
]

CONTROLS = (
    "shuffled",
    "control_task",
    "position",
    "previous_word",
    "word_identity",
    "surface",
    "embedding",
    "random_weights",
)
MOST_NAMED = 8  # cells that a note names one by one
EMBEDDINGS = ("hook_embed", "blocks.0.hook_resid_pre")  # before any block, in their order


def describe_settings(
    method: Method,
    targets: Sequence[ClassTarget | NumberTarget],
    positions: object,
    controls: Sequence[str],
    division: Division,
    **numbers: int | float | bool,
) -> dict[str, Any]:
    """Settings, JSON-able."""
    numeric = any(isinstance(target, NumberTarget) for target in targets)
    return {
        "method": method.name,
        **({"method of numbers": "ridge, penalty by exact leave-one-out"} if numeric else {}),
        "C": list(method.penalties),
        "tolerance": method.tolerance,
        **numbers,
        "controls": list(controls),
        "fractions": list(division.fractions),
        "groups": division.facts,
        "positions": positions if isinstance(positions, str) else "given as masks",
        "targets": [target.name for target in targets],
        "standardisation": "per target, on its training tokens",
        "interval": "95 %, percentile cluster bootstrap over test groups of held-out "
        "predictions (no refit); Student's interval of the log-odds where errors are few",
        "p": "labels exchanged between test groups where eight or more have the same scored "
        "positions; for the rest, each group's excess over chance is flipped in sign at random "
        "(a sign test by group)",
    }


def collect_notes(
    plans: Sequence[Plan | NumberPlan],
    controls: Sequence[str],
    twins: Sequence[ActivationsLike],
    ceilings: Mapping[Any, Any] | None,
    scores: Sequence[Score],
    kept: np.ndarray,
    cells: Mapping[tuple[str, str], Cell | NumberCell],
    patterns: Mapping[tuple[str, str], Subspace],
    others: str,
) -> tuple[str, ...]:
    """One line for everything that was left out or could not be tested.

    Args:
        plans: of the targets.
        controls: that were run.
        twins: random-weight twins that were given.
        ceilings: that were given.
        scores: of all cells.
        kept: ``[token]`` tokens that have an activation.
        cells: what each site says.
        patterns: learned, by cell.
        others: what they were estimated jointly with.
    """
    notes = [note for plan in plans for note in plan.notes]
    classes = {plan.name: len(plan.classes) for plan in plans if isinstance(plan, Plan)}
    notes += lost_dimensions(patterns, classes, others)
    short = [f"{target} at {site}" for (site, target), cell in cells.items() if not cell.converged]
    if short:
        notes.append(
            f"the solver stopped short of its tolerance for {', '.join(short)}: a smaller C, or a "
            "larger tolerance, is what these activations can bear"
        )
    if not kept.all():
        notes.append(f"{int((~kept).sum())} tokens have no activation and are left out")
    notes += [
        f"{p.name}: one {'value' if isinstance(p, NumberPlan) else 'class'}, nothing to learn; p "
        "is not tested"
        for p in plans if p.constant
    ]  # fmt: skip
    same = [f"{score.target} at {score.site}" for score in scores if score.collapsed]
    if same:
        more = f" and {len(same) - MOST_NAMED} further cells" if len(same) > MOST_NAMED else ""
        named = ", ".join(same[:MOST_NAMED]) + more
        notes.append(f"collapsed, the probe says the same of every test token: {named}")
    notes += [
        f"{name}: not tested, left out of controls" for name in CONTROLS if name not in controls
    ]
    if all(np.isnan(score.codelength) for score in scores):
        only = all(score.kind == "number" for score in scores)
        why = "not defined for numbers" if only else "not asked for (codelength=True)"
        notes.append(f"codelength: {why}")
    if "random_weights" in controls:
        notes += _about_twins(twins, {score.site for score in scores})
    if "embedding" in controls and not any(score.site in EMBEDDINGS for score in scores):
        notes.append(f"embedding: not tested, none of the sites {list(EMBEDDINGS)} was captured")
    if ceilings is None:
        notes.append("ceiling: not known, no posteriors were given")
    elif any(np.isnan(score.ceiling) for score in scores):
        notes.append("ceiling: not known for some cells, no posterior was given for their tokens")
    return tuple(notes)


def _about_twins(twins: Sequence[ActivationsLike], sites: set[str]) -> list[str]:
    if not twins:
        return ["random_weights: not tested, no activations of a random-weight twin were given"]
    bare = sorted(sites - set(twins[0].sites).intersection(*(twin.sites for twin in twins[1:])))
    notes = [f"random_weights: not tested at {site}, the twin lacks it" for site in bare]
    if len(twins) < LEAST_TWINS:
        notes.append(
            f"random_weights: {len(twins)} untrained model(s) were given; how much such models "
            f"differ is known from {LEAST_TWINS} on, so nothing is called decodable here"
        )
    return notes


def about_devices(devices: Mapping[str, str]) -> tuple[str, ...]:
    """A note that says where products were made, unless it was the processor everywhere.

    Args:
        devices: site -> device.

    >>> about_devices({"first": "cuda", "last": "cuda"}), about_devices({"first": "cpu"})
    (('products of 2 of 2 sites were made on cuda, in float64; numbers agree with those of the \
processor to rounding',), ())
    """
    return tuple(
        f"products of {list(devices.values()).count(device)} of {len(devices)} sites were made on "
        f"{device}, in float64; numbers agree with those of the processor to rounding"
        for device in sorted({*devices.values()} - {"cpu"})
    )


def lost_dimensions(
    patterns: Mapping[tuple[str, str], Subspace],
    classes: Mapping[str, int],
    others: str,
) -> tuple[str, ...]:
    """A note for each target of which no site shows all dimensions that its classes could have.

    Args:
        patterns: (site, target) -> pattern.
        classes: target -> number of classes.
        others: what the patterns were estimated jointly with.

    >>> line = Subspace(np.eye(3)[:, :1])
    >>> lost_dimensions({("late", "height 1"): line}, {"height 1": 3, "height 2": 2}, "all")[0][:46]
    'height 1: 1 of 2 pattern dimensions cannot be '
    """
    notes = []
    for name, n_classes in classes.items():
        dims = [space.dim for (_, target), space in patterns.items() if target == name]
        most, seen = n_classes - 1, max(dims, default=n_classes - 1)
        if seen < most:
            notes.append(
                f"{name}: {most - seen} of {most} pattern dimensions cannot be told from {others}, "
                f"or are not written; its learned pattern has at most {seen}"
            )
    return tuple(notes)
