"""The table of every number of a study's grid, and of the place where each target is read best."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .rungs import GIVEN, strongest_baseline
from .section import Section
from .values import (
    AROUND,
    Json,
    best_row,
    number,
    of_whole_text,
    score_column,
    score_word,
    site_label,
    site_order,
)

if TYPE_CHECKING:
    from .record import Study

__all__ = ["best_table", "score_table", "score_words"]

SCORE_COLUMNS: Final = (
    "accuracy", "r2", "spearman", "interval", "validation", "ceiling", "chance", "position",
    "previous_word", "word_identity", "next_word", "n_gram", "surface", "bag_of_words",
    "characters", "length", "unseen", "embedding", "random_weights", "shuffled",
    "control_task", "selectivity", "balanced_accuracy", "macro_f1", "auroc", "average_precision",
    "recall_at_1_fpr", "nll", "v_information", "codelength", "control_codelength",
    "p", "q", "p_family", "p_untrained", "p_surface", "p_perfect", "p_embedding", "p_unseen",
    "p_control", "penalty", "n_train", "n_test", "n_groups", "n_unseen", "n_classes",
    "converged", "collapsed",
)  # fmt: skip
FEW_COLUMNS: Final = (
    "accuracy", "r2", "interval", "ceiling", "chance", "surface", "random_weights", "shuffled",
    "control_task", "p_family", "p_untrained", "p_surface",
)  # fmt: skip
MOST_CELLS: Final = 60_000
"""Of a table with more, the page shows the columns that decide; scores.csv has all of them."""
UNITS: Final = {
    "nll": "nats", "v_information": "nats", "codelength": "bits", "control_codelength": "bits",
}  # fmt: skip
HEADS: Final = {
    "r2": "R²",
    "n_gram": "last three words",
    "random_weights": "untrained models",
    "p_perfect": "p of a probe without any error",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "recall_at_1_fpr": "recall at 1 % false positives",
}
SHORTENED: Final = "The columns that decide the verdicts; scores.csv beside this page has all."


def score_table(study: "Study") -> Section:
    """A line for each cell: verdict, score and all that stands beside it.

    Args:
        study: with its targets under the names that pages give them.
    """
    rows = study.scores.rows
    columns = _columns(rows)
    note = ""
    if len(rows) * len(columns) > MOST_CELLS:
        columns, note = [name for name in columns if name in FEW_COLUMNS], SHORTENED
    cells = [(str(row["site"]), str(row["target"])) for row in rows]
    verdicts = study.comparison.verdicts
    lines = []
    for row, (site, target) in zip(rows, cells, strict=True):
        found = verdicts.get((site, target))
        values = [_shown(name, row.get(name)) for name in columns]
        lines.append([site_label(site), target, "–" if found is None else found.short, *values])
    heads = ["site", "target", "verdict", *map(_head, columns)]
    return Section("numbers", "Numbers", heads, lines, left=3, note=note, cells=cells)


def best_table(study: "Study") -> Section:
    """A line for each target: the place where it is read best on validation data.

    Args:
        study: with its targets under the names that pages give them.
    """
    targets = site_order([str(row["target"]) for row in study.scores.rows])
    known = any(row.get("ceiling") is not None for row in study.scores.rows)
    limit = ["ceiling", "way from chance to ceiling"] if known else []
    columns = ["target", "site", score_words(study), "interval", *limit, "strongest baseline",
               "verdict"]  # fmt: skip
    lines, cells = [], []
    for target in targets:
        best = best_row([row for row in study.scores.rows if row["target"] == target])
        site = str(best["site"])
        name, value = strongest_baseline(best)
        found = study.comparison.verdicts.get((site, target))
        ceiling = [number(best.get("ceiling")), _share(best)] if known else []
        lines.append([
            target, site_label(site), f"{number(best.get(score_column(best)))}{_unit(best)}",
            number(best.get("interval")), *ceiling,
            f"{_head(name)} {number(value)}" if name else "–",
            "" if found is None else found.sentence.removesuffix(GIVEN),
        ])  # fmt: skip
        cells.append((site, target))
    title = "Where each target is read best, by validation data"
    prose = frozenset({len(columns) - 1})
    return Section("best", title, columns, lines, prose=prose, cells=cells)


def score_words(study: "Study") -> str:
    """What the scores of a study are called.

    Args:
        study: with scores of classes, of numbers, or of both.
    """
    return " or ".join(dict.fromkeys(score_word(row) for row in study.scores.rows))


def _columns(rows: Sequence[Mapping[str, Json]]) -> list[str]:
    """Columns with a value; of whole texts without those of the words around a word."""
    whole = all(of_whole_text(row) for row in rows)
    left = AROUND if whole else ()
    return [
        name
        for name in SCORE_COLUMNS
        if name not in left and any(row.get(name) is not None for row in rows)
    ]


def _share(row: Mapping[str, Json]) -> str:
    names = (score_column(row), "chance", "ceiling")
    score, chance, ceiling = (row.get(name) for name in names)
    if not all(isinstance(value, float) for value in (score, chance, ceiling)):
        return "–"
    span = float(str(ceiling)) - float(str(chance))
    if span < 0.005:  # the ratio of two differences within rounding of the table says nothing
        return "chance = ceiling"
    return f"{(float(str(score)) - float(str(chance))) / span:.0%}"


def _unit(row: Mapping[str, Json]) -> str:
    """What stands behind a score that is no accuracy."""
    return " (R²)" if row.get("kind") == "number" else ""


def _head(column: str) -> str:
    unit = f" ({UNITS[column]})" if column in UNITS else ""
    return HEADS.get(column, column.replace("_", " ")) + unit


def _shown(column: str, value: Json) -> str:
    return number(value, 0 if column in ("codelength", "control_codelength") else 3)
