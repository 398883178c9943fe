"""How a page is cited, and the commands that make it again."""

import hashlib
import json
from typing import TYPE_CHECKING

from .run_json import study_json
from .values import plain

if TYPE_CHECKING:
    from .record import Run

__all__ = ["citation", "commands", "fingerprint"]

OWN_COMMANDS = ("maxout", "scaling")


def fingerprint(run: "Run") -> str:
    """Twelve digits that only runs of the same content share.

    Args:
        run: any.
    """
    told = {
        "title": run.title, "question": run.question, "settings": run.settings,
        "studies": [study_json(study) for study in run.studies],
    }  # fmt: skip
    text = json.dumps(plain(told), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def citation(run: "Run") -> str:
    """How the page is cited, for BibTeX.

    Args:
        run: that the page shows.

    Returns:
        An entry with the version of linrep that made the run and the run's fingerprint.
    """
    mark = fingerprint(run)
    version = run.manifest.get("linrep")
    made = "linrep" if version is None else f"linrep {version}"
    title = "".join(sign for sign in run.title if sign not in "{}\\")
    return (
        f"@misc{{linrep-{mark},\n  title = {{{title}}},\n  howpublished = {{Report of {made}}},\n"
        f"  note = {{run {mark}}}\n}}"
    )


def commands(run: "Run") -> list[tuple[str, str]]:
    """What makes the run, its page and a comparison, each with what it does.

    Args:
        run: that the page shows.
    """
    again = _again(run)
    made = [(again, "makes the run again")] if again else []
    return [
        *made,
        ("linrep report FOLDER --to page.html", "writes this page again from the run's folder"),
        ("linrep compare FOLDER NEW", "lays two runs beside each other"),
    ]


def _again(run: "Run") -> str:
    """The command that makes the run; empty where it was made from Python."""
    if "studies" in run.settings:
        return "linrep run settings.yaml --out NEW"
    name = run.settings.get("experiment")
    if not isinstance(name, str):
        return ""
    if name in OWN_COMMANDS:
        tiny = " --tiny" if run.settings.get("tiny") else ""
        return f"linrep {name} --seed {run.settings.get('seed', 0)}{tiny} --out NEW"
    return f"linrep experiment {name} --settings settings.yaml --out NEW"
