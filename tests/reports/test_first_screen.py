"""The first screen: sentences made from verdicts, with numbers of the run, said once, linked."""

import ast
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import linrep
from linrep.reports import Check, Run, Scores, compare
from linrep.reports.citing import citation, commands, fingerprint
from linrep.reports.constructed_findings import constructed
from linrep.reports.findings import answers, findings
from linrep.reports.html import render_html
from linrep.reports.markdown import render_markdown
from linrep.reports.merged_notes import notes_of_run
from linrep.reports.report_json import run_json
from linrep.reports.run_json import dumps
from linrep.reports.untested import REMEDIES, remedies, untested, untested_lines
from linrep.reports.values import number
from linrep.reports.verdicts import Verdict

from .conftest import Grid
from .test_findings import SITES, study

NASTY = "<img src=x onerror=alert(1)>"


class Links(HTMLParser):
    """Identities, addresses within the page, elements, and the text outside scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.inside: list[str] = []
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href" and value.startswith("#"):
                self.inside.append(value[1:])
            if name.startswith("on"):
                self.handlers.append(name)


def several(level=0.05):
    """Two targets that are read, two that are not, one that was not tested."""
    base, grid = study(at=(1, 2)), Grid(covariances={})
    kinds = {
        "colour": {}, "shape": {},
        "age": {"p_untrained": 0.4, "random_weights": 0.79}, "size": {"p_untrained": 0.6},
        "mood": {"n_groups": 2},
    }  # fmt: skip
    rows = [
        dict(row) | {"target": name} | more
        for name, more in kinds.items()
        for row in base.scores.rows
    ]
    grid.rows.extend(rows)
    import numpy as np

    grid.covariances.update(dict.fromkeys(SITES, np.eye(8)))
    return replace(
        base, name="several", scores=Scores(tuple(rows)), comparison=compare(grid, draws=5)
    )


def test_targets_of_which_the_same_is_true_share_a_sentence():
    told = answers(several())
    assert [len(finding.details) for finding in told] == [2, 2, 0]
    assert told[0].text.startswith("Colour and shape of each statement can be read")
    assert told[1].text.startswith("It is not shown that the model holds age and size")
    assert "mood" in told[2].text
    assert "not tested" in told[2].text


def test_what_untrained_models_show_as_well_is_no_claim():
    for finding in findings(study(p_untrained=0.6, at=(1, 2))):
        assert "can be read" not in finding
        assert "not shown" in finding


@pytest.mark.parametrize("made", [study(at=()), study(n_groups=3), study(p_family=None)])
def test_nothing_is_claimed_where_nothing_is_decided(made):
    assert not any(re.search(r"can be read from the stream", line) for line in findings(made))


@pytest.mark.parametrize("found", [True, False])
def test_every_number_of_a_sentence_is_in_the_run(make, found):
    for made in (make(found=found), Run("t", "", {}, {}, (several(),))):
        held = set(re.findall(r"\d+(?:\.\d+)?", dumps(run_json(made)).split('"studies"', 1)[1]))
        values = {number(float(value)) for value in held} | held
        cells = len(made.studies[0].comparison.rows)
        for finding in answers(made.studies[0]):
            texts = [finding.text, *(detail.text for detail in finding.details)]
            for told in re.findall(r"(?<![\w.])\d+\.\d+(?![\w])", " ".join(texts)):
                assert told in values
            for count in re.findall(r"(\d+) of (?:the )?(\d+) (?:cells|places)", " ".join(texts)):
                assert int(count[0]) <= int(count[1]) <= cells


def test_a_constructed_model_is_where_theory_says_or_is_told_not_to_be(make):
    (held,) = make(found=True).studies
    (lost,) = make(found=False).studies
    assert constructed(held)
    assert answers(held)[0].text.startswith("Every state that could be compared is where")
    assert answers(held)[0].good is True
    text = " ".join(findings(lost))
    assert "Every state" not in text
    assert any(finding.good is False for finding in answers(lost))


def test_a_failed_check_stands_in_front(run):
    (study,) = run.studies
    bad = Check("a size", 3.0, "<=", 1.0, "sizes are small")
    told = answers(replace(study, checks=(*study.checks, bad)))
    assert told[0].text.startswith("Failed: a size: 3.000; at most 1.000 is allowed")
    assert told[0].good is False
    assert told[-1].text == "1 of 2 checks hold"
    alone = replace(study, scores=Scores(()), comparison=compare(Grid(covariances={}), draws=5))
    assert answers(replace(alone, checks=())) == []


def test_what_was_not_tested_is_said_once_with_what_would_change_it():
    made = several()
    lines = untested_lines([made])
    assert len(lines) == len(set(lines)) <= 4
    assert any("Whether the model uses it, at all cells" in line for line in lines)
    told = [entry.sentence for entry in untested([made, made])]
    assert len(told) == len(set(told))
    assert any("minimal_pairs" in line for line in remedies([made]))
    assert any("groups" in line for line in remedies([made]))


def test_where_everything_was_tested_nothing_would_change(run):
    (study,) = run.studies
    yes = Verdict("yes", "so it is")
    rows = tuple(
        replace(row, verdicts=replace(
            row.verdicts, decodable=yes, selective=yes, aligned=yes, causal=yes))
        for row in study.comparison.rows
    )  # fmt: skip
    whole = replace(study, comparison=replace(study.comparison, rows=rows))
    assert untested([whole]) == untested_lines([whole]) == remedies([whole]) == []
    page = render_html(replace(run, studies=(whole,)))
    assert "What was not tested" not in page
    assert "What would change this" not in page


def test_no_note_is_said_twice_and_targets_and_studies_are_named(run):
    (first,) = run.studies
    notes = ("height 1: 3 of 9 left out", "height 2: 4 of 9 left out", "split by sentence")
    a = replace(first, name="a", notes=notes, scores=replace(first.scores, notes=notes))
    b = replace(first, name="b", notes=("only here",), scores=replace(first.scores, notes=notes))
    told = notes_of_run(replace(run, studies=(a, b)))
    assert len(told) == len(set(told))
    assert sum("left out" in note for note in told) == 1
    assert "height 1 and height 2: 3 and 4 of 9 left out" in told
    assert "In b: only here" in told
    assert "split by sentence" in told


def test_every_identity_is_one_and_every_address_leads_somewhere(run):
    (only,) = run.studies
    twice = replace(only, name="planted 2")  # as "planted" and its second table might be called
    nasty = replace(study(), name=NASTY.replace("/", ""))
    for made in (run, replace(run, studies=(only, twice, nasty, several()))):
        page = Links(render_html(made))
        assert len(page.ids) == len(set(page.ids))
        assert set(page.inside) <= set(page.ids)
        assert not any(set(name) & set(' "<>') for name in page.ids)


def test_each_cell_has_the_address_of_its_numbers(run):
    page = Links(render_html(run))
    for row in run.studies[0].scores.rows:
        site = row["site"].replace("hook_", "")
        address = f"{run.studies[0].name}/{site}/{row['target'].replace(' ', '-')}"
        assert address in page.ids
        assert address in page.inside


def test_markup_stays_text_wherever_it_stands(run):
    (only,) = run.studies
    rows = tuple(dict(row) | {"target": NASTY} for row in only.scores.rows)
    compared = tuple(replace(row, target=NASTY, tied=NASTY) for row in only.comparison.rows)
    made = replace(
        only, name=NASTY.replace("/", ""), question=NASTY, facts={NASTY: NASTY}, notes=(NASTY,),
        scores=Scores(rows[:1], (NASTY,)),
        comparison=replace(only.comparison, rows=compared[:1]),
        checks=(Check(NASTY, 1.0, "<=", 2.0, NASTY),), trees=(NASTY,), names={NASTY: NASTY + "{0}"},
        piece=NASTY + "{names}",
    )  # fmt: skip
    page = Links(render_html(Run(NASTY, NASTY, {"a": NASTY}, {"b": NASTY}, (made,))))
    assert "img" not in page.tags
    assert not page.handlers
    assert "<img" not in render_markdown(Run(NASTY, NASTY, {}, {}, (made,)))


def test_markdown_says_what_the_first_screen_says(run):
    made = replace(run, studies=(*run.studies, several()))
    text = render_markdown(made)
    for one in made.studies:
        for finding in answers(one):
            assert finding.text in text
            assert all(detail.text in text for detail in finding.details)
    for line in (*untested_lines(made.studies), *remedies(made.studies), *notes_of_run(made)):
        assert text.count(f"- {line}\n") == 1
    assert citation(made) in text


def test_a_citation_is_of_the_content(run):
    assert fingerprint(run) == fingerprint(replace(run))
    assert fingerprint(run) != fingerprint(replace(run, title="another"))
    assert fingerprint(run) in citation(run)
    assert "}" not in citation(replace(run, title="a}b")).split("title = {", 1)[1].split("},")[0]


@pytest.mark.parametrize(
    ("settings", "command"),
    [({"studies": []}, "linrep run settings.yaml"), ({"experiment": "belief"}, "experiment belief"),
     ({"experiment": "maxout", "tiny": True}, "linrep maxout --seed 0 --tiny"), ({}, "report")],
)  # fmt: skip
def test_the_command_that_makes_the_run_again(run, settings, command):
    assert command in commands(replace(run, settings=settings))[0][0]


def test_json_has_the_sentences(run):
    told = json.loads(dumps(run_json(run)))["studies"][0]["found"]
    assert told == findings(run.studies[0])


def test_each_remedy_answers_a_reason_that_a_verdict_can_give() -> None:
    root = Path(linrep.__file__).resolve().parents[2]
    rooms = ("reports", "experiments", "causal", "src/linrep/core")
    said = " ".join(
        node.value
        for room in rooms
        for file in sorted((root / room).rglob("*.py"))
        if file.name != "untested.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    lost = [sign for sign, _ in REMEDIES if sign not in said]
    assert lost == [], "no reason says this any more, so that its remedy is never shown"
