"""The examples of a study as its page shows them: what each probe said of a few held-out words."""

from typing import TYPE_CHECKING, Any

from ..probes.examples.view import ExamplesView, about, script, style
from .record import Study
from .rungs import strongest_baseline
from .values import score_column, score_word, site_label

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["examples_html", "examples_script", "examples_style"]

ROWS = {"token": "tokens", "word": "words"}  # of other pieces, such as entities


def examples_html(study: Study, name: str, address: str) -> "Markup | str":
    """The view of a study's examples; ``""`` where none were kept.

    Args:
        study: with the names that its page gives to targets.
        name: of the view's element, which no other of the page has.
        address: of the study, the first part of the addresses of its examples.
    """
    from markupsafe import Markup

    if study.examples is None:
        return ""
    rows = ROWS.get(study.piece, "rows")
    told = {
        (str(row["site"]), str(row["target"])): _about(dict(row), rows) for row in study.scores.rows
    }
    labels = {site: site_label(site) for site in study.examples.sites}
    return Markup(ExamplesView(study.examples, told, labels).fragment(name, address))


def examples_style() -> str:
    """What the views of a page need of its style sheet."""
    return style()


def examples_script() -> str:
    """What moves them, once for a page, behind the last of them."""
    return script()


def _about(row: dict[str, Any], rows: str) -> str:
    """How well a target is read there, beside the strongest baseline."""
    low, high = row.get("interval") or (None, None)
    name, value = strongest_baseline(row)
    beside = f"strongest baseline, {name.replace('_', ' ')}:" if name else ""
    score = row.get(score_column(row))
    return about(
        score_word(row), score, (low, high), int(row.get("n_test") or 0), (beside, value), rows
    )
