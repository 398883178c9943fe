"""The map of verdicts: targets by places, each cell a link to its row of numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .score_table import score_words
from .values import number, place, score_column, site_label, site_order
from .verdicts import RUNGS

if TYPE_CHECKING:
    from .addresses import Addresses
    from .record import Study
    from .row import Row
    from .values import Json

__all__ = ["verdict_map"]

MOST_REASONS: Final = 600
"""Cells up to which each carries its reasons; of larger maps the list of reasons has them."""


def verdict_map(study: "Study", addresses: "Addresses") -> dict[str, object]:
    """What the template of the map needs.

    Args:
        study: with scores, its targets under the names that pages give them.
        addresses: of the page.
    """
    scores = {(str(row["site"]), str(row["target"])): row for row in study.scores.rows}
    compared = {(row.site, row.target): row for row in study.comparison.rows}
    sites = site_order([site for site, _ in scores])
    told = len(scores) <= MOST_REASONS
    cells = {
        cell: _cell(row, compared.get(cell), told)
        | {
            "id": addresses.of(study.name, "verdicts", *cell),
            "href": addresses.of(study.name, *cell),
        }
        for cell, row in scores.items()
    }
    blocks = study.facts.get("blocks")
    known = blocks if isinstance(blocks, int) else None
    targets = site_order([target for _, target in scores])
    return {
        "id": addresses.of(study.name, "verdicts"),
        "score": score_words(study),
        "ceilings": any(row.get("ceiling") is not None for row in scores.values()),
        "sites": [{"label": site_label(site), "name": place(site, known)} for site in sites],
        "rows": [
            {"target": target, "cells": [cells.get((site, target)) for site in sites]}
            for target in targets
        ],
        "marked": any(cell["mark"] for cell in cells.values()),
        "tied": any(row.tied for row in compared.values() if row.subspaces),
        "starred": any(cell["starred"] for cell in cells.values()),
    }


def _cell(score: Mapping[str, "Json"], row: "Row | None", told: bool) -> dict[str, object]:
    """One cell."""
    answers = "" if row is None else "\n".join(
        f"{name}: {getattr(row.verdicts, name) if told else getattr(row.verdicts, name).state}"
        for name in RUNGS
    )  # fmt: skip
    return {
        "rung": 0 if row is None else row.verdicts.rung,
        "word": "not compared" if row is None else row.verdicts.headline,
        "starred": row is not None and bool(row.verdicts.untested),
        "mark": "" if row is None else row.mark,
        "score": number(score.get(score_column(score))),
        "ceiling": number(score.get("ceiling")),
        "title": answers,
    }
