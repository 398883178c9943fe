"""One question of the maxout experiment and its answer, as a study of a run."""

from collections.abc import Mapping
from typing import Any

from ...reports import Check, Comparison, Picture, Scores, Study
from ...reports.untested import POINT
from ...reports.values import plain

__all__ = ["answer"]


def answer(
    name: str,
    question: str,
    text: str,
    picture: Picture | None,
    checks: tuple[Check, ...],
    facts: Mapping[str, Any],
    *,
    scores: Scores | None = None,
    comparison: Comparison | None = None,
    names: Mapping[str, str] | None = None,
) -> Study:
    """The study of one question.

    Args:
        name: of the study.
        question: what is asked.
        text: what was done and what to see.
        picture: of the numbers, or nothing to draw.
        checks: numbers that had to be reached.
        facts: numbers behind the picture.
        scores: a grid of probes, where there is one.
        comparison: its verdicts.
        names: of its targets, under which pages show them.
    """
    return Study(
        name=name,
        question=f"{question} {text}",
        facts={key: _short(plain(value)) for key, value in facts.items()},
        scores=scores or Scores(()),
        comparison=comparison or Comparison(()),
        checks=checks,
        pictures=() if picture is None else (picture,),
        piece=POINT,
        names=dict(names or {}),
    )


def _short(value: Any) -> Any:
    """Lists of numbers as text, which a table of facts can hold."""
    return ", ".join(f"{each:.4g}" for each in value) if isinstance(value, list) else value
