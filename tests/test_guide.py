"""What the pages of the guide show is run, block after block, in the order of each page."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs/guide"
if not GUIDE.is_dir():
    pytest.skip("no checkout", allow_module_level=True)
PAGES = sorted(path for path in GUIDE.glob("*.md") if path.stem != "errors")
BLOCK = re.compile(r"(?:<!-- not run: ([^\n]*) -->\n)?```(\w+)\n(.*?)```", re.S)


def blocks(path, language):
    """(why it is not run, text) of each block of a language."""
    found = BLOCK.findall(path.read_text("utf-8"))
    return [(why, text) for why, named, text in found if named == language]


PYTHON = [page for page in PAGES if any(not why for why, _ in blocks(page, "python"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_small_model):
    """A folder with a small model of the words that the pages use."""
    here = tmp_path_factory.mktemp("guide")
    text = " ".join(page.read_text("utf-8") for page in PAGES)
    write_small_model(here / "a/model/folder", re.findall(r"\w+|[^\w\s]", text))
    return here


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.stem)
def test_every_python_block_runs(page, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for why, text in blocks(page, "python"):
        if not why:
            exec(compile(text, str(page), "exec"), names)
    assert capsys.readouterr().out


def test_every_command_shown_exists_with_its_options():
    import typer

    from linrep.cli import app

    known = typer.main.get_command(app).commands
    seen = set()
    for page in PAGES:
        for _, text in blocks(page, "console"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.split("#")[0])
                if not words or words[0] != "linrep":
                    continue
                seen.add(words[1])
                options = {name for p in known[words[1]].params for name in p.opts}
                assert {word for word in words if word.startswith("--")} <= options, line
    assert len(seen) > 8


def test_what_is_not_run_says_why():
    skipped = [why for page in PAGES for why, _ in blocks(page, "python") if why]
    assert len(skipped) <= 3
    assert all(len(why.split()) > 2 for why in skipped)


def test_the_table_of_theory_names_code_and_tests_that_exist():
    text = (GUIDE / "theory.md").read_text("utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ") and "`" in row]
    assert len(rows) > 20
    for row in rows:
        code, test = re.findall(r"`([^`]+)`", row)
        file, _, name = test.partition("::")
        assert (ROOT / code).is_file(), row
        assert (ROOT / file).is_file(), row
        assert not name or f"def {name}(" in (ROOT / file).read_text("utf-8"), row
        page, section = re.search(r"\| (grammar|maxout) ([\d.]+)", row).groups()
        theory = (ROOT / f"docs/theory/{page}.md").read_text("utf-8")
        assert re.search(rf"^#+ {re.escape(section)}\.? ", theory, re.M), row


def test_every_claim_has_a_row():
    from linrep.core import CLAIMS

    text = (GUIDE / "theory.md").read_text("utf-8")
    assert not [name for name in CLAIMS if name.startswith("P") and f"| {name}: " not in text]
