"""One self-contained page: every number from the run, plotly inlined once."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from ..core.claims import explained
from ..probes import Transfer
from .drawing.page import FigurePage
from .edited import ERASED_COLUMNS, STEERED_COLUMNS, erased_lines, steered_lines
from .examples import examples_html, examples_script, examples_style
from .figures import study_figures
from .findings import findings, site_of_transfer
from .invariants import INVARIANT_COLUMNS, INVARIANT_MEANING, invariant_lines
from .meeting import NO_BASIS
from .named import named_run
from .overlap_table import OVERLAP_COLUMNS, overlap_lines
from .record import Run, Study
from .remarks import remarks
from .rungs import strongest_baseline
from .through_table import THROUGH_NOTE, through_table
from .transferring import (
    TRANSFER_CAPTION,
    TRANSFER_COLUMNS,
    transfer_figure,
    transfer_lines,
)
from .used import exchange_table
from .values import (
    AROUND,
    Json,
    best_row,
    number,
    of_whole_text,
    plain,
    score_column,
    score_word,
    site_label,
    site_order,
)
from .words import words_of

__all__ = ["render_html"]

SCORE_COLUMNS = (
    "accuracy", "r2", "spearman", "interval", "validation", "ceiling", "chance", "position",
    "previous_word", "word_identity", "next_word", "n_gram", "surface", "bag_of_words",
    "characters", "length", "unseen", "embedding", "random_weights", "shuffled",
    "control_task", "selectivity", "balanced_accuracy", "macro_f1", "auroc", "average_precision",
    "recall_at_1_fpr", "nll", "v_information", "codelength", "control_codelength",
    "p", "q", "p_family", "p_untrained", "p_surface", "p_perfect", "p_embedding", "p_unseen",
    "p_control", "penalty", "n_train", "n_test", "n_groups", "n_unseen", "n_classes",
    "converged", "collapsed",
)  # fmt: skip
UNITS = {"nll": "nats", "v_information": "nats", "codelength": "bits", "control_codelength": "bits"}
HEADS = {
    "r2": "R²",
    "n_gram": "last three words",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "recall_at_1_fpr": "recall at 1 % false positives",
}
UNPREDICTED = "nothing predicts where it is written: that is known of constructed models only"
SIGNS = {"<=": "≤", ">=": "≥"}


def render_html(run: Run) -> str:
    """The report as one HTML page that needs no network.

    Args:
        run: what to show.

    Returns:
        The page; the same run gives the same bytes.
    """
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    run = named_run(run)
    pages = files(__package__).joinpath("templates")
    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    template = environment.get_template("report.html")
    checks = [check for study in run.studies for check in study.checks]
    figures = FigurePage()
    studies = [_study(study, index, figures) for index, study in enumerate(run.studies)]
    return template.render(
        run=run,
        css=Markup(
            pages.joinpath("report.css").read_text("utf-8") + examples_style() + figures.css()
        ),
        examples_script=Markup(examples_script()),
        figure_scripts=figures.scripts(),
        checks=len(checks),
        passed=sum(check.passed for check in checks),
        studies=studies,
        settings=yaml.safe_dump(plain(run.settings), sort_keys=False, allow_unicode=True),
        manifest=yaml.safe_dump(plain(run.manifest), sort_keys=False, allow_unicode=True),
        glossary=words_of(run),
    )


def _study(study: Study, index: int, figures: FigurePage) -> dict[str, object]:
    scores = {(str(row["site"]), str(row["target"])): row for row in study.scores.rows}
    sites = site_order([site for site, _ in scores])
    targets = site_order([target for _, target in scores])
    compared = {(row.site, row.target): row for row in study.comparison.rows}
    cells = {key: _cell(scores[key], compared.get(key)) for key in scores}
    columns = _columns(list(scores.values()))
    overlaps = [row for row in study.comparison.rows if row.subspaces]
    return {
        "anchor": f"study-{index + 1}",
        "examples": examples_html(study, f"examples-{index + 1}", f"study-{index + 1}"),
        "name": study.name,
        "question": study.question,
        "facts": [(name, number(value)) for name, value in study.facts.items()],
        "score": " or ".join(dict.fromkeys(score_word(row) for row in scores.values())),
        "sites": [{"name": site, "label": site_label(site)} for site in sites],
        "matrix": [
            {"target": target, "cells": [cells.get((site, target)) for site in sites]}
            for target in targets
        ],
        "marked": any(cell["mark"] for cell in cells.values()),
        "tied": any(row.tied for row in overlaps),
        "starred": any(cell["starred"] for cell in cells.values()),
        "reasons": _reasons(study),
        "best": [_best(study, target) for target in targets],
        "checks": [
            {"name": c.name, "value": number(c.value), "passed": c.passed, "meaning": c.meaning,
             "required": f"{SIGNS[c.relation]} {number(c.limit)}"}
            for c in study.checks
        ],
        "figures": [
            {"caption": caption, "html": figures.place(figure, f"figure-{index}-{i}", caption)}
            for i, (caption, figure) in enumerate(study_figures(study).items())
        ],
        "score_columns": ["site", "target", *[_head(name) for name in columns]],
        "score_lines": [
            [site_label(site), target, *[_shown(name, row.get(name)) for name in columns]]
            for (site, target), row in scores.items()
        ],
        "overlap_columns": ["site", "target", *OVERLAP_COLUMNS.values()],
        "overlap_lines": overlap_lines(overlaps),
        "through_note": THROUGH_NOTE,
        "through_columns": through_table(study.comparison.rows)[0],
        "through_lines": through_table(study.comparison.rows)[1],
        "trees": study.trees,
        "claims": explained(row.claim for row in overlaps),
        "exchange_columns": exchange_table(study.comparison)[0],
        "exchange_lines": exchange_table(study.comparison)[1],
        "erased_columns": ERASED_COLUMNS,
        "erased_lines": erased_lines(study.erased),
        "steered_columns": list(STEERED_COLUMNS.values()),
        "steered_lines": steered_lines(study.steered),
        "invariant_columns": INVARIANT_COLUMNS,
        "invariant_meaning": INVARIANT_MEANING,
        "invariant_lines": invariant_lines(study.invariants),
        "found": findings(study),
        "ceilings": any(row.get("ceiling") is not None for row in scores.values()),
        "language": "Language, model, data" if study.piece == "token" else "Data and model",
        "transfers": [_transfer(study, moved, f"moved-{index}-{i}", figures)
                      for i, moved in enumerate(study.transfers)],
        "notes": [*study.notes, *remarks(study.scores), *study.scores.notes],
    }  # fmt: skip


def _columns(rows: Sequence[Mapping[str, Json]]) -> list[str]:
    """Columns with a value; of whole texts without those of the words around a word."""
    whole = all(of_whole_text(row) for row in rows)
    left = AROUND if whole else ()
    return [
        name
        for name in SCORE_COLUMNS
        if name not in left and any(row.get(name) is not None for row in rows)
    ]


def _transfer(study: Study, moved: Transfer, name: str, figures: FigurePage) -> dict[str, object]:
    """The section of one target that was learned from one data set and read in others."""
    site = site_of_transfer(study, moved)
    return {
        "target": moved.target,
        "site": site_label(site),
        "caption": TRANSFER_CAPTION,
        "figure": figures.place(transfer_figure(study, moved), name, TRANSFER_CAPTION),
        "columns": TRANSFER_COLUMNS,
        "lines": transfer_lines(moved, site),
    }


def _cell(score: Mapping[str, Json], row: Any) -> dict[str, object]:
    """One cell of the verdict matrix."""
    return {
        "rung": 0 if row is None else row.verdicts.rung,
        "word": "not compared" if row is None else row.verdicts.headline,
        "starred": row is not None and bool(row.verdicts.untested),
        "mark": "" if row is None else row.mark,
        "score": number(score.get(score_column(score))),
        "ceiling": number(score.get("ceiling")),
        "title": "" if row is None else "\n".join(
            f"{name}: {getattr(row.verdicts, name)}"
            for name in ("decodable", "selective", "aligned", "causal")
        ),
    }  # fmt: skip


def _best(study: Study, target: str) -> dict[str, str]:
    """The site where a target is read best on validation sentences."""
    best = best_row([row for row in study.scores.rows if row["target"] == target])
    name, value = strongest_baseline(best)
    verdicts = study.comparison.verdicts.get((str(best["site"]), target))
    return {
        "target": target,
        "site": str(best["site"]),
        "label": site_label(str(best["site"])),
        "score": f"{number(best.get(score_column(best)))}{_unit(best)}",
        "interval": number(best.get("interval")),
        "ceiling": number(best.get("ceiling")),
        "share": _share(best),
        "baseline": f"{name.replace('_', ' ')} {number(value)}" if name else "–",
        "verdict": "" if verdicts is None else verdicts.sentence,
    }


def _share(row: Mapping[str, Json]) -> str:
    names = (score_column(row), "chance", "ceiling")
    score, chance, ceiling = (row.get(name) for name in names)
    if not all(isinstance(value, float) for value in (score, chance, ceiling)):
        return "–"
    span = float(str(ceiling)) - float(str(chance))
    if span < 0.005:  # the ratio of two differences within rounding of the table says nothing
        return "chance = ceiling"
    return f"{(float(str(score)) - float(str(chance))) / span:.0%}"


def _reasons(study: Study) -> list[str]:
    """Why rungs were not tested, each reason once."""
    reasons: dict[str, None] = {}
    for row in study.comparison.rows:
        for name in ("decodable", "selective", "aligned", "causal"):
            verdict = getattr(row.verdicts, name)
            if verdict.state == "not tested":
                plain_text = study.piece != "token" and verdict.reason == NO_BASIS
                why = UNPREDICTED if plain_text else verdict.reason
                reasons[f"{name}: not tested: {why}."] = None
    return list(reasons)


def _unit(row: Mapping[str, Json]) -> str:
    """What stands behind a score that is no accuracy."""
    return " (R²)" if row.get("kind") == "number" else ""


def _head(column: str) -> str:
    unit = f" ({UNITS[column]})" if column in UNITS else ""
    return HEADS.get(column, column.replace("_", " ")) + unit


def _shown(column: str, value: Json) -> str:
    return number(value, 0 if column in ("codelength", "control_codelength") else 3)
