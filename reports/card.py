"""A run as a Markdown card for a model hub: what was found, and metadata that a verdict backs."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .citing import citation
from .findings import findings
from .markdown_parts import as_bullets, as_table, as_text
from .named import named_run
from .record import Run, Study
from .rungs import strongest_baseline
from .untested import untested_lines
from .values import Json, best_row, number, place, plain, score_column, site_label
from .verdicts import Verdicts

__all__ = ["render_card"]

ABOUT: Final = (
    "Linear probes of the residual stream, made with linrep. A score stands here only beside what "
    "it has to beat: the strongest baseline (guessing from the surface, untrained models, shuffled "
    "labels), and the verdict that follows."
)
LIMITS: Final = (
    "A target that can be read is not thereby used by the model: that is the fourth verdict, and "
    "where it says “not tested” nothing is known of it.",
    "Scores are of held-out rows of the data named here, at the site that validation rows chose; "
    "other data may give others.",
    "The metadata above lists a target only where it is decodable by its verdict: beyond chance "
    "and beyond untrained models, over all cells of the run together.",
)


def render_card(run: Run) -> str:
    """The card: front matter as model hubs read it (``model-index``), then Markdown.

    Numbers that no verdict backs are not in the front matter: nothing there is something that an
    untrained model or shuffled labels could show as well.

    Args:
        run: what to show.

    Returns:
        The text; the same run gives the same text.
    """
    import yaml

    whole = named_run(run)
    front: dict[str, Any] = {"tags": ["interpretability", "linear-probing", "linrep"]}
    if entries := [entry for study in whole.studies if (entry := _entry(whole, study))]:
        front["model-index"] = entries
    head = yaml.safe_dump(plain(front), sort_keys=False, allow_unicode=True, width=10**6)
    parts = [f"# {whole.title}", whole.question, ABOUT]
    for study in whole.studies:
        parts += _study(study, alone=len(whole.studies) == 1)
    parts += ["## What this does not say", as_bullets(LIMITS), "## Made with", _made_with(whole),
              "## Cite this", f"```bibtex\n{citation(whole)}\n```"]  # fmt: skip
    return f"---\n{head}---\n\n{as_text(parts)}"


def _entry(run: Run, study: Study) -> dict[str, Any] | None:
    """What a hub lists of one study; ``None`` where no verdict backs a number."""
    results = []
    for row, verdicts in _best(study):
        if verdicts is None or verdicts.decodable.state != "yes":
            continue
        kind, target = score_column(row), str(row["target"])
        metric: dict[str, Any] = {
            "type": kind,
            "value": round(float(str(row[kind])), 4),
            "name": f"{kind} of a linear probe {place(str(row['site']))} ({verdicts.headline})",
        }
        results.append({
            "task": {"type": "linear-probing", "name": f"{target} of each {study.piece}"},
            "dataset": {"type": "linrep", "name": _data(study)},
            "metrics": [metric],
        })  # fmt: skip
    return {"name": _model(run, study), "results": results} if results else None


def _study(study: Study, *, alone: bool) -> list[str]:
    """A study's part of the text."""
    facts = [f"**{name}**: {number(value)}" for name, value in study.facts.items()]
    lines = [_line(row, verdicts) for row, verdicts in _best(study)]
    passed = sum(check.passed for check in study.checks)
    return [
        f"## {study.name}",
        "" if alone else study.question,
        as_bullets(findings(study)),
        as_table(["target", "best at", "score", "interval", "strongest baseline", "verdict"], lines)
        if lines else "",
        f"Checks: {passed} of {len(study.checks)} passed." if study.checks else "",
        *(["### Not tested", as_bullets(told)] if (told := untested_lines([study])) else []),
        "### Model and data", as_bullets(facts),
    ]  # fmt: skip


def _best(study: Study) -> list[tuple[Mapping[str, Json], Verdicts | None]]:
    """For each target the row where it is read best on validation rows, and its verdicts."""
    found = []
    for target in dict.fromkeys(str(row["target"]) for row in study.scores.rows):
        row = best_row([row for row in study.scores.rows if row["target"] == target])
        found.append((row, study.comparison.verdicts.get((str(row["site"]), target))))
    return found


def _line(row: Mapping[str, Json], verdicts: Verdicts | None) -> list[str]:
    name, value = strongest_baseline(row)
    kind = "" if score_column(row) == "accuracy" else " (R²)"
    return [
        str(row["target"]), site_label(str(row["site"])),
        f"{number(row.get(score_column(row)))}{kind}", number(row.get("interval")),
        f"{name.replace('_', ' ')} {number(value)}" if name else "–",
        "not compared" if verdicts is None else verdicts.short,
    ]  # fmt: skip


def _made_with(run: Run) -> str:
    """Versions: plain values of the manifest alone."""
    plain_ones = [
        f"**{name}**: {value}"
        for name, value in run.manifest.items()
        if isinstance(value, str | int | float)
    ]
    return as_bullets(plain_ones)


def _model(run: Run, study: Study) -> str:
    """The model's name: of a folder that was read the last two parts; else what made it."""
    path = None
    settings: Any = run.settings.get("studies")
    for one in settings if isinstance(settings, list) else ():
        if isinstance(one, dict) and one.get("name") == study.name:
            asked = one.get("model")
            path = asked.get("path") if isinstance(asked, dict) else None
    return _last(str(path)) if path else str(study.facts.get("model") or run.title)


def _data(study: Study) -> str:
    told: Sequence[Json] = [study.facts.get("sentences from"), study.facts.get("data"), study.name]
    return str(next(value for value in told if value))


def _last(path: str) -> str:
    """The last two parts of a path, as hubs name models; a machine's folders are nobody's business.

    >>> _last("owner/name"), _last("/home/me/models/mine"), _last("gpt2")
    ('owner/name', 'models/mine', 'gpt2')
    """
    return "/".join(re.split(r"[/\\]+", path.rstrip("/\\"))[-2:]).lstrip("/")
