"""Commands about runs that are there: their reports, two compared, one held to requirements."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, Seed, add, emit

__all__ = ["register"]

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]
Junit = Annotated[
    Path | None, typer.Option(help="Write what was held to what as JUnit's XML, FILE.xml.")
]
LISTED = 20  # cells that compare prints; its page has all
REPORT_EXAMPLES = (
    "Examples: linrep report runs/demo --to demo.md ;  linrep report runs/demo --format card"
)
CHECK_EXAMPLE = "Example: linrep check runs/demo --require 'accuracy>=0.99@blocks.3.*/height 1'"


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(
        app,
        report,
        REPORT_EXAMPLES,
    )
    add(app, compare, "Example: linrep compare runs/old runs/new --out differences.html")
    add(app, check, CHECK_EXAMPLE)
    add(app, schema, "Example: linrep schema > report.schema.json")


def report(
    run: RunFolder,
    to: Annotated[
        Path | None,
        typer.Option(
            help=".html, .md, .json, .pdf or .png, or card.md; by default report.html in RUN, or "
            "what --format asks for."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="[html|md|json|card|pdf|png]",
            help="What to write, by default what the name says. card: Markdown for a model hub; "
            "pdf and png: the page, printed by an installed browser.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the report of a run again, without its model."""
    from .reports import report as write
    from .reports.write import default_name, known_format

    kind = known_format(format)
    page = write(run, to or run / default_name(kind), format=kind)
    emit({"report": str(page)}, str(page), as_json=as_json)


def compare(
    before: Annotated[Path, typer.Argument(help="The earlier run.")],
    after: Annotated[Path, typer.Argument(help="The later run.")],
    page: Annotated[
        Path | None,
        typer.Option("--out", help="Write a page (.html), Markdown (.md) or JSON (.json) of it."),
    ] = None,
    junit: Junit = None,
    strict: Annotated[bool, typer.Option(help="Exit 1 if any cell became worse.")] = False,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Compare two runs cell by cell (paired tests where they scored the same tokens), and settings.

    Raises:
        Exit: asked to be strict, and a cell became worse.
    """
    from .reports import read_run
    from .reports.difference_page import SUFFIXES, difference_json, write_difference
    from .reports.differing import beside
    from .reports.junit import cases_of_changes, write_junit
    from .reports.regression import ROUNDING
    from .reports.write import destination

    for file, suffixes in ((page, SUFFIXES), (junit, (".xml",))):
        if file is not None:
            destination(file, suffixes)
    sides = beside(read_run(before), read_run(after), seed=seed)
    found = sides.found
    written = {}
    if page is not None:
        written["page"] = str(write_difference(sides, page))
    if junit is not None:
        written["junit"] = str(write_junit(cases_of_changes(sides), junit, "linrep compare"))
    changed = [each for each in found.changes if abs(each.difference) > ROUNDING or each.worse]
    changed.sort(key=lambda each: -abs(each.difference))
    lines = [*sides.sentences, *map(sides.said, changed[:LISTED])]
    if len(changed) > LISTED:
        lines.append(f"... and {len(changed) - LISTED} more; --out FILE.html has every cell")
    lines += [f"setting {name}: {old} -> {new}" for name, old, new in sides.settings]
    lines += [f"{what}: {where}" for what, where in written.items()]
    lines.append(f"{len(found.changes)} cells compared, {len(found.worse)} worse")
    data = difference_json(sides) | {"worse": len(found.worse)} | written
    emit(data, "\n".join(lines), as_json=as_json)
    if strict and found.worse:
        raise typer.Exit(1)


def check(
    run: RunFolder,
    require: Annotated[
        list[str] | None, typer.Option(help="COLUMN>=NUMBER@SITE/TARGET, repeatable.")
    ] = None,
    junit: Junit = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            help="Add a summary in GitHub's Markdown to this file, such as $GITHUB_STEP_SUMMARY."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold a run to its own checks and to requirements; exit 1 if one fails.

    Raises:
        Exit: a requirement failed.
    """
    from .reports import Requirement, check_run, read_run
    from .reports.junit import (
        add_summary,
        cases_of_check,
        check_summary,
        refuse_summary,
        write_junit,
    )
    from .reports.write import destination

    if junit is not None:
        destination(junit, (".xml",))
    if summary is not None:
        refuse_summary(summary)
    wanted = tuple(Requirement.from_text(text) for text in require or ())
    whole = read_run(run)
    outcomes = check_run(whole, wanted)
    written = {}
    if junit is not None:
        written["junit"] = str(write_junit(cases_of_check(outcomes), junit, "linrep check"))
    if summary is not None:
        written["summary"] = str(add_summary(check_summary(whole, outcomes), summary))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    told = f"{len(outcomes) - len(failed)} of {len(outcomes)} requirements met"
    data = {"passed": not failed, "outcomes": [vars(outcome) for outcome in outcomes]} | written
    files = [f"{what}: {where}" for what, where in written.items()]
    emit(data, "\n".join([*map(str, failed or outcomes), *files, told]), as_json=as_json)
    if failed:
        raise typer.Exit(1)


def schema(
    of: Annotated[
        str, typer.Argument(metavar="[report|comparison]", help="Of which file.")
    ] = "report",
    as_json: JsonFlag = False,
) -> None:
    """Print the JSON Schema of report.json, or of a comparison of two runs as JSON."""
    import json

    from .reports import report_schema
    from .reports.report_schema import known_file

    shown = report_schema(known_file(of))
    emit(shown, json.dumps(shown, ensure_ascii=False, indent=1), as_json=as_json)
