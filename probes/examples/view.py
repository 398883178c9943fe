"""The view of examples: a piece of a page, and the same in a notebook's cell."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any, Final, final

from ...core import checked
from ..errors import ProbeError
from .values import Examples, ExampleTarget, ExampleText, WordAnswer

__all__ = ["ExamplesView", "about", "fragment", "script", "style"]

BOUNDS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
SHARES: Final = (
    "true label below 10 %", "10 to 30 %", "30 to 50 %", "50 to 70 %", "70 to 90 %",
    "90 % and more",
)  # fmt: skip
CREDITS: Final = ("credit below 0.1", "0.1 to 0.3", "0.3 to 0.5", "0.5 to 0.7", "0.7 to 0.9",
                  "0.9 to 1")  # fmt: skip
BARE: Final = ("another label", "", "", "", "the true label", "")
FRAME: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>examples</title>
<style>:root {{ color-scheme: light dark; }} body {{ margin: .6rem; font: 15px/1.5 system-ui, \
sans-serif; }} .note {{ font-size: .9rem; }}
{style}</style></head><body>{body}<script>{script}</script></body></html>"""


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class ExamplesView:
    """Examples as a notebook shows them: a frame of its own, without a network.

    Scripts run inside the frame alone, so that any number of views stand on a page.

    Args:
        examples: what is shown.
        about: ``(site, target)`` to a sentence on how well the target is read there.
        labels: site -> what it is called; by default its name.
        target: shown first; by default the first.
        site: shown first; by default where that target is read best on validation data.

    Raises:
        ProbeError: there is no such target or site among the examples.
    """

    examples: Examples
    about: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    target: str | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        chosen = self.examples.target(self.target) if self.target else self.examples.targets[0]
        if self.site is not None and self.site not in self.examples.sites:
            known = ", ".join(self.examples.sites)
            raise ProbeError(f"no examples at {self.site!r}: ask for one of {known}")
        object.__setattr__(self, "target", chosen.name)
        object.__setattr__(self, "site", self.site or chosen.start)

    def __repr__(self) -> str:
        """What is shown; the texts are in ``examples``."""
        names = [target.name for target in self.examples.targets]
        return f"ExamplesView({len(self.examples.texts)} texts, {names})"

    def _repr_html_(self) -> str:
        page = FRAME.format(style=style(), body=self.fragment(), script=script())
        return (
            f'<iframe title="examples" sandbox="allow-scripts" srcdoc="{escape(page)}" '
            'style="width:100%;height:36rem;border:1px solid #8888"></iframe>'
        )

    def fragment(
        self, name: str = "examples", addresses: Mapping[tuple[str, str], str] | None = None
    ) -> str:
        """The view as a piece of a page that has :func:`style` and :func:`script`.

        Args:
            name: of its element, which no other of the page has.
            addresses: ``(site, target)`` to the address of the cell, where addresses of examples
                begin; without any, examples have the names of their elements.
        """
        return fragment(self, name, addresses or {})


def style() -> str:
    """The style sheet of all views on a page."""
    return _file("examples.css")


def script() -> str:
    """The script of all views on a page; it stands behind them."""
    return _file("examples.js")


def about(
    word: str,
    value: float | None,
    interval: tuple[float | None, float | None],
    n_test: int,
    beside: tuple[str, float | None],
    rows: str = "rows",
) -> str:
    """A sentence on how well a target is read: of all test rows, whatever the examples show.

    Args:
        word: ``"accuracy"`` or ``"R²"``.
        value: of the probe.
        interval: 95 %, of the same.
        n_test: test rows.
        beside: name and value of a baseline.
        rows: what they are called.

    >>> about("accuracy", 0.915, (0.889, 0.936), 740, ("chance", 0.4))
    'On all 740 test rows: accuracy 0.915 (0.889 to 0.936); chance 0.400.'
    """
    low, high = interval
    between = f" ({low:.3f} to {high:.3f})" if _known(low) and _known(high) else ""
    name, other = beside
    rest = f"; {name} {other:.3f}" if name and _known(other) else ""
    said = f"{value:.3f}" if _known(value) else "is not defined"
    return f"On all {n_test} test {rows}: {word} {said}{between}{rest}."


