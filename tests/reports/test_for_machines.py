"""JUnit's XML, GitHub's summary, and the card of a model hub."""

from dataclasses import replace
from xml.etree import ElementTree as xml

import pytest
import yaml

from linrep.reports import (
    Check,
    ReportError,
    Requirement,
    RequirementError,
    check_run,
    read_run,
    report,
    write_run,
)
from linrep.reports.card import render_card
from linrep.reports.differing import beside
from linrep.reports.junit import (
    Case,
    add_summary,
    cases_of_changes,
    cases_of_check,
    check_summary,
    junit,
    write_junit,
)

EVIL = "<img src=x onerror=alert(1)> ]]> & \x1b[31m\x00 \uffff 'quoted\" |\n# head"


def counted(text):
    """The numbers of JUnit's XML, each held to what it counts."""
    root = xml.fromstring(text)
    assert root.tag == "testsuites"
    for part in (root, *root.iter("testsuite")):
        cases = list(part.iter("testcase"))
        assert int(part.get("tests")) == len(cases)
        for word, tag in (("failures", "failure"), ("skipped", "skipped")):
            assert int(part.get(word)) == sum(case.find(tag) is not None for case in cases)
        assert part.get("errors") == "0"
    for case in root.iter("testcase"):
        assert case.get("name")
        assert case.get("classname")
        assert len(list(case)) <= 1
    return root


def outcomes_of(run, *texts):
    return check_run(run, tuple(map(Requirement.from_text, texts)))


# -- JUnit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [(), ("accuracy>=0",), ("accuracy>=0.9", "rung>=3@*.post")])
def test_there_is_a_case_for_each_outcome_and_it_fails_where_that_fails(make, texts):
    for limit in (1e-12, 1e-20):
        outcomes = outcomes_of(make(limit=limit), *(t for t in texts if "post" not in t))
        root = counted(junit("linrep check", cases_of_check(outcomes)))
        cases = list(root.iter("testcase"))
        assert len(cases) == len(outcomes)
        failed = [case.find("failure") is not None for case in cases]
        assert failed == [not outcome.passed for outcome in outcomes]


def test_any_text_makes_xml_that_is_read():
    root = counted(
        junit(EVIL, [Case(EVIL, EVIL, EVIL), Case(EVIL, EVIL), Case("b", "c", "", EVIL)])
    )
    assert "<img src=x" in root.find(".//failure").text
    assert "\\x1b" in root.find(".//failure").text
    assert len(root.findall("testsuite")) == 2


def test_of_two_runs_a_case_fails_where_it_became_worse(run, make):
    lost = beside(run, make(found=False))
    root = counted(junit("linrep compare", cases_of_changes(lost)))
    assert int(root.get("failures")) == len(lost.found.worse) > 0
    same = counted(junit("linrep compare", cases_of_changes(beside(run, run))))
    assert same.get("failures") == "0"
    assert same.get("skipped") == same.get("tests")  # nothing was kept that pairs them


