"""Commands about runs that are there: their reports, two compared, one held to requirements."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, add, emit

__all__ = ["register"]

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]
CHECK_EXAMPLE = "Example: linrep check runs/demo --require 'accuracy>=0.99@blocks.3.*/height 2'"


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, report, "Example: linrep report runs/demo --to demo.md")
    add(app, compare, "Example: linrep compare runs/old runs/new")
    add(app, check, CHECK_EXAMPLE)
    add(app, schema, "Example: linrep schema > report.schema.json")


def report(
    run: RunFolder,
    to: Annotated[
        Path | None, typer.Option(help=".html, .md or .json; by default RUN/report.html.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the report of a run again, without its model."""
    from .reports import report as write

    page = write(run, to or run / "report.html")
    emit({"report": str(page)}, str(page), as_json=as_json)


def compare(
    before: Annotated[Path, typer.Argument(help="The earlier run.")],
    after: Annotated[Path, typer.Argument(help="The later run.")],
    strict: Annotated[bool, typer.Option(help="Exit 1 if any cell became worse.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Two runs beside each other: accuracy cell by cell, and the settings that differ.

    Raises:
        Exit: asked to be strict, and a cell became worse.
    """
    from dataclasses import asdict

    from .reports import compare_runs, read_run
    from .reports.values import site_label

    found = compare_runs(read_run(before), read_run(after))
    lines = [
        f"{change.study}, {site_label(change.site)}, {change.target}: {change.before:.3f} -> "
        f"{change.after:.3f} ({change.difference:+.3f}"
        + (", beyond both intervals)" if change.apart else ")")
        for change in found.changes
    ]
    lines += [f"only in {before}: {', '.join(cell)}" for cell in found.only_before]
    lines += [f"only in {after}: {', '.join(cell)}" for cell in found.only_after]
    lines += [f"setting {name}: {old} -> {new}" for name, (old, new) in found.settings.items()]
    lines.append(f"{len(found.changes)} cells compared, {len(found.worse)} worse")
    emit(asdict(found) | {"worse": len(found.worse)}, "\n".join(lines), as_json=as_json)
    if strict and found.worse:
        raise typer.Exit(1)


def check(
    run: RunFolder,
    require: Annotated[
        list[str] | None, typer.Option(help="COLUMN>=NUMBER@SITE/TARGET, repeatable.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold a run to its own checks and to requirements; exit 1 if one fails.

    Raises:
        Exit: a requirement failed.
    """
    from .reports import Requirement, check_run, read_run

    wanted = tuple(Requirement.from_text(text) for text in require or ())
    outcomes = check_run(read_run(run), wanted)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    summary = f"{len(outcomes) - len(failed)} of {len(outcomes)} requirements met"
    data = {"passed": not failed, "outcomes": [vars(outcome) for outcome in outcomes]}
    emit(data, "\n".join([*map(str, failed or outcomes), summary]), as_json=as_json)
    if failed:
        raise typer.Exit(1)


def schema(as_json: JsonFlag = False) -> None:
    """Print the JSON Schema of report.json, which checks or types what reads one."""
    import json

    from .reports import report_schema

    shown = report_schema()
    emit(shown, json.dumps(shown, ensure_ascii=False, indent=1), as_json=as_json)