def fragment(view: ExamplesView, name: str, addresses: Mapping[tuple[str, str], str]) -> str:
    """A piece of HTML.

    Args:
        view: what to show.
        name: of its element.
        addresses: ``(site, target)`` to the address of the cell.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    examples = view.examples
    target = examples.target(str(view.target))
    site = str(view.site)
    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    return environment.get_template("examples.html").render(
        name=name,
        intro=_intro(examples),
        sites=[view.labels.get(each, each) for each in examples.sites],
        targets=examples.targets,
        first={
            "target": examples.targets.index(target),
            "site": examples.sites.index(site),
            "about": view.about.get((site, target.name), ""),
        },
        texts=[
            _text(examples.texts[index], index, target, site)
            for index in examples.order(site, target.name)
        ],
        data=_data(view, examples.targets.index(target), addresses),
    )


def _data(
    view: ExamplesView, first: int, addresses: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """What the script reads: everything that a change of target or site changes."""
    examples = view.examples
    return {
        "first": first,
        "sites": [view.labels.get(site, site) for site in examples.sites],
        "targets": [
            {
                "name": target.name,
                "kind": target.kind,
                "classes": target.classes,
                "start": examples.sites.index(target.start),
                "truth": target.truth,
                "legend": _legend(target),
                "about": [view.about.get((site, target.name), "") for site in examples.sites],
                "addresses": [addresses.get((site, target.name), "") for site in examples.sites],
                "answers": [target.answers[site] for site in examples.sites],
            }
            for target in examples.targets
        ],
    }


def _intro(examples: Examples) -> str:
    """What the texts are, and how they were chosen."""
    n = len(examples.texts)
    wrong = sum(text.chosen == "wrong" for text in examples.texts)
    chosen = (
        f"{n - wrong} drawn at random, {wrong} for the mistakes that a probe is surest of where it "
        "reads best; so errors cannot be counted here"
        if wrong
        else "drawn at random"
    )
    fewer = (
        f" {len(examples.sites)} of {examples.n_sites} places are shown."
        if len(examples.sites) < examples.n_sites
        else ""
    )
    return (
        f"{n} of {examples.n_texts} held-out texts, which no probe has learned from: {chosen}. The "
        "more colour a word has, the more probability its true label gets. Below it stands the "
        "label; where the probe is wrong, what it says ≠ what is true. Texts where it is wrong but "
        f"confident come first.{fewer}"
    )


def _legend(target: ExampleTarget) -> tuple[str, ...]:
    """What the shades mean; '' for one that does not occur."""
    if target.kind == "number":
        return CREDITS
    bare = any("=" in line or "!" in line for lines in target.answers.values() for line in lines)
    return BARE if bare else SHARES


def _text(text: ExampleText, index: int, target: ExampleTarget, site: str) -> dict[str, Any]:
    """One example at the first place."""
    rows = sorted({node.row for node in text.nodes}, reverse=True)  # no empty lines
    because = "drawn at random" if text.chosen == "random" else "chosen for a mistake"
    cut = f", {len(text.words)} of its {text.cut} words" if text.cut else ""
    return {
        "index": index,
        "number": index + 1,
        "chosen": text.chosen,
        "where": f"number {text.number + 1} of the corpus{cut}, {because}",
        "gaps": text.gaps,
        "lines": len(rows),
        "nodes": [
            {"label": node.label, "start": node.start, "stop": node.stop,
             "line": rows.index(node.row) + 1}
            for node in text.nodes
        ],
        "words": [
            _word(word, target.answer(site, index, place))
            for place, word in enumerate(text.words)
        ],
    }  # fmt: skip


def _word(word: str, answer: WordAnswer | None) -> dict[str, str]:
    return {
        "text": word,
        "css": "" if answer is None else shade(answer) + ("" if answer.right else " ex-bad"),
        "said": "" if answer is None else told(answer),
    }


def shade(answer: WordAnswer) -> str:
    """Class of the style sheet."""
    if math.isnan(answer.score):
        return "s4" if answer.right else "s0"
    return f"s{bisect_right(BOUNDS, answer.score)}"


def told(answer: WordAnswer) -> str:
    """What stands below a word."""
    if answer.right and answer.true == answer.predicted:
        return answer.true
    return f"{answer.predicted} ≠ {answer.true}"


def sentence(answer: WordAnswer | None, target: ExampleTarget) -> str:
    """What is said of a word that is pointed at."""
    if answer is None:
        return f"no {target.name} is asked for here"
    if target.kind == "number":
        credit = f"{answer.score:.2f}"
        return f"true {answer.true}, predicted {answer.predicted}, credit {credit}"
    sure = "" if math.isnan(answer.confidence) else f" with {answer.confidence:.0%}".replace(
        "%", " %"
    )  # fmt: skip
    if answer.right:
        return f"true {answer.true}, predicted{sure}"
    rest = (
        ""
        if math.isnan(answer.score)
        else f"; the true label has {answer.score:.0%}".replace("%", " %")
    )
    return f"wrong: true {answer.true}, predicted {answer.predicted}{sure}{rest}"


def _file(name: str) -> str:
    return files(__package__).joinpath("templates").joinpath(name).read_text("utf-8")


def _known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)
