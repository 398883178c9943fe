"""One study of labelled data as an experiment: its numbers, and its run."""

from collections.abc import Mapping
from pathlib import Path

from ...reports import Run, Study
from ...reports.findings import site_of_transfer
from ...reports.rungs import strongest_baseline
from ...reports.values import Json, best_row, score_column, site_label
from ..pipeline import run_experiment
from ..settings import Experiment, StudySettings
from .answered import Answered, written

__all__ = ["answered_by", "best_rows"]


def answered_by(name: str, title: str, settings: StudySettings, out: str | Path | None) -> Answered:
    """Make the run of one study, and the few numbers of it.

    Args:
        name: of the experiment.
        title: of the page.
        settings: of the study.
        out: a folder for the run; or ``None``.
    """
    run: Run = run_experiment(
        Experiment(title=title, question=settings.question, studies=(settings,))
    )
    return written(Answered(name, tuple(best_rows(run.studies[0])), run), out)


def best_rows(study: Study) -> list[Mapping[str, Json]]:
    """For each target the site that is best on validation rows, then what carries over.

    Args:
        study: that was made.
    """
    found: list[Mapping[str, Json]] = []
    for target in dict.fromkeys(str(row["target"]) for row in study.scores.rows):
        row = best_row([each for each in study.scores.rows if each["target"] == target])
        baseline, value = strongest_baseline(row)
        verdicts = study.comparison.verdicts[str(row["site"]), target]
        found.append(
            {
                "target": study.names.get(target, target), "learned from": "–", "read in": "–",
                "after": site_label(str(row["site"])), "score": row[score_column(row)],
                "interval": row["interval"], "chance": row["chance"],
                "strongest baseline": f"{baseline.replace('_', ' ')} {value:.3f}"
                if value is not None else "–",
                "untrained": row.get("random_weights"), "verdict": verdicts.short,
            }
        )  # fmt: skip
    for moved in study.transfers:
        site = site_of_transfer(study, moved)
        for other in moved.at(site):
            if other.train == moved.names[0] and other.test != other.train:
                found.append(
                    {
                        "target": moved.target, "learned from": other.train, "read in": other.test,
                        "after": site_label(site), "score": other.score,
                        "interval": [other.low, other.high], "chance": other.chance,
                        "strongest baseline": "–", "untrained": other.twin,
                        "verdict": "carries over" if other.above else "does not carry over",
                    }
                )  # fmt: skip
    return found
