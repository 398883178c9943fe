"""Commands about runs that are there: what they write, and what they refuse before they write."""

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as xml

import jsonschema
import pytest

from linrep.cli import main
from linrep.reports import report_schema
from linrep.reports.difference_page import DifferenceFile

KEPT = Path(__file__).with_name("formats") / "run_1"


@pytest.fixture
def linrep(capsys):
    """Run a command in this process: (status, standard output, standard error)."""

    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(KEPT, tmp_path / "run"))


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


# -- what is written ------------------------------------------------------------------------------


def test_the_schema_is_printed_and_a_report_meets_it(linrep, run, tmp_path):
    status, out, err = linrep("schema")
    assert (status, err) == (0, "")
    assert json.loads(out) == report_schema() == json.loads(linrep("schema", "--json")[1])
    assert linrep("report", run, "--to", tmp_path / "a.json")[0] == 0
    jsonschema.validate(json.loads((tmp_path / "a.json").read_text("utf-8")), json.loads(out))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--format", "card"], "run/card.md"),
        (["--format", "md"], "run/report.md"),
        (["--to", "card.md"], "card.md"),
        (["--to", "page.md", "--format", "card"], "page.md"),
    ],
)
def test_formats_have_their_files(linrep, run, tmp_path, monkeypatch, options, name):
    monkeypatch.chdir(tmp_path)
    status, out, _ = linrep("report", run, *options, "--json")
    assert status == 0
    assert Path(json.loads(out)["report"]).resolve() == (tmp_path / name).resolve()
    text = (tmp_path / name).read_text("utf-8")
    assert text.startswith("---\n") == ("card" in " ".join(options))


def test_a_check_writes_what_machines_read_and_its_status_is_the_same(linrep, run, tmp_path):
    files = ["--junit", tmp_path / "deep" / "a.xml", "--summary", tmp_path / "steps"]
    for wanted, status in (("accuracy>=0", 0), ("accuracy>=0.99", 1)):
        end, out, err = linrep("check", run, "--require", wanted, *files, "--json")
        assert (end, err) == (status, "")
        root = xml.parse(tmp_path / "deep" / "a.xml").getroot()
        told = json.loads(out)
        assert int(root.get("tests")) == len(told["outcomes"])
        assert int(root.get("failures")) == sum(not o["passed"] for o in told["outcomes"])
        assert Path(told["junit"]).is_file()
    steps = (tmp_path / "steps").read_text("utf-8")
    assert steps.index("check passed") < steps.index("check failed")  # one below the other


def test_two_runs_as_a_page_and_for_machines(linrep, run, tmp_path):
    for name in ("d.html", "d.md", "d.json"):
        status, out, _ = linrep("compare", run, run, "--out", tmp_path / name, "--strict")
        assert status == 0
        assert str(tmp_path / name) in out
        assert "0 worse" in out
    text = (tmp_path / "d.json").read_text("utf-8")
    DifferenceFile.model_validate_json(text)
    jsonschema.validate(json.loads(text), json.loads(linrep("schema", "comparison")[1]))
    status, out, _ = linrep("compare", run, run, "--junit", tmp_path / "d.xml", "--json")
    assert status == 0
    assert xml.parse(tmp_path / "d.xml").getroot().get("failures") == "0"
    assert json.loads(out)["worse"] == 0


def test_a_printed_list_of_changes_is_bounded(linrep, run):
    out = linrep("compare", run, run)[1]
    assert " in A, " not in out  # nothing changed, so no cell is listed
    assert "8 cells are in both runs." in out


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "RUN", "--junit", "a.txt"], r"\.xml"),
        (["check", "RUN", "--junit", "RUN/manifest.json"], r"\.xml"),
        (["check", "RUN", "--summary", "RUN/manifest.json"], "is a file of the run"),
        (["check", "RUN", "--summary", "RUN"], "is a folder"),
        (["check", "RUN", "--summary", "bytes"], "no text"),
        (["check", "RUN", "--junit", "a.xml", "--summary", "bytes"], "no text"),
        (["check", "RUN", "--junit", "a.xml", "--require", "x"], "cannot read the requirement"),
        (["check", "none", "--junit", "a.xml", "--summary", "a.md"], "does not exist"),
        (["compare", "RUN", "RUN", "--out", "a.pdf"], r"\.html, \.md or \.json"),
        (["compare", "RUN", "RUN", "--out", "a.html", "--junit", "a"], r"\.xml"),
        (["compare", "RUN", "none", "--out", "a.html"], "does not exist"),
        (["compare", "RUN", "RUN", "--seed", "-1"], "seed"),
        (["report", "RUN", "--to", "a.txt"], r"\.pdf or \.png"),
        (["report", "RUN", "--format", "docx"], "one of html, md"),
        (["report", "RUN", "--to", "a.md", "--format", "html"], r"name such a file"),
        (["report", "RUN", "--to", "RUN/manifest.json"], "is a file of the run"),
        (["report", "none", "--format", "card"], "does not exist"),
        (["schema", "page"], "report and comparison; received 'page'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_mistake_is_told_once_and_nothing_is_written(
    linrep, run, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    before = contents(tmp_path)
    status, out, err = linrep(*[word.replace("RUN", str(run)) for word in arguments])
    assert (status, out) == (2, "")
    flat = " ".join(err.replace("\u2502", " ").split())
    assert re.search(message, flat, re.IGNORECASE), err
    assert contents(tmp_path) == before


def test_without_a_browser_a_picture_is_refused(linrep, run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    before = contents(tmp_path)
    for kind in ("pdf", "png"):
        status, out, err = linrep("report", run, "--format", kind)
        assert (status, out) == (2, "")
        assert "none is installed" in err
    assert contents(tmp_path) == before
