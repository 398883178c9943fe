"""The examples of a study as its page shows them: what each probe said of a few held-out words."""

import math
from typing import Any

from ..probes import ExampleText
from ..probes.examples.view import ExamplesView, about
from .addresses import Addresses
from .record import Study
from .rungs import strongest_baseline
from .values import place, score_column, score_word, site_label

__all__ = [
    "MISTAKES_NOTE",
    "MISTAKE_COLUMNS",
    "examples_section",
    "surest_mistakes",
]

MISTAKE_COLUMNS = ("target", "where", "held-out text", "true", "predicted", "probability")
MISTAKES_NOTE = (
    "Wrong but confident: the surest mistakes among the held-out texts that the run keeps, one a "
    "text, at the place where each target is read best on validation data; the word is in brackets."
)
MOST = 3  # of a target
AROUND = 6  # words

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


def surest_mistakes(study: Study) -> list[list[str]]:
    """Rows of a table: for each target of classes the words where its probe is wrong and sure.

    Args:
        study: with the names that its page gives to targets.
    """
    kept = study.examples
    if kept is None:
        return []
    rows = []
    for target in kept.targets:
        wrong = [
            (-answer.confidence, index, word, answer)
            for index, text in enumerate(kept.texts)
            for word in range(len(text.words))
            if (answer := target.answer(target.start, index, word)) and not answer.right
            and not math.isnan(answer.confidence)
        ]  # fmt: skip
        surest = {each[1]: each for each in sorted(wrong, key=lambda each: each[:3], reverse=True)}
        for _, index, word, answer in sorted(surest.values(), key=lambda each: each[:3])[:MOST]:
            shown = _around(kept.texts[index], word)
            sure = f"{answer.confidence:.2f}"
            rows.append(
                [target.name, site_label(target.start), shown, answer.true, answer.predicted, sure]
            )
    return rows


def _around(text: ExampleText, word: int) -> str:
    """A word in brackets among those around it."""
    first, last = max(word - AROUND, 0), min(word + AROUND + 1, len(text.words))
    gaps = text.gaps or ("", *[" "] * len(text.words))
    said = [f"{gaps[i]}[{w}]" if i == word else f"{gaps[i]}{w}"
            for i, w in enumerate(text.words)]  # fmt: skip
    ends = ("… " if first else "", " …" if last < len(text.words) else "")
    after = gaps[-1] if text.gaps and last == len(text.words) else ""
    return ends[0] + ("".join(said[first:last]) + after).strip() + ends[1]


def _about(row: dict[str, Any], rows: str) -> str:
    """How well a target is read there, beside the strongest baseline."""
    low, high = row.get("interval") or (None, None)
    name, value = strongest_baseline(row)
    beside = f"strongest baseline, {name.replace('_', ' ')}:" if name else ""
    score = row.get(score_column(row))
    return about(
        score_word(row), score, (low, high), int(row.get("n_test") or 0), (beside, value), rows
    )