def test_another_file_is_refused_and_a_runs_own_stays(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    before = (out / "manifest.json").read_bytes()
    for path in (out / "manifest.json", tmp_path / "a.txt", tmp_path / "b"):
        with pytest.raises(ReportError, match=r"\.xml"):
            write_junit([], path, "linrep check")
    (tmp_path / "c.xml").mkdir()
    with pytest.raises(ReportError, match="is a folder"):
        write_junit([], tmp_path / "c.xml", "linrep check")
    assert (out / "manifest.json").read_bytes() == before


# -- the summary ----------------------------------------------------------------------------------


def test_a_summary_says_what_failed_and_folds_the_rest(make):
    good, bad = make(), make(limit=1e-20)
    told = check_summary(good, outcomes_of(good))
    assert told.startswith("## linrep check passed: A planted staircase")
    assert "❌" not in told
    told = check_summary(bad, outcomes_of(bad, "accuracy>=0.3"))
    head, folded = told.split("<details>")
    assert "check failed" in head
    assert head.count("❌") == 1
    assert folded.count("✅") == len(bad.rows())
    assert folded.rstrip().endswith("</details>")


def test_summaries_are_added_one_below_the_other(run, tmp_path):
    out = tmp_path / "deep" / "step_summary_1"
    for _ in range(2):
        add_summary("## one\n", out)
    assert out.read_text("utf-8") == "## one\n## one\n"


def test_no_summary_is_added_to_what_is_no_text_or_to_a_run(run, tmp_path):
    folder = write_run(run, tmp_path / "run")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for name in ("manifest.json", "scores.csv", "studies/planted.json"):
        with pytest.raises(ReportError, match="is a file of the run"):
            add_summary("x", folder / name)
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    with pytest.raises(RequirementError, match="no text .*name another file"):
        add_summary("x", tmp_path / "bytes")
    with pytest.raises(ReportError, match="is a folder"):
        add_summary("x", tmp_path)
    assert {file: file.read_bytes() for file in before} == before


def test_text_of_a_run_makes_no_tags_in_a_summary(run):
    study = replace(run.studies[0], checks=(Check(EVIL, 2.0, "<=", 1.0, EVIL),))
    evil = replace(run, title=EVIL, studies=(study,))
    told = check_summary(evil, outcomes_of(evil))
    assert "<img" not in told
    assert "&lt;img" in told
    assert len([line for line in told.splitlines() if line.startswith("#")]) <= 2


# -- the card -------------------------------------------------------------------------------------


def front(text):
    """The front matter, as a hub reads it."""
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("\n---\n")[0].removeprefix("---\n"))


def test_metadata_has_a_number_only_where_a_verdict_backs_it(run, make):
    study = run.studies[0]
    rows = {row["target"]: row for row in study.scores.rows}
    (entry,) = front(render_card(run))["model-index"]
    assert {r["task"]["name"] for r in entry["results"]} == {f"{t} of each token" for t in rows}
    for result in entry["results"]:
        assert result["dataset"]["name"]
        (metric,) = result["metrics"]
        assert metric["type"] == "accuracy"
        assert metric["value"] == 1.0
        assert "aligned" in metric["name"]
    nothing = make(found=False)
    assert all(v.decodable.state == "no" for v in nothing.studies[0].comparison.verdicts.values())
    card = render_card(nothing)
    assert "model-index" not in front(card)
    assert "0.330" in card  # the text has the score, beside its verdict
    assert "not decodable" in card


def test_a_card_is_a_function_of_the_run_and_its_text_stays_text(run, tmp_path):
    folder = write_run(run, tmp_path / "run")
    assert render_card(read_run(folder)) == render_card(run)
    made = report(folder, tmp_path / "card.md").read_text("utf-8")
    assert made == report(run, tmp_path / "other.md", format="card").read_text("utf-8")
    assert made != report(run, tmp_path / "plain.md").read_text("utf-8")
    study = replace(run.studies[0], facts={"model": EVIL, "data": "x: [y\n---\n"}, question=EVIL)
    evil = render_card(replace(run, title=EVIL.replace("\0", ""), studies=(study,)))
    assert "<img" not in evil.split("\n---\n", 1)[1]
    (entry,) = front(evil)["model-index"]
    assert entry["results"][0]["dataset"]["name"] == "x: [y\n---\n"


def test_a_run_without_cells_has_a_card(run):
    from linrep.reports import Comparison, Scores

    bare = replace(run.studies[0], scores=Scores(()), comparison=Comparison(()), subspaces={})
    card = render_card(replace(run, studies=(bare,)))
    assert "model-index" not in front(card)
    assert "Checks: 1 of 1 passed." in card


@pytest.mark.parametrize(("name", "kind"), [("a.html", "md"), ("a.md", "html"), ("a.md", "pdf")])
def test_a_name_that_contradicts_the_format_is_refused(run, tmp_path, name, kind):
    with pytest.raises(ReportError, match="name such a file"):
        report(run, tmp_path / name, format=kind)
    with pytest.raises(ReportError, match="format"):
        report(run, tmp_path / name, format="docx")


def test_a_run_that_holds_reports_of_every_kind_can_be_replaced(run, tmp_path):
    folder = write_run(run, tmp_path / "run")
    report(folder, folder / "card.md", format="card")
    write_run(run, folder, overwrite=True)
    assert not (folder / "card.md").exists()
