"""The report as Markdown: for a pull request, a notebook, a terminal."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..core import checked
from ..core.claims import explained
from .about import about, how_to_read, target_words
from .citing import citation, commands
from .edited import ERASED_COLUMNS, STEERED_COLUMNS, erased_lines, steered_lines
from .examples import MISTAKE_COLUMNS, MISTAKES_NOTE, surest_mistakes
from .finding import Finding
from .findings import answers, findings, site_of_transfer
from .invariants import INVARIANT_COLUMNS, INVARIANT_MEANING, invariant_lines
from .merged_notes import notes_of_run
from .named import named_run
from .record import RecordError, Run, Study
from .through_table import THROUGH_NOTE, through_table
from .transferring import TRANSFER_COLUMNS, transfer_lines
from .untested import further_reasons, remedies, untested_lines
from .used import exchange_table
from .values import Json, best_row, number, score_column, score_word, site_label
from .words import words_of

__all__ = ["render_markdown", "summary_lines"]

SHORT = (
    "accuracy", "r2", "spearman", "interval", "ceiling", "chance", "surface", "bag_of_words",
    "characters", "random_weights", "control_task", "shuffled", "p_family", "p_untrained",
    "p_surface",
)  # fmt: skip


def render_markdown(run: Run) -> str:
    """The report as Markdown.

    Args:
        run: what to show.

    Returns:
        The text.
    """
    run = named_run(run)
    parts = [f"# {run.title}", run.question, *_first_screen(run)]
    for study in run.studies:
        asked = "" if study.question == run.question else study.question
        parts += [f"## {study.name}", asked, *_study(study)]
    reasons = further_reasons(run.studies)
    again = "\n".join(f"{command}  # {meaning}" for command, meaning in commands(run))
    parts += [
        *_titled("## What was not tested, and why", reasons),
        *_titled("## To judge the numbers", notes_of_run(run)),
        "## Cite this, make it again",
        f"```bibtex\n{citation(run)}\n```",
        f"```console\n{again}\n```",
        *_titled("## Words used", [f"**{word}**: {meaning}" for word, meaning in words_of(run)]),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)  # titles and labels are text, not tags


def _first_screen(run: Run) -> list[str]:
    """What was found in each study, what was not tested, what would change this."""
    checks = [check for study in run.studies for check in study.checks]
    passed = sum(check.passed for check in checks)
    parts = [f"{passed} of {len(checks)} checks passed" if checks else "", "## What was found"]
    for study in run.studies:
        told = "".join(f"**{name}**: {line}. " for name, line in about(study)).rstrip()
        found = [_finding(finding) for finding in answers(study)]
        title = f"### {study.name}" if len(run.studies) > 1 else ""
        parts += [title, told, "\n".join(found) or _measured(study)]
    meant = dict.fromkeys(line for study in run.studies for line in target_words(study))
    return [
        *parts,
        *meant,
        how_to_read(run.studies),
        *_titled("## What was not tested", untested_lines(run.studies)),
        *_titled("## What would change this", remedies(run.studies)),
    ]


def _measured(study: Study) -> str:
    """Of a study that tests no claim: its first facts."""
    facts = [f"{name} {number(value)}" for name, value in list(study.facts.items())[:4]]
    return "No claim is tested here." + (f" Measured: {'; '.join(facts)}." if facts else "")


def _finding(finding: Finding) -> str:
    """A sentence, the numbers of its targets below."""
    marks = {True: "✓ ", False: "✗ ", None: ""}
    details = "".join(f"\n  - {detail.text}" for detail in finding.details)
    return f"- {marks[finding.good]}{finding.text}.{details}"


def _titled(title: str, items: Sequence[str]) -> list[str]:
    return [title, _bullets(items)] if items else []


@checked(RecordError)
def summary_lines(run: Run) -> list[str]:
    """A few lines for the end of a command: checks, then the best site of each target.

    The best site is that of highest score on validation sentences: the test sentences, whose
    score is shown, have no say in the choice.

    Args:
        run: what to sum up.

    Returns:
        Lines of text.
    """
    lines = []
    for study in named_run(run).studies:
        lines.append(f"{study.name}")
        lines += [f"  {sentence}" for sentence in findings(study)]
        lines += [f"  {check}" for check in study.checks]
        if not study.scores.rows:
            lines += [f"  {note}" for note in study.notes]
        lines += [f"  {answer}" for answer in _answers(study)]
    return lines


def _answers(study: Study) -> list[str]:
    """Per target, at its best site: the score and the verdict with its reason."""
    lines = []
    verdicts = study.comparison.verdicts
    for target in dict.fromkeys(str(row["target"]) for row in study.scores.rows):
        rows = [row for row in study.scores.rows if row["target"] == target]
        best = best_row(rows)
        cell = verdicts.get((str(best["site"]), target))
        lines.append(
            f"{target}: {score_word(best)} {number(best.get(score_column(best)))} "
            f"[{number(best.get('interval'))}]"
            f" at {site_label(str(best['site']))}{_ceiling(best)}"
            + (f", {cell.sentence}" if cell else "")
        )
    return lines


def _ceiling(row: Mapping[str, Json]) -> str:
    """The ceiling, where one is known."""
    known = row.get("ceiling")
    return "" if known is None else f", ceiling {number(known)}"


def _study(study: Study) -> list[str]:
    verdicts = study.comparison.verdicts
    names = [name for name in SHORT if any(r.get(name) is not None for r in study.scores.rows)]
    rows = []
    for row in study.scores.rows:
        cell = verdicts.get((str(row["site"]), str(row["target"])))
        numbers = [number(row.get(name)) for name in names]
        rows.append([str(row["site"]), str(row["target"]), *numbers, cell.short if cell else "–"])
    parts = [f"```text\n{tree}\n```" for tree in study.trees]
    if study.checks:
        parts.append(
            _table(
                ["check", "measured", "required", "passed"],
                [
                    [c.name, number(c.value), f"{c.relation} {number(c.limit)}", number(c.passed)]
                    for c in study.checks
                ],
            )
        )
    if rows:
        shown = [name.replace("_", " ").replace("r2", "R²") for name in names]
        parts.append("Where each target is read best, by validation data:")
        parts.append(_bullets(_answers(study)))
        parts.append(_table(["site", "target", *shown, "verdict"], rows))
    overlaps = [
        [row.site, row.target, number(row.subspaces.written), number(row.predicted_use),
         number(row.subspaces.overlap),
         number(row.subspaces.null_high), number(row.predicted_rank),
         number(row.subspaces.dim_learned), number(row.subspaces.as_predicted), row.told_apart]
        for row in study.comparison.rows if row.subspaces
    ]  # fmt: skip
    if overlaps:
        head = [
            "site",
            "target",
            "written",
            "still read by a later layer",
            "overlap",
            "null, upper end",
            "rank predicted",
            "rank found",
            "as predicted",
            "told from other values",
        ]
        parts.append(_table(head, overlaps))
        claims = explained(row.claim for row in study.comparison.rows if row.subspaces)
        parts.append(_bullets(f"{name}: {meaning}" for name, meaning in claims.items()))
    if mistakes := surest_mistakes(study):
        parts += [MISTAKES_NOTE, _table(MISTAKE_COLUMNS, mistakes)]
    heads, carried = through_table(study.comparison.rows)
    if carried:
        parts += [THROUGH_NOTE, _table(heads, carried)]
    heads, exchanges = exchange_table(study.comparison)
    if exchanges:
        parts.append(_table(heads, exchanges))
    if study.erased:
        parts.append(_table(ERASED_COLUMNS, erased_lines(study.erased)))
    if study.steered:
        parts.append(_table(list(STEERED_COLUMNS.values()), steered_lines(study.steered)))
    if study.invariants:
        parts += ["### Whatever the basis", INVARIANT_MEANING]
        parts.append(_table(INVARIANT_COLUMNS, invariant_lines(study.invariants)))
    for moved in study.transfers:
        site = site_of_transfer(study, moved)
        parts.append(f"### {moved.target}, learned from one data set and read in another")
        parts.append(f"At {site_label(site)}; the JSON report has every site.")
        parts.append(_table(list(TRANSFER_COLUMNS), transfer_lines(moved, site)))
    parts.append(_bullets(f"{name}: {number(value)}" for name, value in study.facts.items()))
    return parts


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table in GitHub's dialect; bars in cells are escaped.

    >>> print(_table(["a", "b"], [["1", "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(
        "|" + "|".join(cells if cells[0] == "---" else [f" {c} " for c in cells]) + "|"
        for cells in escaped
    )


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
