"""Which of the theory's invariants hold in models trained from several seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
from pydantic import Field

from ...core import Invariant, checked, progress
from ...core.invariant import InvariantState
from ...reports import Comparison, DrawnLine, Picture, Run, Scores, Study, refuse_occupied
from ...reports.findings import UNLEARNED
from ...reports.values import Json, plain
from ..languages import make_grammar
from ..manifest import versions
from ..pipeline import run_study
from ..settings import (
    Causal,
    Constructed,
    HierarchyFamily,
    Language,
    Probes,
    StudySettings,
    Trained,
)
from ..settings_base import Settings, SettingsError
from .answered import Answered, written
from .belief import plain_settings
from .tiny import TINY_PROBES, TINY_TRAINING

__all__ = ["SeedsSettings", "over_seeds", "seeds"]

QUESTION = (
    "Weights, sentences and their order are drawn anew for each of several models of one language. "
    "Which numbers that theory predicts for any model of the language hold in all of them?"
)
LEVEL = 0.05


class SeedsSettings(Settings):
    """Sizes of the experiment.

    Args:
        language: a grammar.
        training: of each model; the seeds are 0, 1, ...
        seeds: how many models.
        sentences: that are probed.
        probes: how the grid is made.
    """

    language: Language = HierarchyFamily(n_symbols=4, n_rules=3, arity=2, depth=3)
    training: Trained = Trained(steps=1500)
    seeds: Annotated[int, Field(ge=2, le=100)] = 5
    sentences: Annotated[int, Field(ge=20)] = 1500
    probes: Probes = Probes(positions="boundary", causal=Causal(pairs=200))


TINY: Mapping[str, Any] = {
    "training": TINY_TRAINING, "seeds": 2, "sentences": 150,
    "probes": TINY_PROBES,
}  # fmt: skip


@checked(SettingsError)
def seeds(
    settings: SeedsSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Train a language from several seeds and lay each model beside the theory; ten minutes.

    Args:
        settings: sizes; ``tiny`` then says nothing.
        tiny: seconds instead, with models that have learned little.
        seed: the first of the seeds.
        out: a folder for the run and its page.

    Returns:
        One row for each invariant: its mean, the interval of the mean over seeds, and in how many
        models it was as predicted.

    Raises:
        SettingsError: the language is no grammar.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or SeedsSettings(**(TINY if tiny else {}))
    if make_grammar(how.language) is None:
        raise SettingsError("a model is trained on sentences of a grammar; this language has none")
    studies = []
    for one in progress(range(seed, seed + how.seeds), "seeds", unit="seed"):
        study, _ = run_study(
            StudySettings(
                name=f"seed {one}", question=QUESTION, language=how.language, theory=Constructed(),
                model=how.training.model_copy(update={"seed": one}), sentences=how.sentences,
                probes=how.probes, seed=one,
            ),
            level=LEVEL / how.seeds,
        )  # fmt: skip
        studies.append(study)
    rows = over_seeds([study.invariants for study in studies])
    whole = Study(
        "all seeds", QUESTION,
        {"models": len(studies), "models that learned the language": _learned(studies)},
        Scores(()), Comparison(()), pictures=_pictures(rows),
        notes=(f"Intervals are of the mean over {how.seeds} seeds, by Student's t.",),
    )  # fmt: skip
    run = Run(
        "Several seeds", QUESTION, {"experiment": "seeds", **plain_settings(how)}, versions(),
        (whole, *(replace(study, trees=()) for study in studies)),
    )  # fmt: skip
    return written(Answered("seeds", tuple(rows), run), out)


def over_seeds(found: Sequence[Sequence[Invariant]]) -> list[Mapping[str, Json]]:
    """Mean, interval of the mean, and verdicts of each invariant over several models.

    Args:
        found: the rows of each model; one that did not learn its language has none.

    >>> from linrep.core import judged
    >>> row = judged("dimensions", "height 1", "", predicted=3.0, measured=3.0, nulls=(0.0,) * 5)
    >>> told = over_seeds([[row], [row], []])
    >>> told[0]["as predicted"], told[0]["mean"], told[0]["interval"]
    ('2 of 2', 3.0, [3.0, 3.0])
    """
    named: dict[tuple[str, str], list[Invariant]] = {}
    for rows in found:
        for row in rows:
            named.setdefault((row.name, row.target), []).append(row)
    told: list[Mapping[str, Json]] = []
    for (name, target), rows in named.items():
        values = np.array([row.measured for row in rows if math.isfinite(row.measured)])
        states = [row.state for row in rows]
        told.append(
            {
                "what": name, "of": target,
                "predicted": plain(float(np.mean([row.predicted for row in rows]))),
                "mean": plain(float(values.mean())) if len(values) else None,
                "interval": plain(_interval(values)), "models": len(rows),
                **{
                    state: f"{states.count(state)} of {len(rows)}"
                    for state in get_args(InvariantState)
                },
            }
        )  # fmt: skip
    return told


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    """95 % interval of the mean, by Student's t; none of fewer than two."""
    from scipy import stats

    if len(values) < 2:
        return None
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    reach = float(stats.t.isf(0.025, len(values) - 1)) * error
    return float(values.mean()) - reach, float(values.mean()) + reach


def _learned(studies: Sequence[Study]) -> int:
    """Models of which something is claimed."""
    return sum(
        not any(UNLEARNED in row.verdicts.decodable.reason for row in study.comparison.rows)
        for study in studies
    )


def _pictures(rows: Sequence[Mapping[str, Json]]) -> tuple[Picture, ...]:
    """Predicted and measured side by side."""
    shown = [row for row in rows if row["mean"] is not None and row["interval"] is not None]
    if not shown:
        return ()
    x = tuple(float(i) for i in range(len(shown)))
    ends = [row["interval"] for row in shown]
    low, high = (tuple(float(str(end[i])) for end in ends if isinstance(end, list)) for i in (0, 1))
    names = "; ".join(f"{i}: {row['what']}, {row['of']}" for i, row in enumerate(shown))
    return (
        Picture(
            f"Predicted and measured, with the interval of the mean over seeds. {names}.",
            "which", "value", "none",
            (
                DrawnLine("lower end", x, low),
                DrawnLine("upper end", x, high, filled=True),
                DrawnLine(
                    "predicted", x, tuple(float(str(row["predicted"])) for row in shown), True
                ),
            ),
        ),
    )  # fmt: skip
