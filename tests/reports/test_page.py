"""The page: self-contained, escaped, every number from the run."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from linrep.reports import read_run, write_run
from linrep.reports.html import render_html
from linrep.reports.markdown import render_markdown, summary_lines
from linrep.reports.values import number
from linrep.reports.verdicts import Verdict


class Page(HTMLParser):
    """Text outside scripts, and every address that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)
        wanted = {"src"} if tag != "link" else {"src", "href"}
        self.addresses += [value for name, value in attrs if name in wanted]

    def handle_endtag(self, tag):
        if tag in self.inside:
            del self.inside[len(self.inside) - 1 - self.inside[::-1].index(tag) :]

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.text.append(data)


@pytest.fixture
def page(run):
    parsed = Page()
    parsed.feed(render_html(run))
    return parsed


def test_nothing_is_loaded_from_anywhere(page):
    assert all(address.startswith("data:") for address in page.addresses)


def test_the_bundle_is_inside_once_and_the_page_is_small(run):
    html = render_html(run)
    assert html.count('id="plotly-bundle"') == 1
    assert 0.5e6 < len(html) < 1e6


def test_the_page_tells_what_was_asked_and_found(page, run):
    text = " ".join(" ".join(page.text).split())
    assert run.title in text
    assert run.question in text
    for study in run.studies:
        assert study.question in text  # with its markup shown as text, not obeyed
        assert all(check.meaning in text for check in study.checks)
        assert all(note in text for note in (*study.notes, *study.scores.notes))
        for row in study.scores.rows:
            assert number(row["accuracy"]) in text
            assert number(row["ceiling"]) in text
    assert "1 of 1 checks passed" in text
    assert (
        "Whether the model uses it, at all cells: no states of these targets were exchanged" in text
    )


def test_a_failed_check_shows(make):
    html = render_html(make(limit=1e-20))
    assert "0 of 1 checks passed" in html
    assert "FAILED" in html


def test_numbers_come_from_the_run(run, make):
    """Another run gives other numbers: nothing is hard-coded."""
    first, second = render_markdown(run), render_markdown(make(found=False, seed=5))
    assert "| 1.000 |" in first
    assert "| 1.000 | 0.980 to 1.000 |" not in second


def test_markdown_says_the_reason_of_each_verdict_once(run):
    (study,) = run.studies
    shown = render_markdown(run)
    for line in summary_lines(run)[-len({row["target"] for row in study.scores.rows}) :]:
        assert shown.count(f"- {line.strip()}\n") == 1


def test_markdown_names_the_rungs_that_were_not_tested(run):
    (study,) = run.studies
    untested = Verdict("not tested", "no control task was run")
    rows = tuple(
        replace(row, verdicts=replace(row.verdicts, selective=untested))
        for row in study.comparison.rows
    )
    study = replace(study, comparison=replace(study.comparison, rows=rows))
    shown = render_markdown(replace(run, studies=(study,)))
    assert "| aligned (selective: not tested) |" in shown
    assert "| aligned |" not in shown
    assert "| aligned |" in render_markdown(run)


def test_whether_a_state_is_still_read_stands_beside_the_prediction(page, run, tmp_path):
    """In every form, and after the folder; where theory does not say, a dash."""
    (study,) = run.studies
    used = {(row.site, row.target): row.predicted_use for row in study.comparison.rows}
    assert {False, True} == set(used.values())
    frame = study.comparison.to_frame()
    assert list(frame["predicted_use"]) == list(used.values())
    assert "still read by a later layer" in "".join(page.text)
    lines = [line for line in render_markdown(run).splitlines() if "| height" in line]
    last = [line for line in lines if "blocks.2.hook_resid_post | height 1" in line]
    assert any("| yes | no |" in line for line in last)  # written, and read no more
    again = read_run(write_run(run, tmp_path / "run")).studies[0]
    assert again.comparison == study.comparison
    untold = replace(study.comparison.rows[0], predicted_use=None)
    silent = replace(study, comparison=replace(study.comparison, rows=(untold,)))
    assert "| no | – |" in render_markdown(replace(run, studies=(silent,)))


def test_sentences_stand_under_their_trees(run, tmp_path):
    (study,) = run.studies
    picture = "┌ S ┐\na  <b>"
    drawn = replace(run, studies=(replace(study, trees=(picture,)),))
    page = render_html(drawn)
    assert "┌ S ┐\na  &lt;b&gt;" in page
    assert "under their trees" not in render_html(run)
    assert "┌ S ┐" in render_markdown(drawn)
    assert read_run(write_run(drawn, tmp_path / "run")).studies[0].trees == (picture,)


def test_the_same_run_gives_the_same_page(run):
    assert render_html(run) == render_html(run)


def test_the_summary_names_the_best_site(run):
    lines = summary_lines(run)
    assert lines[0] == "planted"
    assert any("height 2: accuracy 1.000" in line and "block 1" in line for line in lines)
