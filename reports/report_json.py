"""A run as its report.json says it."""

from dataclasses import replace

from .citing import citation, commands
from .findings import findings
from .merged_notes import notes_of_run
from .named import named_run
from .record import Run, Study
from .run_files import SCHEMA
from .run_json import study_json
from .untested import remedies, untested, untested_lines
from .words import words_of

__all__ = ["run_json"]


def run_json(run: Run) -> dict[str, object]:
    """Everything a report shows, as JSON-able data; :func:`linrep.report_schema` describes it.

    Args:
        run: what to show.
    """
    shown = named_run(run)
    return {
        "schema": SCHEMA,
        "title": run.title,
        "question": run.question,
        "passed": run.passed,
        "settings": run.settings,
        "made_with": run.manifest,
        "studies": [_reported(study) for study in run.studies],
        "untested": untested_lines(shown.studies),
        "reasons": [entry.sentence for entry in untested(shown.studies)],
        "remedies": remedies(shown.studies),
        "notes": notes_of_run(shown),
        "citation": citation(shown),
        "commands": dict(commands(shown)),
        "words": dict(words_of(shown)),
    }


def _reported(study: Study) -> dict[str, object]:
    """A study with what its page says beside the numbers, without what only pairs two runs."""
    checks = [vars(check) | {"passed": check.passed} for check in study.checks]
    shown = replace(study, scores=replace(study.scores, by_group={}))
    return {"found": findings(study)} | study_json(shown) | {"checks": checks}
