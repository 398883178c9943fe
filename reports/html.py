"""One self-contained page: every number from the run, plotly inlined once."""

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from ..core.claims import explained
from ..probes.examples.view import script, style
from . import figures
from .about import about, how_to_read, target_words
from .addresses import Addresses
from .citing import citation, commands
from .drawing.page import FigurePage
from .examples import examples_section
from .finding import Finding
from .findings import answers, site_of_transfer
from .merged_notes import notes_of_run
from .named import named_run
from .pages import templates
from .record import Run, Study
from .score_table import best_table, score_table
from .section import Section, tables
from .transferring import (
    TRANSFER_CAPTION,
    TRANSFER_COLUMNS,
    transfer_figure,
    transfer_lines,
)
from .untested import further_reasons, remedies, untested_lines
from .values import number, place, plain
from .verdict_map import verdict_map
from .words import words_of

if TYPE_CHECKING:
    from ..probes import Transfer

__all__ = ["render_html"]

FIRST: Final = 3
"""Sentences of a study on the first screen of several studies, beside what failed."""


def render_html(run: Run) -> str:
    """The report as one HTML page that needs no network.

    Args:
        run: what to show.

    Returns:
        The page; the same run gives the same bytes.
    """
    import yaml
    from markupsafe import Markup

    run = named_run(run)
    pages = files(__package__).joinpath("templates")
    template = templates().get_template("report.html")
    checks = [check for study in run.studies for check in study.checks]
    drawn = FigurePage()
    studies = _studies(run, drawn)
    return template.render(
        run=run,
        css=Markup(pages.joinpath("report.css").read_text("utf-8") + drawn.css() + style()),
        script=Markup(pages.joinpath("report.js").read_text("utf-8")),
        examples_script=Markup(script()),
        figure_scripts=drawn.scripts(),
        checks=len(checks),
        passed=sum(check.passed for check in checks),
        target_words=list(
            dict.fromkeys(line for study in run.studies for line in target_words(study))
        ),
        studies=studies,
        untested=untested_lines(run.studies),
        reasons=further_reasons(run.studies),
        remedies=remedies(run.studies),
        how_to_read=how_to_read(run.studies),
        notes=notes_of_run(run),
        citation=citation(run),
        commands=commands(run),
        settings=yaml.safe_dump(plain(run.settings), sort_keys=False, allow_unicode=True),
        manifest=yaml.safe_dump(plain(run.manifest), sort_keys=False, allow_unicode=True),
        glossary=words_of(run),
    )


def _studies(run: Run, page: FigurePage) -> list[dict[str, object]]:
    """Every study, with one picture that carries the first screen: that of the first study."""
    addresses = Addresses()
    for name in ("settings", "words", "notes", "untested", "cite", "answers"):
        addresses.of(name)
    alone = len(run.studies) == 1
    made = [_study(study, addresses, page, alone=alone) for study in run.studies]
    shown = next((study for study in made if study["carrying"]), None)
    for study in made:
        study["on_top"] = study is shown
    return made


def _study(
    study: Study, addresses: Addresses, page: FigurePage, *, alone: bool
) -> dict[str, object]:
    anchor = addresses.of(study.name)
    drawn = _figures(study, addresses, page)
    scored = [score_table(study)] if study.scores.rows else []
    numbers = [_table(section, study, addresses, own=True) for section in scored]
    best = [best_table(study)] if study.scores.rows else []
    told = answers(study)
    failed = sum(finding.good is False for finding in told)  # failures stand in front
    first = len(told) if alone else max(FIRST, failed)
    claims = [row.claim for row in study.comparison.rows if row.subspaces]
    return {
        "anchor": anchor,
        "examples": examples_section(study, addresses),
        "name": study.name,
        "question": study.question,
        "about": about(study),
        "found": [_finding(finding, study, addresses) for finding in told[:first]],
        "further": [_finding(finding, study, addresses) for finding in told[first:]],
        "matrix": verdict_map(study, addresses) if study.scores.rows else None,
        "best": [_table(section, study, addresses) for section in best],
        "numbers": numbers,
        "tables": [_table(section, study, addresses) for section in tables(study)],
        "carrying": drawn[:1],
        "figures": drawn[1:],
        "trees": study.trees,
        "claims": explained(iter(claims)),
        "transfers": [_transfer(study, moved, addresses, page) for moved in study.transfers],
        "language": "Language, model, data" if study.piece == "token" else "Data and model",
        "facts": [(name, number(value)) for name, value in study.facts.items()],
        "facts_id": addresses.of(study.name, "facts"),
        "trees_id": addresses.of(study.name, "trees"),
        "figures_id": addresses.of(study.name, "figures"),
    }


def _figures(study: Study, addresses: Addresses, page: FigurePage) -> list[dict[str, object]]:
    """Every figure with its address, the one that carries the answer first."""
    drawn = list(figures.study_figures(study).items())
    return [
        {
            "caption": caption,
            "id": addresses.of(study.name, f"figure-{index}"),
            "html": page.place(
                figure, f"plot-{addresses.of(study.name)}-{index}".replace("/", "-"), caption
            ),
        }
        for index, (caption, figure) in enumerate(drawn, start=1)
    ]


def _finding(finding: Finding, study: Study, addresses: Addresses) -> dict[str, object]:
    """A sentence, linked to the rows that it is about."""
    at = finding.cell
    return {
        "text": finding.text,
        "good": finding.good,
        "href": "" if at is None else addresses.of(study.name, *at),
        "details": [
            {"text": detail.text, "href": addresses.of(study.name, detail.site, detail.target)}
            for detail in finding.details
        ],
    }


def _table(
    section: Section, study: Study, addresses: Addresses, *, own: bool = False
) -> dict[str, object]:
    """A table with addresses; the cells' own addresses are those of their rows of numbers."""
    parts = [study.name] if own else [study.name, section.key]
    cells = section.cells or [("row", str(index)) for index in range(1, len(section.lines) + 1)]
    linked = bool(section.cells) and not own
    blocks = study.facts.get("blocks")
    known = blocks if isinstance(blocks, int) else None
    return {
        "id": addresses.of(study.name, f"{section.key}-table" if own else section.key),
        "title": section.title,
        "note": section.note,
        "columns": section.columns,
        "left": section.left,
        "prose": section.prose,
        "rows": [
            {
                "id": addresses.of(*parts, *cell),
                "href": addresses.of(study.name, *cell) if linked else "",
                "place": place(cell[0], known) if section.cells else "",
                "values": line,
            }
            for cell, line in zip(cells, section.lines, strict=True)
        ],
    }


def _transfer(
    study: Study, moved: "Transfer", addresses: Addresses, page: FigurePage
) -> dict[str, object]:
    """The section of one target that was learned from one data set and read in others."""
    site = site_of_transfer(study, moved)
    title = f"{moved.target}, learned from one data set and read in another"
    note = f"{place(site)}, where the target is read best by validation; report.json has all."
    lines = transfer_lines(moved, site)
    table = Section(f"moved-{moved.target}", title, list(TRANSFER_COLUMNS), lines, note=note)
    name = addresses.of(study.name, f"moved-{moved.target}", "figure")
    return {
        "caption": TRANSFER_CAPTION,
        "id": name,
        "figure": page.place(
            transfer_figure(study, moved), f"plot-{name}".replace("/", "-"), TRANSFER_CAPTION
        ),
        "table": _table(table, study, addresses),
    }
