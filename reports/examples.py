"""The examples of a study as its page shows them: what each probe said of a few held-out words."""

from typing import Any

from ..probes.examples.view import ExamplesView, about, script, style
from .addresses import Addresses
from .record import Study
from .rungs import strongest_baseline
from .values import place, score_column, score_word

__all__ = ["examples_script", "examples_section", "examples_style"]

ROWS = {"token": "tokens", "word": "words"}  # of other pieces, such as entities


def examples_section(study: Study, addresses: Addresses) -> dict[str, object] | None:
    """The view of a study's examples; ``None`` where none were kept.

    Args:
        study: with the names that its page gives to targets.
        addresses: of the page.
    """
    from markupsafe import Markup

    if study.examples is None:
        return None
    blocks = study.facts.get("blocks")
    rows = ROWS.get(study.piece, "rows")
    view = ExamplesView(
        study.examples,
        {(str(row["site"]), str(row["target"])): _about(dict(row), rows)
         for row in study.scores.rows},
        {site: place(site, blocks if isinstance(blocks, int) else None)
         for site in study.examples.sites},
    )  # fmt: skip
    cells = {
        (site, target.name): addresses.of(study.name, site, target.name)
        for target in study.examples.targets
        for site in study.examples.sites
    }
    shown = view.fragment(addresses.of(study.name, "examples-view"), cells)
    return {
        "id": addresses.of(study.name, "examples"),
        "pieces": rows,
        "count": len(study.examples.texts),
        "html": Markup(shown),
    }


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
